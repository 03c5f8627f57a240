//! Looking messages up: by queue offset, by log offset, by time, by key.

use bytes::Bytes;
use rocketmq_remoting::message::properties::{self, names};
use rocketmq_remoting::message::{MessageRecord, RecordView, layout};

use super::error::StoreError;
use super::fetch;
use super::log::record::STORE_TIMES;
use super::marks::{key_hash, tag_key_hash};
use super::queue::ConsumeQueue;
use super::queue::unit::Unit;
use super::types::{Boundary, Fetched, Filter, GetLimits, KeyKind};
use super::{Dispatched, Inner, Store};

/// Bytes of messages one query by key reads, save for a single message that is longer: Java's peers close a connection at
/// a frame of 16 MiB.
const QUERY_BYTES: usize = 15 << 20;

impl Store {
    /// Reads the queue from `offset` on.
    pub fn get(
        &self,
        topic: &str,
        queue_id: i32,
        offset: i64,
        limits: GetLimits,
        filter: &dyn Filter,
    ) -> Fetched {
        let queue = self.inner.queues.get(topic, queue_id);
        fetch::fetch(&self.inner.log, queue.as_deref(), offset, limits, filter)
    }

    /// Returns true if a read of the queue from `offset` on touches no file: all that is there is in memory.
    pub fn is_hot(&self, topic: &str, queue_id: i32, offset: i64) -> bool {
        let queue = self.inner.queues.get(topic, queue_id);
        queue.is_none_or(|queue| queue.is_hot(offset, self.inner.log.hot_from()))
    }

    /// [`get`](Self::get)s without waiting for the disk; `None` when that cannot be.
    pub fn get_at_once(
        &self,
        topic: &str,
        queue_id: i32,
        offset: i64,
        limits: GetLimits,
        filter: &dyn Filter,
    ) -> Option<Fetched> {
        let queue = self.inner.queues.get(topic, queue_id);
        fetch::fetch_at_once(&self.inner.log, queue.as_deref(), offset, limits, filter)
    }

    /// The first offset that can be read; 0 for an unknown queue.
    pub fn min_offset(&self, topic: &str, queue_id: i32) -> i64 {
        self.inner.queues.get(topic, queue_id).map_or(0, |q| q.range().0)
    }

    /// The offset after the last message that can be read; 0 for an unknown queue.
    pub fn max_offset(&self, topic: &str, queue_id: i32) -> i64 {
        self.inner.queues.get(topic, queue_id).map_or(0, |q| q.range().1)
    }

    /// Counts the bytes of the log from the message at `offset` on; `None` when the queue does not have it.
    pub fn bytes_from(&self, topic: &str, queue_id: i32, offset: i64) -> Option<u64> {
        let unit = self.inner.queues.get(topic, queue_id)?.unit(offset)?;
        u64::try_from(self.inner.log.written() - unit.physical_offset).ok()
    }

    /// The offset of the message stored at `ms` or next to it; 0 for an empty or unknown queue.
    pub fn offset_by_time(&self, topic: &str, queue_id: i32, ms: i64, boundary: Boundary) -> i64 {
        let Some(queue) = self.inner.queues.get(topic, queue_id) else { return 0 };
        match boundary {
            Boundary::Lower => self.inner.first_index(&queue, |time| time >= ms),
            Boundary::Upper => {
                let after = self.inner.first_index(&queue, |time| time > ms);
                if after <= queue.range().0 { 0 } else { after - 1 }
            }
        }
    }

    /// When the message at `offset` was stored (ms since 1970).
    pub fn store_time(&self, topic: &str, queue_id: i32, offset: i64) -> Option<i64> {
        let queue = self.inner.queues.get(topic, queue_id)?;
        self.inner.store_time_of(&queue, offset)
    }

    /// When the first message of the queue was stored; −1 if there is none.
    pub fn earliest_store_time(&self, topic: &str, queue_id: i32) -> i64 {
        let earliest = self.min_offset(topic, queue_id);
        self.store_time(topic, queue_id, earliest).unwrap_or(-1)
    }

    /// The message at a log offset, as an offset message id names it; `None` when there is none (any more).
    pub fn read_at(&self, physical_offset: i64) -> Option<MessageRecord> {
        MessageRecord::decode(&mut self.inner.log.read_record(physical_offset)?).ok()
    }

