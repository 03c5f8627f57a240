//! One consume queue: the units of one queue of one topic, in files of a fixed number of units.
//!
//! Units are derived from the commit log. They gather in memory and go to the kernel many at a time: what a crash
//! takes of them, recovery makes again.

pub(crate) mod table;
pub mod unit;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::Mutex;

use crate::store::disk::Disk;
use crate::store::error::StoreError;
use crate::store::log::segment::{self, Segment};
use unit::{UNIT_LEN, Unit};

/// Units that wait for one write, and units kept for readers that are up to date.
const BATCH_UNITS: usize = 512;
/// Units looked at in one read while searching for the end.
const SCAN_UNITS: i64 = 3200;

/// A queue of a topic.
#[derive(Debug)]
pub(crate) struct ConsumeQueue {
    topic: Arc<str>,
    queue_id: i32,
    next: AtomicI64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    files: Files,
    /// The first index whose message is still in the commit log.
    min: i64,
    /// Units below this index are known to be on the platter.
    synced: i64,
    /// Units below this index have reached the kernel.
    written: i64,
    /// The index of the first unit in `tail`; never above `written`.
    tail_start: i64,
    /// Encoded units.
    tail: Vec<u8>,
}

/// The folder of a queue. Files are opened for each use: there may be far more queues than descriptors.
#[derive(Debug)]
struct Files {
    dir: PathBuf,
    units: i64,
    disk: Arc<dyn Disk>,
}

/// What opening a queue found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opened {
    /// A file had another length than it should: units may be lost.
    pub damaged: bool,
}

/// What became of a unit that recovery offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restored {
    /// It was missing.
    Added,
    /// It was there.
    Present,
    /// Units before it are missing too.
    Gap,
}

impl ConsumeQueue {
    pub fn new(dir: PathBuf, topic: Arc<str>, queue_id: i32, units: u32, disk: Arc<dyn Disk>) -> Self {
        let files = Files { dir, units: i64::from(units), disk };
        let state = State { files, min: 0, synced: 0, written: 0, tail_start: 0, tail: Vec::new() };
        Self { topic, queue_id, next: AtomicI64::new(0), state: Mutex::new(state) }
    }

    /// Finds the end of the units on disk.
    pub fn load(&self) -> Result<Opened, StoreError> {
        let mut state = self.state.lock();
        let found = segment::list(&state.files.dir)?;
        let damaged = found.iter().any(|f| f.len != state.files.file_len());
        let first = found.first().map_or(0, |f| state.files.first_index(f));
        let end = state.find_end(&found, i64::MAX)?;
        state.restart_at(end);
        state.min = first;
        self.next.store(end, Ordering::Release);
        Ok(Opened { damaged })
    }

    pub fn topic(&self) -> &Arc<str> {
        &self.topic
    }

    pub fn queue_id(&self) -> i32 {
        self.queue_id
    }

    /// The offset the next message gets. Only the writer of the log calls this and [`set_next`](Self::set_next).
    pub fn next(&self) -> i64 {
        self.next.load(Ordering::Acquire)
    }

    pub fn set_next(&self, next: i64) {
        self.next.store(next, Ordering::Release);
    }

    /// The first offset and the offset after the last.
    pub fn range(&self) -> (i64, i64) {
        let state = self.state.lock();
        (state.min, state.max())
    }

    /// Adds the unit of the message at offset `index`, which is the end of the queue unless the queue was deleted since
    /// the message was numbered.
    pub fn append(&self, index: i64, unit: Unit) {
        let mut state = self.state.lock();
        if index == state.max() {
            state.push(unit);
        }
    }

    /// [`append`](Self::append) for a message that recovery read from the log.
    pub fn restore(&self, index: i64, unit: Unit, may_start: bool) -> Result<Restored, StoreError> {
        let mut state = self.state.lock();
        if index < state.max() {
            match state.read(index, 1)?.first() {
                Some(known) if known.physical_offset >= unit.physical_offset => return Ok(Restored::Present),
                // The topic was deleted and made again: its numbers began anew.
                _ => state.start_at(index)?,
            }
        } else if state.max() == 0 && may_start && index > 0 {
            state.start_at(index)?;
        }
        if index > state.max() {
            return Ok(Restored::Gap);
        }
        state.push(unit);
        self.next.store(index + 1, Ordering::Release);
        Ok(Restored::Added)
    }

    /// Fills up to `index` with units that stand for lost messages.
    pub fn fill_to(&self, index: i64) {
        let mut state = self.state.lock();
        while state.max() < index {
            state.push(Unit::FILLER);
        }
    }

    /// Up to `count` units from `index`, none beyond the end of the file that holds `index`.
    pub fn read(&self, index: i64, count: usize) -> Result<Vec<Unit>, StoreError> {
        self.state.lock().read(index, count)
    }

    /// The unit at `index`.
    pub fn unit(&self, index: i64) -> Option<Unit> {
        self.read(index, 1).ok()?.first().copied()
    }

