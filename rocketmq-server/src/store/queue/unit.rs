//! The 20-byte unit of a consume queue: where a message lies, how long it is, and the code of its tag.

/// Bytes of one unit.
pub(crate) const UNIT_LEN: usize = 20;

/// One entry of a consume queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// Commit log offset of the record.
    pub physical_offset: i64,
    /// Bytes of the record.
    pub size: i32,
    /// Hash of the tag; in the queues of delayed messages, the time they are due (ms since 1970).
    pub tags_code: i64,
}

impl Unit {
    /// Stands where a message's unit is lost for good, as Apache writes it.
    pub(crate) const FILLER: Self = Self { physical_offset: 0, size: i32::MAX, tags_code: 0 };

    pub(crate) fn encode(self) -> [u8; UNIT_LEN] {
        let mut bytes = [0; UNIT_LEN];
        bytes[..8].copy_from_slice(&self.physical_offset.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.size.to_be_bytes());
        bytes[12..].copy_from_slice(&self.tags_code.to_be_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8; UNIT_LEN]) -> Self {
        let [a, b, c, d, e, f, g, h, s, i, z, y, t0, t1, t2, t3, t4, t5, t6, t7] = *bytes;
        Self {
            physical_offset: i64::from_be_bytes([a, b, c, d, e, f, g, h]),
            size: i32::from_be_bytes([s, i, z, y]),
            tags_code: i64::from_be_bytes([t0, t1, t2, t3, t4, t5, t6, t7]),
        }
    }

    /// The log offset after the record.
    pub(crate) fn end(self) -> i64 {
        self.physical_offset.saturating_add(i64::from(self.size))
    }

    pub(crate) fn is_filler(self) -> bool {
        self == Self::FILLER
    }

    /// The zeros of a place where no unit was written.
    pub(crate) fn is_blank(self) -> bool {
        self.bits() == 0
    }

    /// Returns true if a single flipped bit made this of such zeros.
    pub(crate) fn has_one_bit(self) -> bool {
        self.bits() == 1
    }

    fn bits(self) -> u32 {
        self.physical_offset.count_ones() + self.size.count_ones() + self.tags_code.count_ones()
    }

    /// False for the zeros of a place not written yet, and for damage.
    pub(crate) fn is_written(self) -> bool {
        self.physical_offset >= 0 && self.size > 0
    }
}

/// The units in `bytes`; a torn last one is left out.
pub(crate) fn decode_all(bytes: &[u8]) -> impl Iterator<Item = Unit> + '_ {
    bytes.as_chunks::<UNIT_LEN>().0.iter().map(Unit::decode)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by Apache 5.4.0 for a record at 0xe0 with tag `TagA`.
    const SEEN: [u8; 20] = [0, 0, 0, 0, 0, 0, 0, 0xe0, 0, 0, 0, 0xf8, 0, 0, 0, 0, 0, 0x27, 0xa8, 0x07];

    #[test]
    fn a_unit_reads_and_writes_as_apache_does() {
        let unit = Unit { physical_offset: 0xe0, size: 0xf8, tags_code: 2_598_919 };
        assert_eq!(Unit::decode(&SEEN), unit);
        assert_eq!(unit.encode(), SEEN);
        assert_eq!(decode_all(&[SEEN, SEEN].concat()[..39]).collect::<Vec<_>>(), [unit]);
    }
}