    /// [`read_at`](Self::read_at) where others name the offset: a body may hold bytes that look like a record at the very
    /// place where they are. Only what its queue points at, or is about to, was put as a message.
    pub fn read_queued(&self, physical_offset: i64) -> Option<MessageRecord> {
        let mut bytes = self.inner.log.read_record(physical_offset)?;
        let size = bytes.len();
        let record = MessageRecord::decode(&mut bytes).ok()?;
        self.inner.knows(&record, size).then_some(record)
    }

    /// The record of `size` bytes at a log offset.
    pub fn read_bytes(&self, physical_offset: i64, size: i32) -> Option<Bytes> {
        self.inner.log.read(physical_offset, usize::try_from(size).ok()?)
    }

    /// Units of a consume queue, for administrators: at most `count` from `offset`, none beyond the end of its file.
    pub fn units(
        &self,
        topic: &str,
        queue_id: i32,
        offset: i64,
        count: usize,
    ) -> Result<Vec<Unit>, StoreError> {
        self.inner.queues.get(topic, queue_id).map_or(Ok(Vec::new()), |q| q.read(offset, count))
    }

    /// The records of `topic` that carry `key` and were stored in `begin..=end` (ms): at most `max` of the
    /// newest, as far as 15 MiB go, oldest first. Messages whose keys merely have the same hash are left out.
    pub fn query(
        &self,
        topic: &str,
        key: &str,
        kind: KeyKind,
        max: usize,
        begin: i64,
        end: i64,
    ) -> Result<Vec<Bytes>, StoreError> {
        let hash = match kind {
            KeyKind::Key => key_hash(topic, key),
            KeyKind::Tag => tag_key_hash(topic, key),
        };
        let found = match &mut self.inner.dispatcher.lock().index {
            Some(index) => index.find(hash, max, begin, end)?,
            None => Vec::new(),
        };
        let records = found.into_iter().rev().filter_map(|offset| self.inner.log.read_record(offset));
        let mut records = newest(records.filter(|record| carries(record, topic, key, kind, begin..=end)));
        records.reverse();
        Ok(records)
    }

    /// Calls `listener` for every message that becomes visible from now on. See [`Listener`](super::Listener).
    pub fn on_append(&self, listener: impl Fn(&Dispatched) + Send + Sync + 'static) {
        self.inner.dispatcher.lock().listeners.push(std::sync::Arc::new(listener));
    }

    /// Every topic that has a queue.
    pub fn topics(&self) -> Vec<std::sync::Arc<str>> {
        self.inner.queues.topics()
    }

    /// The queues that a topic has.
    pub fn queues(&self, topic: &str) -> Vec<i32> {
        let all = self.inner.queues.all();
        all.iter().filter(|queue| &**queue.topic() == topic).map(|queue| queue.queue_id()).collect()
    }

    /// Removes the queues of a topic with their files; whether there were any. Its records stay in the log until they
    /// expire.
    ///
    /// # Errors
    /// Files that cannot be deleted. The topic is gone from the table all the same.
    pub fn delete_topic(&self, topic: &str) -> Result<bool, StoreError> {
        let mut done = Vec::new();
        let mut writer = self.inner.writer.lock();
        // Messages that wait to be written belong to the topic that goes.
        let written = writer.write_out(&self.inner.log, &mut done);
        let mut dispatcher = self.inner.dispatcher.lock();
        dispatcher.enqueue(&mut done);
        dispatcher.run(self.inner.confirmed());
        drop(dispatcher);
        written?;
        self.inner.queues.delete_topic(topic, writer.end())
    }

    /// Returns true if the disk had no room for the last write of messages.
    pub fn has_no_room(&self) -> bool {
        self.inner.log.has_no_room()
    }

    /// Counts the damaged records that were found since the store was opened; each was reported.
    pub fn damaged_records(&self) -> u64 {
        self.inner.log.damaged().count()
    }

    /// The first commit log offset on disk.
    pub fn min_physical_offset(&self) -> i64 {
        self.inner.log.min()
    }

    /// The commit log offset after the last message the kernel has.
    pub fn max_physical_offset(&self) -> i64 {
        self.inner.log.written()
    }

    /// The commit log offset after the last message that would survive a power cut.
    pub fn flushed_physical_offset(&self) -> i64 {
        self.inner.log.flushed()
    }
}

