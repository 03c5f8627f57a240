//! PULL_MESSAGE (11) and LITE_PULL_MESSAGE (361): who may read what, what is there, and what is said when nothing is.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use rocketmq_remoting::body::group::SubscriptionGroupConfig;
use rocketmq_remoting::body::topic::TopicConfig;
use rocketmq_remoting::code::{RequestCode, ResponseCode};
use rocketmq_remoting::message::PullFlag;
use rocketmq_remoting::net::{Answer, Connection};
use rocketmq_remoting::requests::pull::PullMessageRequest;
use rocketmq_remoting::route::Perm;
use rocketmq_remoting::subscription::SubscriptionData;
use rocketmq_remoting::{Command, ExtFields, HeaderCodec, Request};

use crate::broker::answer::Refusal;
use crate::broker::core::Core;
use crate::broker::settings::millis;
use crate::filter::Filter;
use crate::store::{GetLimits, GetStatus};

/// Why a pull is forbidden, as the response's `forbiddenType`.
mod forbidden {
    pub const BROKER: &str = "1";
    pub const GROUP: &str = "2";
    pub const TOPIC: &str = "3";
    pub const BROADCAST: &str = "4";
    pub const SUBSCRIPTION: &str = "5";
}

/// A pull that passed its checks: all it takes to run it, now or after a wait.
#[derive(Debug)]
pub struct Pull {
    pub connection: Connection,
    pub request: PullMessageRequest,
    pub filter: Filter,
    opaque: i32,
    codec: HeaderCodec,
    topic: Arc<TopicConfig>,
    group: Arc<SubscriptionGroupConfig>,
}

/// Answers a pull, or parks it.
pub fn handle(core: &Arc<Core>, connection: &Connection, command: &Command) -> Answer {
    let pull = match check(core, connection, command) {
        Ok(pull) => pull,
        Err(refusal) => return Answer::Now(refusal.into_command()),
    };
    note_commit(core, &pull.request);
    let answer = run(core, &pull);
    match wait_for(core, &pull, &answer) {
        None => Answer::Now(answer),
        Some(deadline) => {
            park(core, pull, deadline);
            Answer::None
        }
    }
}

/// Runs a woken pull and sends what it finds, be it nothing: a pull waits once.
pub fn resume(core: &Core, pull: &Pull) {
    let answer = run(core, pull).answer(pull.opaque, pull.codec);
    // A closed connection has nobody to tell.
    let _ = pull.connection.push(answer);
}

fn note_commit(core: &Core, request: &PullMessageRequest) {
    if PullFlag(request.sys_flag).has(PullFlag::COMMIT_OFFSET) {
        let mut offsets = core.offsets.lock();
        offsets.commit(&request.topic, &request.consumer_group, request.queue_id, request.commit_offset);
    }
}

/// Until when an unsuccessful pull waits; `None` when it is to be answered now.
fn wait_for(core: &Core, pull: &Pull, answer: &Command) -> Option<i64> {
    let suspends = PullFlag(pull.request.sys_flag).has(PullFlag::SUSPEND);
    if answer.response_code() != ResponseCode::PULL_NOT_FOUND || !suspends {
        return None;
    }
    if core.parking.len() >= core.tuned().max_parked_pulls {
        return None;
    }
    let hold = if core.tuned().long_polling {
        pull.request.suspend_timeout_millis.max(0)
    } else {
        millis(core.tuned().short_polling)
    };
    Some(core.now().saturating_add(hold))
}

fn park(core: &Core, pull: Pull, deadline: i64) {
    let (topic, queue) = (pull.request.topic.clone(), pull.request.queue_id);
    core.parking.park(pull, deadline);
    // A message may have come between the read and the parking; nobody else would tell.
    core.parking.recheck_queue(&topic, queue, core.store.max_offset(&topic, queue));
}

fn check(core: &Core, connection: &Connection, command: &Command) -> Result<Pull, Refusal> {
    let request = PullMessageRequest::from_ext(&command.ext)?;
    check_switches(core, command)?;
    let group = check_group(core, &request)?;
    let topic = check_topic(core, &request)?;
    let filter = subscription_filter(core, &request, &group)?;
    Ok(Pull {
        connection: connection.clone(),
        filter,
        opaque: command.opaque,
        codec: command.codec,
        topic,
        group,
        request,
    })
}

fn check_switches(core: &Core, command: &Command) -> Result<(), Refusal> {
    if !Perm(core.tuned().broker_permission).is_readable() {
        let remark = format!("the broker[{}] pulling message is forbidden", core.address);
        return Err(Refusal::forbidden(remark).with_ext("forbiddenType", forbidden::BROKER));
    }
    if command.request_code() == RequestCode::LITE_PULL_MESSAGE && !core.tuned().lite_pull {
        return Err(Refusal::forbidden(
            "the broker has no permission for lite pull, litePullMessageEnable is false",
        ));
    }
    Ok(())
}

fn check_group(core: &Core, request: &PullMessageRequest) -> Result<Arc<SubscriptionGroupConfig>, Refusal> {
    let name = &request.consumer_group;
    let group = core.groups.find(name).map_err(Refusal::system)?.ok_or_else(|| Refusal::no_group(name))?;
    if !group.consume_enable {
        let remark = format!("subscription group no permission, {name}");
        return Err(Refusal::forbidden(remark).with_ext("forbiddenType", forbidden::GROUP));
    }
    Ok(group)
}

