//! NOTIFICATION (200054): waits until there is something to pop, and says so without taking it.

use rocketmq_remoting::net::{Answer, Connection};
use rocketmq_remoting::requests::pop::{NotificationRequest, NotificationResponse};
use rocketmq_remoting::{Command, HeaderCodec, Request};

use super::checks::{Target, check_broker, check_target, queues};
use super::offset;
use super::parking::NoRoom;
use crate::broker::answer::{Refusal, Reply, ok_header};
use crate::broker::core::Core;

/// A notification that passed its checks.
#[derive(Debug)]
pub struct NotificationCall {
    pub connection: Connection,
    pub request: NotificationRequest,
    opaque: i32,
    codec: HeaderCodec,
}

/// Answers a notification, or lets it wait.
pub fn handle(core: &Core, connection: &Connection, command: &Command) -> Answer {
    let reply = check(core, connection, command).and_then(|call| serve(core, call));
    match reply {
        Ok(Some(answer)) => Answer::Now(answer),
        Ok(None) => Answer::None,
        Err(refusal) => Answer::Now(refusal.into_command()),
    }
}

/// Looks again for a woken notification. It waits on if there is nothing and time is left.
pub fn resume(core: &Core, call: NotificationCall) {
    let NotificationCall { connection, opaque, codec, .. } = &call;
    let (connection, opaque, codec) = (connection.clone(), *opaque, *codec);
    let answer = match serve(core, call) {
        Ok(Some(answer)) => answer,
        Ok(None) => return,
        Err(refusal) => refusal.into_command(),
    };
    // A closed connection has nobody to tell.
    let _ = connection.push(answer.answer(opaque, codec));
}

fn check(core: &Core, connection: &Connection, command: &Command) -> Result<NotificationCall, Refusal> {
    let mut request = NotificationRequest::from_ext(&command.ext)?;
    if request.born_time == 0 {
        request.born_time = core.now();
    }
    check_broker(core, "peeking")?;
    check_target(core, target(&request))?;
    let connection = connection.clone();
    Ok(NotificationCall { connection, request, opaque: command.opaque, codec: command.codec })
}

fn target(request: &NotificationRequest) -> Target<'_> {
    Target { topic: &request.topic, group: &request.consumer_group, queue: request.queue_id }
}

fn serve(core: &Core, call: NotificationCall) -> Result<Option<Command>, Refusal> {
    if has_message(core, &call.request)? {
        return answer(true, false).map(Some);
    }
    let request = call.request.clone();
    let key = (request.topic.as_str(), request.consumer_group.as_str(), request.queue_id);
    let times = (request.born_time, request.poll_time);
    match core.pop.parking.room_for(key, times, core.now(), &core.tuned().pop) {
        Ok(deadline) => {
            core.pop.parking.park_notification(call, deadline);
            // A message may have come between the look and the wait; nobody else would tell.
            if has_message(core, &request)? {
                core.pop.parking.ready(key.0, key.1, key.2);
            }
            Ok(None)
        }
        Err(no_room) => answer(false, no_room == NoRoom::Full).map(Some),
    }
}

fn answer(has_msg: bool, full: bool) -> Reply {
    ok_header(&NotificationResponse { has_msg, polling_full: Some(full) })
}

fn has_message(core: &Core, request: &NotificationRequest) -> Result<bool, Refusal> {
    let topic = core.topics.get(&request.topic).ok_or_else(|| Refusal::no_topic(&request.topic))?;
    let chance = rand::random_range(0..100);
    let group = &request.consumer_group;
    let retry = offset::look(core, &request.topic, group, chance).origin.topic(group, &request.topic);
    let in_retry = core.topics.get(&retry).is_some_and(|config| {
        queues(&config, -1, chance).into_iter().any(|queue| is_ready(core, request, &retry, queue))
    });
    let own = queues(&topic, request.queue_id, chance);
    Ok(in_retry || own.into_iter().any(|queue| is_ready(core, request, &request.topic, queue)))
}

fn is_ready(core: &Core, request: &NotificationRequest, topic: &str, queue: i32) -> bool {
    let group = &request.consumer_group;
    if request.order == Some(true) {
        let attempt = request.attempt_id.as_deref();
        if core.pop.orders.is_blocked(&request.topic, group, queue, attempt, core.now()) {
            return false;
        }
    }
    offset::has_message(core, topic, group, queue)
}
