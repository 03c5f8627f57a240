//! The one writer of the log: numbers messages, encodes them into a buffer, and hands many of them to the kernel at once.

use std::sync::{Arc, OnceLock};

use bytes::{BufMut, BytesMut};
use rocketmq_remoting::message::{MessageRecord, layout};

use super::error::StoreError;
use super::log::{BLANK_LEN, CommitLog};
use super::marks::Marks;
use super::queue::ConsumeQueue;

/// The most bytes of one write to the kernel, save for a single longer message.
const ARENA: usize = 256 << 10;

/// The largest step back of the clock, ms, that store times hide.
const HIDDEN_STEP_MS: i64 = 10_000;

/// The end of the write of several messages; empty while it has not been tried.
pub(crate) type Outcome = Arc<OnceLock<Result<(), StoreError>>>;

/// A message in the log: what its consume queue and the index have to know.
#[derive(Debug)]
pub(crate) struct Entry {
    /// `None` when the message has no place in a queue (an undecided or rolled back transaction).
    pub queue: Option<Arc<ConsumeQueue>>,
    pub queue_offset: i64,
    pub physical_offset: i64,
    pub size: i32,
    pub store_timestamp: i64,
    pub tags_code: i64,
    pub keys: Vec<i32>,
}

impl Entry {
    pub(crate) fn end(&self) -> i64 {
        self.physical_offset + i64::from(self.size)
    }
}

/// Messages numbered and encoded but not yet with the kernel, and those that are but were not dispatched.
#[derive(Debug)]
pub(crate) struct Writer {
    buffer: BytesMut,
    /// Log offset of the buffer's first byte.
    start: i64,
    entries: Vec<Entry>,
    outcome: Outcome,
    last_timestamp: i64,
}

impl Writer {
    /// A writer that goes on at `end`, after a message stored at `last_timestamp`.
    pub(crate) fn new(end: i64, last_timestamp: i64) -> Self {
        Self {
            buffer: BytesMut::new(),
            start: end,
            entries: Vec::new(),
            outcome: Outcome::default(),
            last_timestamp,
        }
    }

    /// Returns the offset of the next message, unless its file is too full for it.
    pub(crate) fn end(&self) -> i64 {
        self.start + self.buffer.len() as i64
    }

    /// Settled when the messages added last have been written, or could not be.
    pub(crate) fn outcome(&self) -> Outcome {
        self.outcome.clone()
    }

    pub(crate) fn last_timestamp(&self) -> i64 {
        self.last_timestamp
    }

    /// The store time of the next message. Searches by time depend on times that never fall, so a small step back of the
    /// clock is hidden. A larger one is followed: the time before it was wrong, and must not last.
    pub(crate) fn stamp(&mut self, now_ms: i64) -> i64 {
        let ahead = self.last_timestamp.saturating_sub(now_ms);
        if !(0..=HIDDEN_STEP_MS).contains(&ahead) {
            self.last_timestamp = now_ms;
        }
        self.last_timestamp
    }

    /// Makes sure that `len` bytes fit behind each other in one file and in the buffer. The content of the buffer may
    /// be written by this; the entries written are put to `done`.
    pub(crate) fn make_room(
        &mut self,
        len: usize,
        log: &CommitLog,
        done: &mut Vec<Entry>,
    ) -> Result<(), StoreError> {
        let remaining = log.segment_end(self.end()) - self.end();
        if (len + BLANK_LEN) as i64 > remaining {
            self.fill_file(remaining, log, done)?;
        }
        if self.buffer.capacity() - self.buffer.len() < len {
            self.write_out(log, done)?;
            self.buffer = BytesMut::with_capacity(len.max(ARENA));
        }
        Ok(())
    }

    fn fill_file(
        &mut self,
        remaining: i64,
        log: &CommitLog,
        done: &mut Vec<Entry>,
    ) -> Result<(), StoreError> {
        self.write_out(log, done)?;
        self.buffer.put_i32(remaining as i32);
        self.buffer.put_i32(layout::MAGIC_BLANK);
        self.write_out(log, done)?;
        self.start = self.end() + remaining - BLANK_LEN as i64;
        log.skip_blank(self.start);
        Ok(())
    }

    /// Encodes a message at the end. [`make_room`](Self::make_room) was called for it.
    pub(crate) fn append(
        &mut self,
        record: &MessageRecord,
        marks: Marks,
        at: Placed,
    ) -> Result<(), StoreError> {
        let before = self.buffer.len();
        record.encode(&mut self.buffer).map_err(|e| StoreError::illegal(e.to_string()))?;
        self.entries.push(Entry {
            queue: at.queue,
            queue_offset: record.queue_offset,
            physical_offset: record.physical_offset,
            size: (self.buffer.len() - before) as i32,
            store_timestamp: record.store_timestamp,
            tags_code: at.tags_code,
            keys: marks.keys,
        });
        Ok(())
    }

    /// Hands the buffer to the kernel and its entries to `done`; on failure none of its messages exist any more.
    pub(crate) fn write_out(&mut self, log: &CommitLog, done: &mut Vec<Entry>) -> Result<(), StoreError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        if let Err(e) = log.append(self.start, &self.buffer) {
            self.abandon(e.clone());
            return Err(e);
        }
        let block = self.buffer.split().freeze();
        let start = self.start;
        self.start += block.len() as i64;
        log.publish(start, block);
        done.append(&mut self.entries);
        self.settle(Ok(()));
        Ok(())
    }

    /// Forgets the buffer: its messages' offsets are given to the next ones.
    pub(crate) fn abandon(&mut self, reason: StoreError) {
        for entry in self.entries.drain(..).rev() {
            if let Some(queue) = entry.queue {
                queue.set_next(entry.queue_offset);
            }
        }
        self.buffer.clear();
        self.settle(Err(reason));
    }

    fn settle(&mut self, result: Result<(), StoreError>) {
        // A fresh outcome is made each time, so this one is empty.
        let _ = std::mem::take(&mut self.outcome).set(result);
    }
}

/// The places of a message besides the log.
#[derive(Debug)]
pub(crate) struct Placed {
    pub queue: Option<Arc<ConsumeQueue>>,
    pub tags_code: i64,
}
