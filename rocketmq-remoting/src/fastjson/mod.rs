//! The JSON of Java peers, which write it with the library fastjson.
//!
//! It is not quite standard JSON. A map's key may be a bare number or a whole object
//! (`{{"brokerName":"a","queueId":0,"topic":"T"}:7}`). 4.x peers write the second occurrence of an object as a
//! reference (`{"$ref":"$[0]"}`).
//!
//! A map with structs for keys is a plain `BTreeMap` here; `serde_json` can neither read nor write one.
//!
//! ```
//! use std::collections::BTreeMap;
//! use rocketmq_remoting::{fastjson, route::MessageQueue};
//!
//! let text = br#"{{"brokerName":"a","queueId":0,"topic":"T"}:7}"#;
//! let offsets: BTreeMap<MessageQueue, i64> = fastjson::from_slice(text)?;
//! assert_eq!(offsets[&MessageQueue::new("T", "a", 0)], 7);
//! assert_eq!(fastjson::to_vec(&offsets)?, text);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod node;
mod read;
mod write;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{DecodeError, EncodeError};

/// Deepest nesting of values. A body full of brackets must not use up the stack.
pub const MAX_DEPTH: usize = 96;

/// Selects the form of map keys that are not strings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// The form of fastjson: bare numbers, whole objects. Every Java peer reads it, and only this form allows objects.
    #[default]
    Java,
    /// Standard JSON: quoted keys, and escapes for characters beyond ASCII. For route answers to clients that ask for
    /// it.
    Standard,
}

/// Reads a body as leniently as Java does: keys and strings in single quotes, bare keys, numbers in quotes, texts
/// without, enum constants by name or ordinal. `null` reads as an empty collection, 0, false or an empty text.
///
/// # Errors
/// Fails for text that is not even such JSON, for nesting beyond [`MAX_DEPTH`], and for a value of the wrong kind. The
/// error names the path to the value.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let text = String::from_utf8_lossy(bytes);
    T::deserialize(node::parse(&text)?)
}

/// Writes a value as text, for header fields that hold JSON.
///
/// # Errors
/// Fails like [`to_vec`].
pub fn to_text<T: Serialize + ?Sized>(value: &T) -> Result<String, EncodeError> {
    Ok(String::from_utf8_lossy(&to_vec(value)?).into_owned())
}

/// Writes a body as Java does. Members that are `None` are left out.
///
/// # Errors
/// Fails only for a type with a failing `Serialize`; this crate has none.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, EncodeError> {
    to_vec_in(Dialect::Java, value)
}

/// Does the same as [`to_vec`], in either dialect.
///
/// # Errors
/// Fails like [`to_vec`].
pub fn to_vec_in<T: Serialize + ?Sized>(dialect: Dialect, value: &T) -> Result<Vec<u8>, EncodeError> {
    let mut writer = write::Writer::new(dialect);
    value.serialize(&mut writer)?;
    Ok(writer.into_bytes())
}

#[cfg(test)]
mod tests;
