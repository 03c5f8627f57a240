//! The two forms of a command's header.

mod binary;
mod json;

use bytes::BytesMut;

use crate::command::Command;
use crate::error::{DecodeError, EncodeError};

/// How a header is written. Every frame says which form it has, so a peer may mix them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HeaderCodec {
    /// JSON text: what every peer understands, and the default of Java clients and brokers.
    #[default]
    Json,
    /// The compact ROCKETMQ form. It has 16 bits for the code: commands with a larger one travel as JSON all the same.
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

    /// The form a command with this code and version can travel in.
    pub(crate) fn able_to_carry(self, code: i32, version: i32) -> Self {
        let fits = i16::try_from(code).is_ok() && i16::try_from(version).is_ok();
        if fits { self } else { Self::Json }
    }

    /// A command with an empty body.
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
