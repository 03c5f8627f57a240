//! The window of messages pulled from one queue and not yet committed: pure bookkeeping, no clock, no I/O.
//!
//! Messages arrive in offset order and finish in any order; the commit point is a low-water mark, the lowest offset that
//! is still open. A ring ordered by offset serves both the concurrent way (finish any message) and the orderly way (take
//! a prefix, commit it or roll it back) without a tree or an allocation per message.

use std::collections::VecDeque;

/// Messages of one queue by offset; `T` is what the consumer wants back for each.
#[derive(Debug)]
pub(crate) struct Window<T> {
    slots: VecDeque<Slot<T>>,
    /// The number of slots at the front that an orderly consumer has taken and not committed.
    taken: usize,
    open: usize,
    bytes: usize,
    max_offset: Option<i64>,
}

#[derive(Debug)]
struct Slot<T> {
    offset: i64,
    bytes: u32,
    finished: bool,
    payload: T,
}

/// The fill of a window, for flow control.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Messages not finished.
    pub(crate) count: usize,
    /// Their bytes.
    pub(crate) bytes: usize,
    /// Distance between the lowest and the highest offset not finished.
    pub(crate) span: i64,
}

impl<T> Default for Window<T> {
    fn default() -> Self {
        Self { slots: VecDeque::new(), taken: 0, open: 0, bytes: 0, max_offset: None }
    }
}

impl<T> Window<T> {
    /// Adds a message; `false` when its offset is in the window already.
    pub(crate) fn put(&mut self, offset: i64, bytes: u32, payload: T) -> bool {
        let slot = Slot { offset, bytes, finished: false, payload };
        if self.slots.back().is_none_or(|last| last.offset < offset) {
            self.slots.push_back(slot);
        } else {
            let Err(at) = self.find(offset) else { return false };
            // Nothing can be put before what is being consumed: the prefix must stay what was taken.
            self.slots.insert(at.max(self.taken), slot);
        }
        self.open += 1;
        self.bytes += bytes as usize;
        self.max_offset = self.max_offset.max(Some(offset));
        true
    }

    /// Marks messages as done with and returns the offset to commit: the lowest offset still open, or one past the
    /// highest ever seen. `None` when the window was empty, because then there is nothing new to say.
    pub(crate) fn finish(&mut self, offsets: impl IntoIterator<Item = i64>) -> Option<i64> {
        if self.slots.is_empty() {
            return None;
        }
        for offset in offsets {
            self.close(offset);
        }
        while self.slots.front().is_some_and(|slot| slot.finished) {
            self.slots.pop_front();
        }
        self.commit_point()
    }

    fn close(&mut self, offset: i64) {
        // Messages mostly finish in order: the first slot is tried before the search.
        let at = match self.slots.front() {
            Some(slot) if slot.offset == offset => Ok(0),
            _ => self.find(offset),
        };
        if let Ok(at) = at
            && let slot = &mut self.slots[at]
            && !slot.finished
        {
            slot.finished = true;
            self.open -= 1;
            self.bytes -= slot.bytes as usize;
        }
    }

    /// Returns the lowest open offset, or else one past the highest; `None` before the first message.
    pub(crate) fn commit_point(&self) -> Option<i64> {
        match self.slots.front() {
            Some(slot) => Some(slot.offset),
            None => self.max_offset.map(|offset| offset + 1),
        }
    }

    fn find(&self, offset: i64) -> Result<usize, usize> {
        self.slots.binary_search_by_key(&offset, |slot| slot.offset)
    }

    /// Returns the fill of the window.
    pub(crate) fn usage(&self) -> Usage {
        Usage { count: self.open, bytes: self.bytes, span: self.span() }
    }

    fn span(&self) -> i64 {
        match self.bounds() {
            Some((first, last)) => last - first,
            None => 0,
        }
    }

    /// Returns the lowest and the highest offset in the window.
    pub(crate) fn bounds(&self) -> Option<(i64, i64)> {
        Some((self.slots.front()?.offset, self.slots.back()?.offset))
    }

    /// Tells whether every pulled message is finished.
    pub(crate) fn is_empty(&self) -> bool {
        self.open == 0
    }
}

/// The orderly way: a prefix is taken, then committed as far as it was handled.
impl<T: Clone> Window<T> {
    /// Takes up to `max` of the lowest messages.
    pub(crate) fn take(&mut self, max: usize) -> Vec<T> {
        let taken: Vec<T> = self.slots.iter().take(max).map(|slot| slot.payload.clone()).collect();
        self.taken = taken.len();
        taken
    }

