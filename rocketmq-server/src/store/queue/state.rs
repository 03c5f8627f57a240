//! What is behind the lock of a queue: its newest units in memory, its files, and the checksums of what they hold.

use std::ops::Range;
use std::sync::Arc;

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
    tail_start: i64,
    /// Encoded units.
    tail: Vec<u8>,
    /// The block that was read last from a file.
    pub cold: Option<Block>,
}

/// Units as they were read from a file.
#[derive(Debug)]
pub(crate) struct Block {
    start: i64,
    units: Vec<u8>,
    /// Read since the last look of the thread that lets idle memory go.
    pub used: bool,
}

impl Block {
    fn holds(&self, index: i64) -> bool {
        (self.start..self.start + (self.units.len() / UNIT_LEN) as i64).contains(&index)
    }
}

impl State {
    pub fn new(topic: Arc<str>, queue_id: i32, files: Files, source: Arc<Source>) -> Self {
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
    pub fn max(&self) -> i64 {
        self.tail_start + (self.tail.len() / UNIT_LEN) as i64
    }

    /// Units below this index have reached the kernel.
    pub fn written(&self) -> i64 {
        self.checksums.end()
    }

    fn blocks(&self) -> Blocks {
        Blocks::new(self.files.units)
    }

    pub fn place(&self, index: i64) -> Place<'_> {
        Place { topic: &self.topic, queue_id: self.queue_id, index }
    }

    /// Takes the units in the files below the end of `checksums` as all there are.
    pub fn restart(&mut self, checksums: Checksums) {
        self.tail.clear();
        self.cold = None;
        self.tail_start = checksums.end();
        self.synced = self.synced.min(checksums.end());
        self.min = self.min.min(checksums.end());
        self.checksums = checksums;
    }

