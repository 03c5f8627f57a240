//! The check round: asks producers about half messages that stay undecided, and gives up those it asked about too often.

use bytes::BytesMut;
use rocketmq_remoting::message::properties::{Properties, names as property};
use rocketmq_remoting::message::{MessageRecord, OffsetMessageId};
use rocketmq_remoting::requests::transaction::CheckTransactionStateRequest;
use rocketmq_remoting::{Command, Request};

use super::checks::{Action, CheckLimits, HalfState};
use super::halves::{HalfCopy, Standing, TransactionId};
use super::ops;
use super::parts::Parts;
use super::state::QUEUE;
use crate::broker::log::notes;
use crate::broker::log::placement::restore;
use crate::broker::log::range::Range;
use crate::broker::log::set_aside::{Place, lost, set_aside};
use crate::broker::names;
use crate::broker::settings::millis;
use crate::broker::topics::table::open_topic;
use crate::exchange::Refusal;

/// Halves of one step of a check round.
const BURST: usize = 256;

/// One round over every undecided half message that is old enough, in steps so that other work gets a turn.
#[derive(Debug, Clone)]
pub(crate) struct CheckRound {
    start: i64,
    /// Halves stored later, copies made by this round among them, are for the next one.
    end: i64,
    limits: CheckLimits,
}

impl CheckRound {
    pub(crate) fn begin(parts: &Parts) -> Self {
        let range = Range::of(&parts.log.store, names::HALF_TOPIC, QUEUE);
        pass_over_lost(parts, range);
        Self {
            start: parts.log.now(),
            end: range.max,
            limits: CheckLimits {
                timeout: millis(parts.settings.live().transaction_timeout),
                max_checks: parts.settings.live().transaction_check_max,
                retention: millis(parts.settings.live().store.file_reserved),
            },
        }
    }

    /// Deals with some halves; true when there are more. The last step notes how far the round came.
    pub(crate) fn step(&self, parts: &Parts) -> bool {
        for _ in 0..BURST {
            let offset = parts.state.halves.lock().next();
            if offset >= self.end || !self.pass(parts, offset) {
                remember(parts);
                return false;
            }
        }
        true
    }

    /// Deals with one half; false when it and all after it must wait.
    fn pass(&self, parts: &Parts, offset: i64) -> bool {
        let standing = parts.state.halves.lock().standing(offset);
        match standing {
            Standing::Decided => {
                settle(parts, offset);
                return true;
            }
            Standing::BeingDecided => return false,
            Standing::Open => {}
        }
        match parts.log.message_at(names::HALF_TOPIC, QUEUE, offset) {
            Ok(Some(record)) => self.check(parts, Half::of(parts, record)),
            Ok(None) => {
                lost(&parts.log, place(offset), 1);
                settle(parts, offset);
                true
            }
            Err(error) => {
                tracing::error!(offset, %error, "cannot read the queue of half messages: the next round tries again");
                false
            }
        }
    }

    fn check(&self, parts: &Parts, half: Half) -> bool {
        let offset = half.record.queue_offset;
        let claimed = half.record.store_timestamp;
        let stored = parts.state.times.lock().of(offset, claimed, self.start, self.end);
        if stored >= self.start {
            return false;
        }
        let first_stored = half.copy.map_or(stored, |copy| copy.first_stored.min(stored));
        let action = half.state(self.start - first_stored).decide(&self.limits);
        let result = match action {
            Action::Wait => return false,
            Action::Postpone => append_again(parts, &half, first_stored, false),
            Action::Check => append_again(parts, &half, first_stored, true),
            Action::GiveUp => give_up(parts, &half),
        };
        match result {
            Ok(()) => true,
            Err(refusal) if refusal.is_final() => set_half_aside(parts, &half, &refusal),
            Err(refusal) => {
                tracing::warn!(offset, %refusal, "a half message could not be checked; the next round tries again");
                false
            }
        }
    }
}

/// A half message, with what is known of its earlier copies.
#[derive(Debug)]
struct Half {
    record: MessageRecord,
    properties: Properties,
    id: Option<TransactionId>,
    copy: Option<HalfCopy>,
}

impl Half {
    fn of(parts: &Parts, record: MessageRecord) -> Self {
        let properties = Properties::parse(&record.properties);
        let id = TransactionId::of(&properties);
        let copy = parts.state.halves.lock().copy_at(record.queue_offset, id.as_ref());
        Self { record, properties, id, copy }
    }

