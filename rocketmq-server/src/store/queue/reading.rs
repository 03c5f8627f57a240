//! Reading units: the newest are in memory, the others come from files, a block at a time.

use std::ops::Range;

use super::block::Block;
use super::checksums::Verdict;
use super::state::State;
use super::unit::{self, Unit};
use crate::store::error::StoreError;

/// A read on its way.
#[derive(Debug)]
pub(crate) struct Reading {
    at: i64,
    end: i64,
    pub(crate) units: Vec<Unit>,
}

impl Reading {
    fn take(&mut self, bytes: &[u8], end: i64) {
        let before = self.units.len();
        self.units.extend(unit::decode_all(bytes).take((end - self.at).unsigned_abs() as usize));
        self.at += (self.units.len() - before) as i64;
    }
}

impl State {
    /// Returns true if the units from `index` on are in memory, and their records are with the log from the offset `hot_from` on.
    pub(crate) fn is_hot(&self, index: i64, hot_from: i64) -> bool {
        if index < self.min || index >= self.max() {
            // There is nothing to read.
            return true;
        }
        let is_in_memory = index >= self.tail_start;
        is_in_memory
            && unit::decode_all(&self.tail[self.tail_at(index)..])
                .next()
                .is_some_and(|unit| unit.physical_offset >= hot_from)
    }

    /// Begins to read up to `count` units from `index`, none beyond the end of the file that holds `index`.
    pub(crate) fn reading(&self, index: i64, count: usize) -> Reading {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let end = index.saturating_add(count).min(self.max()).min(self.files.end_of(index));
        let end = if index < 0 { index } else { end };
        Reading { at: index, end, units: Vec::with_capacity((end - index).max(0).unsigned_abs() as usize) }
    }

    /// Reads on in memory. Returns the block that has to be loaded from a file before it goes on.
    pub(crate) fn read_on(&mut self, reading: &mut Reading) -> Option<Range<i64>> {
        // The queue may have been cut since the read began.
        let end = reading.end.min(self.max());
        while reading.at < end {
            if reading.at >= self.tail_start {
                reading.take(&self.tail[self.tail_at(reading.at)..], end);
            } else if let Some(units) = self.cold.as_mut().and_then(|block| block.from(reading.at)) {
                reading.take(units, end);
            } else {
                return Some(self.block_at(reading.at));
            }
        }
        None
    }

    /// Takes a block that was loaded, unless units were added to it meanwhile. A damaged one is made anew.
    pub(crate) fn take_in(&mut self, loaded: Range<i64>, units: Vec<u8>) -> Result<(), StoreError> {
        if loaded == self.block_at(loaded.start) {
            let block = match self.checksums.judge(loaded.start, &units) {
                Verdict::Damaged => self.mend(loaded.start, &units)?,
                Verdict::Intact | Verdict::Unknown => Block::new(loaded.start, units),
            };
            self.cold = Some(block);
        }
        Ok(())
    }

    /// Returns true if a block that was loaded has to be made anew.
    pub(crate) fn is_damaged(&self, loaded: &Range<i64>, units: &[u8]) -> bool {
        self.checksums.judge(loaded.start, units) == Verdict::Damaged
    }

    /// Reads under the lock, which is for those that hold it anyway.
    pub(crate) fn read(&mut self, index: i64, count: usize) -> Result<Vec<Unit>, StoreError> {
        let mut reading = self.reading(index, count);
        while let Some(block) = self.read_on(&mut reading) {
            let units = self.files.read(block.clone())?;
            self.take_in(block, units)?;
        }
        Ok(reading.units)
    }

    /// The units of the block that holds `index`, as far as they have reached the kernel, and what their checksum says.
    pub(crate) fn load(&self, index: i64) -> Result<(Block, Verdict), StoreError> {
        let range = self.block_at(index);
        let units = self.files.read(range.clone())?;
        let verdict = self.checksums.judge(index, &units);
        Ok((Block::new(range.start, units), verdict))
    }

    pub(crate) fn block_at(&self, index: i64) -> Range<i64> {
        let block = self.blocks().around(index);
        block.start..block.end.min(self.written())
    }
}
