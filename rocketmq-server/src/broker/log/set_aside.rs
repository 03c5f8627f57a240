//! Messages that a service of the broker passes over, because no message may stop those behind it.

use std::fmt::Display;

use super::Log;
use crate::broker::stats::counters::Counters;

/// The place of a stored message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub topic: &'a str,
    pub queue: i32,
    pub offset: i64,
}

/// Reports a message that can never go where it belongs. It stays readable in its place as long as the log has it.
pub(crate) fn set_aside(log: &Log, place: Place<'_>, reason: impl Display) {
    let Place { topic, queue, offset } = place;
    Counters::add(&log.stats.counters.set_aside, 1);
    tracing::error!(topic, queue, offset, %reason, "a message cannot be delivered: it is set aside");
}

/// Reports `count` messages from `place` on that the log no longer has, or has damaged, before the broker was done with them.
pub(crate) fn lost(log: &Log, place: Place<'_>, count: i64) {
    let Place { topic, queue, offset } = place;
    Counters::add(&log.stats.counters.set_aside, count.unsigned_abs());
    tracing::error!(
        topic,
        queue,
        offset,
        count,
        "messages that wait are gone from the log, or damaged, and are not delivered; see fileReservedTime"
    );
}
