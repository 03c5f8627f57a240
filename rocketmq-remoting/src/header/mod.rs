//! The two forms of a header.

mod binary;
mod json;

use bytes::BytesMut;

use crate::command::Command;
use crate::error::{DecodeError, EncodeError};

/// Names the form of a header. Every frame states its own, so a peer may mix both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HeaderCodec {
    /// JSON text: every peer reads it, and Java clients and brokers write it by default.
    #[default]
    Json,
    /// The compact ROCKETMQ form. Code and version have 16 bits each; a command with a larger one gets a JSON header.
    Binary,
}

impl HeaderCodec {
    pub(crate) fn from_type_byte(byte: u8) -> Result<Self, DecodeError> {
        match byte {
            0 => Ok(Self::Json),
            1 => Ok(Self::Binary),
            other => Err(DecodeError::UnknownHeaderType(other)),
        }
    }

    pub(crate) fn type_byte(self) -> u8 {
        match self {
            Self::Json => 0,
            Self::Binary => 1,
        }
    }

    /// Returns the form in which a command with this code and version can travel.
    pub(crate) fn able_to_carry(self, code: i32, version: i32) -> Self {
        let fits = i16::try_from(code).is_ok() && i16::try_from(version).is_ok();
        if fits { self } else { Self::Json }
    }

    /// Decodes a header into a command with an empty body.
    pub(crate) fn decode(self, header: &[u8]) -> Result<Command, DecodeError> {
        match self {
            Self::Json => json::decode(header),
            Self::Binary => binary::decode(header),
        }
    }

    pub(crate) fn encode(self, command: &Command, out: &mut BytesMut) -> Result<(), EncodeError> {
        match self {
            Self::Json => json::encode(command, out),
            Self::Binary => binary::encode(command, out)?,
        }
        Ok(())
    }
}
