//! ACK_MESSAGE (200051) and BATCH_ACK_MESSAGE (200151).

use rocketmq_remoting::Json;
use rocketmq_remoting::body::BatchAck;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::net::Connection;
use rocketmq_remoting::receipt::{ORDER_QUEUE, Origin, PopReceipt};
use rocketmq_remoting::requests::pop::{AckMessageRequest, BatchAckMessageRequest};

use super::offset;
use super::order::Acked;
use super::parts::Parts;
use super::revive::revive_queues;
use super::revive_log::{Ack, put_ack};
use crate::exchange::{Asked, Refusal, Reply};

/// A message named by an acknowledgement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named<'a> {
    /// The stored topic.
    pub topic: &'a str,
    pub group: &'a str,
    pub queue: i32,
    pub offset: i64,
}

/// ACK_MESSAGE: answers once the acknowledgement is written. Those of one read share a write.
pub(crate) fn one(parts: &Parts, asked: Asked<'_, AckMessageRequest>) -> Reply<()> {
    Reply::Committed(ack_one(parts, asked.connection, &asked.header).map(Into::into))
}

/// BATCH_ACK_MESSAGE: as [`one`].
pub(crate) fn many(parts: &Parts, asked: Asked<'_, BatchAckMessageRequest>) -> Reply<()> {
    let acks = asked.body.map(|Json(body)| body).filter(|body| !body.acks.is_empty());
    let acks = acks
        .ok_or_else(|| Refusal::new(ResponseCode::NO_MESSAGE, "there is nothing to acknowledge in the body"));
    let acked = acks.and_then(|body| {
        body.acks.iter().try_for_each(|ack| ack_batch(parts, asked.connection, ack, &body.broker_name))
    });
    Reply::Committed(acked.map(Into::into))
}

fn ack_one(parts: &Parts, connection: &Connection, request: &AckMessageRequest) -> Result<(), Refusal> {
    let named = Named {
        topic: &request.topic,
        group: &request.consumer_group,
        queue: request.queue_id,
        offset: request.offset,
    };
    check_queue(parts, named)?;
    check_offset(parts, named)?;
    let receipt: PopReceipt = request.extra_info.parse()?;
    if receipt.is_ordered() {
        return ack_in_order(parts, named, receipt.pop_time);
    }
    log(parts, connection, named, &receipt)
}

/// Puts the acknowledgement of one message into the revive queue its receipt names.
///
/// # Errors
/// 13 for a revive queue that is none, or what the store refuses with.
pub(crate) fn log(
    parts: &Parts,
    connection: &Connection,
    named: Named<'_>,
    receipt: &PopReceipt,
) -> Result<(), Refusal> {
    let ack = Ack {
        offset: named.offset,
        offsets: Vec::new(),
        broker_name: receipt.broker.clone(),
        group: named.group.to_owned(),
        pop_time: receipt.pop_time,
        queue_id: named.queue,
        start_offset: receipt.checkpoint_offset,
        topic: named.topic.to_owned(),
    };
    put(parts, connection, &ack, receipt.revive_queue, receipt.due())
}

fn put(
    parts: &Parts,
    connection: &Connection,
    ack: &Ack,
    revive_queue: i32,
    due: i64,
) -> Result<(), Refusal> {
    check_revive_queue(parts, revive_queue)?;
    let put = put_ack(&parts.log, ack, revive_queue, due)?;
    parts.log.uncommitted.add(connection.id(), &put);
    Ok(())
}

/// Checks that the number in a receipt is a queue of the revive topic. It comes from outside and names a place to write.
///
/// # Errors
/// 13.
pub(crate) fn check_revive_queue(parts: &Parts, queue: i32) -> Result<(), Refusal> {
    let queues = revive_queues(parts);
    if (0..queues).contains(&queue) {
        return Ok(());
    }
    let remark = format!("reviveQid[{queue}] is illegal, this broker has {queues} revive queues");
    Err(Refusal::new(ResponseCode::MESSAGE_ILLEGAL, remark))
}

