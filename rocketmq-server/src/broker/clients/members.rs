//! Everything that the broker knows of its clients.

use parking_lot::Mutex;

use super::channels::Channels;
use super::consumers::ConsumerTable;
use super::producers::ProducerTable;
use super::queue_locks::QueueLocks;
use super::request_modes::RequestModes;
use crate::broker::mistakes::Mistakes;
use crate::broker::persist::table_file::TableFile;
use crate::store::StoreError;

/// The members of all groups, their connections, the locks they hold, and how they are told to read.
#[derive(Debug)]
pub(crate) struct Members {
    pub consumers: Mutex<ConsumerTable>,
    pub producers: Mutex<ProducerTable>,
    pub channels: Channels,
    pub locks: Mutex<QueueLocks>,
    pub request_modes: RequestModes,
    /// Mistakes about members of a group that take messages from each other.
    pub mistakes: Mistakes,
}

impl Members {
    /// Nobody is there yet. Reads `messageRequestMode.json`; a lock lasts `lock_lease` milliseconds.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn open(request_modes: TableFile, lock_lease: i64) -> Result<Self, StoreError> {
        Ok(Self {
            consumers: Mutex::new(ConsumerTable::default()),
            producers: Mutex::new(ProducerTable::default()),
            channels: Channels::default(),
            locks: Mutex::new(QueueLocks::new(lock_lease)),
            request_modes: RequestModes::open(request_modes)?,
            mistakes: Mistakes::default(),
        })
    }

    /// Lets members and locks live for `by` milliseconds longer.
    pub(crate) fn outlive(&self, by: i64) {
        self.consumers.lock().outlive(by);
        self.producers.lock().outlive(by);
        self.locks.lock().outlive(by);
    }
}
