//! The custom header: a flat list of text fields, and serde for header structs.

mod de;
mod ser;

use std::fmt::{self, Display, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{DecodeError, EncodeError};

/// The fields of a command's custom header, in the order of their addition.
///
/// One string holds the text of all fields, so a header costs two allocations however many fields it has. Of two fields
/// with the same key the last counts, as on Java peers.
///
/// ```
/// use rocketmq_remoting::ExtFields;
///
/// let mut ext = ExtFields::new();
/// ext.push("topic", "orders");
/// ext.push_display("queueId", 3);
/// assert_eq!(ext.get("queueId"), Some("3"));
/// ```
///
/// A header struct turns into fields and back with serde:
///
/// ```
/// # use rocketmq_remoting::ExtFields;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// #[serde(rename_all = "camelCase")]
/// struct MaxOffset {
///     topic: String,
///     queue_id: i32,
/// }
///
/// let header = MaxOffset { topic: "orders".into(), queue_id: 3 };
/// let ext = ExtFields::from_header(&header)?;
/// assert_eq!(ext.get("queueId"), Some("3"));
/// assert_eq!(ext.header::<MaxOffset>()?, header);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ExtFields {
    text: String,
    spans: Vec<Span>,
}

/// The ends of a field's key and value in the text. A field starts at the end of the one before it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Span {
    key_end: usize,
    value_end: usize,
}

impl ExtFields {
    /// Makes an empty list. Allocates nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an empty list with room for `fields` fields whose keys and values take `bytes` bytes together.
    pub fn with_capacity(fields: usize, bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), spans: Vec::with_capacity(fields) }
    }

    /// Returns the number of fields, repeated keys included.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Returns true if there are no fields.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Returns the value of `key`: the last one, if several fields have this key.
    pub fn get(&self, key: &str) -> Option<&str> {
        (0..self.spans.len()).rev().map(|at| self.field(at)).find(|(k, _)| *k == key).map(|(_, value)| value)
    }

    /// Adds a field at the end, even if the key exists.
    pub fn push(&mut self, key: &str, value: &str) {
        self.text.push_str(key);
        let key_end = self.text.len();
        self.text.push_str(value);
        self.spans.push(Span { key_end, value_end: self.text.len() });
    }

    /// Adds a field with the text of a number, a boolean or any other `Display`.
    pub fn push_display(&mut self, key: &str, value: impl Display) {
        self.text.push_str(key);
        let key_end = self.text.len();
        // Writing to a string cannot fail. A failing `Display` leaves the text it wrote until then.
        let _ = write!(self.text, "{value}");
        self.spans.push(Span { key_end, value_end: self.text.len() });
    }

    /// Adds a field with an integer; faster than [`push_display`](Self::push_display).
    pub fn push_int(&mut self, key: &str, value: impl itoa::Integer) {
        self.push(key, itoa::Buffer::new().format(value));
    }

    /// Adds a field if `value` is `Some`.
    pub fn push_some(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.push(key, value);
        }
    }

    /// Removes every field of this key and adds one.
    pub fn set(&mut self, key: &str, value: &str) {
        self.remove(key);
        self.push(key, value);
    }

    /// Removes every field of this key. Returns true if there was one.
    pub fn remove(&mut self, key: &str) -> bool {
        if self.get(key).is_none() {
            return false;
        }
        let mut kept = Self::with_capacity(self.len(), self.text.len());
        self.iter().filter(|(k, _)| *k != key).for_each(|(k, v)| kept.push(k, v));
        *self = kept;
        true
    }

    /// Returns the fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        (0..self.spans.len()).map(|at| self.field(at))
    }

    /// Returns the bytes of all keys and values together.
    pub fn text_len(&self) -> usize {
        self.text.len()
    }

    fn field(&self, at: usize) -> (&str, &str) {
        let start = if at == 0 { 0 } else { self.spans[at - 1].value_end };
        let Span { key_end, value_end } = self.spans[at];
        (&self.text[start..key_end], &self.text[key_end..value_end])
    }

    /// Returns the text. A codec appends a key to it, calls [`end_key`](Self::end_key), appends a value and calls
    /// `end_value`.
    pub(crate) fn text_mut(&mut self) -> &mut String {
        &mut self.text
    }

    pub(crate) fn end_key(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn end_value(&mut self, key_end: usize) {
        self.spans.push(Span { key_end, value_end: self.text.len() });
    }

    /// Removes a key that has no value.
    pub(crate) fn abandon_key(&mut self) {
        let end = self.spans.last().map_or(0, |span| span.value_end);
        self.text.truncate(end);
    }

    /// Writes a header struct as fields, by Java's rules: every value is text, and `None` is left out.
    ///
    /// # Errors
    /// Returns [`EncodeError::Nested`] for a struct with a field that is not one flat value.
    pub fn from_header<T: Serialize + ?Sized>(header: &T) -> Result<Self, EncodeError> {
        let mut fields = Self::new();
        header.serialize(ser::HeaderSerializer::new(&mut fields))?;
        Ok(fields)
    }

    /// Reads a header struct from the fields, by Java's rules: unknown fields are ignored, `true` in any case is true
    /// and all else false, a number may have a sign.
    ///
    /// # Errors
    /// Fails when a required field is missing, or a value does not parse as the type of its field.
    pub fn header<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        T::deserialize(de::HeaderDeserializer::new(self))
    }
}

