//! The messages that wait for a point in time, in its order. Each takes 16 bytes of memory, however large it is.

use std::collections::{BTreeMap, BTreeSet};

/// Queue offsets that share one map of bits.
const BLOCK: i64 = 1 << 12;
const WORDS: usize = BLOCK as usize / 64;

/// All pending messages, by their offsets in the timer topic's queue. The queue itself is the durable copy; this is rebuilt
/// from it.
#[derive(Debug, Default)]
pub(crate) struct WaitingTimers {
    /// When each is due, and its queue offset.
    waiting: BTreeSet<(i64, i64)>,
    /// The same by queue offsets, a bit for each: which is the first of millions is asked every few seconds.
    blocks: BTreeMap<i64, Box<[u64; WORDS]>>,
}

impl WaitingTimers {
    pub(crate) fn add(&mut self, due: i64, queue_offset: i64) {
        self.waiting.insert((due, queue_offset));
        let (block, word, bit) = place(queue_offset);
        self.blocks.entry(block).or_insert_with(|| Box::new([0; WORDS]))[word] |= bit;
    }

    /// The next time something is due.
    pub(crate) fn next_due(&self) -> Option<i64> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// Takes out everything of the earliest time, if that has come.
    pub(crate) fn take_due(&mut self, now: i64) -> Option<(i64, Vec<i64>)> {
        let due = self.next_due().filter(|due| *due <= now)?;
        let mut offsets = Vec::new();
        while self.next_due() == Some(due)
            && let Some((_, offset)) = self.waiting.pop_first()
        {
            self.unmark(offset);
            offsets.push(offset);
        }
        Some((due, offsets))
    }

    fn unmark(&mut self, queue_offset: i64) {
        let (block, word, bit) = place(queue_offset);
        if let Some(bits) = self.blocks.get_mut(&block) {
            bits[word] &= !bit;
            if bits.iter().all(|word| *word == 0) {
                self.blocks.remove(&block);
            }
        }
    }

    /// The lowest queue offset that waits: a replay begins here after a restart, also one by Apache's broker, which does not
    /// know what was delivered behind it.
    pub(crate) fn first_queue_offset(&self) -> Option<i64> {
        let (block, bits) = self.blocks.first_key_value()?;
        let word = bits.iter().position(|word| *word != 0)?;
        Some(block * BLOCK + word as i64 * 64 + i64::from(bits[word].trailing_zeros()))
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}

/// The block of an offset, and its word and bit there.
fn place(queue_offset: i64) -> (i64, usize, u64) {
    let within = queue_offset.rem_euclid(BLOCK) as usize;
    (queue_offset.div_euclid(BLOCK), within / 64, 1 << (within % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_by_time_and_not_before_it() {
        let mut waiting = WaitingTimers::default();
        waiting.add(200, 0);
        waiting.add(100, 1);
        waiting.add(100, 2);
        assert_eq!(waiting.take_due(99), None);
        assert_eq!(waiting.next_due(), Some(100));
        assert_eq!(waiting.take_due(500), Some((100, vec![1, 2])));
        assert_eq!(waiting.take_due(500), Some((200, vec![0])));
        assert_eq!((waiting.len(), waiting.first_queue_offset()), (0, None));
    }

    #[test]
    fn a_replay_begins_with_the_first_that_waits() {
        let mut waiting = WaitingTimers::default();
        waiting.add(10, 3);
        waiting.add(10, 3);
        waiting.add(20, 2 * BLOCK + 77);
        waiting.add(30, 2 * BLOCK + 78);
        assert_eq!((waiting.len(), waiting.first_queue_offset()), (3, Some(3)));
        waiting.take_due(10);
        assert_eq!(waiting.first_queue_offset(), Some(2 * BLOCK + 77));
        waiting.add(40, 5);
        assert_eq!(waiting.first_queue_offset(), Some(5), "put back");
    }
}