    /// The newest unit that stands for a message.
    pub fn last(&self) -> Option<(i64, Unit)> {
        let (_, max) = self.range();
        let unit = self.unit(max - 1)?;
        (!unit.is_filler()).then_some((max - 1, unit))
    }

    /// The index after the units of the file that holds `index`.
    pub fn file_end(&self, index: i64) -> i64 {
        let units = self.state.lock().files.units;
        (index.div_euclid(units) + 1) * units
    }

    /// Hands everything to the kernel.
    pub fn write_out(&self) -> Result<(), StoreError> {
        self.state.lock().write_out()
    }

    /// Makes everything survive a power cut.
    pub fn sync(&self) -> Result<(), StoreError> {
        let (files, from, to) = {
            let mut state = self.state.lock();
            state.write_out()?;
            (state.files.handle(), state.synced, state.written)
        };
        // Not under the lock: a flush may take long, and readers must not wait for it.
        let mut index = from;
        while index < to {
            files.open(index)?.sync()?;
            index = files.end_of(index);
        }
        let mut state = self.state.lock();
        state.synced = state.synced.max(to);
        Ok(())
    }

    /// Drops the units of records at and behind `physical`.
    pub fn truncate_from(&self, physical: i64) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        state.write_out()?;
        let found = segment::list(&state.files.dir)?;
        let end = state.find_end(&found, physical)?;
        for file in found.iter().skip(1).filter(|f| state.files.first_index(f) >= end) {
            fs::remove_file(&file.path).map_err(|e| StoreError::io("delete", &file.path, e))?;
        }
        state.files.cut(end)?;
        state.restart_at(end);
        self.next.store(end, Ordering::Release);
        Ok(())
    }

    /// Moves the first offset past the messages below `log_min` and deletes the files that hold only such; the last
    /// file stays, so that offsets never start again at 0. How many files went.
    pub fn expire_below(&self, log_min: i64) -> Result<usize, StoreError> {
        let mut state = self.state.lock();
        state.correct_min(log_min)?;
        let found = segment::list(&state.files.dir)?;
        let min = state.min;
        let mut deleted = 0;
        for file in found.iter().take(found.len().saturating_sub(1)) {
            if state.files.first_index(file) + state.files.units > min {
                break;
            }
            fs::remove_file(&file.path).map_err(|e| StoreError::io("delete", &file.path, e))?;
            deleted += 1;
        }
        Ok(deleted)
    }

    /// Deletes the queue's files.
    pub fn destroy(&self) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        let dir = state.files.dir.clone();
        if dir.exists() {
            fs::remove_dir_all(&dir).map_err(|e| StoreError::io("delete", &dir, e))?;
        }
        state.restart_at(0);
        state.min = 0;
        self.next.store(0, Ordering::Release);
        Ok(())
    }

    /// Forgets what was not written, as the death of the process would.
    pub fn forget_unwritten(&self) {
        let mut state = self.state.lock();
        let written = state.written;
        state.restart_at(written);
    }

    /// Lets the memory of a queue go that nobody writes to.
    pub fn trim(&self) {
        let mut state = self.state.lock();
        state.trim_to(BATCH_UNITS / 8);
        state.tail.shrink_to_fit();
    }
}

impl State {
    fn max(&self) -> i64 {
        self.tail_start + (self.tail.len() / UNIT_LEN) as i64
    }

    fn restart_at(&mut self, index: i64) {
        self.tail.clear();
        self.tail_start = index;
        self.written = index;
        self.synced = self.synced.min(index);
        self.min = self.min.min(index);
    }

    /// Begins a queue whose older messages are gone, with fillers up to `index` in its first file.
    fn start_at(&mut self, index: i64) -> Result<(), StoreError> {
        let file_start = index - index % self.files.units;
        for file in segment::list(&self.files.dir)? {
            fs::remove_file(&file.path).map_err(|e| StoreError::io("delete", &file.path, e))?;
        }
        self.restart_at(file_start);
        while self.max() < index {
            self.push(Unit::FILLER);
        }
        self.synced = file_start;
        self.min = index;
        self.write_out()
    }

    fn push(&mut self, unit: Unit) {
        self.tail.extend_from_slice(&unit.encode());
        if self.max() - self.written < BATCH_UNITS as i64 {
            return;
        }
        // A failure here loses nothing: the units stay in memory, and the next batch or the background writer tries again.
        if let Err(e) = self.write_out() {
            tracing::warn!(error = %e, "consume queue units stay in memory");
        }
        if self.tail.len() >= 2 * BATCH_UNITS * UNIT_LEN {
            self.trim_to(BATCH_UNITS);
        }
    }

    fn trim_to(&mut self, keep: usize) {
        let written = (self.written - self.tail_start) as usize;
        let excess = (self.tail.len() / UNIT_LEN).saturating_sub(keep).min(written);
        self.tail.drain(..excess * UNIT_LEN);
        self.tail_start += excess as i64;
    }

