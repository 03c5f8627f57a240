//! The types of the store's interface.

use bytes::Bytes;

use super::writer::Outcome;

/// The place of a message that was put. The message exists once [`Store::ensure_written`](super::Store::ensure_written) says so.
#[derive(Debug, Clone)]
pub struct Put {
    /// Commit log offset of the record.
    pub physical_offset: i64,
    /// Offset in its queue; 0 for undecided and rolled back transactions, which have no place in one.
    pub queue_offset: i64,
    /// Bytes of the record.
    pub size: i32,
    /// Milliseconds since 1970; falls along the log only when the clock was set back by more than ten seconds.
    pub store_timestamp: i64,
    /// Commit log offset after the record, for [`Store::flushed`](super::Store::flushed).
    pub end: i64,
    pub(crate) outcome: Outcome,
}

impl Put {
    /// Returns true if one write decides about both messages.
    pub fn shares_write(&self, other: &Self) -> bool {
        std::sync::Arc::ptr_eq(&self.outcome, &other.outcome)
    }
}

/// The limits of one [`Store::get`](super::Store::get). The first message is returned whatever its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetLimits {
    /// At most this many messages; 0 is served as 1.
    pub max_messages: usize,
    /// At most this many bytes of records.
    pub max_bytes: usize,
}

/// Chooses the messages that a reader wants. Both answers default to yes.
pub trait Filter {
    /// Asked with the unit's code, before the message is read.
    fn wants_code(&self, tags_code: i64) -> bool {
        let _ = tags_code;
        true
    }

    /// Asked with the whole record.
    fn wants_record(&self, record: &[u8]) -> bool {
        let _ = record;
        true
    }
}

/// Every message.
#[derive(Debug, Clone, Copy, Default)]
pub struct All;

impl Filter for All {}

/// The end of a read. Its [`name`](Self::name) goes into the remark of a pull's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GetStatus {
    /// There are messages.
    Found,
    /// None of those looked at is wanted.
    NoMatchedMessage,
    /// The messages looked at are no longer (or not intact) in the commit log.
    MessageWasRemoving,
    /// There is nothing to read at the offset; go on at the next file of the queue.
    OffsetFoundNull,
    /// The offset is beyond the end.
    OffsetOverflowBadly,
    /// The offset is the end: nothing new yet.
    OffsetOverflowOne,
    /// The offset is before the first message.
    OffsetTooSmall,
    /// There is no such queue.
    NoMatchedLogicQueue,
    /// The queue never had a message.
    NoMessageInQueue,
}

impl GetStatus {
    /// Apache's name of the status.
    pub fn name(self) -> &'static str {
        match self {
            Self::Found => "FOUND",
            Self::NoMatchedMessage => "NO_MATCHED_MESSAGE",
            Self::MessageWasRemoving => "MESSAGE_WAS_REMOVING",
            Self::OffsetFoundNull => "OFFSET_FOUND_NULL",
            Self::OffsetOverflowBadly => "OFFSET_OVERFLOW_BADLY",
            Self::OffsetOverflowOne => "OFFSET_OVERFLOW_ONE",
            Self::OffsetTooSmall => "OFFSET_TOO_SMALL",
            Self::NoMatchedLogicQueue => "NO_MATCHED_LOGIC_QUEUE",
            Self::NoMessageInQueue => "NO_MESSAGE_IN_QUEUE",
        }
    }
}

/// The answer to [`Store::get`](super::Store::get).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The end of the read.
    pub status: GetStatus,
    /// The offset of the next read: behind everything looked at, wanted or not.
    pub next_begin: i64,
    /// The queue's first offset.
    pub min: i64,
    /// The offset after the queue's last message.
    pub max: i64,
    /// The records, each as it lies in the log. They share memory with the store or with each other.
    pub records: Vec<Bytes>,
    /// Their total size.
    pub bytes: usize,
}

/// The message that a search by time means, out of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Boundary {
    /// The first stored at or after the time.
    #[default]
    Lower,
    /// The last stored at or before the time.
    Upper,
}

/// The kinds of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyKind {
    /// `UNIQ_KEY` or one of the words of `KEYS`.
    #[default]
    Key,
    /// The tag (`indexType=T` of 5.x).
    Tag,
}

/// The report of the opening of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// The last run did not end cleanly.
    pub abnormal: bool,
    /// Queues were made again from the log, because files of theirs were damaged or lost.
    pub rebuilt: bool,
    /// Log offset from which records were read and checked.
    pub scanned_from: i64,
    /// Records read and checked.
    pub records: u64,
    /// Damaged parts of the log, and records that name a place which cannot be theirs. They are skipped when read.
    pub damaged: u64,
    /// The log offset where the log now ends.
    pub end: i64,
    /// The reason for which the log ends there, if the rest is not simply unused.
    pub cut: Option<String>,
}

impl RecoveryReport {
    /// Tells an operator what opening found: at WARN unless the last run ended cleanly and everything is there.
    pub(crate) fn log(&self) {
        if self.abnormal || self.rebuilt || self.damaged > 0 || self.cut.is_some() {
            tracing::warn!(
                records = self.records,
                from = self.scanned_from,
                end = self.end,
                damaged = self.damaged,
                rebuilt = self.rebuilt,
                cut = self.cut,
                "the store was not closed cleanly or is damaged; it was recovered from its commit log"
            );
        } else {
            tracing::info!(end = self.end, "the store is open");
        }
    }
}
