//! Reads types from a tree of values, with Java's conversions.

use std::borrow::Cow;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::node::Node;
use crate::error::DecodeError;

impl Node<'_> {
    /// Returns the value for an error, shortened.
    fn describe(&self) -> String {
        match self {
            Node::Null => "null".to_owned(),
            Node::Bool(value) => value.to_string(),
            Node::Int(value) => value.to_string(),
            Node::Float(value) => value.to_string(),
            Node::Text(text) => format!("{:?}", text.chars().take(64).collect::<String>()),
            Node::List(items) => format!("a list of {}", items.len()),
            Node::Map(entries) => format!("an object of {} members", entries.len()),
        }
    }

    fn wrong(&self, expected: &str) -> DecodeError {
        DecodeError::new(HERE, format!("{expected}; it is {}", self.describe()))
    }

    fn int(&self) -> Result<i64, DecodeError> {
        match self {
            Node::Null => Ok(0),
            Node::Bool(value) => Ok(i64::from(*value)),
            Node::Int(value) => Ok(*value),
            Node::Float(value) if value.fract() == 0.0 && value.abs() < 9e15 => Ok(*value as i64),
            Node::Text(text) if matches!(text.trim(), "" | "null") => Ok(0),
            Node::Text(text) => text.trim().parse().map_err(|_| self.wrong("a whole number")),
            _ => Err(self.wrong("a whole number")),
        }
    }

    fn float(&self) -> Result<f64, DecodeError> {
        match self {
            Node::Float(value) => Ok(*value),
            Node::Text(text) if !text.trim().is_empty() => {
                text.trim().parse().map_err(|_| self.wrong("a number"))
            }
            _ => self.int().map(|value| value as f64).map_err(|_| self.wrong("a number")),
        }
    }

    fn truth(&self) -> Result<bool, DecodeError> {
        match self {
            Node::Text(text) => Ok(text.eq_ignore_ascii_case("true") || text == "1"),
            Node::List(_) | Node::Map(_) => Err(self.wrong("true or false")),
            _ => self.int().map(|value| value != 0),
        }
    }
}

/// Place of an error inside a value. The members around it put their names in its stead.
const HERE: &str = "value";

/// Puts a member's name before the place of an error.
fn within(name: &str, error: DecodeError) -> DecodeError {
    match error {
        DecodeError::Unexpected { at, expected } if at == HERE => DecodeError::new(name.to_owned(), expected),
        DecodeError::Unexpected { at, expected } => DecodeError::new(format!("{name}.{at}"), expected),
        DecodeError::MissingField(field) => {
            DecodeError::new(format!("{name}.{field}"), "a value; it is missing")
        }
        DecodeError::Custom(message) => DecodeError::new(name.to_owned(), message),
        other => other,
    }
}

macro_rules! ints {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            visitor.visit_i64(self.int()?)
        })*
    };
}

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self {
            Node::Null => visitor.visit_unit(),
            Node::Bool(value) => visitor.visit_bool(value),
            Node::Int(value) => visitor.visit_i64(value),
            Node::Float(value) => visitor.visit_f64(value),
            Node::Text(Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
            Node::Text(Cow::Owned(text)) => visitor.visit_string(text),
            Node::List(items) => visitor.visit_seq(Items(items.into_iter())),
            Node::Map(entries) => visitor.visit_map(Entries::new(entries)),
        }
    }

    ints! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_bool(self.truth()?)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_f64(self.float()?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_f64(self.float()?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self {
            Node::Null => visitor.visit_borrowed_str(""),
            Node::Bool(value) => visitor.visit_string(value.to_string()),
            Node::Int(value) => visitor.visit_string(value.to_string()),
            Node::Float(value) => visitor.visit_string(value.to_string()),
            Node::Text(_) => self.deserialize_any(visitor),
            Node::List(_) | Node::Map(_) => Err(self.wrong("a text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self {
            // No struct has a member with an object as its name.
            Node::List(_) | Node::Map(_) => visitor.visit_borrowed_str(""),
            key => key.deserialize_str(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self {
            Node::Null => visitor.visit_none(),
            some => visitor.visit_some(some),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self {
            Node::Null => visitor.visit_seq(Items(Vec::new().into_iter())),
            Node::List(items) => visitor.visit_seq(Items(items.into_iter())),
            other => Err(other.wrong("a list")),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self {
            Node::Null => visitor.visit_map(Entries::new(Vec::new())),
            Node::Map(entries) => visitor.visit_map(Entries::new(entries)),
            other => Err(other.wrong("an object")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_map(visitor)
    }

    /// Reads a constant by name or ordinal. Null reads as the empty name, which no constant has.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self {
            Node::Null | Node::Text(_) | Node::Int(_) => visitor.visit_enum(Constant(self)),
            other => Err(other.wrong("the name of a constant")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { i128 u128 char bytes byte_buf }
}

struct Items<'de>(std::vec::IntoIter<Node<'de>>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        self.0.next().map(|item| seed.deserialize(item)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Entries<'de> {
    entries: std::vec::IntoIter<(Node<'de>, Node<'de>)>,
    name: String,
    value: Option<Node<'de>>,
}

impl<'de> Entries<'de> {
    fn new(entries: Vec<(Node<'de>, Node<'de>)>) -> Self {
        Self { entries: entries.into_iter(), name: String::new(), value: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some(value);
        match &key {
            Node::Text(name) => name.as_ref().clone_into(&mut self.name),
            other => self.name = other.describe(),
        }
        seed.deserialize(key).map(Some).map_err(|error| within("key", error))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        let value = self.value.take().unwrap_or(Node::Null);
        seed.deserialize(value).map_err(|error| within(&self.name, error))
    }
}

struct Constant<'de>(Node<'de>);

impl<'de> EnumAccess<'de> for Constant<'de> {
    type Error = DecodeError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), DecodeError> {
        let variant = match &self.0 {
            Node::Int(ordinal) => {
                let ordinal = u64::try_from(*ordinal).map_err(|_| self.0.wrong("an ordinal from 0"))?;
                seed.deserialize(IntoDeserializer::<DecodeError>::into_deserializer(ordinal))?
            }
            Node::Text(name) => {
                seed.deserialize(IntoDeserializer::<DecodeError>::into_deserializer(name.as_ref()))?
            }
            _ => seed.deserialize(IntoDeserializer::<DecodeError>::into_deserializer(""))?,
        };
        Ok((variant, self))
    }
}

/// Refuses constants with data: Java's enums have none.
impl<'de> VariantAccess<'de> for Constant<'de> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, DecodeError> {
        Err(self.0.wrong("a constant with a value"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, DecodeError> {
        Err(self.0.wrong("a constant with values"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, DecodeError> {
        Err(self.0.wrong("a constant with members"))
    }
}