impl Inner {
    fn knows(&self, record: &MessageRecord, size: usize) -> bool {
        if self.is_queued(record, size) {
            return true;
        }
        // A message that is readable but not dispatched is with the holder of the writer, or waits in the dispatcher.
        let writer = self.writer.lock();
        let dispatcher = self.dispatcher.lock();
        drop(writer);
        dispatcher.is_waiting(record.physical_offset) || self.is_queued(record, size)
    }

    fn is_queued(&self, record: &MessageRecord, size: usize) -> bool {
        let queue = self.queues.get(&record.topic, record.queue_id);
        let unit = queue.and_then(|queue| queue.unit(record.queue_offset));
        unit.is_some_and(|unit| {
            unit.physical_offset == record.physical_offset && usize::try_from(unit.size) == Ok(size)
        })
    }

    /// When message `index` was stored, from the head of its record; `None` when that is damaged.
    fn store_time_of(&self, queue: &ConsumeQueue, index: i64) -> Option<i64> {
        let unit = queue.unit(index)?;
        let head = self.log.read(unit.physical_offset, layout::MIN_LEN)?;
        let is_right = layout::peek_i64(&head, layout::PHYSICAL_OFFSET)? == unit.physical_offset
            && layout::peek_i64(&head, layout::QUEUE_OFFSET)? == index
            && layout::peek_i32(&head, layout::QUEUE_ID)? == queue.queue_id();
        let time = layout::peek_i64(&head, layout::store_timestamp(layout::peek_sys_flag(&head)?))?;
        (is_right && STORE_TIMES.contains(&time)).then_some(time)
    }

    /// The first offset whose store time satisfies `wanted`, which holds for all later ones too. A message whose record
    /// is gone counts as too early; one that is damaged counts as the next one that is not.
    fn first_index(&self, queue: &ConsumeQueue, wanted: impl Fn(i64) -> bool) -> i64 {
        let (mut low, mut high) = queue.range();
        while low < high {
            let middle = low + (high - low) / 2;
            let known = (middle..high).find_map(|at| Some((at, self.store_time_or_gone(queue, at)?)));
            match known {
                Some((at, None)) => low = at + 1,
                Some((at, Some(time))) if !wanted(time) => low = at + 1,
                _ => high = middle,
            }
        }
        low
    }

    /// `Some(None)` for a message whose record is no longer in the log.
    fn store_time_or_gone(&self, queue: &ConsumeQueue, index: i64) -> Option<Option<i64>> {
        let is_gone =
            |unit: Unit| unit.is_written() && !unit.is_filler() && unit.physical_offset < self.log.min();
        if queue.unit(index).is_some_and(is_gone) {
            return Some(None);
        }
        self.store_time_of(queue, index).map(Some)
    }
}

/// The first of `records` that have room together, and at least one.
fn newest(records: impl Iterator<Item = Bytes>) -> Vec<Bytes> {
    let mut size = 0;
    let fits = |record: &Bytes| {
        let first = size == 0;
        size += record.len();
        first || size <= QUERY_BYTES
    };
    records.take_while(fits).collect()
}

fn carries(
    record: &[u8],
    topic: &str,
    key: &str,
    kind: KeyKind,
    stored: std::ops::RangeInclusive<i64>,
) -> bool {
    let Ok(view) = RecordView::parse(record) else { return false };
    if view.topic() != topic || !stored.contains(&view.store_timestamp()) {
        return false;
    }
    let wire = view.properties();
    match kind {
        KeyKind::Tag => properties::find(&wire, names::TAGS) == Some(key),
        KeyKind::Key => properties::pairs(&wire).any(|(name, value)| match name {
            names::UNIQ_KEY => value == key,
            names::KEYS => value.split(' ').any(|word| word == key),
            _ => false,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_holds_what_has_room_and_one_message_at_least() {
        let of = |len: usize| Bytes::from(vec![0; len]);
        assert_eq!(newest([of(1 << 20), of(QUERY_BYTES), of(1)].into_iter()).len(), 1);
        assert_eq!(newest([of(QUERY_BYTES + 1), of(1)].into_iter()).len(), 1);
        assert_eq!(newest([of(1), of(1)].into_iter()).len(), 2);
    }
}
