//! Writes header structs as fields.

use std::fmt::Display;

use serde::ser::{Impossible, Serialize, SerializeMap, SerializeStruct, Serializer};

use super::ExtFields;
use crate::error::EncodeError;

type Never = Impossible<(), EncodeError>;

/// Writes the whole header: a struct, a map of text, or nothing.
pub(super) struct HeaderSerializer<'a> {
    fields: &'a mut ExtFields,
    key: String,
}

impl<'a> HeaderSerializer<'a> {
    pub fn new(fields: &'a mut ExtFields) -> Self {
        Self { fields, key: String::new() }
    }
}

/// Writes one value.
struct ValueSerializer<'a> {
    fields: &'a mut ExtFields,
    key: &'a str,
}

impl ValueSerializer<'_> {
    fn put(self, value: impl Display) -> Result<(), EncodeError> {
        self.fields.push_display(self.key, value);
        Ok(())
    }

    fn nested<T>(self, found: &'static str) -> Result<T, EncodeError> {
        Err(EncodeError::Nested { field: self.key.to_owned(), found })
    }
}

fn not_a_header<T>(found: &'static str) -> Result<T, EncodeError> {
    Err(EncodeError::Nested { field: String::new(), found })
}

/// Declares the refusing methods of both serializers; `$refuse` makes the error.
macro_rules! refuse_compound {
    ($refuse:expr) => {
        type SerializeSeq = Never;
        type SerializeTuple = Never;
        type SerializeTupleStruct = Never;
        type SerializeTupleVariant = Never;
        type SerializeStructVariant = Never;

        fn serialize_bytes(self, _: &[u8]) -> Result<(), EncodeError> {
            $refuse(self, "a byte array")
        }
        fn serialize_seq(self, _: Option<usize>) -> Result<Never, EncodeError> {
            $refuse(self, "a sequence")
        }
        fn serialize_tuple(self, _: usize) -> Result<Never, EncodeError> {
            $refuse(self, "a tuple")
        }
        fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Never, EncodeError> {
            $refuse(self, "a tuple")
        }
        fn serialize_tuple_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Result<Never, EncodeError> {
            $refuse(self, "an enum variant with data")
        }
        fn serialize_struct_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Result<Never, EncodeError> {
            $refuse(self, "an enum variant with data")
        }
        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> Result<(), EncodeError> {
            $refuse(self, "an enum variant with data")
        }
    };
}

macro_rules! refuse_scalars {
    ($($method:ident($type:ty)),*) => {
        $(fn $method(self, _: $type) -> Result<(), EncodeError> {
            not_a_header("one bare value")
        })*
    };
}

impl<'a> Serializer for HeaderSerializer<'a> {
    type Ok = ();
    type Error = EncodeError;
    type SerializeStruct = Self;
    type SerializeMap = Self;

    refuse_compound!(|_, found| not_a_header(found));
    refuse_scalars!(
        serialize_bool(bool),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_f32(f32),
        serialize_f64(f64),
        serialize_char(char),
        serialize_str(&str)
    );

    fn serialize_none(self) -> Result<(), EncodeError> {
        Ok(())
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), EncodeError> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), EncodeError> {
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), EncodeError> {
        Ok(())
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), EncodeError> {
        not_a_header("one bare value")
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        value.serialize(self)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, EncodeError> {
        Ok(self)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Self, EncodeError> {
        Ok(self)
    }
}

impl SerializeStruct for HeaderSerializer<'_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        value.serialize(ValueSerializer { fields: self.fields, key })
    }

    fn end(self) -> Result<(), EncodeError> {
        Ok(())
    }
}

impl SerializeMap for HeaderSerializer<'_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EncodeError> {
        let mut text = ExtFields::new();
        key.serialize(ValueSerializer { fields: &mut text, key: "" })?;
        self.key = text.get("").unwrap_or_default().to_owned();
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        value.serialize(ValueSerializer { fields: self.fields, key: &self.key })
    }

    fn end(self) -> Result<(), EncodeError> {
        Ok(())
    }
}

macro_rules! put_scalars {
    ($($method:ident($type:ty)),*) => {
        $(fn $method(self, value: $type) -> Result<(), EncodeError> {
            self.put(value)
        })*
    };
}

impl Serializer for ValueSerializer<'_> {
    type Ok = ();
    type Error = EncodeError;
    type SerializeStruct = Never;
    type SerializeMap = Never;

    refuse_compound!(|this: Self, found| this.nested(found));
    put_scalars!(
        serialize_bool(bool),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_f32(f32),
        serialize_f64(f64),
        serialize_char(char)
    );

    fn serialize_str(self, value: &str) -> Result<(), EncodeError> {
        self.fields.push(self.key, value);
        Ok(())
    }
    fn serialize_none(self) -> Result<(), EncodeError> {
        Ok(())
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), EncodeError> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), EncodeError> {
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), EncodeError> {
        Ok(())
    }
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), EncodeError> {
        self.serialize_str(variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        value.serialize(self)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Never, EncodeError> {
        self.nested("a struct")
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Never, EncodeError> {
        self.nested("a map")
    }
}
