//! Reading a queue: from offsets to units to records.

use bytes::Bytes;
use rocketmq_remoting::message::layout;

use super::log::CommitLog;
use super::queue::ConsumeQueue;
use super::queue::unit::Unit;
use super::types::{Fetched, Filter, GetLimits, GetStatus};

/// Units looked at by one filtered read, unless more messages than that are asked for.
const SCAN_UNITS: usize = 800;
/// Records closer to each other than this are read from the file together.
const GAP: i64 = 4096;
/// The longest such read.
const WINDOW: i64 = 256 << 10;

/// The reach of a read: memory, or files too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// As far as this process and the kernel have it in memory.
    Memory,
    Disk,
}

/// Reads from `offset` on. A missing queue is `None`.
pub(crate) fn fetch(
    log: &CommitLog,
    queue: Option<&ConsumeQueue>,
    offset: i64,
    limits: GetLimits,
    filter: &dyn Filter,
) -> Fetched {
    read(Reach::Disk, log, queue, offset, limits, filter).0
}

/// [`fetch`]es without waiting for the disk; `None` when that cannot be.
pub(crate) fn fetch_at_once(
    log: &CommitLog,
    queue: Option<&ConsumeQueue>,
    offset: i64,
    limits: GetLimits,
    filter: &dyn Filter,
) -> Option<Fetched> {
    let (fetched, all) = read(Reach::Memory, log, queue, offset, limits, filter);
    all.then_some(fetched)
}

/// Reads messages. Also returns true if all of them were within the reach.
fn read(
    reach: Reach,
    log: &CommitLog,
    queue: Option<&ConsumeQueue>,
    offset: i64,
    limits: GetLimits,
    filter: &dyn Filter,
) -> (Fetched, bool) {
    let Some(queue) = queue else {
        return (Fetched::empty(GetStatus::NoMatchedLogicQueue, 0, (0, 0)), true);
    };
    let range = queue.range();
    if let Some((status, next)) = misplaced(offset, range) {
        return (Fetched::empty(status, next, range), true);
    }
    let limits = GetLimits { max_messages: limits.max_messages.max(1), ..limits };
    let mut reader = Reader { log, queue, filter, window: None, reach, beyond: false };
    let mut fetched = Fetched::empty(GetStatus::NoMatchedMessage, offset, range);
    // As many units as messages may be returned; only a filter that skips some has use for those behind them.
    for count in [limits.max_messages, SCAN_UNITS.saturating_sub(limits.max_messages)] {
        let units = reader.units(fetched.next_begin, count);
        if !fetched.collect(&mut reader, &units, limits) || units.len() < count {
            break;
        }
    }
    if fetched.next_begin == offset {
        fetched = Fetched::empty(GetStatus::OffsetFoundNull, queue.file_end(offset), range);
    }
    (fetched, !reader.beyond)
}

fn misplaced(offset: i64, (min, max): (i64, i64)) -> Option<(GetStatus, i64)> {
    if max == 0 {
        Some((GetStatus::NoMessageInQueue, 0))
    } else if offset < min {
        Some((GetStatus::OffsetTooSmall, min))
    } else if offset == max {
        Some((GetStatus::OffsetOverflowOne, offset))
    } else if offset > max {
        Some((GetStatus::OffsetOverflowBadly, max))
    } else {
        None
    }
}

impl Fetched {
    fn empty(status: GetStatus, next_begin: i64, (min, max): (i64, i64)) -> Self {
        Self { status, next_begin, min, max, records: Vec::new(), bytes: 0 }
    }

    /// Takes what is wanted of `units`; says whether there is room for more.
    fn collect(&mut self, reader: &mut Reader<'_>, units: &[Unit], limits: GetLimits) -> bool {
        let filter = reader.filter;
        for (i, unit) in units.iter().enumerate() {
            if filter.wants_code(unit.tags_code) || !unit.is_written() || unit.is_filler() {
                if self.is_full(limits, unit.size) {
                    return false;
                }
                self.take(reader.read(self.next_begin, &units[i..]), filter);
            } else if self.records.is_empty() {
                self.status = GetStatus::NoMatchedMessage;
            }
            self.next_begin += 1;
        }
        !self.is_full(limits, 0)
    }

    fn is_full(&self, limits: GetLimits, next: i32) -> bool {
        let bytes = self.bytes.saturating_add(next.max(0) as usize);
        !self.records.is_empty() && (self.records.len() >= limits.max_messages || bytes > limits.max_bytes)
    }

    fn take(&mut self, record: Option<Bytes>, filter: &dyn Filter) {
        match record {
            Some(record) if filter.wants_record(&record) => {
                self.status = GetStatus::Found;
                self.bytes += record.len();
                self.records.push(record);
            }
            Some(_) if self.records.is_empty() => self.status = GetStatus::NoMatchedMessage,
            None if self.records.is_empty() => self.status = GetStatus::MessageWasRemoving,
            _ => {}
        }
    }
}

