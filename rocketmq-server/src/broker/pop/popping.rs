//! POP_MESSAGE (200050): hands out messages for a time, or waits for some.

use std::sync::Arc;

use bytes::Bytes;
use rocketmq_remoting::Answered;
use rocketmq_remoting::body::topic::TopicConfig;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::requests::pop::{PopMessageRequest, PopMessageResponse};
use rocketmq_remoting::subscription::SubscriptionData;
use tokio_util::task::TaskTracker;

use super::calls::{PopCall, Popped};
use super::checks::{Target, check_broker, check_invisible_time, check_target};
use super::parking::NoRoom;
use super::parts::Parts;
use super::take::{Taken, ends, take};
use crate::broker::background::beside;
use crate::broker::pull::message::{filter_of, joined};
use crate::exchange::{Asked, Refusal, Reply};
use crate::filter::Filter;
use crate::store::Reach;

/// The most messages of one pop.
const MAX_MESSAGES: i32 = 32;
/// A request may be under way this much longer than it wants to wait, in milliseconds.
const LATE: i64 = 500;

/// Answers a pop, or lets it wait.
pub(crate) fn pop(parts: &Parts, asked: Asked<'_, PopMessageRequest>) -> Reply<Popped> {
    let call = match check(parts, asked) {
        Ok(call) => call,
        Err(refusal) => return Reply::refused(with_numbers(refusal)),
    };
    match serve(parts, call, Reach::Memory) {
        Ok(Served::BeyondReach(call)) => {
            let parts = parts.clone();
            Reply::blocking(move || answer(&parts, call))
        }
        served => answered(served).map_or(Reply::Held, Reply::Now),
    }
}

type Answer = Result<Answered<Popped>, Refusal>;

/// Pops, from files too. `None` when the request was let wait.
fn answer(parts: &Parts, call: PopCall) -> Option<Answer> {
    answered(serve(parts, call, Reach::Disk))
}

fn answered(served: Result<Served, Refusal>) -> Option<Answer> {
    match served {
        Ok(Served::Now(answered)) => Some(Ok(answered)),
        Ok(Served::Waits | Served::BeyondReach(_)) => None,
        Err(refusal) => Some(Err(with_numbers(refusal))),
    }
}

/// Runs a woken pop again. It waits on if there is nothing and time is left.
pub(crate) fn resume(parts: &Arc<Parts>, call: PopCall, tasks: &TaskTracker) {
    let reply_to = call.reply_to.clone();
    if reply_to.connection.is_closed() {
        let request = &call.request;
        return parts.state.parking.ready(&request.topic, &request.consumer_group, request.queue_id);
    }
    // With nobody to tell, the messages are handed out again when their time is over.
    match serve(parts, call, Reach::Memory) {
        Ok(Served::BeyondReach(call)) => {
            let parts = parts.clone();
            beside(tasks, move || answer(&parts, call).into_iter().for_each(|answer| reply_to.send(answer)));
        }
        served => answered(served).into_iter().for_each(|answer| reply_to.send(answer)),
    }
}

/// Java clients read the numbers of an answer from refusals too.
fn with_numbers(refusal: Refusal) -> Refusal {
    refusal.with_header(&PopMessageResponse::default())
}

fn check(parts: &Parts, asked: Asked<'_, PopMessageRequest>) -> Result<PopCall, Refusal> {
    let (reply_to, mut request) = (asked.reply_to(), asked.header);
    let now = parts.log.now();
    if request.born_time == 0 {
        request.born_time = now;
    }
    if now.saturating_sub(request.born_time).saturating_sub(request.poll_time) > LATE {
        let remark = format!("the broker[{}] pop message is timeout too much", parts.settings.address);
        return Err(Refusal::new(ResponseCode::POLLING_TIMEOUT, remark));
    }
    check_broker(parts, "pop")?;
    check_size(parts, &request)?;
    if !request.order {
        check_invisible_time(parts, request.invisible_time)?;
    }
    if !parts.settings.fixed.timers {
        let remark = format!(
            "the broker[{}] pop message is forbidden because timerWheelEnable is false",
            parts.settings.address
        );
        return Err(Refusal::system(remark));
    }
    check_target(parts, target(&request))?;
    let filter = filter(parts, &request)?;
    Ok(PopCall { request, filter, reply_to })
}

