//! Sets right, at the start, every position kept in `config/` that lies outside its queue.
//!
//! The log and its queues may have become shorter than a position that was written down: a power cut takes the newest
//! messages, and an operator may delete the log and keep `config/`. A position beyond the end would let new messages pass
//! unseen until the queue is as long as it was.

use std::collections::BTreeMap;

use super::Parts;
use super::tables::persist;
use crate::broker::offsets::table as offsets;
use crate::broker::pop;
use crate::store::Store;

/// One position of a queue (or of a delay level) that was outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    pub queue: i32,
    pub from: i64,
    /// `None` when it is forgotten: there is nothing before the first message.
    pub to: Option<i64>,
}

/// The first offset of a queue and the offset after its last message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    pub min: i64,
    pub max: i64,
}

impl Range {
    pub fn of(store: &Store, topic: &str, queue: i32) -> Self {
        let max = store.max_offset(topic, queue);
        Self { min: store.min_offset(topic, queue).min(max), max }
    }

    /// The place in the queue that is nearest to `offset`; the end is one.
    pub fn nearest(self, offset: i64) -> i64 {
        offset.clamp(self.min, self.max)
    }
}

/// Sets right the positions of groups, transactions, delay levels, timers and pops, and writes them back.
///
/// To be called before any of them is used.
pub fn set_right(parts: &Parts) {
    let groups = set_groups_right(parts);
    let levels = parts.delay.set_right(|topic, queue| Range::of(&parts.log.store, topic, queue));
    levels.iter().for_each(|moved| tell("the position of a delay level", *moved));
    let timers = parts.timer.set_right(|topic, queue| Range::of(&parts.log.store, topic, queue));
    timers.iter().for_each(|moved| tell("the position of the timers", *moved));
    let orders =
        parts.pop.state.orders.forget_beyond(|topic, queue| parts.log.store.max_offset(topic, queue));
    for (key, queue) in &orders {
        tracing::warn!(key, queue, "an ordered pop handed out messages that are gone: it is forgotten");
    }
    if groups || !levels.is_empty() || timers.is_some() || !orders.is_empty() {
        persist(parts);
    }
}

/// Whether any was moved.
fn set_groups_right(parts: &Parts) -> bool {
    let moved = parts.offsets.lock().set_right(|topic, group, queue, offset| {
        let range = Range::of(&parts.log.store, topic, queue);
        match group {
            // Names the last record that is done with, not the next one.
            pop::REVIVE_GROUP => {
                let done = range.nearest(offset.saturating_add(1)) - 1;
                (done >= 0).then_some(done)
            }
            // Below 0 there is none yet.
            _ if offset < 0 => Some(offset),
            _ => Some(range.nearest(offset)),
        }
    });
    tell_of_groups(&moved);
    !moved.is_empty()
}

fn tell_of_groups(moved: &BTreeMap<String, Vec<Moved>>) {
    for (key, queues) in moved {
        let (topic, group) = offsets::split_key(key).unwrap_or((key, ""));
        let queues = queues.iter().map(Moved::to_string).collect::<Vec<_>>().join(", ");
        tracing::warn!(topic, group, queues, "the offsets of a group were outside their queues: set right");
    }
}

fn tell(what: &str, moved: Moved) {
    tracing::warn!(position = %moved, "{what} was outside its queue: set right");
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
