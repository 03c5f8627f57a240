//! After a restart: where the log ends, and queues and index that agree with it.
//!
//! After a clean end the queues are complete, and only what lies behind their last message is looked at. Otherwise
//! everything that the checkpoint does not vouch for is read again, and queues and index are made anew from there. Should
//! a queue turn out to lack messages from before that place, all queues are made anew from the whole log.

use rocketmq_remoting::message::{RecordView, layout};

use crate::store::checkpoint::Times;
use crate::store::config::StoreConfig;
use crate::store::error::StoreError;
use crate::store::index::Index;
use crate::store::log::CommitLog;
use crate::store::log::scan::{Obstacle, Scanner, Step, Walk};
use crate::store::marks::{self, Marks};
use crate::store::queue::table::Queues;
use crate::store::queue::unit::Unit;
use crate::store::queue::{ConsumeQueue, Restored};
use crate::store::types::RecoveryReport;

/// How far before the checkpoint's time reading begins, ms: messages of one moment may lie on both sides of a flush.
const MARGIN_MS: i64 = 3_000;

/// What recovery works on.
pub(crate) struct Recovery<'a> {
    pub config: &'a StoreConfig,
    pub log: &'a CommitLog,
    pub queues: &'a Queues,
    pub index: &'a mut Option<Index>,
    pub times: Times,
    /// The last run did not end cleanly.
    pub abnormal: bool,
    /// A queue file had a wrong length.
    pub damaged_queue: bool,
}

/// What it found, and the store time of the last message.
pub(crate) struct Recovered {
    pub report: RecoveryReport,
    pub last_timestamp: i64,
}

