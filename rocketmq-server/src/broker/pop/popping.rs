//! POP_MESSAGE (200050): hands out messages for a time, or waits for some.

use rocketmq_remoting::body::topic::TopicConfig;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::net::{Answer, Connection};
use rocketmq_remoting::requests::pop::{PopMessageRequest, PopMessageResponse};
use rocketmq_remoting::subscription::SubscriptionData;
use rocketmq_remoting::{Command, ExtFields, HeaderCodec, Request};

use super::checks::{Target, check_broker, check_target};
use super::parking::NoRoom;
use super::take::{Taken, ends, take};
use crate::broker::answer::{Refusal, Reply};
use crate::broker::core::Core;
use crate::broker::pull::message::{filter_of, joined};
use crate::filter::Filter;

/// The most messages of one pop.
const MAX_MESSAGES: i32 = 32;
/// The numbers of an answer.
const NUMBERS: [&str; 4] = ["popTime", "invisibleTime", "reviveQid", "restNum"];
/// How much longer than it wanted to wait a request may be under way, in milliseconds.
const LATE: i64 = 500;

/// A pop that passed its checks: all it takes to run it, now or after a wait.
#[derive(Debug)]
pub struct PopCall {
    pub connection: Connection,
    pub request: PopMessageRequest,
    pub filter: Filter,
    opaque: i32,
    codec: HeaderCodec,
}

/// Answers a pop, or lets it wait.
pub fn handle(core: &Core, connection: &Connection, command: &Command) -> Answer {
    let answer = check(core, connection, command).and_then(|call| serve(core, call));
    match answer {
        Ok(Some(answer)) => Answer::Now(answer),
        Ok(None) => Answer::None,
        Err(refusal) => Answer::Now(refusal.with_zeros(&NUMBERS).into_command()),
    }
}

/// Runs a woken pop again. It waits on if there is nothing and time is left.
pub fn resume(core: &Core, call: PopCall) {
    let PopCall { connection, opaque, codec, .. } = &call;
    let (connection, opaque, codec) = (connection.clone(), *opaque, *codec);
    if connection.is_closed() {
        let request = &call.request;
        return core.pop.parking.ready(&request.topic, &request.consumer_group, request.queue_id);
    }
    let answer = match serve(core, call) {
        Ok(Some(answer)) => answer,
        Ok(None) => return,
        Err(refusal) => refusal.with_zeros(&NUMBERS).into_command(),
    };
    // Nobody to tell: the messages are handed out again when their time is over.
    let _ = connection.push(answer.answer(opaque, codec));
}

fn check(core: &Core, connection: &Connection, command: &Command) -> Result<PopCall, Refusal> {
    let mut request = PopMessageRequest::from_ext(&command.ext)?;
    let now = core.now();
    if request.born_time == 0 {
        request.born_time = now;
    }
    if now.saturating_sub(request.born_time).saturating_sub(request.poll_time) > LATE {
        let remark = format!("the broker[{}] pop message is timeout too much", core.address);
        return Err(Refusal::new(ResponseCode::POLLING_TIMEOUT, remark));
    }
    check_broker(core, "pop")?;
    check_size(core, &request)?;
    if !core.settings.timers {
        let remark = format!(
            "the broker[{}] pop message is forbidden because timerWheelEnable is false",
            core.address
        );
        return Err(Refusal::system(remark));
    }
    check_target(core, target(&request))?;
    let filter = filter(core, &request)?;
    let connection = connection.clone();
    Ok(PopCall { connection, request, filter, opaque: command.opaque, codec: command.codec })
}

fn check_size(core: &Core, request: &PopMessageRequest) -> Result<(), Refusal> {
    if request.max_msg_nums > MAX_MESSAGES {
        let address = core.address;
        let remark = format!("the broker[{address}] pop message's num is greater than {MAX_MESSAGES}");
        return Err(Refusal::invalid(remark));
    }
    Ok(())
}

fn target(request: &PopMessageRequest) -> Target<'_> {
    Target { topic: &request.topic, group: &request.consumer_group, queue: request.queue_id }
}

fn filter(core: &Core, request: &PopMessageRequest) -> Result<Filter, Refusal> {
    let expression = request.exp.as_deref().unwrap_or_default();
    if expression.is_empty() {
        return Ok(Filter::All);
    }
    let kind = request.exp_type.as_deref();
    let subscription = SubscriptionData::of_type(&request.topic, expression, kind).map_err(|error| {
        let remark = format!("parse the consumer's subscription failed: {error}");
        Refusal::new(ResponseCode::SUBSCRIPTION_PARSE_FAILED, remark)
    })?;
    filter_of(core, &subscription)
}

/// `None` when the request was let wait.
fn serve(core: &Core, call: PopCall) -> Result<Option<Command>, Refusal> {
    let topic = core.topics.get(&call.request.topic).ok_or_else(|| Refusal::no_topic(&call.request.topic))?;
    let taken = take(core, &topic, &call.request, &call.filter);
    core.count_get(&call.request.topic, &call.request.consumer_group, &taken.records);
    if !taken.records.is_empty() {
        if taken.rest > 0 {
            let request = &call.request;
            core.pop.parking.ready(&request.topic, &request.consumer_group, request.queue_id);
        }
        return found(&call.request, taken).map(Some);
    }
    let request = &call.request;
    let key = (request.topic.as_str(), request.consumer_group.as_str(), request.queue_id);
    let times = (request.born_time, request.poll_time);
    match core.pop.parking.room_for(key, times, core.now(), &core.tuned().pop) {
        Ok(deadline) => {
            park(core, call, deadline, &topic, &taken);
            Ok(None)
        }
        Err(NoRoom::Full) => nothing(request, taken, ResponseCode::POLLING_FULL).map(Some),
        Err(NoRoom::TimeOver) => nothing(request, taken, ResponseCode::POLLING_TIMEOUT).map(Some),
    }
}

fn park(core: &Core, call: PopCall, deadline: i64, topic: &TopicConfig, taken: &Taken) {
    let request = call.request.clone();
    core.pop.parking.park_pop(call, deadline);
    // A message may have come between the look and the wait, or lie behind a long stretch of unwanted ones. Nobody
    // else would tell.
    if (taken.moved && taken.rest > 0) || ends(core, topic, &request) > taken.ends {
        core.pop.parking.ready(&request.topic, &request.consumer_group, request.queue_id);
    }
}

fn found(request: &PopMessageRequest, mut taken: Taken) -> Reply {
    let body = joined(std::mem::take(&mut taken.records));
    let answer = Command::response(ResponseCode::SUCCESS).with_remark("FOUND");
    Ok(answer.with_ext(header(request, taken)?).with_body(body))
}

fn nothing(request: &PopMessageRequest, taken: Taken, code: ResponseCode) -> Reply {
    let answer = Command::response(code).with_remark("NO_MESSAGE_IN_QUEUE");
    Ok(answer.with_ext(header(request, taken)?))
}

fn header(request: &PopMessageRequest, taken: Taken) -> Result<ExtFields, Refusal> {
    Ok(ExtFields::from_header(&PopMessageResponse {
        pop_time: taken.pop_time,
        invisible_time: request.invisible_time,
        revive_qid: taken.revive_queue,
        rest_num: taken.rest,
        start_offset_info: Some(taken.info.starts),
        msg_offset_info: Some(taken.info.messages),
        order_count_info: request.order.then_some(taken.info.counts),
    })?)
}
