//! A block of units as a file has it.

use super::unit::UNIT_LEN;

/// Units as they were read from a file.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) start: i64,
    pub(crate) units: Vec<u8>,
    /// Read since the last look of the thread that lets idle memory go.
    pub(crate) used: bool,
}

impl Block {
    pub(crate) fn new(start: i64, units: Vec<u8>) -> Self {
        Self { start, units, used: true }
    }

    /// The units from `index` on, if it holds that one.
    pub(crate) fn from(&mut self, index: i64) -> Option<&[u8]> {
        let place = usize::try_from(index.checked_sub(self.start)?).ok()?;
        let units = self.units.get(place.checked_mul(UNIT_LEN)?..).filter(|units| !units.is_empty())?;
        self.used = true;
        Some(units)
    }
}
