//! RESUME_CHECK_HALF_MESSAGE (323): a half message that was given up starts anew.

use rocketmq_remoting::message::properties::{Properties, names as property};
use rocketmq_remoting::message::{MessageRecord, OffsetMessageId};
use rocketmq_remoting::requests::transaction::ResumeCheckHalfMessageRequest;

use super::halves::{HalfCopy, TransactionId};
use super::parts::Parts;
use super::state::QUEUE;
use crate::broker::log::notes;
use crate::broker::names;
use crate::exchange::{Asked, Refusal, Response};

pub(crate) fn resume_check(
    parts: &Parts,
    asked: Asked<'_, ResumeCheckHalfMessageRequest>,
) -> Response<ResumeCheckHalfMessageRequest> {
    let request = asked.header;
    let id: OffsetMessageId = request.msg_id.as_deref().unwrap_or_default().parse()?;
    let half = parts
        .log
        .store
        .read_queued(id.offset)
        .ok_or_else(|| Refusal::system(format_args!("no message at offset {}", id.offset)))?;
    let mut properties = Properties::parse(&half.properties);
    let transaction = check_half(&properties, id.offset)?;
    notes::note(&mut properties, property::TRANSACTION_CHECK_TIMES, "0");
    let stored = parts.log.append(MessageRecord {
        topic: names::HALF_TOPIC.to_owned(),
        queue_id: QUEUE,
        properties: notes::encode(&properties),
        ..half
    })?;
    let copy = HalfCopy { offset: stored.queue_offset, first_stored: stored.store_timestamp, checks: 0 };
    parts.state.halves.lock().appended(Some(&transaction), copy);
    Ok(())
}

/// Nobody could be asked about another message, nor could it be delivered.
fn check_half(properties: &Properties, offset: i64) -> Result<TransactionId, Refusal> {
    let transaction = TransactionId::of(properties).filter(|_| properties.real_destination().is_some());
    transaction.ok_or_else(|| {
        Refusal::invalid(format_args!(
            "the message at offset {offset} is no half message: it has to name PGROUP, UNIQ_KEY, REAL_TOPIC and REAL_QID"
        ))
    })
}
