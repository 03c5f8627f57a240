//! Sets right, at the start, every position kept in `config/` that lies outside its queue.
//!
//! The log and its queues may have become shorter than a position that was written down: a power cut takes the newest
//! messages, and an operator may delete the log and keep `config/`. A position beyond the end would let new messages pass
//! unseen until the queue is as long as it was.

use std::collections::BTreeMap;

use super::parts::Parts;
use super::tables::persist;
use crate::broker::log::range::{Moved, Range};
use crate::broker::log::set_aside::{Place, lost};
use crate::broker::names::{HALF_TOPIC, SCHEDULE_TOPIC, TIMER_TOPIC, TRANS_GROUP};
use crate::broker::offsets::table as offsets;
use crate::broker::pop;

/// Sets right the positions of groups, transactions, delay levels, timers and pops, and writes them back.
///
/// To be called before any of them is used.
pub(crate) fn set_right(parts: &Parts) {
    let groups = set_groups_right(parts);
    let queues = parts.log.store.queues(SCHEDULE_TOPIC);
    let levels = parts.delay.set_right(&queues, |topic, queue| Range::of(&parts.log.store, topic, queue));
    for moved in &levels {
        tell("the position of a delay level", *moved);
        report_lost(parts, SCHEDULE_TOPIC, *moved);
    }
    let timers = parts.timer.set_right(|topic, queue| Range::of(&parts.log.store, topic, queue));
    if let Some(moved) = &timers {
        tell("the position of the timers", *moved);
        report_lost(parts, TIMER_TOPIC, *moved);
    }
    let orders =
        parts.pop.state.orders.forget_beyond(|topic, queue| parts.log.store.max_offset(topic, queue));
    for (key, queue) in &orders {
        tracing::warn!(key, queue, "an ordered pop handed out messages that are gone: it is forgotten");
    }
    if groups || !levels.is_empty() || timers.is_some() || !orders.is_empty() {
        persist(parts);
    }
}

/// Returns true if any was moved.
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
    let halves = moved.get(&offsets::offset_key(HALF_TOPIC, TRANS_GROUP));
    halves.into_iter().flatten().for_each(|moved| report_lost(parts, HALF_TOPIC, *moved));
    !moved.is_empty()
}

fn tell_of_groups(moved: &BTreeMap<String, Vec<Moved>>) {
    for (key, queues) in moved {
        let (topic, group) = offsets::split_key(key).unwrap_or((key, ""));
        let queues = queues.iter().map(Moved::to_string).collect::<Vec<_>>().join(", ");
        tracing::warn!(topic, group, queues, "the offsets of a group were outside their queues: set right");
    }
}

/// The log lost messages that waited while nobody looked.
fn report_lost(parts: &Parts, topic: &str, moved: Moved) {
    let Moved { queue, from, to } = moved;
    if let Some(to) = to.filter(|to| *to > from) {
        lost(&parts.log, Place { topic, queue, offset: from }, to - from);
    }
}

fn tell(what: &str, moved: Moved) {
    tracing::warn!(position = %moved, "{what} was outside its queue: set right");
}
