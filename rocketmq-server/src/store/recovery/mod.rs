//! Finds out, when a store is opened, where the log ends, and brings queues and index to its state.
//!
//! After a clean end the seal describes the whole store and nothing is read. Otherwise the log is read from where the seal
//! ends (without a seal: from where Apache's checkpoint vouches for everything before) and each record is put into its
//! queue. The log is the truth: a queue that disagrees with it is made anew from there. Damage costs the messages that it
//! hit; whatever is intact behind it is kept.

mod places;

use rocketmq_remoting::message::{RecordView, layout};

use crate::store::checkpoint::Times;
use crate::store::config::StoreConfig;
use crate::store::error::StoreError;
use crate::store::index::Index;
use crate::store::log::scan::{Claim, Damage, Found, Scanner, Step};
use crate::store::log::{BLANK_LEN, CommitLog};
use crate::store::marks::{self, Marks};
use crate::store::queue::ConsumeQueue;
use crate::store::queue::table::Queues;
use crate::store::queue::unit::Unit;
use crate::store::seal::Seal;
use crate::store::types::RecoveryReport;
use places::{Failure, Places};

/// Reading begins this long before the checkpoint's time, ms: messages of one moment may lie on both sides of a flush.
const MARGIN_MS: i64 = 3_000;

/// The parts of recovery.
pub(crate) struct Recovery<'a> {
    pub config: &'a StoreConfig,
    pub log: &'a CommitLog,
    pub queues: &'a Queues,
    pub index: &'a mut Option<Index>,
    pub seal: Option<&'a Seal>,
    pub times: Times,
    /// The last run did not end cleanly.
    pub abnormal: bool,
    /// The index had no room for a message. That is told once.
    pub(crate) index_is_full: bool,
}

/// The report of recovery, and the store time of the last message.
pub(crate) struct Recovered {
    pub report: RecoveryReport,
    pub last_timestamp: i64,
}

/// The beginning of the part of the log that has to be read.
#[derive(Debug, Clone, Copy)]
struct Start {
    from: i64,
    /// Queues hold every message below `from`.
    vouched: bool,
    /// Some queue was not as it was left.
    doubtful: bool,
}

