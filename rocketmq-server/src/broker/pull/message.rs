//! PULL_MESSAGE (11) and LITE_PULL_MESSAGE (361): checks a pull, reads the queue, and answers or parks it.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use rocketmq_remoting::Answered;
use rocketmq_remoting::body::group::SubscriptionGroupConfig;
use rocketmq_remoting::body::heartbeat::ConsumeType;
use rocketmq_remoting::body::topic::TopicConfig;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::message::PullFlag;
use rocketmq_remoting::requests::pull::{
    ForbiddenPull, LitePullMessageRequest, PullMessageRequest, PullMessageResponse,
};
use rocketmq_remoting::route::{MASTER_ID, Perm};
use rocketmq_remoting::subscription::SubscriptionData;
use tokio_util::task::TaskTracker;

use super::parts::Parts;
use super::waiting::{Found, Pull};
use crate::broker::background::beside;
use crate::broker::names::is_system_group;
use crate::broker::settings::{Current, millis};
use crate::exchange::{Asked, Refusal, Reply, ReplyTo};
use crate::filter::Filter;
use crate::store::{Fetched, GetLimits, GetStatus};

/// PULL_MESSAGE: answers a pull, or parks it.
pub(crate) fn pull(parts: &Parts, asked: Asked<'_, PullMessageRequest>) -> Reply<Found> {
    serve(parts, asked.reply_to(), asked.header)
}

/// LITE_PULL_MESSAGE: the same for consumers that keep their own offsets, where they are allowed.
pub(crate) fn lite_pull(parts: &Parts, asked: Asked<'_, LitePullMessageRequest>) -> Reply<Found> {
    if is_readable(parts) && !parts.settings.live().lite_pull {
        return Reply::refused(Refusal::forbidden(
            "the broker has no permission for lite pull, litePullMessageEnable is false",
        ));
    }
    serve(parts, asked.reply_to(), asked.header.0)
}

fn serve(parts: &Parts, reply_to: ReplyTo<Found>, request: PullMessageRequest) -> Reply<Found> {
    let pull = match check(parts, reply_to, request) {
        Ok(pull) => pull,
        Err(refusal) => return Reply::refused(refusal),
    };
    note_commit(parts, &pull.request);
    let Some(answer) = run_at_once(parts, &pull) else {
        let parts = parts.clone();
        // There is a message to look at: such a pull never waits for one.
        return Reply::blocking(move || Some(Ok(run(&parts, &pull))));
    };
    match wait_for(parts, &pull, answer.code) {
        None => Reply::Now(Ok(answer)),
        Some(deadline) => {
            park(parts, pull, deadline);
            Reply::Held
        }
    }
}

/// Runs a woken pull and sends the result, even if it is empty: a pull waits only once.
pub(crate) fn resume(parts: &Parts, pull: Pull, tasks: &TaskTracker) {
    if let Some(answer) = run_at_once(parts, &pull) {
        return pull.reply_to.send(Ok(answer));
    }
    let parts = parts.clone();
    beside(tasks, move || pull.reply_to.send(Ok(run(&parts, &pull))));
}

fn note_commit(parts: &Parts, request: &PullMessageRequest) {
    if PullFlag(request.sys_flag).has(PullFlag::COMMIT_OFFSET) {
        let mut offsets = parts.offsets.lock();
        offsets.commit(&request.topic, &request.consumer_group, request.queue_id, request.commit_offset);
    }
}

/// Until when an unsuccessful pull waits; `None` when it is to be answered now.
fn wait_for(parts: &Parts, pull: &Pull, code: ResponseCode) -> Option<i64> {
    let suspends = PullFlag(pull.request.sys_flag).has(PullFlag::SUSPEND);
    if code != ResponseCode::PULL_NOT_FOUND || !suspends {
        return None;
    }
    if parts.parking.len() >= parts.settings.live().max_parked_pulls {
        return None;
    }
    let hold = if parts.settings.live().long_polling {
        pull.request.suspend_timeout_millis.max(0)
    } else {
        millis(parts.settings.live().short_polling)
    };
    Some(parts.log.now().saturating_add(hold))
}

