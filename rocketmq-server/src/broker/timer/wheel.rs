//! Messages that wait for a point in time, ordered by it: 16 bytes each, whatever the message's size.

use std::collections::{BTreeMap, BTreeSet};

/// Queue offsets whose waiting messages are counted together.
const BLOCK: i64 = 1 << 12;

/// All pending messages, by their offsets in the timer topic's queue. The queue itself is the durable copy; this is rebuilt
/// from it.
#[derive(Debug, Default)]
pub struct TimerWheel {
    /// When each is due, and its queue offset.
    waiting: BTreeSet<(i64, i64)>,
    /// How many wait in each block of the queue: which is the first of millions is asked every few seconds.
    blocks: BTreeMap<i64, u32>,
}

impl TimerWheel {
    pub fn add(&mut self, due: i64, queue_offset: i64) {
        if self.waiting.insert((due, queue_offset)) {
            *self.blocks.entry(queue_offset / BLOCK).or_default() += 1;
        }
    }

    /// The next time something is due.
    pub fn next_due(&self) -> Option<i64> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// Takes out everything of the earliest time, if that has come.
    pub fn take_due(&mut self, now: i64) -> Option<(i64, Vec<i64>)> {
        let due = self.next_due().filter(|due| *due <= now)?;
        let mut offsets = Vec::new();
        while self.next_due() == Some(due)
            && let Some((_, offset)) = self.waiting.pop_first()
        {
            self.uncount(offset);
            offsets.push(offset);
        }
        Some((due, offsets))
    }

    fn uncount(&mut self, queue_offset: i64) {
        let block = queue_offset / BLOCK;
        if let Some(count) = self.blocks.get_mut(&block) {
            *count -= 1;
            if *count == 0 {
                self.blocks.remove(&block);
            }
        }
    }

    /// Where a replay has to begin after a restart: no later than the first queue offset that waits, and less than a block
    /// before it.
    pub fn replay_from(&self) -> Option<i64> {
        self.blocks.keys().next().map(|block| block * BLOCK)
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_by_time_and_not_before_it() {
        let mut wheel = TimerWheel::default();
        wheel.add(200, 0);
        wheel.add(100, 1);
        wheel.add(100, 2);
        assert_eq!(wheel.take_due(99), None);
        assert_eq!(wheel.next_due(), Some(100));
        assert_eq!(wheel.take_due(500), Some((100, vec![1, 2])));
        assert_eq!(wheel.take_due(500), Some((200, vec![0])));
        assert_eq!((wheel.len(), wheel.replay_from()), (0, None));
    }

    #[test]
    fn a_replay_begins_with_the_block_of_the_first_that_waits() {
        let mut wheel = TimerWheel::default();
        wheel.add(10, 3);
        wheel.add(10, 3);
        wheel.add(20, 2 * BLOCK + 7);
        assert_eq!(wheel.replay_from(), Some(0));
        wheel.take_due(10);
        assert_eq!(wheel.replay_from(), Some(2 * BLOCK));
        wheel.add(30, 5);
        assert_eq!(wheel.replay_from(), Some(0), "put back");
    }
}
