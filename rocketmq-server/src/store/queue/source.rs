//! The source of a queue's units: the log, whose records say which unit they are.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use rocketmq_remoting::message::{RecordView, layout};

use super::unit::Unit;
use crate::store::deleted::DeletedTopics;
use crate::store::log::CommitLog;
use crate::store::log::record::{self, Place};
use crate::store::log::scan::{Found, Scanner, Walk};
use crate::store::marks::{self, Marks};

/// The longest record that is read because a unit says so, without asking the log first.
const TRUSTED_LEN: i32 = 256 << 10;

/// Makes units, and checks them.
#[derive(Debug)]
pub(crate) struct Source {
    pub log: Arc<CommitLog>,
    pub deleted: Arc<DeletedTopics>,
    pub delay_levels_ms: Vec<i64>,
    pub check_crc: bool,
}

impl Source {
    /// The unit of a record whose marks are known.
    pub(crate) fn unit_of(&self, view: &RecordView<'_>, marks: &Marks) -> Unit {
        Unit {
            physical_offset: view.physical_offset(),
            size: view.total_size() as i32,
            tags_code: marks.tags_code(view.store_timestamp(), &self.delay_levels_ms),
        }
    }

    /// Returns true if the record that `unit` names is intact and belongs to `place`.
    pub(crate) fn confirms(&self, place: Place<'_>, unit: Unit) -> bool {
        let Ok(len) = usize::try_from(unit.size) else { return false };
        let is_known = unit.is_written() && unit.physical_offset >= self.log.min();
        if !is_known || (unit.size > TRUSTED_LEN && !self.is_as_long(unit)) {
            return false;
        }
        let bytes = self.log.read_cold(unit.physical_offset, len).unwrap_or_default();
        let judged = record::judge(&bytes, unit.physical_offset, self.check_crc);
        judged.is_ok_and(|view| record::judge_place(&view, place).is_ok() && !self.is_deleted(&view))
    }

    /// Returns true if the log agrees with a unit that names a long record: memory is not reserved on a damaged unit's word.
    fn is_as_long(&self, unit: Unit) -> bool {
        let head = self.log.read_cold(unit.physical_offset, layout::MIN_LEN).unwrap_or_default();
        layout::peek_i32(&head, layout::TOTAL_SIZE) == Some(unit.size)
    }

    /// Returns true if the record was put before its topic was deleted.
    pub(crate) fn is_deleted(&self, view: &RecordView<'_>) -> bool {
        self.deleted.covers(&view.topic(), view.physical_offset())
    }

    /// The units of a queue with an index in `wanted`, made from the records in `between`.
    pub(crate) fn find(
        &self,
        topic: &str,
        queue_id: i32,
        wanted: Range<i64>,
        between: Range<i64>,
    ) -> BTreeMap<i64, Unit> {
        let mut found = BTreeMap::new();
        let mut walk = self.walk(between.start, between.end);
        while (found.len() as i64) < wanted.end - wanted.start {
            let record = match walk.next() {
                None => break,
                Some(Found::Damage(_)) => continue,
                Some(Found::Record(record)) => record,
            };
            let Ok(view) = RecordView::parse(&record) else { continue };
            let is_ours = view.queue_id() == queue_id
                && wanted.contains(&view.queue_offset())
                && marks::is_queued(view.sys_flag())
                && view.topic() == topic
                && !self.is_deleted(&view);
            if is_ours {
                let marks = Marks::of(topic, &view.properties(), view.sys_flag(), false);
                found.entry(view.queue_offset()).or_insert_with(|| self.unit_of(&view, &marks));
            }
        }
        found
    }

    /// A walk through the log.
    pub(crate) fn walk(&self, from: i64, until: i64) -> Walk<'_> {
        Walk::new(Scanner::new(&self.log, self.check_crc), from, until)
    }
}