fn park(parts: &Parts, pull: Pull, deadline: i64) {
    let (topic, queue) = (pull.request.topic.clone(), pull.request.queue_id);
    parts.parking.park(pull, deadline);
    // A message may have come between the read and the parking, and nothing else would wake the pull.
    parts.parking.recheck_queue(&topic, queue, parts.log.store.max_offset(&topic, queue));
}

fn check(parts: &Parts, reply_to: ReplyTo<Found>, request: PullMessageRequest) -> Result<Pull, Refusal> {
    if !is_readable(parts) {
        let remark = format!("the broker[{}] pulling message is forbidden", parts.settings.address);
        return Err(forbidden(remark, ForbiddenPull::BROKER));
    }
    let group = check_group(parts, &request)?;
    let topic = check_topic(parts, &request)?;
    let filter = subscription_filter(parts, &request, &group)?;
    check_kind(parts, reply_to.connection.id(), &request.consumer_group)?;
    Ok(Pull { filter, reply_to, topic, group, request })
}

fn is_readable(parts: &Parts) -> bool {
    Perm(parts.settings.live().broker_permission).is_readable()
}

fn forbidden(remark: String, by: ForbiddenPull) -> Refusal {
    Refusal::forbidden(remark).with_header(&by)
}

fn check_group(parts: &Parts, request: &PullMessageRequest) -> Result<Arc<SubscriptionGroupConfig>, Refusal> {
    let name = &request.consumer_group;
    let group = parts.groups.required(name)?;
    if !group.consume_enable {
        let remark = format!("subscription group no permission, {name}");
        return Err(forbidden(remark, ForbiddenPull::GROUP));
    }
    Ok(group)
}

/// Refuses consumers that pull by themselves where the broker's owner wants none.
fn check_kind(parts: &Parts, channel: u64, group: &str) -> Result<(), Refusal> {
    if !parts.settings.live().reject_pull_consumers || is_system_group(group) {
        return Ok(());
    }
    let consumers = parts.clients.consumers.lock();
    let welcome = consumers.group(group).is_some_and(|live| {
        live.consume_type() != ConsumeType::Actively || live.members().any(|member| member.channel == channel)
    });
    if welcome {
        return Ok(());
    }
    let remark = "the consumer's group info not exist, or the pull consumer is rejected by server.";
    Err(Refusal::new(ResponseCode::SUBSCRIPTION_NOT_EXIST, remark))
}

fn check_topic(parts: &Parts, request: &PullMessageRequest) -> Result<Arc<TopicConfig>, Refusal> {
    let name = &request.topic;
    let topic = parts.topics.get(name).ok_or_else(|| Refusal::no_topic(name))?;
    if !topic.perm.is_readable() {
        let remark = format!("the topic[{name}] pulling message is forbidden");
        return Err(forbidden(remark, ForbiddenPull::TOPIC));
    }
    if !(0..topic.read_queue_nums).contains(&request.queue_id) {
        return Err(Refusal::invalid(format_args!(
            "queueId[{}] is illegal, topic:[{name}] topicConfig.readQueueNums:[{}] consumer:[{}]",
            request.queue_id, topic.read_queue_nums, request.consumer_group
        )));
    }
    Ok(topic)
}

fn subscription_filter(
    parts: &Parts,
    request: &PullMessageRequest,
    group: &SubscriptionGroupConfig,
) -> Result<Filter, Refusal> {
    let subscription = if PullFlag(request.sys_flag).has(PullFlag::SUBSCRIPTION) {
        Arc::new(inline_subscription(request)?)
    } else {
        registered_subscription(parts, request, group)?
    };
    filter_of(&parts.settings, &subscription)
}

