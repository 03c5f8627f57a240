//! Open requests of one connection and their waiters. Has no socket and no clock: callers pass the time.
//!
//! ```
//! use rocketmq_remoting::session::Session;
//!
//! let mut session = Session::new();
//! let opaque = session.wait("caller", 3_000); // until 3,000 ms
//! assert_eq!(session.answered(opaque), Some("caller"));
//! assert_eq!(session.answered(opaque), None);
//!
//! session.wait("patient caller", 3_000);
//! assert_eq!(session.expire(3_000), ["patient caller"]);
//! ```

use std::collections::HashMap;

/// The open requests of one side of a connection, by their opaque.
///
/// `W` is a waiter, which receives the outcome; `T` is a point in time.
#[derive(Debug)]
pub struct Session<W, T> {
    waiting: HashMap<i32, Waiting<W, T>>,
    next_opaque: i32,
    /// A time not later than any deadline. Answers leave it as it is, so it may be too early, but never too late.
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
    /// Makes a session without waiters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a waiter and returns the opaque for its request. Opaques wrap around, and skip those in use.
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

    /// Removes and returns the waiter for a response. Returns `None` if nobody waits for it, or nobody any more.
    pub fn answered(&mut self, opaque: i32) -> Option<W> {
        self.waiting.remove(&opaque).map(|waiting| waiting.waiter)
    }

    /// Returns the latest time for the next call of [`expire`](Self::expire).
    pub fn next_deadline(&self) -> Option<T> {
        if self.waiting.is_empty() { None } else { self.earliest }
    }

    /// Removes and returns the waiters whose deadline has come.
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

    /// Removes the waiters for which `keep` returns false; their answers will find no waiter.
    pub fn retain(&mut self, keep: impl Fn(&W) -> bool) {
        self.waiting.retain(|_, waiting| keep(&waiting.waiter));
    }

    /// Removes and returns all waiters. For a connection that has ended.
    pub fn poison(&mut self) -> Vec<W> {
        self.waiting.drain().map(|(_, waiting)| waiting.waiter).collect()
    }

    /// Returns the number of waiters.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Returns true if nobody waits.
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
    fn a_waiter_that_gave_up_is_removed() {
        let mut session = Session::new();
        let (gone, there) = (session.wait('a', 10), session.wait('b', 20));
        session.retain(|waiter| *waiter == 'b');
        assert_eq!((session.answered(gone), session.answered(there)), (None, Some('b')));
    }

    #[test]
    fn only_the_due_waiters_expire() {
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
