//! Why a connection ended, and why a call over it failed.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{DecodeError, EncodeError};

/// Why a connection is closed. Everyone who waited on it gets the same one.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// This side closed it.
    #[error("closed by this side")]
    Local,
    /// The peer closed it.
    #[error("closed by the peer")]
    Peer,
    /// Nothing was read or written for as long as the connection may be idle.
    #[error("idle for {} s", .0.as_secs())]
    Idle(Duration),
    /// The peer sent what is no frame.
    #[error("the peer broke the protocol: {0}")]
    Protocol(DecodeError),
    /// Reading or writing failed.
    #[error("{message}")]
    Io {
        /// Kind of the operating system's error.
        kind: io::ErrorKind,
        /// Its text.
        message: String,
    },
    /// The task that owned the socket ended without saying why: its runtime shut down, or a handler panicked.
    #[error("its task was stopped")]
    Aborted,
}

impl From<io::Error> for CloseReason {
    fn from(error: io::Error) -> Self {
        Self::Io { kind: error.kind(), message: error.to_string() }
    }
}

/// Why a call over a connection failed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The connection is gone. Whether the request arrived is not known.
    #[error("the connection is gone: {0}")]
    Closed(Arc<CloseReason>),
    /// No answer came in time; the connection stays usable, a late answer is dropped.
    #[error("no answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The command has no form on the wire; nothing was sent.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// More is waiting to be written than the connection may hold; nothing was sent.
    #[error(
        "{waiting} bytes already wait to be written, over the limit of {limit}; the peer reads too slowly"
    )]
    Overloaded {
        /// Bytes that wait.
        waiting: usize,
        /// The limit, in bytes.
        limit: usize,
    },
}
