//! What can go wrong between bytes and types. Errors name the place, the value and, where there is one, the limit.

use std::borrow::Cow;
use std::fmt::Display;

use serde::{de, ser};

/// Bytes that are not what the protocol says they should be.
///
/// A connection that meets one while splitting frames has to be closed: there is no opaque to answer to
/// (Java peers do the same).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The declared length of a frame is over the limit.
    #[error(
        "the peer declares a frame of {length} bytes, over the limit of {limit}; raise `max_frame` if it is genuine"
    )]
    FrameTooLarge {
        /// Whole frame including its length word, in bytes.
        length: u64,
        /// The limit it was held against, in bytes.
        limit: usize,
    },
    /// The header is declared longer than the frame that holds it.
    #[error(
        "a header of {header} bytes does not fit into the {available} bytes its frame has for header and body"
    )]
    HeaderTooLong {
        /// Declared header length in bytes.
        header: usize,
        /// What the frame leaves for header and body, in bytes.
        available: usize,
    },
    /// The header-type byte is neither JSON (0) nor ROCKETMQ (1): usually not a RocketMQ peer at all.
    #[error("unknown header type {0}, expected 0 (JSON) or 1 (ROCKETMQ); is the peer speaking RocketMQ?")]
    UnknownHeaderType(u8),
    /// Something ends before it should.
    #[error("{at} needs {needed} bytes, only {available} are left")]
    Truncated {
        /// What was being read.
        at: &'static str,
        /// Bytes it declares or needs.
        needed: usize,
        /// Bytes that are there.
        available: usize,
    },
    /// A value that breaks its grammar.
    #[error("{at}, byte {offset}: expected {expected}")]
    Malformed {
        /// What was being read.
        at: &'static str,
        /// Offset from the start of what was being read, in bytes.
        offset: usize,
        /// What should have been there.
        expected: &'static str,
    },
    /// A required header field is absent.
    #[error("header field `{0}` is missing")]
    MissingField(&'static str),
    /// A header field that does not parse as its type.
    #[error("header field `{field}` is `{value}`, expected {expected}")]
    BadField {
        /// Name of the field on the wire.
        field: String,
        /// What it held, shortened when long.
        value: String,
        /// The type it should have.
        expected: String,
    },
    /// A record, id, expression or body that does not hold what it should.
    #[error("cannot decode {at}: expected {expected}")]
    Unexpected {
        /// The field, or the place, that could not be read.
        at: Cow<'static, str>,
        /// What should have been there, and what was when that helps.
        expected: Cow<'static, str>,
    },
    /// Whatever a hand-written `Deserialize` reports.
    #[error("{0}")]
    Custom(String),
}

impl DecodeError {
    /// A [`DecodeError::Unexpected`] at `at`, where `expected` should have been.
    pub fn new(at: impl Into<Cow<'static, str>>, expected: impl Into<Cow<'static, str>>) -> Self {
        Self::Unexpected { at: at.into(), expected: expected.into() }
    }

    /// The field or place the error is about, where it names one.
    pub fn at(&self) -> Option<&str> {
        match self {
            Self::Unexpected { at, .. } => Some(at),
            Self::Truncated { at, .. } | Self::Malformed { at, .. } | Self::MissingField(at) => Some(at),
            Self::BadField { field, .. } => Some(field),
            _ => None,
        }
    }

    /// A [`DecodeError::BadField`]; long values are cut so that a hostile one cannot fill the log.
    pub fn bad_field(field: &str, value: &str, expected: impl Display) -> Self {
        Self::BadField { field: field.to_owned(), value: shorten(value), expected: expected.to_string() }
    }
}

/// Longest excerpt of a peer's value that goes into an error, in characters.
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

/// A command that has no form on the wire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A part is longer than its length field can say, or than the peer accepts.
    #[error("{what} is {length} bytes long, at most {limit} can be sent")]
    TooLong {
        /// The part: frame, header, a field's key …
        what: &'static str,
        /// Its length in bytes.
        length: usize,
        /// The largest length allowed, in bytes.
        limit: usize,
    },
    /// A header struct holds something that is not one flat value.
    #[error(
        "header field `{field}` is {found}; a header carries only flat values (numbers, bool, text, unit enum variants)"
    )]
    Nested {
        /// Name of the field; empty when the header itself is the wrong shape.
        field: String,
        /// What it holds.
        found: &'static str,
    },
    /// A value that breaks a rule of its wire form.
    #[error("cannot encode {what}: {why}")]
    Unwritable {
        /// The field.
        what: Cow<'static, str>,
        /// The rule, and the value when that helps.
        why: Cow<'static, str>,
    },
    /// Whatever a hand-written `Serialize` reports.
    #[error("{0}")]
    Custom(String),
}

impl EncodeError {
    /// An [`EncodeError::Unwritable`] about `what`, because of `why`.
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
