//! After the append: consume queues, index and listeners learn of each message, in the order of the log.

use std::collections::VecDeque;
use std::sync::Arc;

use super::index::Index;
use super::queue::unit::Unit;
use super::writer::Entry;

/// A message that has just become visible to [`Store::get`](super::Store::get).
#[derive(Debug, Clone)]
pub struct Dispatched {
    /// The stored topic.
    pub topic: Arc<str>,
    /// Its queue.
    pub queue_id: i32,
    /// The message's offset in the queue.
    pub queue_offset: i64,
    /// Commit log offset of the record.
    pub physical_offset: i64,
    /// Bytes of the record.
    pub size: i32,
    /// As in the consume queue.
    pub tags_code: i64,
    /// Milliseconds since 1970.
    pub store_timestamp: i64,
}

/// Told of every message that becomes visible. Called while the store holds locks: it must be quick and must not put.
pub type Listener = Arc<dyn Fn(&Dispatched) + Send + Sync>;

/// Entries that wait for their turn, and what they go to.
pub(crate) struct Dispatcher {
    waiting: VecDeque<Entry>,
    pub index: Option<Index>,
    pub listeners: Vec<Listener>,
    last_timestamp: i64,
    /// Every message below this log offset was dispatched.
    end: i64,
}

impl std::fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dispatcher").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}

impl Dispatcher {
    pub(crate) fn new(index: Option<Index>, last_timestamp: i64, end: i64) -> Self {
        Self { waiting: VecDeque::new(), index, listeners: Vec::new(), last_timestamp, end }
    }

    /// Queues entries behind those that wait already.
    pub(crate) fn enqueue(&mut self, entries: &mut Vec<Entry>) {
        self.waiting.extend(entries.drain(..));
    }

    /// Dispatches what ends at or before the log offset `confirmed`.
    pub(crate) fn run(&mut self, confirmed: i64) {
        while self.waiting.front().is_some_and(|entry| entry.end() <= confirmed) {
            if let Some(entry) = self.waiting.pop_front() {
                self.dispatch(entry);
            }
        }
    }

    /// Returns true if a message at this log offset has yet to come into its queue.
    pub(crate) fn is_waiting(&self, physical_offset: i64) -> bool {
        let found = self.waiting.binary_search_by_key(&physical_offset, |entry| entry.physical_offset);
        found.is_ok_and(|at| self.waiting[at].queue.is_some())
    }

    /// Store time of the last message dispatched, 0 for none.
    pub(crate) fn last_timestamp(&self) -> i64 {
        self.last_timestamp
    }

    /// The log offset below which every message was dispatched.
    pub(crate) fn end(&self) -> i64 {
        self.end
    }

    fn dispatch(&mut self, entry: Entry) {
        self.last_timestamp = entry.store_timestamp;
        self.end = entry.end();
        self.index_keys(&entry);
        let Some(queue) = entry.queue else { return };
        let unit =
            Unit { physical_offset: entry.physical_offset, size: entry.size, tags_code: entry.tags_code };
        queue.append(entry.queue_offset, unit);
        if self.listeners.is_empty() {
            return;
        }
        let dispatched = Dispatched {
            topic: queue.topic().clone(),
            queue_id: queue.queue_id(),
            queue_offset: entry.queue_offset,
            physical_offset: entry.physical_offset,
            size: entry.size,
            tags_code: entry.tags_code,
            store_timestamp: entry.store_timestamp,
        };
        self.listeners.iter().for_each(|listener| listener(&dispatched));
    }

    fn index_keys(&mut self, entry: &Entry) {
        let Some(index) = &mut self.index else { return };
        if let Err(e) =
            index.put(&entry.keys, entry.physical_offset, entry.store_timestamp, entry.store_timestamp)
        {
            tracing::error!(error = %e, offset = entry.physical_offset, "a message cannot be found by key");
        }
    }
}
