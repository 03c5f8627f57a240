//! The checkpoints of one revive queue that are neither acknowledged nor handed out again. Rebuilt from the queue at
//! the start.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::revive_log::{Ack, Checkpoint, Entry, Key};

/// The open checkpoints of a revive queue, as far as it was read.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    by_offset: BTreeMap<i64, Checkpoint>,
    by_key: HashMap<Key, i64>,
    /// When each is due, and its offset. They lie in this order unless the clock was set back between two of them.
    by_due: BTreeSet<(i64, i64)>,
    /// The next offset of the revive queue to read.
    next: Option<i64>,
}

impl Pending {
    /// The next offset to read, after the queue was read up to `done` by an earlier run (-1: never).
    pub(crate) fn next(&self, done: i64) -> i64 {
        self.next.unwrap_or(done.saturating_add(1))
    }

    /// Notes how far was read.
    pub(crate) fn read_to(&mut self, next: i64) {
        self.next = Some(next);
    }

    /// Takes in one record of the queue.
    pub(crate) fn add(&mut self, entry: Entry) {
        match entry {
            Entry::Checkpoint(checkpoint) => self.add_checkpoint(checkpoint),
            Entry::Ack(ack) => self.acknowledge(&ack),
        }
    }

    fn add_checkpoint(&mut self, checkpoint: Checkpoint) {
        let old = self.by_key.insert(checkpoint.key(), checkpoint.revive_offset);
        if let Some(old) = old.and_then(|old| self.by_offset.remove(&old)) {
            self.by_due.remove(&(old.due(), old.revive_offset));
        }
        self.by_due.insert((checkpoint.due(), checkpoint.revive_offset));
        self.by_offset.insert(checkpoint.revive_offset, checkpoint);
    }

    /// An acknowledgement without a checkpoint comes too late: its messages were handed out again.
    fn acknowledge(&mut self, ack: &Ack) {
        let Some(at) = self.by_key.get(&ack.key()).copied() else { return };
        let Some(checkpoint) = self.by_offset.get_mut(&at) else { return };
        ack.all().for_each(|offset| checkpoint.ack(offset));
        if checkpoint.unacked().is_empty() {
            self.remove(at);
        }
    }

    /// Marks one message of a checkpoint as done with.
    pub(crate) fn settle(&mut self, revive_offset: i64, offset: i64) {
        if let Some(checkpoint) = self.by_offset.get_mut(&revive_offset) {
            checkpoint.ack(offset);
        }
    }

    /// The checkpoint that is due first.
    pub(crate) fn first(&self) -> Option<&Checkpoint> {
        self.by_due.first().and_then(|(_, offset)| self.by_offset.get(offset))
    }

    /// Forgets a checkpoint.
    pub(crate) fn remove(&mut self, revive_offset: i64) {
        if let Some(checkpoint) = self.by_offset.remove(&revive_offset) {
            self.by_key.remove(&checkpoint.key());
            self.by_due.remove(&(checkpoint.due(), revive_offset));
        }
    }

    /// The last offset of the revive queue that a restart need not read again, as Apache commits it; `None` before
    /// anything was read.
    pub(crate) fn done(&self) -> Option<i64> {
        let first = self.by_offset.keys().next().copied();
        first.or(self.next).map(|offset| offset - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(revive_offset: i64, start_offset: i64) -> Entry {
        Entry::Checkpoint(Checkpoint {
            revive_offset,
            start_offset,
            count: 2,
            diffs: vec![0, 1],
            ..Checkpoint::default()
        })
    }

    fn ack(start_offset: i64, offset: i64) -> Entry {
        Entry::Ack(Ack { start_offset, offset, ..Ack::default() })
    }

    #[test]
    fn a_restart_reads_from_the_oldest_open_checkpoint() {
        let mut pending = Pending::default();
        assert_eq!((pending.next(-1), pending.next(6), pending.done()), (0, 7, None));
        [checkpoint(0, 10), checkpoint(1, 20), ack(10, 10), ack(20, 20), ack(20, 21)]
            .into_iter()
            .for_each(|entry| pending.add(entry));
        pending.read_to(5);
        assert_eq!(pending.done(), Some(-1));
        assert_eq!(pending.first().unwrap().unacked(), [11]);
        pending.add(ack(10, 11));
        assert_eq!((pending.done(), pending.first()), (Some(4), None));
        pending.add(ack(10, 10));
    }

    #[test]
    fn one_that_is_due_late_holds_up_none_behind_it() {
        let mut pending = Pending::default();
        let of = |revive_offset, pop_time| {
            Entry::Checkpoint(Checkpoint { revive_offset, pop_time, count: 1, ..Checkpoint::default() })
        };
        pending.add(of(0, 5_000));
        pending.add(of(1, 1_000));
        assert_eq!(pending.first().unwrap().revive_offset, 1);
        pending.remove(1);
        assert_eq!((pending.first().unwrap().revive_offset, pending.done()), (0, Some(-1)));
    }

    #[test]
    fn a_checkpoint_put_again_replaces_itself() {
        let mut pending = Pending::default();
        pending.add(checkpoint(0, 10));
        pending.add(checkpoint(3, 10));
        assert_eq!(pending.first().unwrap().revive_offset, 3);
        pending.remove(3);
        assert!(pending.first().is_none() && pending.by_key.is_empty() && pending.by_due.is_empty());
    }
}
