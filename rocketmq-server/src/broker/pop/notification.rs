//! NOTIFICATION (200054): waits until there is something to pop, and says so without taking it.

use rocketmq_remoting::requests::pop::{NotificationRequest, NotificationResponse};

use super::calls::NotificationCall;
use super::checks::{Target, check_broker, check_target, queues};
use super::offset;
use super::parking::NoRoom;
use super::parts::Parts;
use crate::exchange::{Asked, Refusal, Reply};

/// Answers a notification, or lets it wait.
pub(crate) fn notify(parts: &Parts, asked: Asked<'_, NotificationRequest>) -> Reply<NotificationResponse> {
    match check(parts, asked).and_then(|call| serve(parts, call)) {
        Ok(Some(answer)) => Reply::Now(Ok(answer.into())),
        Ok(None) => Reply::Held,
        Err(refusal) => Reply::refused(refusal),
    }
}

/// Looks again for a woken notification. It waits on if there is nothing and time is left.
pub(crate) fn resume(parts: &Parts, call: NotificationCall) {
    let reply_to = call.reply_to.clone();
    if let Some(answer) = serve(parts, call).transpose() {
        reply_to.send(answer.map(Into::into));
    }
}

fn check(parts: &Parts, asked: Asked<'_, NotificationRequest>) -> Result<NotificationCall, Refusal> {
    let (reply_to, mut request) = (asked.reply_to(), asked.header);
    if request.born_time == 0 {
        request.born_time = parts.log.now();
    }
    check_broker(parts, "peeking")?;
    check_target(parts, target(&request))?;
    Ok(NotificationCall { request, reply_to })
}

fn target(request: &NotificationRequest) -> Target<'_> {
    Target { topic: &request.topic, group: &request.consumer_group, queue: request.queue_id }
}

fn serve(parts: &Parts, call: NotificationCall) -> Result<Option<NotificationResponse>, Refusal> {
    if has_message(parts, &call.request)? {
        return Ok(Some(answer(true, false)));
    }
    let request = call.request.clone();
    let key = (request.topic.as_str(), request.consumer_group.as_str(), request.queue_id);
    let times = (request.born_time, request.poll_time);
    match parts.state.parking.room_for(key, times, parts.log.now(), &parts.settings.live().pop) {
        Ok(deadline) => {
            parts.state.parking.park_notification(call, deadline);
            // A message may have come between the read and the parking, and nothing else would wake the request.
            if has_message(parts, &request)? {
                parts.state.parking.ready(key.0, key.1, key.2);
            }
            Ok(None)
        }
        Err(no_room) => Ok(Some(answer(false, no_room == NoRoom::Full))),
    }
}

fn answer(has_msg: bool, full: bool) -> NotificationResponse {
    NotificationResponse { has_msg, polling_full: Some(full) }
}

fn has_message(parts: &Parts, request: &NotificationRequest) -> Result<bool, Refusal> {
    let topic = parts.topics.get(&request.topic).ok_or_else(|| Refusal::no_topic(&request.topic))?;
    let chance = rand::random_range(0..100);
    let group = &request.consumer_group;
    let retry = offset::plan(parts, &request.topic, group, chance).origin.topic(group, &request.topic);
    let in_retry = parts.topics.get(&retry).is_some_and(|config| {
        queues(&config, -1, chance).into_iter().any(|queue| is_ready(parts, request, &retry, queue))
    });
    let own = queues(&topic, request.queue_id, chance);
    Ok(in_retry || own.into_iter().any(|queue| is_ready(parts, request, &request.topic, queue)))
}

fn is_ready(parts: &Parts, request: &NotificationRequest, topic: &str, queue: i32) -> bool {
    let group = &request.consumer_group;
    if request.order == Some(true) {
        let attempt = request.attempt_id.as_deref();
        if parts.state.orders.is_blocked(&request.topic, group, queue, attempt, parts.log.now()) {
            return false;
        }
    }
    offset::has_message(parts, topic, group, queue)
}
