//! The checks of a send, in Apache's order: the first failure decides the code.

use std::sync::Arc;

use rocketmq_remoting::body::topic::TopicConfig;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::frame::MAX_BODY;
use rocketmq_remoting::requests::send::SendMessageRequest;
use rocketmq_remoting::route::Perm;
use rocketmq_remoting::version::V3_4_9;

use super::back::random_queue;
use super::parts::Parts;
use super::properties::TimerProperties;
use super::retry::is_exhausted;
use crate::broker::names;
use crate::broker::topics::table::{UNIT, Wanted, open_topic, unit_sub};
use crate::exchange::Refusal;

/// The place of a send that passed.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub topic: Arc<TopicConfig>,
    pub queue_id: i32,
    /// The message had its retries: it goes to the dead letter queue, and its delay is void.
    pub dead_letter: bool,
}

/// Checks a send and finds, or creates, its topic.
pub(crate) fn check(parts: &Parts, request: &SendMessageRequest, version: i32) -> Result<Target, Refusal> {
    check_time(parts)?;
    let known = parts.topics.get(&request.topic);
    check_broker(parts, known.as_deref())?;
    check_name(&request.topic)?;
    let topic = match known {
        Some(topic) => topic,
        None => create(parts, request)?,
    };
    let queue_id = choose_queue(request, &topic)?;
    match names::group_of_retry(&request.topic) {
        Some(group) => check_retry(parts, request, group, version, topic, queue_id),
        None => Ok(Target { topic, queue_id, dead_letter: false }),
    }
}

fn check_time(parts: &Parts) -> Result<(), Refusal> {
    let from = parts.settings.live().accept_sends_from;
    if from > 0 && parts.log.now() < from {
        return Err(Refusal::system(format_args!("broker unable to service, until {from} (ms since 1970)")));
    }
    Ok(())
}

/// Only ordered topics mind a broker without write permission; producers of others are steered away by the route.
fn check_broker(parts: &Parts, topic: Option<&TopicConfig>) -> Result<(), Refusal> {
    let ordered = topic.is_some_and(|topic| topic.order);
    if ordered && !Perm(parts.settings.live().broker_permission).is_writable() {
        return Err(Refusal::forbidden(format!(
            "the broker[{}] sending message is forbidden",
            parts.settings.address
        )));
    }
    Ok(())
}

fn check_name(topic: &str) -> Result<(), Refusal> {
    names::check_topic(topic).map_err(|error| names::illegal(&error))?;
    if names::is_closed_to_clients(topic) {
        return Err(Refusal::forbidden(format!("Sending message to topic[{topic}] is forbidden.")));
    }
    Ok(())
}

fn create(parts: &Parts, request: &SendMessageRequest) -> Result<Arc<TopicConfig>, Refusal> {
    let wanted = Wanted {
        topic: &request.topic,
        template: &request.default_topic,
        queues: request.default_topic_queue_nums,
        sys_flag: unit_flag(request),
    };
    if let Some(topic) = parts.topics.create(wanted).map_err(Refusal::system)? {
        return Ok(topic);
    }
    if names::is_retry(&request.topic) {
        let new = || TopicConfig { topic_sys_flag: unit_flag(request), ..open_topic(&*request.topic, 1) };
        return parts.topics.ensure(&request.topic, new).map_err(Refusal::system);
    }
    Err(Refusal::no_topic(&request.topic))
}

fn unit_flag(request: &SendMessageRequest) -> i32 {
    match (request.unit_mode, names::is_retry(&request.topic)) {
        (Some(true), false) => UNIT,
        (unit_mode, _) => unit_sub(unit_mode == Some(true)),
    }
}

fn choose_queue(request: &SendMessageRequest, topic: &TopicConfig) -> Result<i32, Refusal> {
    let queues = topic.write_queue_nums.max(topic.read_queue_nums);
    if request.queue_id >= queues {
        return Err(Refusal::invalid(format_args!(
            "request queueId[{}] is illegal, {} has {queues} queues",
            request.queue_id, request.topic
        )));
    }
    Ok(if request.queue_id < 0 { random_queue(topic.write_queue_nums) } else { request.queue_id })
}

/// A consumer sends a message back by itself: ordered consumers do, and others when request 36 failed.
fn check_retry(
    parts: &Parts,
    request: &SendMessageRequest,
    group: &str,
    version: i32,
    topic: Arc<TopicConfig>,
    queue_id: i32,
) -> Result<Target, Refusal> {
    let config = parts.groups.required(group)?;
    let own_max = request.max_reconsume_times.filter(|_| version >= V3_4_9);
    let max = own_max.unwrap_or(config.retry_max_times);
    let ordered = parts.clients.locks.lock().any_live(group, parts.log.passed());
    if !is_exhausted(request.reconsume_times.unwrap_or(0), max, ordered) {
        return Ok(Target { topic, queue_id, dead_letter: false });
    }
    let name = names::dlq_topic(group);
    let topic = parts.topics.ensure(&name, || open_topic(&*name, 1)).map_err(Refusal::system)?;
    Ok(Target { topic, queue_id: 0, dead_letter: true })
}

/// Checks the body of a message, or of a batch, against `maxMessageSize`, and against the frame in which it has to travel to
/// consumers: none of them would get it, and all that is behind it in its queue.
///
/// The store does not: the broker delivers, copies and gives up what it has taken, even after the limit was lowered.
///
/// # Errors
/// Code 13.
pub(crate) fn check_size(parts: &Parts, body: &[u8]) -> Result<(), Refusal> {
    let (size, limit) = (body.len(), parts.settings.live().max_message_size);
    if size <= limit.min(MAX_BODY) {
        return Ok(());
    }
    let remark = if size > limit {
        format!("the body has {size} bytes, maxMessageSize is {limit}: send less at a time or raise it")
    } else {
        format!("the body has {size} bytes, a frame carries {MAX_BODY} to a consumer: send less at a time")
    };
    Err(Refusal::new(ResponseCode::MESSAGE_ILLEGAL, remark))
}

/// A timer message can take another one back, but only one of the topic that it is sent to itself: that one the sender may
/// write to.
pub(crate) fn check_recall(topic: &str, timer: &TimerProperties<'_>) -> Result<(), Refusal> {
    let Some(key) = timer.cancels.filter(|_| timer.is_set()) else {
        return Ok(());
    };
    if key.strip_prefix(topic).is_some_and(|rest| rest.starts_with('+')) {
        return Ok(());
    }
    let remark =
        format!("TIMER_DEL_UNIQKEY is \"{key}\"; in a message to {topic} it begins with \"{topic}+\"");
    Err(Refusal::new(ResponseCode::MESSAGE_ILLEGAL, remark))
}

/// Checks the rules that hold for batches alone.
pub(crate) fn check_batch(topic: &str) -> Result<(), Refusal> {
    let illegal = |remark| Err(Refusal::new(ResponseCode::MESSAGE_ILLEGAL, remark));
    if topic.len() > 127 {
        return illegal(format!("message topic length too long {}", topic.len()));
    }
    if names::is_retry(topic) {
        return illegal(format!("batch request does not support retry group {topic}"));
    }
    Ok(())
}
