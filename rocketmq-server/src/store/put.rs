//! Putting messages, and waiting for the kernel and the disk to have them.

use std::time::Duration;

use parking_lot::MutexGuard;
use rocketmq_remoting::message::MessageRecord;

use super::error::StoreError;
use super::log::record::check_topic;
use super::marks::{self, Marks};
use super::types::Put;
use super::writer::{Entry, Placed, Writer};
use super::{FlushMode, Inner, Store};

/// A message that was checked and measured outside the writer's lock.
struct Prepared {
    record: MessageRecord,
    marks: Marks,
    len: usize,
}

impl Store {
    /// Puts one message: its queue offset, log offset and store time are assigned here, whatever the record says.
    ///
    /// It lies in a buffer until [`ensure_written`](Self::ensure_written) (or somebody else's call of it) succeeds; answer the
    /// producer after that.
    ///
    /// # Errors
    /// A message that breaks a rule ([`StoreError::MessageIllegal`]), a store that takes none at the moment, or a full
    /// disk. Nothing was put then.
    pub fn put(&self, record: MessageRecord) -> Result<Put, StoreError> {
        let prepared = self.inner.prepare(record)?;
        let mut done = Vec::new();
        let mut writer = self.inner.writer.lock();
        let put = self.inner.health.check().and_then(|()| {
            writer.make_room(prepared.len, &self.inner.log, &mut done)?;
            self.inner.append(&mut writer, prepared)
        });
        self.inner.hand_over(writer, done);
        put
    }

    /// Puts messages that follow each other in the log, in one file: all of them or none.
    ///
    /// # Errors
    /// As [`put`](Self::put); also when they are together longer than a message may be.
    pub fn put_batch(&self, records: Vec<MessageRecord>) -> Result<Vec<Put>, StoreError> {
        let prepared = records.into_iter().map(|r| self.inner.prepare(r)).collect::<Result<Vec<_>, _>>()?;
        let len = prepared.iter().map(|p| p.len).sum();
        self.inner.check_len(len)?;
        let mut done = Vec::new();
        let mut writer = self.inner.writer.lock();
        let put = self.inner.health.check().and_then(|()| {
            writer.make_room(len, &self.inner.log, &mut done)?;
            prepared.into_iter().map(|p| self.inner.append(&mut writer, p)).collect()
        });
        self.inner.hand_over(writer, done);
        put
    }

    /// Makes sure the kernel has a message: one write for everything put so far, none if that was done already.
    ///
    /// # Errors
    /// The write failed. The message then does not exist, and its offsets go to others.
    pub fn ensure_written(&self, put: &Put) -> Result<(), StoreError> {
        if put.outcome.get().is_none() {
            // Its own result concerns the newest messages; ours may have been settled by another thread before.
            let _ = self.sync_point();
        }
        put.outcome.get().cloned().unwrap_or(Err(StoreError::Closed))
    }

    /// Makes sure the kernel has everything put so far.
    ///
    /// # Errors
    /// The write failed. None of the messages that were waiting exists then; those put before an earlier
    /// successful call do.
    pub fn sync_point(&self) -> Result<(), StoreError> {
        let mut done = Vec::new();
        let mut writer = self.inner.writer.lock();
        let result = writer.write_out(&self.inner.log, &mut done);
        self.inner.hand_over(writer, done);
        result
    }

    /// Waits until the log is on the platter up to `end` (see [`Put::end`]); `false` when it is not after
    /// `timeout` (of the store's clock) or cannot be. The message is kept in either case.
    ///
    /// Needs [`start_background`](Self::start_background). Dropping the future only stops waiting.
    pub async fn flushed(&self, end: i64, timeout: Duration) -> bool {
        if self.sync_point().is_err() {
            return false;
        }
        let mut flushed = self.inner.flushed.subscribe();
        self.inner.threads.request_flush();
        tokio::select! {
            biased;
            state = flushed.wait_for(|f| f.failed || f.end >= end) => state.is_ok_and(|f| f.end >= end),
            () = self.inner.clock.sleep(timeout) => false,
        }
    }
}

impl Inner {
    fn prepare(&self, record: MessageRecord) -> Result<Prepared, StoreError> {
        self.check(&record)?;
        let marks = Marks::of(&record.topic, &record.properties, record.sys_flag, self.config.index_enabled);
        let record = record.seal();
        let len = record.encoded_len();
        self.check_len(len)?;
        Ok(Prepared { record, marks, len })
    }

    fn check(&self, record: &MessageRecord) -> Result<(), StoreError> {
        check_topic(&record.topic).map_err(StoreError::illegal)?;
        if record.queue_id < 0 {
            return Err(StoreError::illegal(format!("queue {} is negative", record.queue_id)));
        }
        if record.properties.len() > i16::MAX as usize {
            return Err(StoreError::illegal(format!(
                "its properties have {} bytes, the limit is {}",
                record.properties.len(),
                i16::MAX
            )));
        }
        Ok(())
    }

    fn check_len(&self, len: usize) -> Result<(), StoreError> {
        let file = self.config.commit_log_file_size as usize - super::log::BLANK_LEN;
        let limit = file.min(i32::MAX as usize);
        if len > limit {
            return Err(StoreError::illegal(format!(
                "it takes {len} bytes in the log, the limit is {limit}"
            )));
        }
        Ok(())
    }

    fn append(&self, writer: &mut Writer, prepared: Prepared) -> Result<Put, StoreError> {
        let Prepared { mut record, marks, .. } = prepared;
        let queue = marks::is_queued(record.sys_flag)
            .then(|| self.queues.get_or_create(&record.topic, record.queue_id));
        record.queue_offset = queue.as_ref().map_or(0, |q| q.next());
        record.physical_offset = writer.end();
        let now = self.clock.now_ms();
        record.store_timestamp = writer.stamp(now);
        // A delay counts from the clock: the store time may be ahead of it.
        let tags_code = marks.tags_code(now, &self.config.delay_levels_ms);
        writer.append(&record, marks, Placed { queue: queue.clone(), tags_code })?;
        if let Some(queue) = queue {
            queue.set_next(record.queue_offset + 1);
        }
        Ok(Put {
            physical_offset: record.physical_offset,
            queue_offset: record.queue_offset,
            size: (writer.end() - record.physical_offset) as i32,
            store_timestamp: record.store_timestamp,
            end: writer.end(),
            outcome: writer.outcome(),
        })
    }

    /// Gives written messages to the dispatcher before the next writer can, so that they keep their order.
    pub(super) fn hand_over(&self, writer: MutexGuard<'_, Writer>, mut done: Vec<Entry>) {
        if done.is_empty() {
            return;
        }
        let mut dispatcher = self.dispatcher.lock();
        drop(writer);
        dispatcher.enqueue(&mut done);
        dispatcher.run(self.confirmed());
        drop(dispatcher);
        self.look_at_disk_if_due();
    }

    /// Messages up to this log offset may be seen.
    pub(super) fn confirmed(&self) -> i64 {
        match self.tuned().flush_mode {
            FlushMode::Async => self.log.written(),
            FlushMode::Sync => self.log.flushed(),
        }
    }
}