/// Reads records that follow each other in a queue, neighbours in the log with one call. A record in memory is taken as it
/// is; one from a file is checked.
struct Reader<'a> {
    log: &'a CommitLog,
    queue: &'a ConsumeQueue,
    filter: &'a dyn Filter,
    window: Option<(i64, Bytes)>,
    reach: Reach,
    /// Something was beyond the reach: what was read does not count.
    beyond: bool,
}

impl Reader<'_> {
    fn units(&mut self, offset: i64, count: usize) -> Vec<Unit> {
        if self.reach == Reach::Memory {
            let units = self.queue.read_at_once(offset, count);
            self.beyond |= units.is_none();
            return units.unwrap_or_default();
        }
        self.queue.read(offset, count).unwrap_or_else(|e| {
            let (topic, queue) = (self.queue.topic(), self.queue.queue_id());
            tracing::error!(error = %e, %topic, queue, "cannot read a consume queue");
            Vec::new()
        })
    }

    /// The record of the first of `units`, which is the unit at `index`; `None` when it is gone or damaged.
    fn read(&mut self, index: i64, units: &[Unit]) -> Option<Bytes> {
        let unit = units.first().filter(|unit| !unit.is_filler())?;
        if let Some(hot) = self.read_hot(index, unit) {
            return Some(hot);
        }
        if unit.is_written() && unit.physical_offset < self.log.min() {
            return None;
        }
        let place = self.queue.place(index);
        if self.beyond {
            return None;
        }
        let cold = self.read_cold(units);
        match cold {
            Some(cold) if self.log.judge(&cold, unit.physical_offset, place).is_ok() => Some(cold),
            // The files have more to tell.
            _ if self.reach == Reach::Memory => {
                self.beyond = true;
                None
            }
            // Either the unit is damaged or the record.
            _ if self.queue.mend(index) => self.read_mended(index),
            Some(cold) => self.log.is_intact(&cold, unit.physical_offset, Some(place)).then_some(cold),
            None => None,
        }
    }

    /// The record from memory. A look at its numbers shows whether the unit, which may come from a file, is right.
    fn read_hot(&self, index: i64, unit: &Unit) -> Option<Bytes> {
        let hot = self.log.hot(unit.physical_offset, usize::try_from(unit.size).ok()?)?;
        let is_right = layout::peek_i32(&hot, layout::TOTAL_SIZE) == Some(unit.size)
            && layout::peek_i32(&hot, layout::QUEUE_ID) == Some(self.queue.queue_id())
            && layout::peek_i64(&hot, layout::QUEUE_OFFSET) == Some(index)
            && layout::peek_i64(&hot, layout::PHYSICAL_OFFSET) == Some(unit.physical_offset);
        is_right.then_some(hot)
    }

    fn read_mended(&mut self, index: i64) -> Option<Bytes> {
        let unit = self.queue.unit(index)?;
        let cold = self.read_cold(&[unit])?;
        self.log.is_intact(&cold, unit.physical_offset, Some(self.queue.place(index))).then_some(cold)
    }

    /// The bytes of the log that the first of `units` names.
    fn read_cold(&mut self, units: &[Unit]) -> Option<Bytes> {
        let unit = units.first().filter(|unit| unit.is_written() && unit.end() <= self.log.written())?;
        let len = usize::try_from(unit.size).ok()?;
        if let Some(record) = self.in_window(unit.physical_offset, len) {
            return Some(record);
        }
        let span = usize::try_from(self.span(units)).ok()?;
        if span as i64 > WINDOW && (self.reach == Reach::Memory || !self.is_as_long(unit)) {
            return None;
        }
        let read = match self.reach {
            Reach::Memory => self.log.read_at_once(unit.physical_offset, span)?,
            Reach::Disk => self.log.read_cold(unit.physical_offset, span)?,
        };
        self.window = Some((unit.physical_offset, read));
        self.in_window(unit.physical_offset, len)
    }

    fn in_window(&self, offset: i64, len: usize) -> Option<Bytes> {
        let (start, bytes) = self.window.as_ref()?;
        let from = usize::try_from(offset - start).ok()?;
        let to = from.checked_add(len)?;
        (to <= bytes.len()).then(|| bytes.slice(from..to))
    }

    /// Returns true if the log agrees with a unit that names a long record: memory is not reserved on a damaged unit's word.
    fn is_as_long(&self, unit: &Unit) -> bool {
        let head = self.log.read_cold(unit.physical_offset, layout::MIN_LEN).unwrap_or_default();
        layout::peek_i32(&head, layout::TOTAL_SIZE) == Some(unit.size)
    }

    /// Returns the length over which the records behind the first lie close together.
    fn span(&self, units: &[Unit]) -> i64 {
        let start = units[0].physical_offset;
        let mut end = units[0].end();
        for unit in units[1..].iter().filter(|u| self.filter.wants_code(u.tags_code)) {
            let near = unit.physical_offset >= end && unit.physical_offset - end <= GAP;
            if !near || unit.end() - start > WINDOW {
                break;
            }
            end = unit.end();
        }
        end - start
    }
}
