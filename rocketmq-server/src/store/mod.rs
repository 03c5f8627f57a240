//! The message store: Apache RocketMQ's files, written by one writer.
//!
//! ```text
//! put ──▶ buffer ──write───▶ commit log (kernel) ──flush──▶ commit log (disk)
//!                                    │
//!                                    └─▶ consume queues, index, listeners   (SYNC_FLUSH: after the flush)
//! ```
//!
//! A message is put into a buffer; [`Store::ensure_written`] hands the buffer to the kernel, one call for all messages put by
//! then. Only after that is the message visible to [`Store::get`] and may its producer be answered: from there on it
//! survives the death of the process. [`Store::flushed`] waits for the disk.

mod background;
mod checkpoint;
mod checksum;
mod config;
pub mod config_file;
mod deleted;
mod dirs;
pub mod disk;
mod dispatcher;
mod error;
mod fetch;
mod folder;
mod health;
mod index;
mod lifecycle;
mod log;
mod marks;
mod put;
mod query;
mod queue;
mod recovery;
mod retention;
mod seal;
mod side_by_side;
mod types;
mod writer;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use crate::clock::Clock;
use checkpoint::Checkpoint;
use disk::Disk;
use dispatcher::Dispatcher;
use folder::Folder;
use health::Health;
use log::CommitLog;
use queue::table::Queues;
use writer::Writer;

pub use config::{FlushMode, StoreConfig, StoreLive};
pub use dispatcher::{Dispatched, Listener};
pub use error::StoreError;
pub(crate) use fetch::Reach;
pub use queue::unit::Unit;
pub use retention::{Cleaned, Deleted, DeletionListener};
pub use types::{All, Boundary, Fetched, Filter, GetLimits, GetStatus, KeyKind, Put, RecoveryReport};

/// A message store. Clones share it.
///
/// Dropping the last clone without [`shutdown`](Self::shutdown) is like the death of the process: what was written is
/// there after the next [`open`](Self::open), which then has to recover.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: StoreConfig,
    tuned: RwLock<Arc<StoreLive>>,
    clock: Arc<dyn Clock>,
    disk: Arc<dyn Disk>,
    folder: Mutex<Option<Folder>>,
    health: Health,
    log: Arc<CommitLog>,
    queues: Queues,
    writer: Mutex<Writer>,
    dispatcher: Mutex<Dispatcher>,
    checkpoint: Mutex<Checkpoint>,
    /// The end of the log when it was sealed last.
    sealed: Mutex<i64>,
    flushed: watch::Sender<Flushed>,
    threads: background::Threads,
    retention: retention::Retention,
}

/// The end of the safe part of the log, for those who wait.
#[derive(Debug, Clone, Copy)]
struct Flushed {
    end: i64,
    failed: bool,
}