impl Recovery<'_> {
    pub(crate) fn run(mut self) -> Result<Recovered, StoreError> {
        let start = self.prepare()?;
        if self.abnormal {
            self.mend_index()?;
        }
        if let Some(seal) = self.seal.filter(|seal| self.is_exact(seal, start)) {
            return self.take_over(seal);
        }
        let mut recovered = match self.rebuild(start) {
            Ok(recovered) => recovered,
            Err(Failure::Incomplete) => self.rebuild_all()?,
            Err(Failure::Store(error)) => return Err(error),
        };
        self.finish(&mut recovered)?;
        recovered.report.rebuilt |= start.doubtful;
        Ok(recovered)
    }

    /// Loads the queues, cuts off what cannot be trusted of them, and decides where to read the log from.
    fn prepare(&mut self) -> Result<Start, StoreError> {
        let loaded = self.queues.load(self.seal)?;
        let Some(log_end) = self.log.segments().last().map(|last| last.end()) else {
            // The log was deleted: everything begins anew, as on Apache's broker.
            self.seal = None;
            self.queues.all().iter().try_for_each(|queue| queue.destroy())?;
            return Ok(Start { from: self.log.min(), vouched: true, doubtful: false });
        };
        let mut from = match self.seal {
            Some(seal) => seal.log_end.min(log_end),
            None if self.abnormal => self.checkpointed(),
            None => self.last_dispatched(),
        };
        let mut doubtful = false;
        for (queue, loaded) in loaded {
            if let Some(at) = queue.cut_doubtful(loaded)? {
                from = from.min(at);
                doubtful = true;
            } else if self.seal.is_none() && self.abnormal {
                queue.cut_from_log(from)?;
            }
        }
        let from = from.max(self.log.min());
        Ok(Start { from, vouched: self.seal.is_some() || from == self.log.min(), doubtful })
    }

    /// Returns true if the seal describes the store as it is: nothing was written behind it.
    fn is_exact(&self, seal: &Seal, start: Start) -> bool {
        let behind = self.log.read_cold(seal.log_end, BLANK_LEN).unwrap_or_default();
        seal.clean
            && !self.abnormal
            && !start.doubtful
            && start.from == seal.log_end
            && behind.iter().all(|byte| *byte == 0)
    }

    fn take_over(&mut self, seal: &Seal) -> Result<Recovered, StoreError> {
        if self.index.as_ref().is_some_and(Index::is_empty) {
            self.index_up_to(seal.log_end)?;
        }
        self.log.skip_to(seal.log_end);
        if self.log.min() != seal.log_min {
            self.queues.all().iter().try_for_each(|queue| queue.expire_below(self.log.min()).map(drop))?;
        }
        let report =
            RecoveryReport { scanned_from: seal.log_end, end: seal.log_end, ..RecoveryReport::default() };
        Ok(Recovered { report, last_timestamp: seal.last_timestamp })
    }

    fn rebuild_all(&mut self) -> Result<Recovered, StoreError> {
        tracing::warn!("consume queues lack messages of the commit log and are made anew from all of it");
        let start = Start { from: self.log.min(), vouched: true, doubtful: true };
        match self.rebuild(start) {
            Ok(mut recovered) => {
                recovered.report.rebuilt = true;
                Ok(recovered)
            }
            Err(Failure::Incomplete) => Ok(Recovered::nothing()),
            Err(Failure::Store(error)) => Err(error),
        }
    }

    fn mend_index(&mut self) -> Result<(), StoreError> {
        let end = self.log.segments().last().map_or(0, |s| s.end());
        self.index.as_mut().map_or(Ok(()), |index| index.mend(end))
    }

    /// The newest message any queue knows.
    fn last_dispatched(&self) -> i64 {
        let lasts = self.queues.all().into_iter().filter_map(|q| Some(q.last()?.1.physical_offset));
        lasts.max().unwrap_or(0).max(self.log.min())
    }

    /// The newest file whose first message is older than what the checkpoint vouches for.
    fn checkpointed(&self) -> i64 {
        let safe = self.times.safe_until() - MARGIN_MS;
        let mut scanner = Scanner::new(self.log, self.config.check_crc_on_recover);
        let starts = self.log.segments().into_iter().rev().map(|s| s.start());
        let safe_start = starts.into_iter().find(|start| match scanner.step(*start) {
            Step::Record(record) => store_time(&record).is_some_and(|t| t > 0 && t <= safe),
            _ => false,
        });
        safe_start.unwrap_or_else(|| self.log.min())
    }

    /// Reads the log and brings queues and index to its state.
    fn rebuild(&mut self, start: Start) -> Result<Recovered, Failure> {
        // An index without a single entry was deleted, or none of the messages has a key.
        if self.abnormal || self.index.as_ref().is_some_and(Index::is_empty) {
            self.index_up_to(start.from)?;
        }
        let queues = self.queues;
        let mut places = Places::new(queues, start.vouched);
        let mut recovered = Recovered::nothing();
        recovered.report.scanned_from = start.from;
        let mut walk = queues.source().walk(start.from, i64::MAX);
        while let Some(found) = walk.next() {
            match found {
                Found::Record(record) => {
                    self.restore(&record, &mut places)?;
                    recovered.note(&record);
                }
                Found::Damage(damage) => {
                    self.note_damage(&damage, &mut places);
                    recovered.report.damaged += 1;
                }
            }
        }
        recovered.report.end = self.end_behind(walk.at);
        recovered.report.cut = walk.torn;
        places.finish(recovered.report.end)?;
        recovered.report.damaged += places.misplaced() as u64;
        Ok(recovered)
    }

    /// The end of the log, which is not before what was flushed.
    fn end_behind(&self, found: i64) -> i64 {
        let flushed = self.seal.map_or(0, |seal| seal.log_end);
        let most = self.log.segments().last().map_or(0, |last| last.end());
        found.max(flushed.min(most))
    }

    fn note_damage(&self, damage: &Damage, places: &mut Places<'_>) {
        let Damage { range, reason, .. } = damage;
        self.log
            .damaged()
            .report(range.start, &format!("{reason}; the next message begins at {}", range.end));
        places.add_damage(damage);
    }

    fn restore(&mut self, record: &[u8], places: &mut Places<'_>) -> Result<(), Failure> {
        let Ok(view) = RecordView::parse(record) else { return Ok(()) };
        let (topic, wire) = (view.topic(), view.properties());
        let marks = Marks::of(&topic, &wire, view.sys_flag(), self.index.is_some());
        self.index_record(&view, &marks)?;
        let source = self.queues.source();
        if !marks::is_queued(view.sys_flag()) || source.is_deleted(&view) {
            return Ok(());
        }
        let claim =
            Claim { topic: topic.into_owned(), queue_id: view.queue_id(), index: view.queue_offset() };
        places.add(claim, source.unit_of(&view, &marks))
    }

    /// Messages below the index's end are in it already.
    fn index_record(&mut self, view: &RecordView<'_>, marks: &Marks) -> Result<(), StoreError> {
        let Some(index) = self.index.as_mut() else { return Ok(()) };
        let known = view.physical_offset() < index.end_offset() && !index.is_empty();
        let last = view.physical_offset() == index.end_offset() && !index.is_empty();
        if known || (!self.abnormal && last) {
            return Ok(());
        }
        let time = view.store_timestamp();
        match index.put(&marks.keys, view.physical_offset(), time, time) {
            Err(error @ StoreError::DiskFull { .. }) if !self.index_is_full => {
                self.index_is_full = true;
                tracing::error!(
                    %error,
                    from = view.physical_offset(),
                    "messages from this log offset on may not be found by key: the index has no room"
                );
                Ok(())
            }
            Err(StoreError::DiskFull { .. }) => Ok(()),
            put => put,
        }
    }

    /// The index may be further behind than the queues: it is only made whole on disk when a file is full.
    fn index_up_to(&mut self, until: i64) -> Result<(), StoreError> {
        let Some(index) = self.index.as_ref() else { return Ok(()) };
        let from = if index.is_empty() { self.log.min() } else { index.end_offset().max(self.log.min()) };
        let mut walk = self.queues.source().walk(from, until);
        while let Some(found) = walk.next() {
            let Found::Record(record) = found else { continue };
            if let Ok(view) = RecordView::parse(&record) {
                let marks = Marks::of(&view.topic(), &view.properties(), view.sys_flag(), true);
                self.index_record(&view, &marks)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, recovered: &mut Recovered) -> Result<(), StoreError> {
        let report = &mut recovered.report;
        report.abnormal = self.abnormal;
        self.log.set_end(report.end)?;
        for queue in self.queues.all() {
            self.cut_behind(&queue, report.end)?;
            queue.expire_below(self.log.min())?;
        }
        if let Some(index) = self.index.as_mut().filter(|index| index.end_offset() >= report.end) {
            index.mend(report.end)?;
        }
        Ok(())
    }

    /// Drops the units of records that are not in the log. The offsets that the seal vouches for stay taken.
    fn cut_behind(&self, queue: &ConsumeQueue, log_end: i64) -> Result<(), StoreError> {
        let (min, max) = queue.range();
        let is_behind = |index: i64| {
            let unit = queue.unit(index - 1);
            unit.is_some_and(|unit| !unit.is_filler() && (!unit.is_written() || unit.end() > log_end))
        };
        let mut end = max;
        while end > min && is_behind(end) {
            end -= 1;
        }
        if end < max || queue.left_over(max).is_some() {
            queue.truncate(end)?;
        }
        let source = self.queues.source();
        let sealed = self.seal.and_then(|seal| seal.queue(queue.topic(), queue.queue_id(), &source.deleted));
        while sealed.is_some_and(|sealed| queue.range().1 < sealed.end) {
            queue.restore(Unit::FILLER);
        }
        Ok(())
    }
}

impl Recovered {
    fn nothing() -> Self {
        Self { report: RecoveryReport::default(), last_timestamp: 0 }
    }

    fn note(&mut self, record: &[u8]) {
        self.report.records += 1;
        self.last_timestamp = store_time(record).unwrap_or(self.last_timestamp);
    }
}

fn store_time(record: &[u8]) -> Option<i64> {
    let flag = layout::peek_sys_flag(record)?;
    layout::peek_i64(record, layout::store_timestamp(flag))
}
