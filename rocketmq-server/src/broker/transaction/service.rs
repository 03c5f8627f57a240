//! The two halves of a transaction meet here: END_TRANSACTION (37) from producers, and the check round by the clock.

use std::collections::BTreeMap;

use bytes::BytesMut;
use parking_lot::Mutex;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::message::properties::{Properties, names as property};
use rocketmq_remoting::message::{MessageRecord, OffsetMessageId, SysFlag};
use rocketmq_remoting::requests::transaction::{
    CheckTransactionStateRequest, EndTransactionRequest, ResumeCheckHalfMessageRequest,
};
use rocketmq_remoting::{Command, Request};

use super::Parts;
use super::checks::{Action, CheckLimits, HalfState};
use super::halves::{Halves, Standing};
use crate::broker::log::placement::restore;
use crate::broker::names;
use crate::broker::settings::millis;
use crate::broker::topics::table::open_topic;
use crate::exchange::{Asked, Refusal, Reply, Response};

/// The one queue of the half and op topics this broker uses, as Apache's does.
const QUEUE: i32 = 0;
/// Halves of one step of a check round.
const BURST: usize = 256;
/// Tag of the op records that finish a half message.
const OP_TAG: &str = "d";

/// What this broker knows of transactions.
#[derive(Debug, Default)]
pub struct Transactions {
    halves: Mutex<Halves>,
    /// For each decided half not yet passed, where its op record is: what a restart must read again.
    ops: Mutex<BTreeMap<i64, i64>>,
}

impl Transactions {
    /// Reads from the op queue what was decided before the last stop.
    pub fn recover(parts: &Parts) {
        let half_start = start_of(parts, names::HALF_TOPIC);
        let op_start = start_of(parts, names::OP_HALF_TOPIC);
        let mut halves = Halves::starting_at(half_start);
        let mut ops = BTreeMap::new();
        for at in op_start..parts.log.store.max_offset(names::OP_HALF_TOPIC, QUEUE) {
            for half in read_record(parts, names::OP_HALF_TOPIC, at).iter().flat_map(finished_halves) {
                if halves.decide(half) {
                    ops.insert(half, at);
                }
            }
        }
        *parts.state.halves.lock() = halves;
        *parts.state.ops.lock() = ops;
    }
}

fn start_of(parts: &Parts, topic: &str) -> i64 {
    let committed = parts.offsets.lock().query(topic, names::TRANS_GROUP, QUEUE);
    let min = parts.log.store.min_offset(topic, QUEUE);
    committed.unwrap_or(min).max(min)
}

/// The half offsets an op record finishes: `17` from 4.x and from here, `17,18,` from 5.x.
fn finished_halves(record: &MessageRecord) -> Vec<i64> {
    let text = String::from_utf8_lossy(&record.body);
    text.split(',').filter_map(|part| part.trim().parse().ok()).collect()
}

fn read_record(parts: &Parts, topic: &str, offset: i64) -> Option<MessageRecord> {
    let unit = parts.log.unit(topic, QUEUE, offset)?;
    parts.log.store.read_at(unit.physical_offset)
}

/// END_TRANSACTION. A producer that does not know yet itself is never answered.
pub fn end(parts: &Parts, asked: Asked<'_, EndTransactionRequest>) -> Reply<()> {
    let ended = match asked.header.commit_or_rollback {
        EndTransactionRequest::UNKNOWN => return Reply::Held,
        EndTransactionRequest::COMMIT => finish(parts, &asked.header, true),
        EndTransactionRequest::ROLLBACK => finish(parts, &asked.header, false),
        other => Err(Refusal::system(format_args!("commitOrRollback field wrong: {other}"))),
    };
    Reply::Now(ended.map(Into::into))
}

fn finish(parts: &Parts, request: &EndTransactionRequest, commit: bool) -> Result<(), Refusal> {
    let half = load_half(parts, request)?;
    let newest = match decide(parts, request.tran_state_table_offset) {
        Some(newest) => newest,
        // Told before: a second commit must not deliver a second time.
        None => return Ok(()),
    };
    let done = if commit { parts.log.put(committed(half, request)?).map(drop) } else { Ok(()) };
    if let Err(refusal) = done {
        parts.state.halves.lock().undecide(newest);
        return Err(refusal);
    }
    write_op(parts, newest)?;
    Ok(())
}

fn decide(parts: &Parts, offset: i64) -> Option<i64> {
    let mut halves = parts.state.halves.lock();
    match halves.standing(offset) {
        Standing::Open(newest) if halves.decide(newest) => Some(newest),
        _ => None,
    }
}

