//! Checksums of a queue's units, a block at a time: a unit that was damaged on the disk is noticed when it is read.
//!
//! Apache's files have no room for checksums, so these are kept in memory and, by the [seal](crate::store::seal), in a
//! file of their own.

use std::ops::Range;

use crc32fast::Hasher;
use serde::{Deserialize, Serialize};

use super::unit::UNIT_LEN;

/// Units of a block, save for the last one of a file.
const BLOCK_UNITS: i64 = 256;

/// The division of a queue's units into blocks. None of them reaches over the end of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Blocks {
    units_of_file: i64,
}

impl Blocks {
    pub(crate) fn new(units_of_file: i64) -> Self {
        Self { units_of_file }
    }

    /// The units of the block that holds `index`.
    pub(crate) fn around(self, index: i64) -> Range<i64> {
        let file = index.div_euclid(self.units_of_file) * self.units_of_file;
        let start = file + (index - file) / BLOCK_UNITS * BLOCK_UNITS;
        start..(start + BLOCK_UNITS).min(file + self.units_of_file)
    }

    /// The number of the block that holds `index`, counted from the block of unit 0.
    fn number(self, index: i64) -> i64 {
        let of_file = self.units_of_file.unsigned_abs().div_ceil(BLOCK_UNITS.unsigned_abs()) as i64;
        index.div_euclid(self.units_of_file) * of_file + index.rem_euclid(self.units_of_file) / BLOCK_UNITS
    }
}

/// The verdict of checksums about a block that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Intact,
    Damaged,
    /// No checksum was made when the block was written.
    Unknown,
}

/// The checksums of the units that were written.
#[derive(Debug, Clone)]
pub(crate) struct Checksums {
    blocks: Blocks,
    /// The number of the first block in `whole`.
    first: i64,
    /// Of each block that is full; 0 for one without a checksum.
    whole: Vec<u32>,
    /// Of the last block, which is not full; `None` when its first units have no checksum.
    last: Option<Hasher>,
    /// The index after the last unit that counts.
    end: i64,
}

/// [`Checksums`] as the seal keeps them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SealedChecksums {
    first: i64,
    whole: Vec<u32>,
    last: Option<u32>,
    end: i64,
}

impl Checksums {
    /// Knows nothing of the units below `end`.
    pub(crate) fn unknown(blocks: Blocks, end: i64) -> Self {
        let start = blocks.around(end).start;
        let last = (start == end).then(Hasher::new);
        Self { blocks, first: blocks.number(end), whole: Vec::new(), last, end }
    }

    /// The index after the last unit that counts.
    pub(crate) fn end(&self) -> i64 {
        self.end
    }

    /// Counts units that were written behind those before.
    pub(crate) fn append(&mut self, mut units: &[u8]) {
        while !units.is_empty() {
            let block = self.blocks.around(self.end);
            let room = (block.end - self.end) as usize * UNIT_LEN;
            let (now, later) = units.split_at(room.min(units.len()));
            if let Some(hasher) = &mut self.last {
                hasher.update(now);
            }
            self.end += (now.len() / UNIT_LEN) as i64;
            if self.end == block.end {
                self.close_block();
            }
            units = later;
        }
    }

    fn close_block(&mut self) {
        let crc = self.last.replace(Hasher::new()).map_or(0, Hasher::finalize);
        self.whole.push(crc);
    }

    /// Judges `units`, which were read from the start of the block that holds `index`.
    pub(crate) fn judge(&self, index: i64, units: &[u8]) -> Verdict {
        let block = self.blocks.around(index);
        let counted = (self.end.min(block.end) - block.start).max(0) as usize * UNIT_LEN;
        let expected = match self.position(index) {
            Some(at) if at < self.whole.len() => Some(self.whole[at]).filter(|crc| *crc != 0),
            Some(at) if at == self.whole.len() => self.last.clone().map(Hasher::finalize),
            _ => None,
        };
        match (expected, units.get(..counted)) {
            (None, _) => Verdict::Unknown,
            (Some(crc), Some(units)) if crc32fast::hash(units) == crc => Verdict::Intact,
            _ => Verdict::Damaged,
        }
    }

    /// Takes `units`, the counted ones of the block that holds `index`, for right.
    pub(crate) fn accept(&mut self, index: i64, units: &[u8]) {
        let Some(at) = self.position(index) else { return self.accept_before(index, units) };
        if at == self.whole.len() {
            let mut hasher = Hasher::new();
            hasher.update(units);
            self.last = Some(hasher);
        } else if at < self.whole.len() {
            self.whole[at] = crc32fast::hash(units);
        }
    }

    /// A block from before the first that has a checksum: those between stay unknown.
    fn accept_before(&mut self, index: i64, units: &[u8]) {
        let number = self.blocks.number(index);
        let missing = (self.first - number).unsigned_abs() as usize;
        self.whole
            .splice(0..0, std::iter::once(crc32fast::hash(units)).chain(std::iter::repeat_n(0, missing - 1)));
        self.first = number;
    }

    /// Forgets the units from `end` on. The block that then holds the last unit loses its checksum unless `end` begins one.
    pub(crate) fn cut(&mut self, end: i64) {
        if end >= self.end {
            return;
        }
        if self.position(end).is_none() {
            *self = Self::unknown(self.blocks, end);
            return;
        }
        let keep = (self.blocks.number(end) - self.first).unsigned_abs() as usize;
        self.whole.truncate(keep);
        self.last = (self.blocks.around(end).start == end).then(Hasher::new);
        self.end = end;
    }

