//! Which half messages are decided, which were appended again: the memory of the check loop, without I/O.

use std::collections::{BTreeSet, HashMap};

/// Where a half message stands when its end is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Undecided until now; the number is the queue offset of its newest copy.
    Open(i64),
    /// Committed, rolled back or given up before.
    Decided,
}

/// Half messages from the first undecided one on.
///
/// Each check appends a half again, so a decision may name an older copy; and a decision may arrive twice. Both are
/// recognised as long as this broker runs. After a restart the op queue says what was decided.
#[derive(Debug, Default)]
pub struct Halves {
    /// Everything below is settled or has been appended again.
    next: i64,
    decided: BTreeSet<i64>,
    /// From a copy to the newer copy made of it.
    moved: HashMap<i64, i64>,
    /// When the first copy was stored, for copies that were made before their first check.
    born: HashMap<i64, i64>,
}

impl Halves {
    pub fn starting_at(next: i64) -> Self {
        Self { next, ..Self::default() }
    }

    /// The first half message not yet settled.
    pub fn next(&self) -> i64 {
        self.next
    }

    /// Looks up a half by the offset its producer knows.
    pub fn standing(&self, offset: i64) -> Standing {
        let newest = self.newest(offset);
        if newest < self.next || self.decided.contains(&newest) {
            return Standing::Decided;
        }
        Standing::Open(newest)
    }

    fn newest(&self, offset: i64) -> i64 {
        let mut at = offset;
        // Each step goes to a larger offset, so this ends.
        while let Some(next) = self.moved.get(&at) {
            at = *next;
        }
        at
    }

    /// Notes a decision; false when it was noted before.
    pub fn decide(&mut self, offset: i64) -> bool {
        offset >= self.next && self.decided.insert(offset)
    }

    /// Takes a decision back, because it could not be carried out.
    pub fn undecide(&mut self, offset: i64) {
        self.decided.remove(&offset);
    }

    pub fn is_decided(&self, offset: i64) -> bool {
        self.decided.contains(&offset)
    }

    /// Passes over a half that needs no more attention.
    pub fn settle(&mut self, offset: i64) {
        self.next = self.next.max(offset + 1);
        self.decided.remove(&offset);
        self.born.remove(&offset);
        // Older copies of it can be named no more.
        self.moved.retain(|_, newer| *newer != offset);
    }

    /// Passes over a half that was appended again at `copy`; `first_stored` is the age it keeps.
    pub fn replace(&mut self, offset: i64, copy: i64, first_stored: i64) {
        self.next = self.next.max(offset + 1);
        self.born.remove(&offset);
        self.moved.insert(offset, copy);
        self.born.insert(copy, first_stored);
        // A decision that came while the copy was being made holds for the copy.
        if self.decided.remove(&offset) {
            self.decided.insert(copy);
        }
    }

    /// When the first copy of this half was stored, if it is a copy made since the start.
    pub fn first_stored(&self, offset: i64) -> Option<i64> {
        self.born.get(&offset).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_is_decided_once() {
        let mut halves = Halves::starting_at(5);
        assert_eq!(halves.standing(4), Standing::Decided);
        assert_eq!(halves.standing(5), Standing::Open(5));
        assert!(halves.decide(5));
        assert!(!halves.decide(5));
        assert_eq!(halves.standing(5), Standing::Decided);
        halves.settle(5);
        assert_eq!(halves.next(), 6);
        assert_eq!(halves.standing(5), Standing::Decided);
    }

    #[test]
    fn a_producer_that_knows_an_old_copy_decides_the_newest() {
        let mut halves = Halves::default();
        halves.replace(0, 3, 100);
        halves.replace(3, 7, 100);
        assert_eq!(halves.standing(0), Standing::Open(7));
        assert_eq!(halves.first_stored(7), Some(100));
        halves.decide(7);
        halves.settle(7);
        assert_eq!(halves.standing(0), Standing::Decided);
        assert_eq!(halves.standing(7), Standing::Decided);
    }

    #[test]
    fn a_decision_made_while_the_half_is_copied_holds_for_the_copy() {
        let mut halves = Halves::default();
        halves.decide(0);
        halves.replace(0, 3, 1);
        assert_eq!(halves.standing(0), Standing::Decided);
        assert!(halves.is_decided(3));
    }
}
