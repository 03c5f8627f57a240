//! The JSON that Java peers really write and read. It is not quite JSON: map keys may be bare numbers or whole
//! objects (`{{"brokerName":"a","queueId":0,"topic":"T"}:7}`), and 4.x peers write an object that occurs twice
//! as a reference (`{"$ref":"$[0]"}`).
//!
//! A map keyed by a struct is a plain `BTreeMap` here; [`to_vec`] writes the struct as the key. `serde_json` can do
//! neither that nor read it.
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

/// How deep values may be nested; a body of brackets must not use up the stack.
pub const MAX_DEPTH: usize = 96;

/// How map keys that are not strings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// As fastjson writes: numbers bare, objects as objects. Every Java peer reads it; only it does for objects.
    #[default]
    Java,
    /// Standard JSON: keys quoted, and characters beyond ASCII escaped. For route answers to clients that ask for it.
    Standard,
}

/// Reads a body as tolerantly as Java does: keys and strings in single quotes, bare keys, numbers in quotes and the
/// reverse, enum constants by name or ordinal; `null` is an empty collection, 0, false or an empty text.
///
/// # Errors
/// Text that is not JSON even so, nesting beyond [`MAX_DEPTH`], or a value of the wrong kind: the error names the
/// path to it.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let text = String::from_utf8_lossy(bytes);
    T::deserialize(node::parse(&text)?)
}

/// Writes a body as Java does: members that are `None` are left out.
///
/// # Errors
/// A type whose `Serialize` fails; none of this crate's does.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, EncodeError> {
    to_vec_in(Dialect::Java, value)
}

/// [`to_vec`] in either dialect.
///
/// # Errors
/// As [`to_vec`].
pub fn to_vec_in<T: Serialize + ?Sized>(dialect: Dialect, value: &T) -> Result<Vec<u8>, EncodeError> {
    let mut writer = write::Writer::new(dialect);
    value.serialize(&mut writer)?;
    Ok(writer.into_bytes())
}

#[cfg(test)]
mod tests;
