//! The reasons why a connection ends, and why a call over it fails.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{DecodeError, EncodeError};

/// Tells why a connection ended. Everyone who waits on the connection receives the same reason.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// This side closed it.
    #[error("closed by this side")]
    Local,
    /// The peer closed it.
    #[error("closed by the peer")]
    Peer,
    /// The peer closed it before it sent anything: it takes no such connections.
    #[error("closed by the peer before it sent a byte")]
    Unanswered,
    /// Nobody read or wrote anything for longer than the connection may be idle.
    #[error("idle for {} s", .0.as_secs())]
    Idle(Duration),
    /// The peer sent bytes that are no frame.
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
    /// Memory was short, and this connection kept some of it without going on.
    #[error("{waiting} bytes waited for the peer while memory was short")]
    Overload {
        /// Bytes of an unfinished frame and of answers.
        waiting: usize,
    },
    /// The task that owned the socket ended early: its runtime shut down, or a handler panicked.
    #[error("its task was stopped")]
    Aborted,
}

impl CloseReason {
    /// Tells apart the end of a connection on which the peer never sent a byte. A peer that hangs up with requests unread
    /// resets the connection.
    pub(super) fn before_a_byte(self) -> Self {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
        match self {
            Self::Peer | Self::Io { kind: BrokenPipe | ConnectionAborted | ConnectionReset, .. } => {
                Self::Unanswered
            }
            other => other,
        }
    }
}

impl From<io::Error> for CloseReason {
    fn from(error: io::Error) -> Self {
        Self::Io { kind: error.kind(), message: error.to_string() }
    }
}

/// Tells why a call failed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The connection ended. The request may or may not have arrived.
    #[error("the connection is gone: {0}")]
    Closed(Arc<CloseReason>),
    /// No answer came in time. The connection stays usable and drops a late answer.
    #[error("no answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The command has no form on the wire. Nothing was sent.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// More bytes wait to be written than the connection may hold. Nothing was sent.
    #[error(
        "{waiting} bytes already wait to be written, over the limit of {limit}; the peer reads too slowly"
    )]
    Overloaded {
        /// Bytes that wait to be written.
        waiting: usize,
        /// The limit, in bytes.
        limit: usize,
    },
}
