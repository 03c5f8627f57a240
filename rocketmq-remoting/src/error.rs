//! Errors between bytes and types. Each names the place and the value, and the limit if there is one.

use std::borrow::Cow;
use std::fmt::Display;

use serde::{de, ser};

/// Reports bytes that break the protocol.
///
/// Close a connection that yields one while it splits frames: such a frame has no opaque to answer to, and Java peers
/// close it too.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The declared length of a frame is over the limit.
    #[error(
        "the peer declares a frame of {length} bytes, over the limit of {limit}; raise `max_frame` if it is genuine"
    )]
    FrameTooLarge {
        /// Length of the whole frame including its length word, in bytes.
        length: u64,
        /// The limit it exceeds, in bytes.
        limit: usize,
    },
    /// The first bytes are those of another protocol.
    #[error("the peer speaks {protocol}, not RocketMQ's protocol; {advice}")]
    Foreign {
        /// Name of the protocol.
        protocol: &'static str,
        /// The likely remedy.
        advice: &'static str,
    },
    /// The header declares more bytes than its frame holds.
    #[error(
        "a header of {header} bytes does not fit into the {available} bytes its frame has for header and body"
    )]
    HeaderTooLong {
        /// Declared header length in bytes.
        header: usize,
        /// Bytes the frame has for header and body.
        available: usize,
    },
    /// The header-type byte is neither JSON (0) nor ROCKETMQ (1). Most such peers do not speak RocketMQ at all.
    #[error("unknown header type {0}, expected 0 (JSON) or 1 (ROCKETMQ); is the peer speaking RocketMQ?")]
    UnknownHeaderType(u8),
    /// The input ends too early.
    #[error("{at} needs {needed} bytes, only {available} are left")]
    Truncated {
        /// The part being read.
        at: &'static str,
        /// Bytes the part declares or needs.
        needed: usize,
        /// Bytes present.
        available: usize,
    },
    /// A value breaks its grammar.
    #[error("{at}, byte {offset}: expected {expected}")]
    Malformed {
        /// The part being read.
        at: &'static str,
        /// Offset of the fault from the start of that part, in bytes.
        offset: usize,
        /// The text that belongs there.
        expected: &'static str,
    },
    /// A required header field is absent.
    #[error("header field `{0}` is missing")]
    MissingField(&'static str),
    /// A header field does not parse as its type.
    #[error("header field `{field}` is `{value}`, expected {expected}")]
    BadField {
        /// Name of the field on the wire.
        field: String,
        /// Its value, cut to 64 characters.
        value: String,
        /// The type it should have.
        expected: String,
    },
    /// A record, id, expression or body lacks what belongs there.
    #[error("cannot decode {at}: expected {expected}")]
    Unexpected {
        /// The field or place of the fault.
        at: Cow<'static, str>,
        /// The rule, followed by the value where that helps.
        expected: Cow<'static, str>,
    },
    /// A hand-written `Deserialize` failed.
    #[error("{0}")]
    Custom(String),
}

impl DecodeError {
    /// Builds a [`DecodeError::Unexpected`] at `at`, where `expected` belongs.
    pub fn new(at: impl Into<Cow<'static, str>>, expected: impl Into<Cow<'static, str>>) -> Self {
        Self::Unexpected { at: at.into(), expected: expected.into() }
    }

    /// Returns the field or place of the fault, or `None` for a variant without one.
    pub fn at(&self) -> Option<&str> {
        match self {
            Self::Unexpected { at, .. } => Some(at),
            Self::Truncated { at, .. } | Self::Malformed { at, .. } | Self::MissingField(at) => Some(at),
            Self::BadField { field, .. } => Some(field),
            _ => None,
        }
    }

    /// Builds a [`DecodeError::BadField`]. Cuts long values, so that a hostile one cannot fill the log.
    pub fn bad_field(field: &str, value: &str, expected: impl Display) -> Self {
        Self::BadField { field: field.to_owned(), value: shorten(value), expected: expected.to_string() }
    }
}

/// Limits the excerpt of a peer's value in an error, in characters.
const EXCERPT: usize = 64;

fn shorten(value: &str) -> String {
    match value.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

impl de::Error for DecodeError {
    fn custom<T: Display>(message: T) -> Self {
        Self::Custom(message.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::MissingField(field)
    }
}

/// Reports a command that has no form on the wire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A part is longer than its length field or its reader allows.
    #[error("{what} is {length} bytes long, at most {limit} can be sent")]
    TooLong {
        /// The part: frame, header, a field's key and so on.
        what: &'static str,
        /// Its length in bytes.
        length: usize,
        /// The largest length allowed, in bytes.
        limit: usize,
    },
    /// A header struct holds a field that is not one flat value.
    #[error(
        "header field `{field}` is {found}; a header carries only flat values (numbers, bool, text, unit enum variants)"
    )]
    Nested {
        /// Name of the field; empty when the header itself has the wrong shape.
        field: String,
        /// The kind of value found.
        found: &'static str,
    },
    /// A value breaks a rule of its wire form.
    #[error("cannot encode {what}: {why}")]
    Unwritable {
        /// The field.
        what: Cow<'static, str>,
        /// The rule, and the value when that helps.
        why: Cow<'static, str>,
    },
    /// A hand-written `Serialize` failed.
    #[error("{0}")]
    Custom(String),
}

impl EncodeError {
    /// Builds an [`EncodeError::Unwritable`] about `what`, because of `why`.
    pub fn new(what: impl Into<Cow<'static, str>>, why: impl Into<Cow<'static, str>>) -> Self {
        Self::Unwritable { what: what.into(), why: why.into() }
    }
}

impl ser::Error for EncodeError {
    fn custom<T: Display>(message: T) -> Self {
        Self::Custom(message.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_shortened_in_the_error() {
        let error = DecodeError::bad_field("queueId", &"é".repeat(500), "i32");
        assert!(error.to_string().len() < 250, "{error}");
        assert!(error.to_string().starts_with("header field `queueId` is `éé"));
    }
}
