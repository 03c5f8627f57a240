//! Who waits for which answer on one connection. No socket and no clock: the time is an argument.

use std::collections::HashMap;

/// The answers one side of a connection waits for, by the number ("opaque") its requests carry.
///
/// `W` is told the outcome; `T` is a point in time.
#[derive(Debug)]
pub struct Session<W, T> {
    waiting: HashMap<i32, Waiting<W, T>>,
    next_opaque: i32,
    /// No deadline lies before this. Answers raise the true value, so it may be early, never late.
    earliest: Option<T>,
}

#[derive(Debug)]
struct Waiting<W, T> {
    waiter: W,
    deadline: T,
}

impl<W, T: Ord + Copy> Default for Session<W, T> {
    fn default() -> Self {
        Self { waiting: HashMap::new(), next_opaque: 0, earliest: None }
    }
}

impl<W, T: Ord + Copy> Session<W, T> {
    /// A session nobody waits on.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a waiter and gives the number for its request. Numbers wrap, and skip those still in use.
    pub fn wait(&mut self, waiter: W, deadline: T) -> i32 {
        let mut opaque = self.next_opaque;
        while self.waiting.contains_key(&opaque) {
            opaque = opaque.wrapping_add(1) & i32::MAX;
        }
        self.next_opaque = opaque.wrapping_add(1) & i32::MAX;
        self.waiting.insert(opaque, Waiting { waiter, deadline });
        self.earliest = Some(self.earliest.map_or(deadline, |earliest| earliest.min(deadline)));
        opaque
    }

    /// The waiter of an answer; `None` when nobody waits, or no longer.
    pub fn answered(&mut self, opaque: i32) -> Option<W> {
        self.waiting.remove(&opaque).map(|waiting| waiting.waiter)
    }

    /// When [`expire`](Self::expire) has to be called next, at the latest.
    pub fn next_deadline(&self) -> Option<T> {
        if self.waiting.is_empty() { None } else { self.earliest }
    }

    /// The waiters whose deadline has come.
    pub fn expire(&mut self, now: T) -> Vec<W> {
        if self.next_deadline().is_none_or(|earliest| earliest > now) {
            return Vec::new();
        }
        let expired =
            self.waiting.extract_if(|_, waiting| waiting.deadline <= now).map(|(_, waiting)| waiting.waiter);
        let expired = expired.collect();
        self.earliest = self.waiting.values().map(|waiting| waiting.deadline).min();
        expired
    }

    /// Forgets the waiters `keep` says no to; their answers will find nobody.
    pub fn retain(&mut self, keep: impl Fn(&W) -> bool) {
        self.waiting.retain(|_, waiting| keep(&waiting.waiter));
    }

    /// All waiters: the connection is gone.
    pub fn poison(&mut self) -> Vec<W> {
        self.waiting.drain().map(|(_, waiting)| waiting.waiter).collect()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_finds_its_waiter_once() {
        let mut session = Session::new();
        let (first, second) = (session.wait('a', 10), session.wait('b', 10));
        assert_ne!(first, second);
        assert_eq!(session.answered(second), Some('b'));
        assert_eq!(session.answered(second), None);
        assert_eq!(session.poison(), ['a']);
        assert!(session.is_empty());
    }

    #[test]
    fn a_waiter_that_gave_up_is_waited_for_no_longer() {
        let mut session = Session::new();
        let (gone, there) = (session.wait('a', 10), session.wait('b', 20));
        session.retain(|waiter| *waiter == 'b');
        assert_eq!((session.answered(gone), session.answered(there)), (None, Some('b')));
    }

    #[test]
    fn only_what_is_due_expires() {
        let mut session = Session::new();
        session.wait("late", 30);
        session.wait("soon", 10);
        assert_eq!(session.next_deadline(), Some(10));
        assert!(session.expire(9).is_empty());
        assert_eq!(session.expire(10), ["soon"]);
        assert_eq!(session.next_deadline(), Some(30));
    }

    #[test]
    fn an_answer_may_leave_an_early_deadline_and_never_a_late_one() {
        let mut session = Session::new();
        let soon = session.wait("soon", 10);
        session.wait("late", 30);
        session.answered(soon);
        assert_eq!(session.next_deadline(), Some(10));
        assert!(session.expire(10).is_empty());
        assert_eq!(session.next_deadline(), Some(30));
    }

    #[test]
    fn numbers_wrap_and_skip_those_in_use() {
        let mut session = Session::new();
        session.wait("zero", 1);
        session.next_opaque = i32::MAX;
        assert_eq!(session.wait("max", 1), i32::MAX);
        assert_eq!(session.wait("one", 1), 1);
    }
}
