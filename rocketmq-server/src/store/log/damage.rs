//! Remembers which records were found to be damaged: each is reported and counted once, however often it is read.

use std::collections::BTreeSet;
use std::fmt::Display;

use parking_lot::Mutex;

/// Offsets remembered; beyond them damage is counted at each read and no longer reported one by one.
const REMEMBERED: usize = 10_000;

/// The damaged records of a log.
#[derive(Debug, Default)]
pub(crate) struct DamagedRecords {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    offsets: BTreeSet<i64>,
    count: u64,
}

impl DamagedRecords {
    /// Reports the record at log offset `offset`, unless that was done before.
    pub(crate) fn report(&self, offset: i64, reason: &dyn Display) {
        let mut state = self.state.lock();
        if state.offsets.contains(&offset) {
            return;
        }
        state.count += 1;
        if state.offsets.len() < REMEMBERED {
            state.offsets.insert(offset);
            tracing::error!(offset, %reason, "a damaged record in the commit log is skipped");
        }
    }

    /// Counts those found since the store was opened.
    pub(crate) fn count(&self) -> u64 {
        self.state.lock().count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_counts_once() {
        let damaged = DamagedRecords::default();
        [7, 8, 7].iter().for_each(|offset| damaged.report(*offset, &"torn"));
        assert_eq!(damaged.count(), 2);
    }
}