    /// Forgets the blocks below the one that holds `index`.
    pub(crate) fn forget_below(&mut self, index: i64) {
        let gone = (self.blocks.number(index) - self.first).clamp(0, self.whole.len() as i64);
        self.whole.drain(..gone.unsigned_abs() as usize);
        self.first += gone;
    }

    pub(crate) fn seal(&self) -> SealedChecksums {
        SealedChecksums {
            first: self.first,
            whole: self.whole.clone(),
            last: self.last.clone().map(Hasher::finalize),
            end: self.end,
        }
    }

    /// Checksums as they were sealed; `None` when they cannot be those of such blocks.
    pub(crate) fn unseal(blocks: Blocks, sealed: &SealedChecksums) -> Option<Self> {
        let SealedChecksums { first, whole, last, end } = sealed.clone();
        if end < 0 || first < 0 || blocks.number(end) - first != whole.len() as i64 {
            return None;
        }
        let len = (end - blocks.around(end).start).unsigned_abs() * UNIT_LEN as u64;
        Some(Self { blocks, first, whole, last: last.map(|crc| Hasher::new_with_initial_len(crc, len)), end })
    }

    /// Returns the position in `whole` of the checksum of the block that holds `index`; `None` for a block before the first.
    fn position(&self, index: i64) -> Option<usize> {
        usize::try_from(self.blocks.number(index) - self.first).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCKS: Blocks = Blocks { units_of_file: 600 };

    fn units(range: Range<i64>) -> Vec<u8> {
        range.flat_map(|i| [i as u8; UNIT_LEN]).collect()
    }

    fn filled(end: i64) -> Checksums {
        let mut checksums = Checksums::unknown(BLOCKS, 0);
        (0..end).for_each(|i| checksums.append(&units(i..i + 1)));
        checksums
    }

    #[test]
    fn blocks_do_not_reach_over_the_end_of_a_file() {
        let of = |index| (BLOCKS.around(index), BLOCKS.number(index));
        assert_eq!(of(0), (0..256, 0));
        assert_eq!(of(599), (512..600, 2));
        assert_eq!(of(600), (600..856, 3));
        assert_eq!(of(1300), (1200..1456, 6));
    }

    #[test]
    fn each_flipped_bit_of_a_counted_unit_is_noticed() {
        let checksums = filled(700);
        for block in [0..256, 256..512, 512..600, 600..700] {
            let mut bytes = units(block.clone());
            assert_eq!(checksums.judge(block.start, &bytes), Verdict::Intact);
            for bit in (0..bytes.len() * 8).step_by(333) {
                bytes[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(checksums.judge(block.end - 1, &bytes), Verdict::Damaged, "{block:?} bit {bit}");
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            bytes.pop();
            assert_eq!(checksums.judge(block.start, &bytes), Verdict::Damaged, "too short");
        }
        assert_eq!(checksums.judge(600, &units(600..856)), Verdict::Intact, "more than what counts");
    }

    #[test]
    fn what_was_written_before_the_first_checksum_is_unknown_until_it_is_accepted() {
        let mut checksums = Checksums::unknown(BLOCKS, 700);
        checksums.append(&units(700..900));
        assert_eq!(checksums.judge(0, &units(0..256)), Verdict::Unknown);
        assert_eq!(checksums.judge(650, &units(600..856)), Verdict::Unknown);
        assert_eq!(checksums.judge(856, &units(856..900)), Verdict::Intact);
        checksums.accept(650, &units(600..856));
        checksums.accept(0, &units(0..256));
        assert_eq!(checksums.judge(650, &units(600..856)), Verdict::Intact);
        assert_eq!(checksums.judge(0, &units(0..256)), Verdict::Intact);
        assert_eq!(checksums.judge(256, &units(256..512)), Verdict::Unknown);
        checksums.forget_below(650);
        assert_eq!(checksums.judge(0, &units(0..256)), Verdict::Unknown);
        assert_eq!(checksums.judge(856, &units(856..900)), Verdict::Intact);
    }

    #[test]
    fn they_come_back_from_the_seal_and_go_on() {
        for end in [0, 1, 255, 256, 600, 700] {
            let sealed = filled(end).seal();
            let mut checksums = Checksums::unseal(BLOCKS, &sealed).unwrap();
            checksums.append(&units(end..900));
            assert_eq!(checksums.seal(), filled(900).seal(), "{end}");
        }
        let odd = SealedChecksums { end: 5000, ..filled(900).seal() };
        assert!(Checksums::unseal(BLOCKS, &odd).is_none());
    }

    #[test]
    fn a_cut_forgets_what_lies_behind() {
        let mut checksums = filled(700);
        checksums.cut(600);
        assert_eq!(checksums.seal(), filled(600).seal());
        checksums.cut(300);
        assert_eq!(checksums.judge(256, &units(256..300)), Verdict::Unknown);
        assert_eq!(checksums.judge(0, &units(0..256)), Verdict::Intact);
        checksums.accept(256, &units(256..300));
        checksums.append(&units(300..700));
        assert_eq!(checksums.seal(), filled(700).seal());
    }
}