fn check_size(parts: &Parts, request: &PopMessageRequest) -> Result<(), Refusal> {
    if request.max_msg_nums > MAX_MESSAGES {
        let address = parts.settings.address;
        let remark = format!("the broker[{address}] pop message's num is greater than {MAX_MESSAGES}");
        return Err(Refusal::invalid(remark));
    }
    Ok(())
}

fn target(request: &PopMessageRequest) -> Target<'_> {
    Target { topic: &request.topic, group: &request.consumer_group, queue: request.queue_id }
}

fn filter(parts: &Parts, request: &PopMessageRequest) -> Result<Filter, Refusal> {
    let expression = request.exp.as_deref().unwrap_or_default();
    if expression.is_empty() {
        return Ok(Filter::All);
    }
    let kind = request.exp_type.as_deref();
    let subscription = SubscriptionData::of_type(&request.topic, expression, kind).map_err(|error| {
        let remark = format!("parse the consumer's subscription failed: {error}");
        Refusal::new(ResponseCode::SUBSCRIPTION_PARSE_FAILED, remark)
    })?;
    filter_of(&parts.settings, &subscription)
}

enum Served {
    Now(Answered<Popped>),
    /// A message answers it, or the end of its time.
    Waits,
    /// Only the disk has what comes first.
    BeyondReach(PopCall),
}

fn serve(parts: &Parts, call: PopCall, reach: Reach) -> Result<Served, Refusal> {
    let topic =
        parts.topics.get(&call.request.topic).ok_or_else(|| Refusal::no_topic(&call.request.topic))?;
    let taken = take(parts, &topic, &call.request, &call.filter, reach);
    if taken.records.is_empty() && taken.is_cut {
        return Ok(Served::BeyondReach(call));
    }
    parts.log.count_get(&call.request.topic, &call.request.consumer_group, &taken.records);
    if !taken.records.is_empty() {
        if taken.rest > 0 {
            let request = &call.request;
            parts.state.parking.ready(&request.topic, &request.consumer_group, request.queue_id);
        }
        return Ok(Served::Now(found(&call.request, taken)));
    }
    let request = &call.request;
    let key = (request.topic.as_str(), request.consumer_group.as_str(), request.queue_id);
    let times = (request.born_time, request.poll_time);
    match parts.state.parking.room_for(key, times, parts.log.now(), &parts.settings.live().pop) {
        Ok(deadline) => {
            park(parts, call, deadline, &topic, &taken);
            Ok(Served::Waits)
        }
        Err(NoRoom::Full) => Ok(Served::Now(nothing(request, taken, ResponseCode::POLLING_FULL))),
        Err(NoRoom::TimeOver) => Ok(Served::Now(nothing(request, taken, ResponseCode::POLLING_TIMEOUT))),
    }
}

fn park(parts: &Parts, call: PopCall, deadline: i64, topic: &TopicConfig, taken: &Taken) {
    let request = call.request.clone();
    parts.state.parking.park_pop(call, deadline);
    // A message may have come between the look and the wait, or lie behind a long stretch of unwanted ones. Nobody
    // else would tell.
    if (taken.moved && taken.rest > 0) || ends(parts, topic, &request) > taken.ends {
        parts.state.parking.ready(&request.topic, &request.consumer_group, request.queue_id);
    }
}

fn found(request: &PopMessageRequest, mut taken: Taken) -> Answered<Popped> {
    let messages = joined(std::mem::take(&mut taken.records));
    Answered::from((header(request, taken), messages)).with_remark("FOUND")
}

fn nothing(request: &PopMessageRequest, taken: Taken, code: ResponseCode) -> Answered<Popped> {
    Answered::with_code(code, (header(request, taken), Bytes::new())).with_remark("NO_MESSAGE_IN_QUEUE")
}

fn header(request: &PopMessageRequest, taken: Taken) -> PopMessageResponse {
    PopMessageResponse {
        pop_time: taken.pop_time,
        invisible_time: request.invisible_time,
        revive_qid: taken.revive_queue,
        rest_num: taken.rest,
        start_offset_info: Some(taken.info.starts),
        msg_offset_info: Some(taken.info.messages),
        order_count_info: request.order.then_some(taken.info.counts),
    }
}