fn check_topic(core: &Core, request: &PullMessageRequest) -> Result<Arc<TopicConfig>, Refusal> {
    let name = &request.topic;
    let topic = core.topics.get(name).ok_or_else(|| Refusal::no_topic(name))?;
    if !topic.perm.is_readable() {
        let remark = format!("the topic[{name}] pulling message is forbidden");
        return Err(Refusal::forbidden(remark).with_ext("forbiddenType", forbidden::TOPIC));
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
    core: &Core,
    request: &PullMessageRequest,
    group: &SubscriptionGroupConfig,
) -> Result<Filter, Refusal> {
    let subscription = if PullFlag(request.sys_flag).has(PullFlag::SUBSCRIPTION) {
        Arc::new(inline_subscription(request)?)
    } else {
        registered_subscription(core, request, group)?
    };
    filter_of(core, &subscription)
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
    core: &Core,
    request: &PullMessageRequest,
    group: &SubscriptionGroupConfig,
) -> Result<Arc<SubscriptionData>, Refusal> {
    let consumers = core.consumers.lock();
    let live = consumers.group(&request.consumer_group).ok_or_else(|| {
        Refusal::new(ResponseCode::SUBSCRIPTION_NOT_EXIST, "the consumer's group info not exist")
    })?;
    if live.is_broadcasting() && !group.consume_broadcast_enable {
        let remark =
            format!("the consumer group[{}] can not consume by broadcast way", request.consumer_group);
        return Err(Refusal::forbidden(remark).with_ext("forbiddenType", forbidden::BROADCAST));
    }
    if !core.groups.is_readable(&request.consumer_group, &request.topic) {
        let remark = format!(
            "the consumer group[{}] is forbidden for topic[{}]",
            request.consumer_group, request.topic
        );
        return Err(Refusal::forbidden(remark).with_ext("forbiddenType", forbidden::SUBSCRIPTION));
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
pub fn filter_of(core: &Core, subscription: &SubscriptionData) -> Result<Filter, Refusal> {
    if !subscription.is_tag() && !core.tuned().property_filter {
        let remark = format!(
            "The broker does not support consumer to filter message by {}",
            subscription.expression_type
        );
        return Err(Refusal::system(remark));
    }
    Filter::of(subscription)
        .map_err(|error| Refusal::new(ResponseCode::SUBSCRIPTION_PARSE_FAILED, error.to_string()))
}

/// What a read came to, before it is put into words.
struct Found {
    code: ResponseCode,
    status: &'static str,
    next: i64,
    min: i64,
    max: i64,
    body: Bytes,
}

fn run(core: &Core, pull: &Pull) -> Command {
    let found = match take_reset(core, &pull.request) {
        Some(offset) => reset_to(core, &pull.request, offset),
        None => read(core, pull),
    };
    Command::response(found.code)
        .with_remark(found.status)
        .with_ext(header(pull, &found))
        .with_body(found.body)
}

fn take_reset(core: &Core, request: &PullMessageRequest) -> Option<i64> {
    let mut offsets = core.offsets.lock();
    if !offsets.has_pending() {
        return None;
    }
    offsets.take_reset(&request.topic, &request.consumer_group, request.queue_id)
}

fn reset_to(core: &Core, request: &PullMessageRequest, offset: i64) -> Found {
    Found {
        code: ResponseCode::PULL_OFFSET_MOVED,
        status: "OFFSET_RESET",
        next: offset,
        min: core.store.min_offset(&request.topic, request.queue_id),
        max: core.store.max_offset(&request.topic, request.queue_id),
        body: Bytes::new(),
    }
}

fn read(core: &Core, pull: &Pull) -> Found {
    let request = &pull.request;
    let limits = GetLimits {
        max_messages: usize::try_from(request.max_msg_nums)
            .unwrap_or(0)
            .clamp(1, core.tuned().max_pull_messages),
        max_bytes: core.tuned().max_pull_bytes,
    };
    let fetched =
        core.store.get(&request.topic, request.queue_id, request.queue_offset, limits, &pull.filter);
    core.count_get(&request.topic, &request.consumer_group, &fetched.records);
    Found {
        code: wire_code(fetched.status, request.queue_offset),
        status: fetched.status.name(),
        next: fetched.next_begin,
        min: fetched.min,
        max: fetched.max,
        body: joined(fetched.records),
    }
}

/// The records one after the other, as the client reads them.
pub fn joined(mut bodies: Vec<Bytes>) -> Bytes {
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

fn header(pull: &Pull, found: &Found) -> ExtFields {
    let mut ext = ExtFields::with_capacity(6, 128);
    ext.push_int("suggestWhichBrokerId", 0_i64);
    ext.push_int("nextBeginOffset", found.next);
    ext.push_int("minOffset", found.min);
    ext.push_int("maxOffset", found.max);
    ext.push_int("topicSysFlag", pull.topic.topic_sys_flag);
    ext.push_int("groupSysFlag", pull.group.group_sys_flag);
    ext
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
