//! The state behind the lock of a queue: its newest units in memory, its files, and their checksums.

use std::ops::Range;
use std::sync::Arc;

use super::block::Block;
use super::checksums::{Blocks, Checksums, Verdict};
use super::files::Files;
use super::source::Source;
use super::unit::{self, UNIT_LEN, Unit};
use crate::store::error::StoreError;
use crate::store::log::record::Place;

/// Units that wait for one write, and units kept for readers that are up to date.
const BATCH_UNITS: usize = 512;

/// The units of a queue.
#[derive(Debug)]
pub(crate) struct State {
    pub topic: Arc<str>,
    pub queue_id: i32,
    pub files: Files,
    pub source: Arc<Source>,
    /// The first index whose message is still in the commit log.
    pub min: i64,
    /// Units below this index are known to be on the platter.
    pub synced: i64,
    /// A file was made since the names in the folder were flushed.
    pub made_file: bool,
    /// Of the units that have reached the kernel: all below their end.
    pub checksums: Checksums,
    /// The index of the first unit in `tail`; never above what has reached the kernel.
    pub(crate) tail_start: i64,
    /// Encoded units.
    pub(crate) tail: Vec<u8>,
    /// The block that was read last from a file.
    pub cold: Option<Block>,
}

impl State {
    pub(crate) fn new(topic: Arc<str>, queue_id: i32, files: Files, source: Arc<Source>) -> Self {
        let checksums = Checksums::unknown(Blocks::new(files.units), 0);
        Self {
            topic,
            queue_id,
            files,
            source,
            min: 0,
            synced: 0,
            made_file: false,
            checksums,
            tail_start: 0,
            tail: Vec::new(),
            cold: None,
        }
    }

    /// The index after the last unit.
    pub(crate) fn max(&self) -> i64 {
        self.tail_start + (self.tail.len() / UNIT_LEN) as i64
    }

    /// Units below this index have reached the kernel.
    pub(crate) fn written(&self) -> i64 {
        self.checksums.end()
    }

    pub(crate) fn blocks(&self) -> Blocks {
        Blocks::new(self.files.units)
    }