impl fmt::Debug for ExtFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Hides the credentials of a request from logs.
        let shown = |key: &str| !matches!(key, "Signature" | "SecurityToken");
        f.debug_map().entries(self.iter().map(|(k, v)| (k, if shown(k) { v } else { "…" }))).finish()
    }
}

impl<K: AsRef<str>, V: AsRef<str>> FromIterator<(K, V)> for ExtFields {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(fields: I) -> Self {
        let mut ext = Self::new();
        fields.into_iter().for_each(|(key, value)| ext.push(key.as_ref(), value.as_ref()));
        ext
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Header {
        topic: String,
        queue_id: i32,
        offset: Option<i64>,
        order: Option<bool>,
        tps: f64,
        kind: Kind,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "UPPERCASE")]
    enum Kind {
        Lower,
        Upper,
    }

    fn header() -> Header {
        Header {
            topic: "orders".into(),
            queue_id: -1,
            offset: None,
            order: Some(true),
            tps: 0.5,
            kind: Kind::Upper,
        }
    }

    #[test]
    fn a_struct_becomes_text_and_comes_back() {
        let ext = ExtFields::from_header(&header()).unwrap();
        let fields: Vec<_> = ext.iter().collect();
        assert_eq!(
            fields,
            [("topic", "orders"), ("queueId", "-1"), ("order", "true"), ("tps", "0.5"), ("kind", "UPPER")]
        );
        assert_eq!(ext.header::<Header>().unwrap(), header());
    }

    #[test]
    fn the_last_of_two_equal_keys_counts() {
        let mut ext = ExtFields::from_header(&header()).unwrap();
        ext.push("topic", "payments");
        assert_eq!(ext.header::<Header>().unwrap().topic, "payments");
        ext.set("topic", "refunds");
        assert_eq!(ext.iter().filter(|(key, _)| *key == "topic").collect::<Vec<_>>(), [("topic", "refunds")]);
        assert!(ext.remove("topic") && !ext.remove("topic"));
    }

    #[test]
    fn java_reads_any_case_of_true_and_takes_the_rest_for_false() {
        let read = |text: &str| {
            let mut ext = ExtFields::from_header(&header()).unwrap();
            ext.set("order", text);
            ext.header::<Header>().unwrap().order
        };
        assert_eq!((read("TRUE"), read("yes"), read("")), (Some(true), Some(false), Some(false)));
    }

    #[test]
    fn an_error_names_the_field_and_the_value() {
        let mut ext = ExtFields::from_header(&header()).unwrap();
        ext.set("queueId", "four");
        let error = ext.header::<Header>().unwrap_err().to_string();
        assert_eq!(error, "header field `queueId` is `four`, expected i32");
        ext.remove("queueId");
        assert_eq!(ext.header::<Header>().unwrap_err(), DecodeError::MissingField("queueId"));
    }

    #[test]
    fn nested_values_are_refused_by_name() {
        #[derive(Serialize)]
        struct Nested {
            list: Vec<i32>,
        }
        let error = ExtFields::from_header(&Nested { list: vec![1] }).unwrap_err();
        assert!(error.to_string().starts_with("header field `list` is a sequence"), "{error}");
    }

    #[test]
    fn a_unit_struct_is_a_header_without_fields() {
        assert!(ExtFields::from_header(&()).unwrap().is_empty());
        ExtFields::new().header::<()>().unwrap();
    }

    #[test]
    fn signatures_are_not_shown() {
        let ext: ExtFields = [("Signature", "c2VjcmV0"), ("topic", "t")].into_iter().collect();
        assert_eq!(format!("{ext:?}"), r#"{"Signature": "…", "topic": "t"}"#);
    }
}
