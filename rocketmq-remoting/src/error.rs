//! What can go wrong between bytes and types.

use std::borrow::Cow;
use std::fmt;

/// Bytes from the wire or the disk that do not hold what they should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot decode {at}: expected {expected}")]
pub struct DecodeError {
    /// The field, or the place, that could not be read.
    pub at: Cow<'static, str>,
    /// What should have been there, with what was when that helps.
    pub expected: Cow<'static, str>,
}

impl DecodeError {
    /// An error at `at`, where `expected` should have been.
    pub fn new(at: impl Into<Cow<'static, str>>, expected: impl Into<Cow<'static, str>>) -> Self {
        Self { at: at.into(), expected: expected.into() }
    }
}

impl serde::de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new("value", message.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(field, "a value; the field is missing")
    }
}

/// A value that has no wire form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot encode {what}: {why}")]
pub struct EncodeError {
    /// The field that could not be written.
    pub what: Cow<'static, str>,
    /// The limit or rule it breaks.
    pub why: Cow<'static, str>,
}

impl EncodeError {
    /// An error about `what`, because of `why`.
    pub fn new(what: impl Into<Cow<'static, str>>, why: impl Into<Cow<'static, str>>) -> Self {
        Self { what: what.into(), why: why.into() }
    }
}

impl serde::ser::Error for EncodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new("value", message.to_string())
    }
}