fn load_half(parts: &Parts, request: &EndTransactionRequest) -> Result<MessageRecord, Refusal> {
    let half = parts
        .log
        .store
        .read_queued(request.commit_log_offset)
        .filter(|record| record.topic == names::HALF_TOPIC)
        .ok_or_else(|| {
            Refusal::system(format_args!(
                "Find prepared transaction message failed at {}",
                request.commit_log_offset
            ))
        })?;
    let properties = Properties::parse(&half.properties);
    if properties.producer_group() != Some(&request.producer_group) {
        return Err(Refusal::system("The producer group wrong"));
    }
    if half.queue_offset != request.tran_state_table_offset {
        return Err(Refusal::system("The transaction state table offset wrong"));
    }
    check_lateness(parts, request, &half, &properties)?;
    Ok(half)
}

/// A producer that asked for a long immunity and decides later than that is to wait for the check.
fn check_lateness(
    parts: &Parts,
    request: &EndTransactionRequest,
    half: &MessageRecord,
    properties: &Properties,
) -> Result<(), Refusal> {
    let immunity = HalfState::read(properties, 0).immunity;
    let Some(immunity) = immunity.filter(|_| !request.from_transaction_check) else {
        return Ok(());
    };
    let limit = immunity.max(millis(parts.settings.live().transaction_timeout));
    if parts.log.now() - half.store_timestamp > limit {
        let remark = "the transaction was decided after its immunity; the broker will ask for the decision";
        return Err(Refusal::new(ResponseCode::ILLEGAL_OPERATION, remark));
    }
    Ok(())
}

fn committed(half: MessageRecord, request: &EndTransactionRequest) -> Result<MessageRecord, Refusal> {
    let mut record =
        restore(half).ok_or_else(|| Refusal::system("the half message names no topic to go to"))?;
    let mut properties = Properties::parse(&record.properties);
    properties.remove(property::REAL_TOPIC);
    properties.remove(property::REAL_QID);
    properties.set(property::WAIT, "false");
    record.properties = properties.encode_stored();
    record.sys_flag = record.sys_flag.with(SysFlag::TRANSACTION_COMMIT);
    record.prepared_transaction_offset = request.commit_log_offset;
    Ok(record)
}

fn write_op(parts: &Parts, half: i64) -> Result<(), Refusal> {
    let mut properties = Properties::new();
    properties.set(property::WAIT, "true");
    properties.set(property::TAGS, OP_TAG);
    let record =
        parts.log.own_record(names::OP_HALF_TOPIC, QUEUE, &properties, half.to_string().into_bytes());
    let stored = parts.log.append(record)?;
    parts.state.ops.lock().insert(half, stored.queue_offset);
    Ok(())
}

/// One look at every undecided half message that is old enough, in steps so that other work gets a turn.
#[derive(Debug)]
pub struct CheckRound {
    start: i64,
    /// Halves stored later, copies made by this round among them, are for the next one.
    end: i64,
    limits: CheckLimits,
}

impl CheckRound {
    pub fn begin(parts: &Parts) -> Self {
        Self {
            start: parts.log.now(),
            end: parts.log.store.max_offset(names::HALF_TOPIC, QUEUE),
            limits: CheckLimits {
                timeout: millis(parts.settings.live().transaction_timeout),
                max_checks: parts.settings.live().transaction_check_max,
                retention: millis(parts.settings.live().store.file_reserved),
            },
        }
    }

    /// Deals with some halves; true when there are more. The last step notes how far the round came.
    pub fn step(&self, parts: &Parts) -> bool {
        for _ in 0..BURST {
            let offset = parts.state.halves.lock().next();
            if offset >= self.end || !pass(parts, offset, self.start, &self.limits) {
                remember(parts);
                return false;
            }
        }
        true
    }
}

/// Deals with one half; false when it and all after it must wait.
fn pass(parts: &Parts, offset: i64, start: i64, limits: &CheckLimits) -> bool {
    let (decided, first_stored) = {
        let halves = parts.state.halves.lock();
        (halves.is_decided(offset), halves.first_stored(offset))
    };
    if decided {
        settle(parts, offset);
        return true;
    }
    let Some(half) = read_record(parts, names::HALF_TOPIC, offset) else {
        settle(parts, offset);
        return true;
    };
    if half.store_timestamp >= start {
        return false;
    }
    let properties = Properties::parse(&half.properties);
    let first_stored = first_stored.unwrap_or(half.store_timestamp);
    let result = match HalfState::read(&properties, start - first_stored).decide(limits) {
        Action::Wait => return false,
        Action::Postpone => append_again(parts, half, properties, first_stored, false),
        Action::Check => append_again(parts, half, properties, first_stored, true),
        Action::GiveUp => give_up(parts, half),
    };
    if let Err(refusal) = result {
        tracing::warn!(offset, %refusal, "a half message could not be checked; the next round tries again");
        return false;
    }
    true
}