    pub(crate) fn place(&self, index: i64) -> Place<'_> {
        Place { topic: &self.topic, queue_id: self.queue_id, index }
    }

    /// Takes the units in the files below the end of `checksums` as all there are.
    pub(crate) fn restart(&mut self, checksums: Checksums) {
        self.tail.clear();
        self.cold = None;
        self.tail_start = checksums.end();
        self.synced = self.synced.min(checksums.end());
        self.min = self.min.min(checksums.end());
        self.checksums = checksums;
    }

    /// Takes the units below `end` as all there are. Those behind stay in the files until others take their places.
    pub(crate) fn cut(&mut self, end: i64) -> Result<(), StoreError> {
        if end >= self.written() {
            self.tail.truncate((end - self.tail_start).max(0) as usize * UNIT_LEN);
            return Ok(());
        }
        let (block, verdict) = self.load(end)?;
        let kept = &block.units[..(end - block.start) as usize * UNIT_LEN];
        let mut checksums = self.checksums.clone();
        checksums.cut(end);
        if verdict == Verdict::Intact && !kept.is_empty() {
            checksums.accept(end, kept);
        }
        self.restart(checksums);
        Ok(())
    }

    /// Forgets every unit, with their files gone.
    pub(crate) fn forget_all(&mut self) {
        self.restart(Checksums::unknown(self.blocks(), 0));
    }

    /// The index after the last written unit of a message below the log offset `log_end`.
    pub(crate) fn end_below(&self, log_end: i64) -> i64 {
        let mut end = self.written();
        // Units that are not in memory are older than any that is being written.
        while end > self.tail_start {
            let last = unit::decode_all(&self.tail[self.tail_at(end - 1)..]).next();
            if last.is_none_or(|unit| unit.is_filler() || unit.end() <= log_end) {
                break;
            }
            end -= 1;
        }
        end
    }

    /// Begins a queue whose older messages are gone, with fillers up to `index` in its first file.
    pub(crate) fn start_at(&mut self, index: i64) -> Result<(), StoreError> {
        let file_start = index - index % self.files.units;
        self.files.delete_all()?;
        self.restart(Checksums::unknown(self.blocks(), file_start));
        while self.max() < index {
            self.push(Unit::FILLER);
        }
        self.synced = file_start;
        self.min = index;
        self.write_out()
    }

    pub(crate) fn push(&mut self, unit: Unit) {
        self.tail.extend_from_slice(&unit.encode());
        if self.max() - self.written() < BATCH_UNITS as i64 {
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
        let written = (self.written() - self.tail_start) as usize;
        let excess = (self.tail.len() / UNIT_LEN).saturating_sub(keep).min(written);
        self.tail.drain(..excess * UNIT_LEN);
        self.tail_start += excess as i64;
    }

    /// Lets the memory of a queue go that nobody writes to.
    pub(crate) fn trim(&mut self) {
        self.trim_to(BATCH_UNITS / 8);
        self.tail.shrink_to_fit();
    }

    /// Hands everything to the kernel.
    pub(crate) fn write_out(&mut self) -> Result<(), StoreError> {
        while self.written() < self.max() {
            let from = self.written();
            let to = self.max().min(self.files.end_of(from));
            let units = &self.tail[self.tail_at(from)..self.tail_at(to)];
            self.files.write(from, units)?;
            self.made_file |= from == self.files.end_of(from) - self.files.units;
            self.checksums.append(units);
        }
        Ok(())
    }

    pub(crate) fn tail_at(&self, index: i64) -> usize {
        (index - self.tail_start) as usize * UNIT_LEN
    }

    /// Judges if the block that holds `index` is as it was written.
    pub(crate) fn judge(&self, index: i64) -> Result<(Range<i64>, Verdict), StoreError> {
        Ok((self.block_at(index), self.load(index)?.1))
    }

    /// The unit that a file holds at `index`, behind the end: what was there before units were cut off.
    pub(crate) fn left_over(&self, index: i64) -> Result<Option<Unit>, StoreError> {
        if index < self.written() {
            return Ok(None);
        }
        let bytes = self.files.read(index..index + 1)?;
        Ok(unit::decode_all(&bytes).next().filter(|unit| unit.is_written()))
    }

    /// Puts another unit in the place of one.
    pub(crate) fn replace(&mut self, index: i64, unit: Unit) -> Result<(), StoreError> {
        if index >= self.tail_start {
            let at = self.tail_at(index);
            self.tail[at..at + UNIT_LEN].copy_from_slice(&unit.encode());
        }
        if index < self.written() {
            let block = self.block_at(index);
            let mut units = self.files.read(block.clone())?;
            let at = (index - block.start) as usize * UNIT_LEN;
            units[at..at + UNIT_LEN].copy_from_slice(&unit.encode());
            self.files.write(index, &unit.encode())?;
            self.checksums.accept(index, &units);
            self.synced = self.synced.min(index);
        }
        self.cold = None;
        Ok(())
    }

    /// Moves the first index past the messages below `log_min`.
    pub(crate) fn correct_min(&mut self, log_min: i64) -> Result<(), StoreError> {
        let (mut low, mut high) = (self.min, self.max());
        if low < high && !self.is_gone(low, log_min)? {
            return Ok(());
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if self.is_gone(middle, log_min)? { low = middle + 1 } else { high = middle }
        }
        self.min = low;
        self.checksums.forget_below(low);
        Ok(())
    }

    /// Returns true if the message at `index` is no longer in the log; a place without a message is judged by the next one with.
    fn is_gone(&mut self, index: i64, log_min: i64) -> Result<bool, StoreError> {
        let mut at = index;
        while at < self.max() {
            let units = self.read(at, 256)?;
            if let Some(unit) = units.iter().find(|unit| unit.is_written() && !unit.is_filler()) {
                return Ok(unit.physical_offset < log_min);
            }
            at += units.len().max(1) as i64;
        }
        Ok(true)
    }
}
