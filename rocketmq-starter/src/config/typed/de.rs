//! Reads a type from the values of a section. Texts become what the type asks for.

use super::error::Error;
use super::tree::Tree;
use crate::config::entry::Entry;
use crate::config::sources::Sources;
use rocketmq_client::remoting::spring::canonical;
use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use std::collections::VecDeque;

/// A value, a table or a list with its key.
#[derive(Clone)]
pub(super) struct Value<'a> {
    sources: &'a Sources,
    key: String,
    tree: Option<&'a Tree>,
    /// The text of a list that was not written as one.
    member: Option<Entry>,
}

impl<'a> Value<'a> {
    pub(super) fn new(sources: &'a Sources, key: String, tree: Option<&'a Tree>) -> Self {
        Value { sources, key, tree, member: None }
    }

    fn below(&self, name: &str, tree: Option<&'a Tree>) -> Self {
        Value::new(self.sources, format!("{}.{name}", self.key), tree)
    }

    /// Returns the entry that wins: a variable goes before the files, `App::set` before both.
    fn entry(&self) -> Option<Entry> {
        let written = self.tree.and_then(|tree| tree.entry.clone());
        let entry = self.member.clone().or_else(|| self.sources.over_files(&self.key)).or(written);
        entry.filter(|entry| !entry.text.trim().is_empty())
    }

    fn is_there(&self) -> bool {
        self.entry().is_some() || self.tree.is_some_and(Tree::has_value)
    }

    /// Names this value in an error.
    fn named(&self, error: Error) -> Error {
        match self.entry() {
            Some(entry) => error.at(&entry.written, Some(&entry.origin)),
            None => error.at(&self.key, None),
        }
    }

    /// Returns the text, placeholders resolved.
    fn text(&self) -> Result<Option<String>, Error> {
        let Some(entry) = self.entry() else { return Ok(None) };
        let text = self.sources.resolve(&entry.text);
        text.map(Some).map_err(|error| self.named(Error::unresolved(&error)))
    }

    /// Gives the text to the type. A table is given as one, so that the type tells what it takes.
    fn visit<'de, V: Visitor<'de>>(
        &self,
        visitor: V,
        scalar: impl FnOnce(String, V) -> Result<V::Value, Error>,
    ) -> Result<V::Value, Error> {
        let result = match self.text()? {
            Some(text) => scalar(text, visitor),
            None => visitor.visit_map(self.table()),
        };
        result.map_err(|error| self.named(error))
    }

    /// Returns everything below, under the names as they were written.
    fn table(&self) -> Table<'a> {
        let below = self.tree.into_iter().flat_map(|tree| tree.below.values());
        Table::of(below.map(|(name, tree)| (name.clone(), self.below(name, Some(tree)))))
    }

    /// Returns the values of the fields that are there, and then the rest, which the type may refuse.
    fn fields(&self, fields: &'static [&'static str]) -> Table<'a> {
        let spelled = |name: &str| fields.iter().find(|field| canonical(field) == canonical(name));
        let below = |name: &str| self.tree.and_then(|tree| tree.below.get(&canonical(name)));
        let known = fields.iter().map(|field| {
            let written = below(field);
            let name = written.map_or(*field, |(name, _)| name.as_str());
            ((*field).to_owned(), self.below(name, written.map(|(_, tree)| tree)))
        });
        let known = known.filter(|(_, value)| value.is_there());
        let all = self.tree.into_iter().flat_map(|tree| tree.below.values());
        let rest = all.filter(|(name, _)| spelled(name).is_none());
        Table::of(known.chain(rest.map(|(name, tree)| (name.clone(), self.below(name, Some(tree))))))
    }

    /// Returns the members of a list: those that were written as one, else the parts of the text between `;`.
    fn members(&self) -> Result<VecDeque<Value<'a>>, Error> {
        let written = self.tree.map(Tree::members).unwrap_or_default();
        let over = self.sources.over_files(&self.key);
        if over.is_none() && !written.is_empty() {
            return Ok(written.into_iter().map(|(name, tree)| self.below(name, Some(tree))).collect());
        }
        let (Some(entry), Some(text)) = (self.entry(), self.text()?) else { return Ok(VecDeque::new()) };
        let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
        let member = |part: &str| Value {
            member: Some(Entry { text: part.to_owned(), ..entry.clone() }),
            ..Value::new(self.sources, self.key.clone(), None)
        };
        Ok(parts.map(member).collect())
    }

    fn list<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let members = self.members()?;
        let result = match members.is_empty() && self.tree.is_some_and(|tree| !tree.below.is_empty()) {
            true => visitor.visit_map(self.table()),
            false => visitor.visit_seq(List(members)),
        };
        result.map_err(|error| self.named(error))
    }
}