    /// Takes the units below `end` as all there are. Those behind stay in the files until others take their places.
    pub fn cut(&mut self, end: i64) -> Result<(), StoreError> {
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
    pub fn forget_all(&mut self) {
        self.restart(Checksums::unknown(self.blocks(), 0));
    }

    /// The index after the last written unit of a message below the log offset `log_end`.
    pub fn end_below(&self, log_end: i64) -> i64 {
        let mut end = self.written();
        // What is not in memory is older than anything that is being written.
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
    pub fn start_at(&mut self, index: i64) -> Result<(), StoreError> {
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

    pub fn push(&mut self, unit: Unit) {
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
    pub fn trim(&mut self) {
        self.trim_to(BATCH_UNITS / 8);
        self.tail.shrink_to_fit();
    }

    /// Hands everything to the kernel.
    pub fn write_out(&mut self) -> Result<(), StoreError> {
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

    fn tail_at(&self, index: i64) -> usize {
        (index - self.tail_start) as usize * UNIT_LEN
    }

    /// Up to `count` units from `index`, none beyond the end of the file that holds `index`. Damaged ones are made anew.
    pub fn read(&mut self, index: i64, count: usize) -> Result<Vec<Unit>, StoreError> {
        let end = index.saturating_add(count as i64).min(self.max()).min(self.files.end_of(index));
        let mut units = Vec::new();
        if index < 0 || index >= end {
            return Ok(units);
        }
        units.reserve((end - index) as usize);
        let mut at = index;
        while at < end {
            let bytes =
                if at < self.tail_start { self.cold_units(at)? } else { &self.tail[self.tail_at(at)..] };
            let wanted = (end - at) as usize;
            let before = units.len();
            units.extend(unit::decode_all(bytes).take(wanted));
            at += (units.len() - before) as i64;
        }
        Ok(units)
    }

    /// The units from `index` to the end of its block, at least one. Only units that have left the memory are asked for.
    fn cold_units(&mut self, index: i64) -> Result<&[u8], StoreError> {
        if !self.cold.as_ref().is_some_and(|block| block.holds(index)) {
            let (mut block, verdict) = self.load(index)?;
            if verdict == Verdict::Damaged {
                block = self.mend(index, &block.units)?;
            }
            self.cold = Some(block);
        }
        let Some(block) = &mut self.cold else { return Ok(&[]) };
        block.used = true;
        Ok(&block.units[(index - block.start) as usize * UNIT_LEN..])
    }

    /// The units of the block that holds `index`, as far as they have reached the kernel, and what their checksum says.
    fn load(&self, index: i64) -> Result<(Block, Verdict), StoreError> {
        let range = self.block_at(index);
        let units = self.files.read(range.clone())?;
        let verdict = self.checksums.judge(index, &units);
        Ok((Block { start: range.start, units, used: true }, verdict))
    }

    fn block_at(&self, index: i64) -> Range<i64> {
        let block = self.blocks().around(index);
        block.start..block.end.min(self.written())
    }

    /// Whether the block that holds `index` is as it was written.
    pub fn judge(&self, index: i64) -> Result<(Range<i64>, Verdict), StoreError> {
        Ok((self.block_at(index), self.load(index)?.1))
    }

    /// Makes the block of units that holds `index` anew if nobody has vouched for it; whether it was changed.
    pub fn mend_unknown(&mut self, index: i64) -> Result<bool, StoreError> {
        if index >= self.tail_start {
            return Ok(false);
        }
        let (block, verdict) = self.load(index)?;
        if verdict == Verdict::Intact {
            return Ok(false);
        }
        let mended = self.mend(index, &block.units)?;
        let changed = mended.units != block.units;
        self.cold = Some(mended);
        Ok(changed)
    }

    /// Makes the units of a block anew from the records they belong to, and writes them. A unit whose record cannot be found
    /// stays if it may be right, since its record may be what is damaged; otherwise a filler takes its place.
    fn mend(&mut self, index: i64, old: &[u8]) -> Result<Block, StoreError> {
        let range = self.block_at(index);
        let between = self.anchor_before(range.start)?..self.anchor_behind(range.end)?;
        let found = self.source.find(&self.topic, self.queue_id, range.clone(), between.clone());
        let mut at = between.start;
        let mut units = Vec::with_capacity(old.len());
        let mut lost = 0;
        for (index, old) in range.clone().zip(unit::decode_all(old)) {
            let may_be_right = old.is_written() && old.physical_offset >= at && old.end() <= between.end;
            let unit = match found.get(&index) {
                Some(unit) => *unit,
                None if may_be_right => old,
                None => Unit::FILLER,
            };
            lost += i32::from(!found.contains_key(&index));
            at = if unit.is_filler() { at } else { unit.end() };
            units.extend_from_slice(&unit.encode());
        }
        tracing::warn!(
            topic = %self.topic,
            queue = self.queue_id,
            from = range.start,
            to = range.end,
            not_found = lost,
            "units of a consume queue were damaged and are made anew from the commit log"
        );
        self.files.write(range.start, &units)?;
        self.checksums.accept(index, &units);
        self.synced = self.synced.min(range.start);
        Ok(Block { start: range.start, units, used: true })
    }

    /// A log offset behind which the records of the units from `index` on lie: the end of the newest record before them
    /// that is certain.
    pub fn anchor_before(&self, index: i64) -> Result<i64, StoreError> {
        let log_min = self.source.log.min();
        let mut end = index;
        while end > self.min {
            let start = self.blocks().around(end - 1).start;
            for (at, unit) in self.newest_first(start..end)? {
                if self.source.confirms(self.place(at), unit) {
                    return Ok(unit.end());
                }
                if unit.is_written() && !unit.is_filler() && unit.end() <= log_min {
                    return Ok(log_min);
                }
            }
            end = start;
        }
        Ok(log_min)
    }

    /// Units as the files have them, checked or not.
    pub fn newest_first(&self, range: Range<i64>) -> Result<Vec<(i64, Unit)>, StoreError> {
        let bytes = self.files.read(range.clone())?;
        let mut units: Vec<_> = range.zip(unit::decode_all(&bytes)).collect();
        units.reverse();
        Ok(units)
    }

    /// A log offset before which the records of the units below `index` lie.
    fn anchor_behind(&self, index: i64) -> Result<i64, StoreError> {
        let mut start = index;
        while start < self.max() {
            let bytes = if start < self.tail_start {
                let end = self.blocks().around(start).end.min(self.tail_start);
                self.files.read(start..end)?
            } else {
                self.tail[self.tail_at(start)..].to_vec()
            };
            for (at, unit) in (start..).zip(unit::decode_all(&bytes)) {
                if self.source.confirms(self.place(at), unit) {
                    return Ok(unit.physical_offset);
                }
            }
            start += (bytes.len() / UNIT_LEN).max(1) as i64;
        }
        Ok(self.source.log.segments().last().map_or(0, |last| last.end()))
    }

    /// The unit that a file holds at `index`, behind the end: what was there before units were cut off.
    pub fn left_over(&self, index: i64) -> Result<Option<Unit>, StoreError> {
        if index < self.written() {
            return Ok(None);
        }
        let bytes = self.files.read(index..index + 1)?;
        Ok(unit::decode_all(&bytes).next().filter(|unit| unit.is_written()))
    }

    /// Puts another unit in the place of one.
    pub fn replace(&mut self, index: i64, unit: Unit) -> Result<(), StoreError> {
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
    pub fn correct_min(&mut self, log_min: i64) -> Result<(), StoreError> {
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

    /// Whether the message at `index` is no longer in the log; a place without a message is judged by the next one with.
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