fn inline_subscription(request: &PullMessageRequest) -> Result<SubscriptionData, Refusal> {
    let expression = request.subscription.as_deref().unwrap_or_default();
    SubscriptionData::of_type(&request.topic, expression, request.expression_type.as_deref()).map_err(
        |error| {
            let remark = format!("parse the consumer's subscription failed: {error}");
            Refusal::new(ResponseCode::SUBSCRIPTION_PARSE_FAILED, remark)
        },
    )
}

fn registered_subscription(
    parts: &Parts,
    request: &PullMessageRequest,
    group: &SubscriptionGroupConfig,
) -> Result<Arc<SubscriptionData>, Refusal> {
    let consumers = parts.clients.consumers.lock();
    let live = consumers.group(&request.consumer_group).ok_or_else(|| {
        Refusal::new(ResponseCode::SUBSCRIPTION_NOT_EXIST, "the consumer's group info not exist")
    })?;
    if live.is_broadcasting() && !group.consume_broadcast_enable {
        let remark =
            format!("the consumer group[{}] can not consume by broadcast way", request.consumer_group);
        return Err(forbidden(remark, ForbiddenPull::BROADCAST));
    }
    if !parts.groups.is_readable(&request.consumer_group, &request.topic) {
        let remark = format!(
            "the consumer group[{}] is forbidden for topic[{}]",
            request.consumer_group, request.topic
        );
        return Err(forbidden(remark, ForbiddenPull::SUBSCRIPTION));
    }
    let subscription = live.subscription(&request.topic).ok_or_else(|| {
        Refusal::new(ResponseCode::SUBSCRIPTION_NOT_EXIST, "the consumer's subscription not exist")
    })?;
    if subscription.sub_version < request.sub_version {
        return Err(Refusal::new(
            ResponseCode::SUBSCRIPTION_NOT_LATEST,
            "the consumer's subscription not latest",
        ));
    }
    Ok(subscription.clone())
}

/// The filter behind a subscription.
///
/// # Errors
/// Code 1 when property filters are switched off, 23 when the expression cannot be read.
pub(crate) fn filter_of(settings: &Current, subscription: &SubscriptionData) -> Result<Filter, Refusal> {
    if !subscription.is_tag() && !settings.live().property_filter {
        let remark = format!(
            "The broker does not support consumer to filter message by {}",
            subscription.expression_type
        );
        return Err(Refusal::system(remark));
    }
    Filter::of(subscription)
        .map_err(|error| Refusal::new(ResponseCode::SUBSCRIPTION_PARSE_FAILED, error.to_string()))
}

/// Runs a pull, for which the disk may have to be waited for.
fn run(parts: &Parts, pull: &Pull) -> Answered<Found> {
    match take_reset(parts, &pull.request) {
        Some(offset) => reset_to(parts, pull, offset),
        None => answer(parts, pull, read(parts, pull)),
    }
}

/// Runs a pull unless the disk has to be waited for.
fn run_at_once(parts: &Parts, pull: &Pull) -> Option<Answered<Found>> {
    match take_reset(parts, &pull.request) {
        Some(offset) => Some(reset_to(parts, pull, offset)),
        None => Some(answer(parts, pull, read_at_once(parts, pull)?)),
    }
}

fn take_reset(parts: &Parts, request: &PullMessageRequest) -> Option<i64> {
    let mut offsets = parts.offsets.lock();
    if !offsets.has_pending() {
        return None;
    }
    offsets.take_reset(&request.topic, &request.consumer_group, request.queue_id)
}

fn reset_to(parts: &Parts, pull: &Pull, offset: i64) -> Answered<Found> {
    let (topic, queue) = (&pull.request.topic, pull.request.queue_id);
    let header = PullMessageResponse {
        next_begin_offset: offset,
        min_offset: parts.log.store.min_offset(topic, queue),
        max_offset: parts.log.store.max_offset(topic, queue),
        ..header(pull)
    };
    Answered::with_code(ResponseCode::PULL_OFFSET_MOVED, (header, Bytes::new())).with_remark("OFFSET_RESET")
}

