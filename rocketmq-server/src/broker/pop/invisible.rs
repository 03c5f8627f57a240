//! CHANGE_MESSAGE_INVISIBLETIME (200053): hides a popped message for longer, or shorter.

use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::net::Connection;
use rocketmq_remoting::receipt::PopReceipt;
use rocketmq_remoting::requests::pop::{ChangeInvisibleTimeRequest, ChangeInvisibleTimeResponse};

use super::ack::{Named, check_queue, check_revive_queue};
use super::checks::check_invisible_time;
use super::parts::Parts;
use super::revive_log::Checkpoint;
use super::{ack, offset};
use crate::exchange::{Asked, Refusal, Reply};

/// Answers once checkpoint and acknowledgement are written.
pub(crate) fn change(
    parts: &Parts,
    asked: Asked<'_, ChangeInvisibleTimeRequest>,
) -> Reply<ChangeInvisibleTimeResponse> {
    // Java clients read the numbers of an answer from refusals too.
    let with_numbers = |refusal: Refusal| refusal.with_header(&ChangeInvisibleTimeResponse::default());
    let changed = hide(parts, asked.connection, &asked.header);
    Reply::Committed(changed.map(Into::into).map_err(with_numbers))
}

fn hide(
    parts: &Parts,
    connection: &Connection,
    request: &ChangeInvisibleTimeRequest,
) -> Result<ChangeInvisibleTimeResponse, Refusal> {
    let named = Named {
        topic: &request.topic,
        group: &request.consumer_group,
        queue: request.queue_id,
        offset: request.offset,
    };
    check_queue(parts, named)?;
    let (min, max) = (
        parts.log.store.min_offset(named.topic, named.queue),
        parts.log.store.max_offset(named.topic, named.queue),
    );
    if !(min..max).contains(&named.offset) {
        let remark = format!("there is no message at offset {}, the queue has {min}~{max}", named.offset);
        return Err(Refusal::new(ResponseCode::NO_MESSAGE, remark));
    }
    let receipt: PopReceipt = request.extra_info.parse()?;
    match receipt.is_ordered() {
        true => Ok(change_in_order(parts, named, &receipt, request.invisible_time)),
        false => begin_anew(parts, connection, named, &receipt, request.invisible_time),
    }
}

/// Begins a checkpoint for the message alone and acknowledges it under its old one: in this order, so that it is never
/// without.
fn begin_anew(
    parts: &Parts,
    connection: &Connection,
    named: Named<'_>,
    receipt: &PopReceipt,
    invisible_time: i64,
) -> Result<ChangeInvisibleTimeResponse, Refusal> {
    check_revive_queue(parts, receipt.revive_queue)?;
    check_invisible_time(parts, invisible_time)?;
    let pop_time = parts.log.now();
    let checkpoint = Checkpoint {
        broker_name: receipt.broker.clone(),
        group: named.group.to_owned(),
        diffs: vec![0],
        invisible_time,
        count: 1,
        pop_time,
        queue_id: named.queue,
        start_offset: named.offset,
        topic: named.topic.to_owned(),
        ..Checkpoint::default()
    };
    parts.log.put(checkpoint.record(&parts.log, receipt.revive_queue)?)?;
    ack::log(parts, connection, named, receipt)?;
    Ok(ChangeInvisibleTimeResponse { pop_time, invisible_time, revive_qid: receipt.revive_queue })
}

/// In order the receipt stays good: its pop time names what was handed out.
fn change_in_order(
    parts: &Parts,
    named: Named<'_>,
    receipt: &PopReceipt,
    invisible_time: i64,
) -> ChangeInvisibleTimeResponse {
    let Named { topic, group, queue, offset } = named;
    let _guard = parts.state.lock(topic, group, queue);
    if offset < offset::committed(parts, topic, group, queue).unwrap_or(-1) {
        return ChangeInvisibleTimeResponse::default();
    }
    let pop_time = receipt.pop_time;
    let visible_at = parts.log.now().saturating_add(invisible_time);
    parts.state.orders.hide(topic, group, queue, (offset, pop_time), visible_at);
    parts.state.parking.deadlines.notify_one();
    let invisible_time = visible_at.saturating_sub(pop_time);
    ChangeInvisibleTimeResponse { pop_time, invisible_time, revive_qid: receipt.revive_queue }
}
