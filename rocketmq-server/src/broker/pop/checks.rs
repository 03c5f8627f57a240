//! The checks that pops, peeks and notifications share, in Apache's order.

use rocketmq_remoting::body::topic::TopicConfig;
use rocketmq_remoting::route::Perm;
use std::sync::Arc;

use super::parts::Parts;
use crate::broker::settings::millis;
use crate::exchange::Refusal;

/// Topic, queue and group, which all of these requests name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    pub topic: &'a str,
    pub group: &'a str,
    /// Below 0: all.
    pub queue: i32,
}

/// Checks that the broker lets clients read.
///
/// # Errors
/// Code 16.
pub(crate) fn check_broker(parts: &Parts, what: &str) -> Result<(), Refusal> {
    if Perm(parts.settings.live().broker_permission).is_readable() {
        return Ok(());
    }
    Err(Refusal::forbidden(format!("the broker[{}] {what} message is forbidden", parts.settings.address)))
}

/// Checks that the group may read the topic and queue.
///
/// # Errors
/// 17 no topic, 16 no permission, 29 no such queue, 26 no group.
pub(crate) fn check_target(parts: &Parts, target: Target<'_>) -> Result<Arc<TopicConfig>, Refusal> {
    let Target { topic: name, group, queue } = target;
    let topic = parts.topics.get(name).ok_or_else(|| Refusal::no_topic(name))?;
    if !topic.perm.is_readable() {
        return Err(Refusal::forbidden(format!("the topic[{name}] peeking message is forbidden")));
    }
    if queue >= topic.read_queue_nums {
        return Err(Refusal::invalid(format_args!(
            "queueId[{queue}] is illegal, topic:[{name}] topicConfig.readQueueNums:[{}] consumer:[{group}]",
            topic.read_queue_nums
        )));
    }
    let config = parts.groups.required(group)?;
    if !config.consume_enable {
        return Err(Refusal::forbidden(format!("subscription group no permission, {group}")));
    }
    Ok(topic)
}

/// Checks that messages may be hidden for so long: the checkpoint that hides them waits in the timer.
///
/// # Errors
/// 29.
pub(crate) fn check_invisible_time(parts: &Parts, invisible_time: i64) -> Result<(), Refusal> {
    let longest = millis(parts.settings.live().timer_max_delay);
    if invisible_time <= longest {
        return Ok(());
    }
    Err(Refusal::invalid(format_args!(
        "invisibleTime is {invisible_time} ms, the most is {longest} ms; a broker with a higher timerMaxDelaySec allows more"
    )))
}

/// The queues a request visits, those of the topic from a random one on, or the one it names.
pub(crate) fn queues(topic: &TopicConfig, queue: i32, chance: u32) -> Vec<i32> {
    if queue >= 0 {
        return vec![queue];
    }
    let count = topic.read_queue_nums.max(0);
    let first = i32::try_from(chance).unwrap_or(0);
    (0..count).map(|place| (first + place) % count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_queue_is_visited_once_from_any_start() {
        let topic = TopicConfig { read_queue_nums: 4, ..TopicConfig::default() };
        assert_eq!(queues(&topic, -1, 6), [2, 3, 0, 1]);
        assert_eq!(queues(&topic, 1, 6), [1]);
        assert!(queues(&TopicConfig { read_queue_nums: 0, ..topic }, -1, 6).is_empty());
    }
}