    fn write_out(&mut self) -> Result<(), StoreError> {
        while self.written < self.max() {
            let to = self.max().min(self.files.end_of(self.written));
            let bytes = &self.tail[self.tail_at(self.written)..self.tail_at(to)];
            self.files.open(self.written)?.write(byte_offset(self.written), bytes)?;
            self.written = to;
        }
        Ok(())
    }

    fn tail_at(&self, index: i64) -> usize {
        (index - self.tail_start) as usize * UNIT_LEN
    }

    fn read(&self, index: i64, count: usize) -> Result<Vec<Unit>, StoreError> {
        let end = index.saturating_add(count as i64).min(self.max()).min(self.files.end_of(index));
        let mut units = Vec::new();
        if index < 0 || index >= end {
            return Ok(units);
        }
        units.reserve((end - index) as usize);
        if index < self.tail_start {
            let cold_end = end.min(self.tail_start);
            units.extend(self.files.read(index, cold_end)?);
            if index + (units.len() as i64) < cold_end {
                return Ok(units);
            }
        }
        let from = index.max(self.tail_start);
        if from < end {
            units.extend(unit::decode_all(&self.tail[self.tail_at(from)..self.tail_at(end)]));
        }
        Ok(units)
    }

    /// The index after the last whole unit of a record below `limit` (log offset), looking from the newest file back.
    fn find_end(&self, found: &[segment::Found], limit: i64) -> Result<i64, StoreError> {
        for file in found.iter().rev() {
            let first = self.files.first_index(file);
            let end = self.files.end_within(file, limit)?;
            if end > first {
                return Ok(end);
            }
        }
        Ok(found.first().map_or(0, |f| self.files.first_index(f)))
    }

    fn correct_min(&mut self, log_min: i64) -> Result<(), StoreError> {
        let (mut low, mut high) = (self.min, self.max());
        if low < high && !self.is_gone(low, log_min)? {
            return Ok(());
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if self.is_gone(middle, log_min)? { low = middle + 1 } else { high = middle }
        }
        self.min = low;
        Ok(())
    }

    fn is_gone(&self, index: i64, log_min: i64) -> Result<bool, StoreError> {
        let unit = self.read(index, 1)?.first().copied();
        Ok(unit.is_none_or(|unit| unit.is_filler() || unit.physical_offset < log_min))
    }
}

impl Files {
    fn handle(&self) -> Self {
        Self { dir: self.dir.clone(), units: self.units, disk: self.disk.clone() }
    }

    fn file_len(&self) -> u64 {
        self.units.unsigned_abs() * UNIT_LEN as u64
    }

    fn first_index(&self, file: &segment::Found) -> i64 {
        file.start / UNIT_LEN as i64
    }

    fn end_of(&self, index: i64) -> i64 {
        (index.div_euclid(self.units) + 1) * self.units
    }

    fn open(&self, index: i64) -> Result<Segment, StoreError> {
        let first = self.end_of(index) - self.units;
        Segment::open_or_create(&self.dir, byte_offset(first), self.file_len(), self.disk.clone())
    }

    /// The units in `[index, end)` of one file; fewer when the file was deleted meanwhile.
    fn read(&self, index: i64, end: i64) -> Result<Vec<Unit>, StoreError> {
        let path = self.dir.join(segment::file_name(byte_offset(self.end_of(index) - self.units)));
        if !path.exists() {
            return Ok(Vec::new());
        }
        let mut buf = vec![0; (end - index) as usize * UNIT_LEN];
        let n = self.open(index)?.read(byte_offset(index), &mut buf)?;
        Ok(unit::decode_all(&buf[..n]).collect())
    }

    /// The index after the last unit in `file` before the first that is not written or not below `limit`.
    fn end_within(&self, file: &segment::Found, limit: i64) -> Result<i64, StoreError> {
        let end = self.first_index(file) + self.units;
        let mut index = self.first_index(file);
        while index < end {
            let units = self.read(index, end.min(index + SCAN_UNITS))?;
            match units.iter().position(|u| !u.is_written() || u.physical_offset >= limit) {
                Some(stop) => return Ok(index + stop as i64),
                None => index += units.len() as i64,
            }
        }
        Ok(end)
    }

    /// Makes the units from `index` to the end of its file zero, when the file is there.
    fn cut(&self, index: i64) -> Result<(), StoreError> {
        let start = byte_offset(self.end_of(index) - self.units);
        if self.dir.join(segment::file_name(start)).exists() {
            self.open(index)?.cut(byte_offset(index))?;
        }
        Ok(())
    }
}

fn byte_offset(index: i64) -> i64 {
    index * UNIT_LEN as i64
}

/// Where the queue's files are.
pub(crate) fn queue_dir(root: &Path, topic: &str, queue_id: i32) -> PathBuf {
    root.join(topic).join(queue_id.to_string())
}