/// Checks that the topic has the queue.
///
/// # Errors
/// 17 no topic, 13 no queue.
pub(crate) fn check_queue(parts: &Parts, named: Named<'_>) -> Result<(), Refusal> {
    let Named { topic: name, queue, group, .. } = named;
    let topic = parts.topics.get(name).ok_or_else(|| Refusal::no_topic(name))?;
    if (0..topic.read_queue_nums).contains(&queue) {
        return Ok(());
    }
    let remark = format!(
        "queueId[{queue}] is illegal, topic:[{name}] topicConfig.readQueueNums:[{}] consumer:[{group}]",
        topic.read_queue_nums
    );
    Err(Refusal::new(ResponseCode::MESSAGE_ILLEGAL, remark))
}

fn check_offset(parts: &Parts, named: Named<'_>) -> Result<(), Refusal> {
    let Named { topic, queue, offset, .. } = named;
    let (min, max) = (parts.log.store.min_offset(topic, queue), parts.log.store.max_offset(topic, queue));
    if (min..=max).contains(&offset) {
        return Ok(());
    }
    let remark = format!("offset is illegal, key:{topic}@{queue}, commit:{offset}, store:{min}~{max}");
    Err(Refusal::new(ResponseCode::NO_MESSAGE, remark))
}

/// Acknowledges a message popped in order: the group's offset follows, and the queue may be free.
fn ack_in_order(parts: &Parts, named: Named<'_>, pop_time: i64) -> Result<(), Refusal> {
    let Named { topic, group, queue, offset } = named;
    let _guard = parts.state.lock(topic, group, queue);
    let committed = offset::committed(parts, topic, group, queue).unwrap_or(-1);
    if offset < committed {
        return Ok(());
    }
    match parts.state.orders.ack(topic, group, queue, offset, pop_time) {
        Acked::Stale => {}
        Acked::Commit(next) => {
            offset::commit(parts, topic, group, queue, next);
            if !parts.state.orders.is_blocked(topic, group, queue, None, parts.log.now()) {
                parts.state.parking.ready(topic, group, queue);
            }
        }
        Acked::Unknown => {
            let remark =
                format!("offset is illegal, key:{topic}@{group}@{queue}, old:{committed}, commit:{offset}");
            return Err(Refusal::new(ResponseCode::MESSAGE_ILLEGAL, remark));
        }
    }
    Ok(())
}

/// Acknowledges messages of one checkpoint; what does not exist (any more) is passed over, as in Apache.
fn ack_batch(parts: &Parts, connection: &Connection, batch: &BatchAck, broker: &str) -> Result<(), Refusal> {
    let topic = Origin::of_number(&batch.retry).topic(&batch.consumer_group, &batch.topic);
    let named = Named { topic: &topic, group: &batch.consumer_group, queue: batch.queue_id, offset: -1 };
    if let Err(refusal) = check_queue(parts, named) {
        tracing::warn!(%refusal, "a batch of acknowledgements was passed over");
        return Ok(());
    }
    let range =
        parts.log.store.min_offset(&topic, named.queue)..=parts.log.store.max_offset(&topic, named.queue);
    let offsets = batch.bits.iter().map(|bit| batch.start_offset.saturating_add(bit as i64));
    let offsets: Vec<i64> = offsets.filter(|offset| range.contains(offset)).collect();
    if batch.revive_queue_id == ORDER_QUEUE {
        return offsets
            .into_iter()
            .try_for_each(|offset| ack_in_order(parts, Named { offset, ..named }, batch.pop_time));
    }
    if offsets.is_empty() {
        return Ok(());
    }
    let ack = Ack {
        offset: -1,
        offsets,
        broker_name: broker.to_owned(),
        group: batch.consumer_group.clone(),
        pop_time: batch.pop_time,
        queue_id: batch.queue_id,
        start_offset: batch.start_offset,
        topic: topic.clone(),
    };
    let due = batch.pop_time.saturating_add(batch.invisible_time);
    put(parts, connection, &ack, batch.revive_queue_id, due)
}
