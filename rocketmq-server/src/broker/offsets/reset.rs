//! INVOKE_BROKER_TO_RESET_OFFSET (222): sends a group back, or forward, by time or to an offset.

use std::collections::BTreeMap;

use rocketmq_remoting::Request;
use rocketmq_remoting::body::offset::{ResetOffsetBody, TargetOffsets};
use rocketmq_remoting::code::{LanguageCode, ResponseCode};
use rocketmq_remoting::requests::offset::{InvokeResetOffsetRequest, ResetConsumerOffsetRequest};
use rocketmq_remoting::route::MessageQueue;

use super::parts::Parts;
use crate::exchange::{Asked, Refusal, Response};
use crate::store::Boundary;

/// The oldest client that understands a pushed reset.
const PUSHABLE_SINCE: i32 = 28;

type Targets = BTreeMap<MessageQueue, i64>;

/// By the setting: kept here for the next pull (5.x), or pushed to the consumers (4.x).
pub(crate) fn reset(
    parts: &Parts,
    asked: Asked<'_, InvokeResetOffsetRequest>,
) -> Response<InvokeResetOffsetRequest> {
    let (language, request) = (asked.language(), asked.header);
    if parts.settings.live().server_side_reset {
        on_broker(parts, &request)
    } else {
        on_clients(parts, &request, language)
    }
}

fn on_broker(parts: &Parts, request: &InvokeResetOffsetRequest) -> Response<InvokeResetOffsetRequest> {
    let (topic, group) = (&request.topic, &request.group);
    let config = parts.topics.get(topic).ok_or_else(|| Refusal::no_topic(topic))?;
    parts.check_group(topic, group)?;
    let all = 0..config.read_queue_nums;
    let queues = match request.queue_id.filter(|queue| *queue >= 0) {
        Some(queue) if all.contains(&queue) => queue..queue + 1,
        Some(queue) => {
            let remark = format!("queueId is {queue}, but topic {topic} has {} queues", all.end);
            return Err(Refusal::invalid(remark));
        }
        None => all,
    };
    let mut offset_table = Targets::new();
    for queue in queues {
        let target = target(parts, request, queue)?;
        offset_table.insert(
            MessageQueue::new(topic.as_str(), parts.settings.fixed.broker_name.as_str(), queue),
            target,
        );
    }
    {
        let mut offsets = parts.offsets.lock();
        for (queue, offset) in &offset_table {
            offsets.reset(topic, group, queue.queue_id, *offset);
        }
    }
    // A pull that waits must not keep the consumer from its new place.
    parts.parking.wake_topic(topic);
    Ok(TargetOffsets::Table(ResetOffsetBody { offset_table }))
}

fn target(parts: &Parts, request: &InvokeResetOffsetRequest, queue: i32) -> Result<i64, Refusal> {
    let topic = &request.topic;
    let (min, max) = (parts.log.store.min_offset(topic, queue), parts.log.store.max_offset(topic, queue));
    if let Some(offset) = request.offset.filter(|offset| *offset >= 0) {
        if offset < min || offset > max + 1 {
            let remark = format!("Target offset {offset} not in consume queue range [{min}-{max}]");
            return Err(Refusal::system(remark));
        }
        return Ok(offset);
    }
    Ok(by_time(parts, topic, queue, request.timestamp))
}

fn by_time(parts: &Parts, topic: &str, queue: i32, timestamp: i64) -> i64 {
    if timestamp < 0 {
        return parts.log.store.max_offset(topic, queue);
    }
    parts.log.store.offset_by_time(topic, queue, timestamp, Boundary::Lower)
}

fn on_clients(
    parts: &Parts,
    request: &InvokeResetOffsetRequest,
    language: LanguageCode,
) -> Response<InvokeResetOffsetRequest> {
    let topic = &request.topic;
    let config = parts.topics.get(topic).ok_or_else(|| {
        Refusal::system(format_args!(
            "[reset-offset] reset offset failed, no topic in this broker. topic={topic}"
        ))
    })?;
    let mut offset_table = Targets::new();
    for queue in 0..config.write_queue_nums {
        let key = MessageQueue::new(topic.as_str(), parts.settings.fixed.broker_name.as_str(), queue);
        offset_table.insert(key, client_target(parts, request, queue)?);
    }
    push(parts, request, &offset_table, language)?;
    Ok(TargetOffsets::Table(ResetOffsetBody { offset_table }))
}

fn client_target(parts: &Parts, request: &InvokeResetOffsetRequest, queue: i32) -> Result<i64, Refusal> {
    let committed = parts.offsets.lock().query(&request.topic, &request.group, queue);
    let current = committed
        .ok_or_else(|| Refusal::system(format_args!("THe consumer group <{}> not exist", request.group)))?;
    let target = by_time(parts, &request.topic, queue, request.timestamp).max(0);
    Ok(if request.is_force { target } else { target.min(current) })
}

fn push(
    parts: &Parts,
    request: &InvokeResetOffsetRequest,
    targets: &Targets,
    language: LanguageCode,
) -> Result<(), Refusal> {
    let members: Vec<(u64, i32)> = {
        let consumers = parts.clients.consumers.lock();
        let live = consumers.group(&request.group);
        live.into_iter().flat_map(|live| live.members()).map(|m| (m.channel, m.version)).collect()
    };
    if members.is_empty() {
        let remark = format!("Consumer not online, so can not reset offset, Group: {}", request.group);
        return Err(Refusal::new(ResponseCode::CONSUMER_NOT_ONLINE, remark));
    }
    let header = ResetConsumerOffsetRequest {
        group: request.group.clone(),
        topic: request.topic.clone(),
        queue_id: Some(-1),
        offset: None,
        timestamp: request.timestamp,
        is_force: request.is_force,
    };
    let command = header.command(&pushed_body(targets, language))?.oneway();
    for (channel, version) in members {
        let Some(connection) = parts.clients.channels.get(channel).filter(|_| version >= PUSHABLE_SINCE)
        else {
            continue;
        };
        // A member that is just going away is not asked again.
        let _ = connection.push(command.clone());
    }
    Ok(())
}

/// C++ tools cannot read objects as keys.
fn pushed_body(targets: &Targets, language: LanguageCode) -> TargetOffsets {
    let table = ResetOffsetBody { offset_table: targets.clone() };
    if language == LanguageCode::CPP {
        TargetOffsets::List(table.into())
    } else {
        TargetOffsets::Table(table)
    }
}