    /// Removes the first `done` of what was taken and puts the rest back; the offset to commit, `None` when nothing
    /// was done.
    pub(crate) fn settle(&mut self, done: usize) -> Option<i64> {
        let done = done.min(self.taken);
        self.taken = 0;
        let mut last = None;
        for slot in self.slots.drain(..done) {
            self.open -= 1;
            self.bytes -= slot.bytes as usize;
            last = Some(slot.offset + 1);
        }
        last
    }

    /// Replaces the lowest message, which is tried again.
    pub(crate) fn replace_first(&mut self, payload: T) {
        if let Some(first) = self.slots.front_mut() {
            first.payload = payload;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn window(offsets: impl IntoIterator<Item = i64>) -> Window<i64> {
        let mut window = Window::default();
        for offset in offsets {
            assert!(window.put(offset, 10, offset));
        }
        window
    }

    #[test]
    fn the_commit_point_is_the_lowest_open_offset() {
        let mut w = window(5..10);
        assert_eq!(w.finish([6, 7]), Some(5));
        assert_eq!(w.finish([5]), Some(8));
        assert_eq!(w.finish([8, 9]), Some(10));
        assert_eq!(w.finish([9]), None, "an empty window has nothing new to commit");
    }

    #[test]
    fn one_stuck_message_pins_the_offset_and_widens_the_span() {
        let mut w = window(0..100);
        assert_eq!(w.finish(1..100), Some(0));
        assert_eq!(w.usage(), Usage { count: 1, bytes: 10, span: 99 });
    }

    #[test]
    fn a_message_pulled_twice_counts_once() {
        let mut w = window(0..3);
        assert!(!w.put(1, 10, 1));
        assert_eq!(w.usage().count, 3);
        w.finish([1]);
        assert!(!w.put(1, 10, 1), "finished but not yet committed");
        assert_eq!(w.usage().count, 2);
    }

    #[test]
    fn finishing_an_unknown_or_finished_message_changes_nothing() {
        let mut w = window(0..3);
        assert_eq!(w.finish([7, 1, 1]), Some(0));
        assert_eq!(w.usage(), Usage { count: 2, bytes: 20, span: 2 });
    }

    #[test]
    fn an_orderly_prefix_is_committed_as_far_as_it_was_handled() {
        let mut w = window(10..15);
        assert_eq!(w.take(3), [10, 11, 12]);
        assert_eq!(w.settle(2), Some(12));
        assert_eq!(w.settle(2), None, "nothing is taken");
        assert_eq!(w.take(1), [12]);
        assert_eq!(w.settle(0), None);
        w.replace_first(99);
        assert_eq!(w.take(9), [99, 13, 14]);
        assert_eq!(w.settle(9), Some(15));
        assert_eq!(w.usage(), Usage::default());
    }

    #[test]
    fn what_arrives_late_waits_behind_what_is_being_handled() {
        let mut w = window([5, 6]);
        assert_eq!(w.take(1), [5]);
        w.put(4, 10, 4);
        assert_eq!(w.settle(1), Some(6));
        assert_eq!(w.take(9), [4, 6]);
    }

    /// Java's structure: an ordered map, removed from at the end of each batch.
    #[derive(Default)]
    struct Model {
        open: BTreeMap<i64, u32>,
        max: i64,
    }

    impl Model {
        fn finish(&mut self, offsets: &[i64]) -> Option<i64> {
            if self.open.is_empty() {
                return None;
            }
            for offset in offsets {
                self.open.remove(offset);
            }
            Some(self.open.keys().next().copied().unwrap_or(self.max + 1))
        }
    }

    proptest! {
        #[test]
        fn it_commits_what_javas_tree_map_commits(steps in proptest::collection::vec(
            (any::<bool>(), proptest::collection::vec(0usize..40, 1..6)), 1..60)) {
            let (mut window, mut model, mut next) = (Window::default(), Model::default(), 0i64);
            for (put, picks) in steps {
                if put {
                    for gap in picks {
                        next += 1 + gap as i64 % 3;
                        window.put(next, gap as u32, ());
                        model.open.insert(next, gap as u32);
                        model.max = next;
                    }
                } else {
                    let open: Vec<i64> = model.open.keys().copied().collect();
                    let done: Vec<i64> = picks.iter().filter_map(|i| open.get(*i).copied()).collect();
                    prop_assert_eq!(window.finish(done.iter().copied()), model.finish(&done));
                }
                prop_assert_eq!(window.usage().count, model.open.len());
                prop_assert_eq!(window.usage().bytes, model.open.values().map(|b| *b as usize).sum::<usize>());
            }
        }
    }
}
