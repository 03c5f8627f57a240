//! Messages that wait for a point in time, ordered by it: 16 bytes each, whatever the message's size.

use std::collections::BTreeMap;

/// A message in the timer topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// Its offset in the timer topic's queue.
    pub queue_offset: i64,
    /// Where its record is in the commit log.
    pub physical_offset: i64,
}

/// All pending messages. The queue itself is the durable copy; this is rebuilt from it.
#[derive(Debug, Default)]
pub struct TimerWheel {
    slots: BTreeMap<i64, Vec<Pending>>,
    len: usize,
}

impl TimerWheel {
    pub fn add(&mut self, due: i64, pending: Pending) {
        self.slots.entry(due).or_default().push(pending);
        self.len += 1;
    }

    /// The next time something is due.
    pub fn next_due(&self) -> Option<i64> {
        self.slots.keys().next().copied()
    }

    /// Takes out everything of the earliest time, if that has come.
    pub fn take_due(&mut self, now: i64) -> Option<(i64, Vec<Pending>)> {
        let slot = self.slots.first_entry().filter(|slot| *slot.key() <= now)?;
        let (due, pending) = slot.remove_entry();
        self.len -= pending.len();
        Some((due, pending))
    }

    /// The lowest queue offset still waiting: replay after a restart must begin here.
    pub fn first_queue_offset(&self) -> Option<i64> {
        self.slots.values().flatten().map(|pending| pending.queue_offset).min()
    }

    pub fn len(&self) -> usize {
        self.len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(queue_offset: i64) -> Pending {
        Pending { queue_offset, physical_offset: queue_offset * 100 }
    }

    #[test]
    fn messages_come_out_by_time_and_not_before_it() {
        let mut wheel = TimerWheel::default();
        wheel.add(200, pending(0));
        wheel.add(100, pending(1));
        wheel.add(100, pending(2));
        assert_eq!(wheel.take_due(99), None);
        assert_eq!(wheel.next_due(), Some(100));
        assert_eq!(wheel.take_due(500), Some((100, vec![pending(1), pending(2)])));
        assert_eq!(wheel.first_queue_offset(), Some(0));
        assert_eq!(wheel.take_due(500).unwrap().0, 200);
        assert_eq!(wheel.len(), 0);
    }
}