fn settle(parts: &Parts, offset: i64) {
    parts.state.halves.lock().settle(offset);
    parts.state.ops.lock().remove(&offset);
}

fn append_again(
    parts: &Parts,
    half: MessageRecord,
    mut properties: Properties,
    first_stored: i64,
    ask: bool,
) -> Result<(), Refusal> {
    let offset = half.queue_offset;
    let checks: u32 = properties.get_number(property::TRANSACTION_CHECK_TIMES).unwrap_or(0);
    if ask {
        properties.set(property::TRANSACTION_CHECK_TIMES, (checks + 1).to_string());
    } else if properties.get(property::TRAN_PREPARED_QUEUE_OFFSET).is_none() {
        properties.set(property::TRAN_PREPARED_QUEUE_OFFSET, offset.to_string());
    }
    properties.set(property::WAIT, "false");
    let copy = MessageRecord { properties: properties.encode_stored(), ..half };
    let stored = parts.log.append(copy.clone())?;
    let was_decided = {
        let mut halves = parts.state.halves.lock();
        halves.replace(offset, stored.queue_offset, first_stored);
        halves.is_decided(stored.queue_offset)
    };
    parts.state.ops.lock().remove(&offset);
    if was_decided {
        return write_op(parts, stored.queue_offset);
    }
    if ask {
        let copy = MessageRecord {
            queue_offset: stored.queue_offset,
            physical_offset: stored.physical_offset,
            store_timestamp: stored.store_timestamp,
            ..copy
        };
        ask_producers(parts, copy, &properties)?;
    }
    Ok(())
}

fn give_up(parts: &Parts, half: MessageRecord) -> Result<(), Refusal> {
    let offset = half.queue_offset;
    let topic = names::TRANS_CHECK_MAX_TIME_TOPIC;
    parts.topics.ensure(topic, || open_topic(topic, 1)).map_err(Refusal::system)?;
    parts.log.append(MessageRecord { topic: topic.to_owned(), queue_id: 0, ..half })?;
    settle(parts, offset);
    Ok(())
}

/// Sends CHECK_TRANSACTION_STATE (39) to one live member of the producer group. With none alive the check counts
/// all the same, as in Apache.
fn ask_producers(parts: &Parts, half: MessageRecord, properties: &Properties) -> Result<(), Refusal> {
    let Some(group) = properties.producer_group() else {
        return Ok(());
    };
    let command = check_command(parts, half, properties)?;
    let channels = parts.clients.producers.lock().channels_in_turn(group);
    for channel in channels {
        let Some(connection) = parts.clients.channels.get(channel) else { continue };
        if connection.push(command.clone()).is_ok() {
            return Ok(());
        }
    }
    tracing::debug!(group, "no live producer to ask about a transaction");
    Ok(())
}

fn check_command(parts: &Parts, half: MessageRecord, properties: &Properties) -> Result<Command, Refusal> {
    let unique_key = properties.unique_key().map(str::to_owned);
    let id = OffsetMessageId { host: parts.settings.address, offset: half.physical_offset };
    let header = CheckTransactionStateRequest {
        topic: Some(names::HALF_TOPIC.to_owned()),
        tran_state_table_offset: half.queue_offset,
        commit_log_offset: half.physical_offset,
        msg_id: unique_key.clone(),
        transaction_id: unique_key,
        offset_msg_id: Some(id.to_string()),
    };
    let message = restore(half).ok_or_else(|| Refusal::system("the half message names no topic to go to"))?;
    let mut body = BytesMut::new();
    message.encode(&mut body)?;
    Ok(header.to_command()?.with_body(body.freeze()).oneway())
}

/// Keeps how far the check round came where Apache keeps it: as the consumed offsets of a system group.
fn remember(parts: &Parts) {
    let half = parts.state.halves.lock().next();
    let first_op = parts.state.ops.lock().values().min().copied();
    let op = first_op.unwrap_or_else(|| parts.log.store.max_offset(names::OP_HALF_TOPIC, QUEUE));
    let mut offsets = parts.offsets.lock();
    for (topic, offset) in [(names::HALF_TOPIC, half), (names::OP_HALF_TOPIC, op)] {
        if offsets.query(topic, names::TRANS_GROUP, QUEUE) != Some(offset) {
            offsets.commit(topic, names::TRANS_GROUP, QUEUE, offset);
        }
    }
}

/// RESUME_CHECK_HALF_MESSAGE (323): a half message that was given up starts anew.
pub fn resume_check(
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
    properties.set(property::TRANSACTION_CHECK_TIMES, "0");
    parts.log.append(MessageRecord {
        topic: names::HALF_TOPIC.to_owned(),
        queue_id: QUEUE,
        properties: properties.encode_stored(),
        ..half
    })?;
    Ok(())
}
