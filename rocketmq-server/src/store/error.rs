//! The errors of the store, and their remedies.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Names the reason for which the store refused or failed. Cheap to clone: one failed write is reported to every put that waited
/// for it.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process (or another store of this one) works in the folder.
    #[error(
        "the store folder {} is in use by another broker: stop that broker, or set storePathRootDir to another folder",
        folder.display()
    )]
    InUse {
        /// The root folder.
        folder: PathBuf,
    },
    /// The disk has no room for the write. Nothing of it is visible; writing resumes by itself when there is room.
    #[error("no space left for {}: free some space or lower fileReservedTime ({source})", path.display())]
    DiskFull {
        /// The file that could not grow.
        path: PathBuf,
        /// The answer of the system.
        source: Arc<io::Error>,
    },
    /// Any other failure of the file system.
    #[error(
        "cannot {action} {}: {source}; check the disk and who may write there, or set storePathRootDir to another folder",
        path.display()
    )]
    Io {
        /// The action that was tried, as a verb.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// The answer of the system.
        source: Arc<io::Error>,
    },
    /// A file that recovery cannot mend.
    #[error("{} cannot be used: {problem}", path.display())]
    Unusable {
        /// The file or folder.
        path: PathBuf,
        /// The fault and its remedy.
        problem: String,
    },
    /// The message breaks a rule of the store (broker answer 13).
    #[error("the message is refused: {reason}")]
    MessageIllegal {
        /// The rule, with the value.
        reason: String,
    },
    /// A flush failed. The disk may hold any part of the last writes, so no more are taken until a restart
    /// has read back what is really there. Reading goes on.
    #[error(
        "the store takes no more messages because a flush failed ({reason}): check the disk, then restart the broker"
    )]
    FlushFailed {
        /// The failed flush.
        reason: String,
    },
    /// The disk is used beyond the warning level; the oldest files are being deleted.
    #[error("the disk that holds {} is {used_percent} % full (limit {limit_percent} %): free some space", folder.display())]
    AboveWarningLevel {
        /// The root folder.
        folder: PathBuf,
        /// The part in use.
        used_percent: u8,
        /// `diskSpaceWarningLevelRatio`.
        limit_percent: u8,
    },
    /// `shutdown` or `kill` was called.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Sorts a failure of `action` on `path`: a full disk is told apart from the rest.
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        let full = matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        let source = Arc::new(source);
        if full { Self::DiskFull { path, source } } else { Self::Io { action, path, source } }
    }

    pub(crate) fn illegal(reason: impl Into<String>) -> Self {
        Self::MessageIllegal { reason: reason.into() }
    }
}
