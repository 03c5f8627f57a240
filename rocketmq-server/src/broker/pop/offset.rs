//! Where a group pops next in a queue.

use super::retry_topic::Look;
use crate::broker::core::Core;
use crate::broker::names;
use crate::broker::offsets::young::is_young;

/// `initMode` of groups that begin with the newest message.
const FROM_THE_END: i32 = 1;

/// The offset to pop next. A group's first pop of a queue stores where it begins; a reset is taken up and lets go what
/// was handed out in order.
pub fn next(core: &Core, topic: &str, group: &str, queue: i32, init_mode: i32) -> i64 {
    if let Some(offset) = take_reset(core, topic, group, queue) {
        core.pop.orders.clear(topic, group, queue);
        commit(core, topic, group, queue, offset);
        return offset;
    }
    stored(core, topic, group, queue).unwrap_or_else(|| {
        let offset = initial(core, topic, queue, init_mode);
        commit(core, topic, group, queue, offset);
        offset
    })
}

/// The offset to pop next, without taking note of anything; a new group counts from the queue's first message.
pub fn peek(core: &Core, topic: &str, group: &str, queue: i32) -> i64 {
    stored(core, topic, group, queue).unwrap_or_else(|| core.store.min_offset(topic, queue))
}

pub fn commit(core: &Core, topic: &str, group: &str, queue: i32, offset: i64) {
    core.offsets.lock().commit(topic, group, queue, offset);
}

/// Whether a queue holds something the group has not popped.
pub fn has_message(core: &Core, topic: &str, group: &str, queue: i32) -> bool {
    core.store.max_offset(topic, queue) > peek(core, topic, group, queue)
}

/// What a request for this topic does about the group's retry topics.
pub fn look(core: &Core, topic: &str, group: &str, chance: u32) -> Look {
    Look::by_chance(&core.tuned().pop, chance, |origin| {
        has_message(core, &origin.topic(group, topic), group, 0)
    })
}

/// What was committed.
pub fn stored(core: &Core, topic: &str, group: &str, queue: i32) -> Option<i64> {
    core.offsets.lock().query(topic, group, queue).filter(|offset| *offset >= 0)
}

fn take_reset(core: &Core, topic: &str, group: &str, queue: i32) -> Option<i64> {
    let mut offsets = core.offsets.lock();
    if !offsets.has_pending() {
        return None;
    }
    offsets.take_reset(topic, group, queue)
}

fn initial(core: &Core, topic: &str, queue: i32, init_mode: i32) -> i64 {
    if init_mode != FROM_THE_END || names::is_retry(topic) {
        return core.store.min_offset(topic, queue);
    }
    if core.tuned().pop.young_from_start && is_young(core, topic, queue) {
        return 0;
    }
    (core.store.max_offset(topic, queue) - 1).max(0)
}