    /// The count of checks is in the properties, unless they had no room for it.
    fn state(&self, age: i64) -> HalfState {
        let state = HalfState::read(&self.properties, age);
        HalfState { checks: state.checks.max(self.copy.map_or(0, |copy| copy.checks)), ..state }
    }
}

fn place(offset: i64) -> Place<'static> {
    Place { topic: names::HALF_TOPIC, queue: QUEUE, offset }
}

/// Goes on with the first half that the log still has.
fn pass_over_lost(parts: &Parts, range: Range) {
    let next = parts.state.halves.lock().next();
    if next < range.min {
        lost(&parts.log, place(next), range.min - next);
        parts.state.halves.lock().settle(range.min - 1);
        let mut ops = parts.state.ops.lock();
        *ops = ops.split_off(&range.min);
    }
}

fn settle(parts: &Parts, offset: i64) {
    parts.state.halves.lock().settle(offset);
    parts.state.ops.lock().remove(&offset);
}

fn append_again(parts: &Parts, half: &Half, first_stored: i64, ask: bool) -> Result<(), Refusal> {
    let offset = half.record.queue_offset;
    let checks = half.state(0).checks + u32::from(ask);
    let mut properties = half.properties.clone();
    if ask {
        notes::note(&mut properties, property::TRANSACTION_CHECK_TIMES, checks.to_string());
    } else if properties.get(property::TRAN_PREPARED_QUEUE_OFFSET).is_none() {
        notes::note(&mut properties, property::TRAN_PREPARED_QUEUE_OFFSET, offset.to_string());
    }
    notes::note(&mut properties, property::WAIT, "false");
    let copy = MessageRecord { properties: notes::encode(&properties), ..half.record.clone() };
    let stored = parts.log.append(copy.clone())?;
    let newest = HalfCopy { offset: stored.queue_offset, first_stored, checks };
    let decided = parts.state.halves.lock().replace(offset, half.id.as_ref(), newest);
    parts.state.ops.lock().remove(&offset);
    if let Some(ending) = decided {
        return ops::write(parts, newest.offset, ending);
    }
    if ask {
        let copy = MessageRecord {
            queue_offset: stored.queue_offset,
            physical_offset: stored.physical_offset,
            store_timestamp: stored.store_timestamp,
            ..copy
        };
        ask_producers(parts, copy, &properties);
    }
    Ok(())
}

fn give_up(parts: &Parts, half: &Half) -> Result<(), Refusal> {
    let topic = names::TRANS_CHECK_MAX_TIME_TOPIC;
    parts.topics.ensure(topic, || open_topic(topic, 1)).map_err(Refusal::system)?;
    parts.log.append(MessageRecord { topic: topic.to_owned(), queue_id: 0, ..half.record.clone() })?;
    let offset = half.record.queue_offset;
    parts.state.halves.lock().give_up(offset, half.id.as_ref());
    parts.state.ops.lock().remove(&offset);
    Ok(())
}

/// A half that cannot be copied is given up at once. Says whether the round goes on.
fn set_half_aside(parts: &Parts, half: &Half, reason: &Refusal) -> bool {
    let offset = half.record.queue_offset;
    set_aside(&parts.log, place(offset), reason);
    match give_up(parts, half) {
        Ok(()) => true,
        Err(refusal) if refusal.is_final() => {
            settle(parts, offset);
            true
        }
        Err(refusal) => {
            tracing::warn!(offset, %refusal, "a half message could not be given up; the next round tries again");
            false
        }
    }
}

/// Sends CHECK_TRANSACTION_STATE (39) to one live member of the producer group. With none alive the check counts
/// all the same, as in Apache.
fn ask_producers(parts: &Parts, half: MessageRecord, properties: &Properties) {
    let offset = half.queue_offset;
    let Some(group) = properties.producer_group() else { return };
    let command = match check_command(parts, half, properties) {
        Ok(command) => command,
        Err(refusal) => {
            tracing::warn!(group, offset, %refusal, "cannot ask about a half message");
            return;
        }
    };
    let channels = parts.clients.producers.lock().channels_in_turn(group);
    for channel in channels {
        let Some(connection) = parts.clients.channels.get(channel) else { continue };
        if connection.push(command.clone()).is_ok() {
            return;
        }
    }
    tracing::debug!(group, offset, "no live producer to ask about a transaction");
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
