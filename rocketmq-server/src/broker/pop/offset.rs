//! The offset at which a group pops next in a queue.

use super::parts::Parts;
use super::retry_topic::RetryPlan;
use crate::broker::names;
use crate::broker::offsets::start::is_young;

/// `initMode` of groups that begin with the newest message.
const FROM_THE_END: i32 = 1;

/// The offset to pop next. A group's first pop of a queue stores where it begins; a reset is taken up and lets go what
/// was handed out in order.
pub(crate) fn next(parts: &Parts, topic: &str, group: &str, queue: i32, init_mode: i32) -> i64 {
    if let Some(offset) = take_reset(parts, topic, group, queue) {
        parts.state.orders.clear(topic, group, queue);
        commit(parts, topic, group, queue, offset);
        return offset;
    }
    committed(parts, topic, group, queue).unwrap_or_else(|| {
        let offset = initial(parts, topic, queue, init_mode);
        commit(parts, topic, group, queue, offset);
        offset
    })
}

/// The offset to pop next, without taking note of anything; a new group counts from the queue's first message.
pub(crate) fn peek(parts: &Parts, topic: &str, group: &str, queue: i32) -> i64 {
    committed(parts, topic, group, queue).unwrap_or_else(|| parts.log.store.min_offset(topic, queue))
}

pub(crate) fn commit(parts: &Parts, topic: &str, group: &str, queue: i32, offset: i64) {
    parts.offsets.lock().commit(topic, group, queue, offset);
}

/// Returns true if a queue holds a message that the group has not popped.
pub(crate) fn has_message(parts: &Parts, topic: &str, group: &str, queue: i32) -> bool {
    parts.log.store.max_offset(topic, queue) > peek(parts, topic, group, queue)
}

/// Decides which of the group's retry topics a request for this topic reads.
pub(crate) fn plan(parts: &Parts, topic: &str, group: &str, chance: u32) -> RetryPlan {
    RetryPlan::by_chance(&parts.settings.live().pop, chance, |origin| {
        has_message(parts, &origin.topic(group, topic), group, 0)
    })
}

/// Returns the committed offset.
pub(crate) fn committed(parts: &Parts, topic: &str, group: &str, queue: i32) -> Option<i64> {
    parts.offsets.lock().query(topic, group, queue).filter(|offset| *offset >= 0)
}

fn take_reset(parts: &Parts, topic: &str, group: &str, queue: i32) -> Option<i64> {
    let mut offsets = parts.offsets.lock();
    if !offsets.has_pending() {
        return None;
    }
    offsets.take_reset(topic, group, queue)
}

fn initial(parts: &Parts, topic: &str, queue: i32, init_mode: i32) -> i64 {
    if init_mode != FROM_THE_END || names::is_retry(topic) {
        return parts.log.store.min_offset(topic, queue);
    }
    if parts.settings.live().pop.young_from_start && is_young(&parts.log, topic, queue) {
        return 0;
    }
    (parts.log.store.max_offset(topic, queue) - 1).max(0)
}
