//! Op records: what has become of half messages, for the next start.

use rocketmq_remoting::message::MessageRecord;
use rocketmq_remoting::message::properties::{Properties, names as property};

use super::halves::{Ending, HalfCopy, Halves, TransactionId};
use super::parts::Parts;
use super::state::QUEUE;
use crate::broker::log::range::Range;
use crate::broker::names;
use crate::exchange::Refusal;

/// Tag of the op records that finish a half message.
const OP_TAG: &str = "d";
/// The property in which this broker's op records say how; Apache's do not.
const ENDING: &str = "ENDING";
const COMMIT: &str = "commit";
const ROLLBACK: &str = "rollback";

/// Reads what was decided before the last stop, and which open halves are copies.
pub(crate) fn recover(parts: &Parts) {
    let mut halves = Halves::starting_at(start_of(parts, names::HALF_TOPIC));
    read_ops(parts, &mut halves);
    let open = halves.next()..parts.log.store.max_offset(names::HALF_TOPIC, QUEUE);
    for half in open.filter_map(|offset| read(parts, names::HALF_TOPIC, offset)) {
        note_copy(&mut halves, &half);
    }
    *parts.state.halves.lock() = halves;
}

fn start_of(parts: &Parts, topic: &str) -> i64 {
    let range = Range::of(&parts.log.store, topic, QUEUE);
    let committed = parts.offsets.lock().query(topic, names::TRANS_GROUP, QUEUE);
    range.nearest(committed.unwrap_or(range.min))
}

fn read_ops(parts: &Parts, halves: &mut Halves) {
    let mut ops = parts.state.ops.lock();
    ops.clear();
    for at in start_of(parts, names::OP_HALF_TOPIC)..parts.log.store.max_offset(names::OP_HALF_TOPIC, QUEUE) {
        let Some(op) = read(parts, names::OP_HALF_TOPIC, at) else { continue };
        let ending = ending_of(&op);
        for half in finished_halves(&op) {
            if halves.recovered(half, ending) {
                ops.insert(half, at);
            }
        }
    }
}

/// Reads a record. If it cannot be read, this is logged: the producer may be asked about a half once more.
fn read(parts: &Parts, topic: &str, offset: i64) -> Option<MessageRecord> {
    parts.log.message_at(topic, QUEUE, offset).unwrap_or_else(|error| {
        tracing::error!(topic, offset, %error, "cannot read a queue of the transactions");
        None
    })
}

/// The half offsets an op record finishes: `17` from 4.x and from here, `17,18,` from 5.x.
fn finished_halves(op: &MessageRecord) -> Vec<i64> {
    let text = String::from_utf8_lossy(&op.body);
    text.split(',').filter_map(|part| part.trim().parse().ok()).collect()
}

fn ending_of(op: &MessageRecord) -> Ending {
    match Properties::parse(&op.properties).get(ENDING) {
        Some(COMMIT) => Ending::Committed,
        Some(ROLLBACK) => Ending::RolledBack,
        _ => Ending::Unrecorded,
    }
}

fn note_copy(halves: &mut Halves, half: &MessageRecord) {
    let properties = Properties::parse(&half.properties);
    let checks = properties.get_number(property::TRANSACTION_CHECK_TIMES);
    let postponed = properties.get(property::TRAN_PREPARED_QUEUE_OFFSET).is_some();
    if checks.is_none() && !postponed {
        return;
    }
    let copy = HalfCopy {
        offset: half.queue_offset,
        first_stored: half.store_timestamp,
        checks: checks.unwrap_or(0),
    };
    let open = halves.standing(copy.offset) == super::halves::Standing::Open;
    if let Some(id) = TransactionId::of(&properties).filter(|_| open) {
        halves.appended(Some(&id), copy);
    }
}

/// Writes down that a half is decided.
///
/// # Errors
/// The store refuses.
pub(crate) fn write(parts: &Parts, half: i64, ending: Ending) -> Result<(), Refusal> {
    let mut properties = Properties::new();
    properties.set(property::WAIT, "true");
    properties.set(property::TAGS, OP_TAG);
    match ending {
        Ending::Committed => properties.set(ENDING, COMMIT),
        Ending::RolledBack => properties.set(ENDING, ROLLBACK),
        Ending::GivenUp | Ending::Unrecorded => &mut properties,
    };
    let record =
        parts.log.own_record(names::OP_HALF_TOPIC, QUEUE, &properties, half.to_string().into_bytes());
    let stored = parts.log.append(record)?;
    parts.state.ops.lock().insert(half, stored.queue_offset);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn op_records_of_every_version_are_read() {
        let op = |body: &'static str, properties: &str| MessageRecord {
            body: body.into(),
            properties: properties.into(),
            ..MessageRecord::default()
        };
        assert_eq!(finished_halves(&op("17", "")), [17]);
        assert_eq!(finished_halves(&op("17,18,", "")), [17, 18]);
        assert!(finished_halves(&op("", "")).is_empty());
        assert_eq!(ending_of(&op("17", "TAGS\u{1}d\u{2}")), Ending::Unrecorded);
        assert_eq!(ending_of(&op("17", "ENDING\u{1}commit\u{2}")), Ending::Committed);
        assert_eq!(ending_of(&op("17", "ENDING\u{1}rollback\u{2}")), Ending::RolledBack);
    }
}