/// Why queues and index were not brought to the state of the log.
enum Failure {
    /// The queues cannot be continued from where the scan began.
    Incomplete,
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<'a> Recovery<'a> {
    pub fn run(mut self) -> Result<Recovered, StoreError> {
        let trusted = !self.abnormal && !self.damaged_queue && self.queues_match_log();
        if self.log.segments().is_empty() {
            self.destroy_queues()?;
        }
        if self.abnormal {
            self.mend_index()?;
        }
        let from = if trusted { self.last_dispatched() } else { self.checkpointed() };
        let mut recovered = match self.rebuild(from, trusted) {
            Ok(recovered) => recovered,
            Err(Failure::Incomplete) => self.rebuild_all()?,
            Err(Failure::Store(error)) => return Err(error),
        };
        self.finish(&mut recovered, trusted)?;
        Ok(recovered)
    }

    fn rebuild_all(&mut self) -> Result<Recovered, StoreError> {
        tracing::warn!("consume queues lack messages of the commit log and are made anew from all of it");
        let mut recovered = match self.rebuild(self.log.min(), false) {
            Ok(recovered) => recovered,
            Err(Failure::Incomplete) => Recovered::nothing(),
            Err(Failure::Store(error)) => return Err(error),
        };
        recovered.report.rebuilt = true;
        Ok(recovered)
    }

    /// Each queue's last unit names a record that says the same of itself.
    fn queues_match_log(&self) -> bool {
        self.queues.all().iter().all(|queue| match queue.last() {
            Some((index, unit)) if unit.physical_offset >= self.log.min() => self.agrees(index, unit),
            _ => true,
        })
    }

    fn agrees(&self, index: i64, unit: Unit) -> bool {
        let head = self.log.read_cold(unit.physical_offset, layout::MIN_LEN).unwrap_or_default();
        layout::peek_i32(&head, layout::TOTAL_SIZE) == Some(unit.size)
            && layout::peek_i64(&head, layout::PHYSICAL_OFFSET) == Some(unit.physical_offset)
            && layout::peek_i64(&head, layout::QUEUE_OFFSET) == Some(index)
    }

    fn destroy_queues(&self) -> Result<(), StoreError> {
        self.queues.all().iter().try_for_each(|queue| queue.destroy())
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

    /// Reads the log from `from` on and brings queues and index to its state.
    fn rebuild(&mut self, from: i64, trusted: bool) -> Result<Recovered, Failure> {
        if !trusted {
            self.queues.all().iter().try_for_each(|queue| queue.truncate_from(from))?;
        }
        // An index without a single entry was deleted, or none of the messages has a key.
        if self.abnormal || self.index.as_ref().is_some_and(Index::is_empty) {
            self.index_up_to(from)?;
        }
        let whole = from <= self.log.min() && !trusted;
        let mut recovered = Recovered::nothing();
        recovered.report.scanned_from = from;
        let mut walk = self.walk(from, i64::MAX);
        while let Some(record) = walk.next(|scanner, at, obstacle| {
            beyond_damage(scanner, at, obstacle, self.times.log, &mut recovered.report)
        }) {
            self.restore(&record, whole)?;
            recovered.note(&record);
        }
        recovered.report.end = walk.at;
        Ok(recovered)
    }

    fn walk(&self, from: i64, until: i64) -> Walk<'a> {
        Walk::new(Scanner::new(self.log, self.config.check_crc_on_recover), from, until)
    }

    fn restore(&mut self, record: &[u8], whole: bool) -> Result<(), Failure> {
        let Ok(view) = RecordView::parse(record) else { return Ok(()) };
        let (topic, wire) = (view.topic(), view.properties());
        let marks = Marks::of(&topic, &wire, view.sys_flag(), self.index.is_some());
        self.index_record(&view, &marks)?;
        if !marks::is_queued(view.sys_flag()) || view.queue_id() < 0 {
            return Ok(());
        }
        if !is_plausible(&view) {
            tracing::error!(
                offset = view.physical_offset(),
                "a record with an impossible queue offset is skipped"
            );
            return Ok(());
        }
        let unit = Unit {
            physical_offset: view.physical_offset(),
            size: view.total_size() as i32,
            tags_code: marks.tags_code(view.store_timestamp(), &self.config.delay_levels_ms),
        };
        let queue = self.queues.get_or_create(&topic, view.queue_id());
        restore_unit(&queue, view.queue_offset(), unit, whole)
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
        index.put(&marks.keys, view.physical_offset(), time, time)
    }

    /// The index may be further behind than the queues: it is only made whole on disk when a file is full.
    fn index_up_to(&mut self, until: i64) -> Result<(), StoreError> {
        let Some(index) = self.index.as_ref() else { return Ok(()) };
        let from = if index.is_empty() { self.log.min() } else { index.end_offset().max(self.log.min()) };
        let mut walk = self.walk(from, until);
        while let Some(record) = walk.next(|scanner, at, _| scanner.next_intact(at).map(|(next, _)| next)) {
            if let Ok(view) = RecordView::parse(&record) {
                let marks = Marks::of(&view.topic(), &view.properties(), view.sys_flag(), true);
                self.index_record(&view, &marks)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, recovered: &mut Recovered, trusted: bool) -> Result<(), StoreError> {
        let report = &mut recovered.report;
        report.abnormal = self.abnormal;
        let clean_end = trusted && report.cut.is_none();
        if clean_end {
            self.log.end_cleanly_at(report.end)?
        } else {
            self.log.set_end(report.end)?
        }
        for queue in self.queues.all() {
            if queue.last().is_some_and(|(_, unit)| unit.end() > report.end) {
                queue.truncate_from(report.end)?;
            }
            queue.expire_below(self.log.min())?;
        }
        if let Some(index) = self.index.as_mut().filter(|index| index.end_offset() >= report.end) {
            index.mend(report.end)?;
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
        self.last_timestamp = self.last_timestamp.max(store_time(record).unwrap_or(0));
    }
}

/// Damage was done after the flush if an intact record behind it was flushed, too: then only the damaged one is lost.
/// Otherwise nothing behind it was ever promised to anyone, and the log ends before it.
fn beyond_damage(
    scanner: &mut Scanner<'_>,
    at: i64,
    obstacle: Obstacle,
    flushed: i64,
    report: &mut RecoveryReport,
) -> Option<i64> {
    let Obstacle::Damaged(reason) = obstacle else { return None };
    let intact = scanner.next_intact(at);
    let promised = intact.filter(|(_, record)| store_time(record).is_some_and(|time| time <= flushed));
    let Some((next, _)) = promised else {
        report.cut = Some(reason);
        return None;
    };
    tracing::error!(offset = at, reason, "damage inside the commit log is skipped");
    report.damaged += 1;
    Some(next)
}

/// `whole`: the scan began at the log's first record, so nothing older can be found and gaps are final.
fn restore_unit(queue: &ConsumeQueue, index: i64, unit: Unit, whole: bool) -> Result<(), Failure> {
    match queue.restore(index, unit, whole)? {
        Restored::Added | Restored::Present => Ok(()),
        Restored::Gap if !whole => Err(Failure::Incomplete),
        // Each lost message took its place in the log: more cannot be missing.
        Restored::Gap if index - queue.range().1 > unit.physical_offset / layout::MIN_LEN as i64 => Ok(()),
        Restored::Gap => {
            queue.fill_to(index);
            queue.restore(index, unit, whole)?;
            Ok(())
        }
    }
}

/// The checksum does not cover the header, so its numbers are not taken on trust.
fn is_plausible(view: &RecordView<'_>) -> bool {
    (0..i64::MAX / 1024).contains(&view.queue_offset())
}

fn store_time(record: &[u8]) -> Option<i64> {
    let flag = layout::peek_sys_flag(record)?;
    layout::peek_i64(record, layout::store_timestamp(flag))
}