/// Reads a number; another text is given as it is, so that the type tells what it takes.
macro_rules! numbers {
    ($($method:ident $visit:ident $number:ty),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.visit(visitor, |text, visitor| match text.trim().parse::<$number>() {
                Ok(number) => visitor.$visit(number),
                Err(_) => visitor.visit_string(text),
            })
        }
    )*};
}

impl<'de> Deserializer<'de> for Value<'_> {
    type Error = Error;

    numbers!(
        deserialize_bool visit_bool bool,
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64, deserialize_i128 visit_i128 i128,
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64, deserialize_u128 visit_u128 u128,
        deserialize_f32 visit_f32 f32, deserialize_f64 visit_f64 f64
    );

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.tree.is_some_and(|tree| !tree.members().is_empty()) {
            return self.list(visitor);
        }
        self.visit(visitor, |text, visitor| {
            let plain = text.trim();
            match (plain.parse(), plain.parse(), plain.parse()) {
                (Ok(switch), ..) => visitor.visit_bool(switch),
                (_, Ok(number), _) => visitor.visit_i64(number),
                (.., Ok(number)) => visitor.visit_f64(number),
                _ => visitor.visit_string(text),
            }
        })
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.visit(visitor, |text, visitor| visitor.visit_string(text))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_there() { visitor.visit_some(self) } else { visitor.visit_none() }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.list(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.list(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.list(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.visit(visitor, |text, visitor| visitor.visit_string(text))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.text()?.is_some() {
            return self.deserialize_string(visitor);
        }
        let result = visitor.visit_map(self.fields(fields));
        let result = result.map_err(|error| error.in_table(&self.key, |key| self.sources.remedy(key)));
        result.map_err(|error| self.named(error))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let result = match self.text()? {
            Some(text) => {
                let text: StringDeserializer<Error> = text.trim().to_owned().into_deserializer();
                visitor.visit_enum(text)
            }
            None => visitor.visit_enum(MapAccessDeserializer::new(self.table())),
        };
        result.map_err(|error| self.named(error))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.sources.warn_if_unused(&self.key);
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { unit unit_struct bytes byte_buf }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_string(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_string(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_string(visitor)
    }
}

/// The keys of a table with their values.
struct Table<'a> {
    rest: VecDeque<(String, Value<'a>)>,
    next: Option<Value<'a>>,
}

impl<'a> Table<'a> {
    fn of(entries: impl Iterator<Item = (String, Value<'a>)>) -> Self {
        Table { rest: entries.collect(), next: None }
    }
}

impl<'de> MapAccess<'de> for Table<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((name, value)) = self.rest.pop_front() else { return Ok(None) };
        let key = value.clone();
        self.next = Some(value);
        let name: StringDeserializer<Error> = name.into_deserializer();
        seed.deserialize(name).map(Some).map_err(|error| key.named(error))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let value = self.next.take().ok_or_else(|| serde::de::Error::custom("a value without a key"))?;
        let named = value.clone();
        seed.deserialize(value).map_err(|error| named.named(error))
    }
}

/// The members of a list.
struct List<'a>(VecDeque<Value<'a>>);

impl<'de> SeqAccess<'de> for List<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.0.pop_front().map(|member| seed.deserialize(member)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}
