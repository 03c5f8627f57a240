//! ACK_MESSAGE (200051) and BATCH_ACK_MESSAGE (200151).

use rocketmq_remoting::Json;
use rocketmq_remoting::body::BatchAck;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::net::Connection;
use rocketmq_remoting::receipt::{ORDER_QUEUE, Origin, PopReceipt};
use rocketmq_remoting::requests::pop::{AckMessageRequest, BatchAckMessageRequest};

use super::offset;
use super::order::Acked;
use super::revive_log::{Ack, put_ack};
use crate::broker::core::Core;
use crate::exchange::{Asked, Refusal, Reply};

/// A message named by an acknowledgement.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// The stored topic.
    pub topic: &'a str,
    pub group: &'a str,
    pub queue: i32,
    pub offset: i64,
}

/// ACK_MESSAGE: answers once the acknowledgement is written. Those of one read share a write.
pub fn one(core: &Core, asked: Asked<'_, AckMessageRequest>) -> Reply<()> {
    Reply::Committed(ack_one(core, asked.connection, &asked.header).map(Into::into))
}

/// BATCH_ACK_MESSAGE: as [`one`].
pub fn many(core: &Core, asked: Asked<'_, BatchAckMessageRequest>) -> Reply<()> {
    let acks = asked.body.map(|Json(body)| body).filter(|body| !body.acks.is_empty());
    let acks = acks
        .ok_or_else(|| Refusal::new(ResponseCode::NO_MESSAGE, "there is nothing to acknowledge in the body"));
    let acked = acks.and_then(|body| {
        body.acks.iter().try_for_each(|ack| ack_batch(core, asked.connection, ack, &body.broker_name))
    });
    Reply::Committed(acked.map(Into::into))
}

fn ack_one(core: &Core, connection: &Connection, request: &AckMessageRequest) -> Result<(), Refusal> {
    let named = Named {
        topic: &request.topic,
        group: &request.consumer_group,
        queue: request.queue_id,
        offset: request.offset,
    };
    check_queue(core, named)?;
    check_offset(core, named)?;
    let receipt: PopReceipt = request.extra_info.parse()?;
    if receipt.is_ordered() {
        return ack_in_order(core, named, receipt.pop_time);
    }
    log(core, connection, named, &receipt)
}

/// Puts the acknowledgement of one message into the revive queue its receipt names.
///
/// # Errors
/// 13 for a revive queue that is none, or what the store refuses with.
pub fn log(
    core: &Core,
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
    put(core, connection, &ack, receipt.revive_queue, receipt.due())
}

fn put(core: &Core, connection: &Connection, ack: &Ack, revive_queue: i32, due: i64) -> Result<(), Refusal> {
    check_revive_queue(core, revive_queue)?;
    let stored = put_ack(core, ack, revive_queue, due)?;
    core.uncommitted.add(connection.id(), &stored);
    Ok(())
}

/// Whether the number in a receipt is a queue of the revive topic: it comes from outside and names a place to write.
///
/// # Errors
/// 13.
pub fn check_revive_queue(core: &Core, queue: i32) -> Result<(), Refusal> {
    let queues = core.settings.revive_queues;
    if (0..queues).contains(&queue) {
        return Ok(());
    }
    let remark = format!("reviveQid[{queue}] is illegal, this broker has {queues} revive queues");
    Err(Refusal::new(ResponseCode::MESSAGE_ILLEGAL, remark))
}

/// Whether the topic has the queue.
///
/// # Errors
/// 17 no topic, 13 no queue.
pub fn check_queue(core: &Core, named: Named<'_>) -> Result<(), Refusal> {
    let Named { topic: name, queue, group, .. } = named;
    let topic = core.topics.get(name).ok_or_else(|| Refusal::no_topic(name))?;
    if (0..topic.read_queue_nums).contains(&queue) {
        return Ok(());
    }
    let remark = format!(
        "queueId[{queue}] is illegal, topic:[{name}] topicConfig.readQueueNums:[{}] consumer:[{group}]",
        topic.read_queue_nums
    );
    Err(Refusal::new(ResponseCode::MESSAGE_ILLEGAL, remark))
}

fn check_offset(core: &Core, named: Named<'_>) -> Result<(), Refusal> {
    let Named { topic, queue, offset, .. } = named;
    let (min, max) = (core.store.min_offset(topic, queue), core.store.max_offset(topic, queue));
    if (min..=max).contains(&offset) {
        return Ok(());
    }
    let remark = format!("offset is illegal, key:{topic}@{queue}, commit:{offset}, store:{min}~{max}");
    Err(Refusal::new(ResponseCode::NO_MESSAGE, remark))
}

/// Acknowledges a message popped in order: the group's offset follows, and the queue may be free.
fn ack_in_order(core: &Core, named: Named<'_>, pop_time: i64) -> Result<(), Refusal> {
    let Named { topic, group, queue, offset } = named;
    let _guard = core.pop.lock(topic, group, queue);
    let committed = offset::stored(core, topic, group, queue).unwrap_or(-1);
    if offset < committed {
        return Ok(());
    }
    match core.pop.orders.ack(topic, group, queue, offset, pop_time) {
        Acked::Stale => {}
        Acked::Commit(next) => {
            offset::commit(core, topic, group, queue, next);
            if !core.pop.orders.is_blocked(topic, group, queue, None, core.now()) {
                core.pop.parking.ready(topic, group, queue);
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
fn ack_batch(core: &Core, connection: &Connection, batch: &BatchAck, broker: &str) -> Result<(), Refusal> {
    let topic = Origin::of_number(&batch.retry).topic(&batch.consumer_group, &batch.topic);
    let named = Named { topic: &topic, group: &batch.consumer_group, queue: batch.queue_id, offset: -1 };
    if let Err(refusal) = check_queue(core, named) {
        tracing::warn!(%refusal, "a batch of acknowledgements was passed over");
        return Ok(());
    }
    let range = core.store.min_offset(&topic, named.queue)..=core.store.max_offset(&topic, named.queue);
    let offsets = batch.bits.iter().map(|bit| batch.start_offset.saturating_add(bit as i64));
    let offsets: Vec<i64> = offsets.filter(|offset| range.contains(offset)).collect();
    if batch.revive_queue_id == ORDER_QUEUE {
        return offsets
            .into_iter()
            .try_for_each(|offset| ack_in_order(core, Named { offset, ..named }, batch.pop_time));
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
    put(core, connection, &ack, batch.revive_queue_id, due)
}
