//! Making damaged units anew from the records that they belong to.

use std::ops::Range;

use super::block::Block;
use super::checksums::Verdict;
use super::state::State;
use super::unit::{self, UNIT_LEN, Unit};
use crate::store::error::StoreError;

impl State {
    /// Makes the block of units that holds `index` anew if nobody has vouched for it; whether it was changed.
    pub(crate) fn mend_unknown(&mut self, index: i64) -> Result<bool, StoreError> {
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
    pub(crate) fn mend(&mut self, index: i64, old: &[u8]) -> Result<Block, StoreError> {
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
        Ok(Block::new(range.start, units))
    }

    /// A log offset behind which the records of the units from `index` on lie: the end of the newest record before them
    /// that is certain.
    pub(crate) fn anchor_before(&self, index: i64) -> Result<i64, StoreError> {
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
    pub(crate) fn newest_first(&self, range: Range<i64>) -> Result<Vec<(i64, Unit)>, StoreError> {
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
}
