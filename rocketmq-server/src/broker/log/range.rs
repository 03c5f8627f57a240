//! The bounds of a queue, and positions that lay outside.

use crate::store::Store;

/// One position of a queue (or of a delay level) that was outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moved {
    pub queue: i32,
    pub from: i64,
    /// `None` when it is forgotten: there is nothing before the first message.
    pub to: Option<i64>,
}

/// The first offset of a queue and the offset after its last message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub min: i64,
    pub max: i64,
}

impl Range {
    pub(crate) fn of(store: &Store, topic: &str, queue: i32) -> Self {
        let max = store.max_offset(topic, queue);
        Self { min: store.min_offset(topic, queue).min(max), max }
    }

    /// The place in the queue that is nearest to `offset`; the end is one.
    pub(crate) fn nearest(self, offset: i64) -> i64 {
        offset.clamp(self.min, self.max)
    }
}

impl std::fmt::Display for Moved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { queue, from, .. } = self;
        match self.to {
            Some(to) => write!(f, "queue {queue}: {from} -> {to}"),
            None => write!(f, "queue {queue}: {from} -> none"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_queue_stays_and_the_end_is_one() {
        let range = Range { min: 3, max: 5 };
        assert_eq!([2, 3, 4, 5, 6].map(|offset| range.nearest(offset)), [3, 3, 4, 5, 5]);
        assert_eq!(Range { min: 0, max: 0 }.nearest(7), 0);
    }
}