fn read(parts: &Parts, pull: &Pull) -> Fetched {
    let (request, limits) = (&pull.request, limits(parts, pull));
    parts.log.store.get(&request.topic, request.queue_id, request.queue_offset, limits, &pull.filter)
}

fn read_at_once(parts: &Parts, pull: &Pull) -> Option<Fetched> {
    let (request, limits) = (&pull.request, limits(parts, pull));
    parts.log.store.get_at_once(&request.topic, request.queue_id, request.queue_offset, limits, &pull.filter)
}

fn limits(parts: &Parts, pull: &Pull) -> GetLimits {
    let live = parts.settings.live();
    let wanted = usize::try_from(pull.request.max_msg_nums).unwrap_or(0);
    GetLimits { max_messages: wanted.clamp(1, live.max_pull_messages), max_bytes: live.max_pull_bytes }
}

fn answer(parts: &Parts, pull: &Pull, fetched: Fetched) -> Answered<Found> {
    let request = &pull.request;
    parts.log.count_get(&request.topic, &request.consumer_group, &fetched.records);
    let header = PullMessageResponse {
        next_begin_offset: fetched.next_begin,
        min_offset: fetched.min,
        max_offset: fetched.max,
        ..header(pull)
    };
    let code = wire_code(fetched.status, request.queue_offset);
    Answered::with_code(code, (header, joined(fetched.records))).with_remark(fetched.status.name())
}

/// The part of the answer that does not depend on what is found.
fn header(pull: &Pull) -> PullMessageResponse {
    PullMessageResponse {
        suggest_which_broker_id: MASTER_ID,
        topic_sys_flag: Some(pull.topic.topic_sys_flag),
        group_sys_flag: Some(pull.group.group_sys_flag),
        ..PullMessageResponse::default()
    }
}

/// The records one after the other, as the client reads them.
pub(crate) fn joined(mut bodies: Vec<Bytes>) -> Bytes {
    if bodies.len() == 1 {
        return bodies.remove(0);
    }
    let mut body = BytesMut::with_capacity(bodies.iter().map(Bytes::len).sum());
    for part in &bodies {
        body.extend_from_slice(part);
    }
    body.freeze()
}

/// The response code of a store status. 21 makes a client drop what it has of the queue, so nothing ordinary may be 21.
fn wire_code(status: GetStatus, requested: i64) -> ResponseCode {
    match status {
        GetStatus::Found => ResponseCode::SUCCESS,
        GetStatus::NoMatchedMessage | GetStatus::MessageWasRemoving => ResponseCode::PULL_RETRY_IMMEDIATELY,
        GetStatus::NoMatchedLogicQueue | GetStatus::NoMessageInQueue if requested != 0 => {
            ResponseCode::PULL_OFFSET_MOVED
        }
        GetStatus::OffsetTooSmall | GetStatus::OffsetOverflowBadly => ResponseCode::PULL_OFFSET_MOVED,
        _ => ResponseCode::PULL_NOT_FOUND,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_queue_is_nothing_new_at_zero_and_illegal_elsewhere() {
        let code = |status, at| wire_code(status, at);
        assert_eq!(code(GetStatus::NoMessageInQueue, 0), ResponseCode::PULL_NOT_FOUND);
        assert_eq!(code(GetStatus::NoMessageInQueue, 5), ResponseCode::PULL_OFFSET_MOVED);
        assert_eq!(code(GetStatus::OffsetOverflowOne, 5), ResponseCode::PULL_NOT_FOUND);
        assert_eq!(code(GetStatus::OffsetOverflowBadly, 5), ResponseCode::PULL_OFFSET_MOVED);
        assert_eq!(code(GetStatus::OffsetTooSmall, -1), ResponseCode::PULL_OFFSET_MOVED);
        assert_eq!(code(GetStatus::NoMatchedMessage, 5), ResponseCode::PULL_RETRY_IMMEDIATELY);
        assert_eq!(code(GetStatus::Found, 5), ResponseCode::SUCCESS);
    }
}
