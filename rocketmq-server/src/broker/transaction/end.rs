//! END_TRANSACTION (37): a producer commits a half message, or rolls it back.

use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::message::properties::{Properties, names as property};
use rocketmq_remoting::message::{MessageRecord, SysFlag};
use rocketmq_remoting::requests::transaction::EndTransactionRequest;

use super::checks::HalfState;
use super::halves::{Closed, Ending, Ticket, TransactionId};
use super::ops;
use super::parts::Parts;
use crate::broker::log::notes;
use crate::broker::log::placement::restore;
use crate::broker::names;
use crate::broker::settings::millis;
use crate::exchange::{Asked, Refusal, Reply};

/// Answers an end. A producer that does not know yet itself is never answered.
pub(crate) fn end(parts: &Parts, asked: Asked<'_, EndTransactionRequest>) -> Reply<()> {
    let ended = match asked.header.commit_or_rollback {
        EndTransactionRequest::UNKNOWN => return Reply::Held,
        EndTransactionRequest::COMMIT => finish(parts, &asked.header, Ending::Committed),
        EndTransactionRequest::ROLLBACK => finish(parts, &asked.header, Ending::RolledBack),
        other => Err(Refusal::system(format_args!("commitOrRollback field wrong: {other}"))),
    };
    Reply::Now(ended.map(Into::into))
}

fn finish(parts: &Parts, request: &EndTransactionRequest, ending: Ending) -> Result<(), Refusal> {
    let half = load_half(parts, request)?;
    let begun = parts.state.halves.lock().begin(request.tran_state_table_offset, half.id.as_ref());
    match begun {
        Ok(ticket) => decide(parts, ticket, half, request, ending),
        // Told before: a second commit must not deliver a second time.
        Err(Closed::Ended(known)) if known == ending => Ok(()),
        Err(Closed::Ended(Ending::GivenUp)) => decide_late(parts, half, request, ending),
        Err(closed) => Err(refuse(closed)),
    }
}

fn decide(
    parts: &Parts,
    ticket: Ticket,
    Half { record, id }: Half,
    request: &EndTransactionRequest,
    ending: Ending,
) -> Result<(), Refusal> {
    if let Err(refusal) = carry_out(parts, record, request, ending) {
        parts.state.halves.lock().failed(ticket);
        return Err(refusal);
    }
    let decided = parts.state.halves.lock().done(ticket, id.as_ref(), ending);
    decided.map_or(Ok(()), |half| ops::write(parts, half, ending))
}

/// Ends a half that was given up: the broker no longer asks about it, but its producer may still decide.
fn decide_late(
    parts: &Parts,
    Half { record, id }: Half,
    request: &EndTransactionRequest,
    ending: Ending,
) -> Result<(), Refusal> {
    parts.state.halves.lock().take_given_up(id.as_ref());
    let result = carry_out(parts, record, request, ending);
    let now = if result.is_ok() { ending } else { Ending::GivenUp };
    parts.state.halves.lock().remember(id.as_ref(), now);
    result
}

fn carry_out(
    parts: &Parts,
    half: MessageRecord,
    request: &EndTransactionRequest,
    ending: Ending,
) -> Result<(), Refusal> {
    match ending {
        Ending::Committed => parts.log.put(committed(half, request)?).map(drop),
        _ => Ok(()),
    }
}

fn refuse(closed: Closed) -> Refusal {
    let remark = match closed {
        Closed::BeingDecided => "the transaction is being ended by another request; try again".to_owned(),
        Closed::Ended(Ending::Committed) => "the transaction was committed before".to_owned(),
        Closed::Ended(Ending::RolledBack) => "the transaction was rolled back before".to_owned(),
        Closed::Ended(Ending::GivenUp | Ending::Unrecorded) => {
            "the transaction was ended before by another broker, which does not say how".to_owned()
        }
        Closed::Forgotten => format!(
            "the transaction is not open: it ended before the broker started, or long ago; if it was given up, it is in {}",
            names::TRANS_CHECK_MAX_TIME_TOPIC
        ),
    };
    Refusal::new(ResponseCode::ILLEGAL_OPERATION, remark)
}

/// A half message, and the id among its properties.
struct Half {
    record: MessageRecord,
    id: Option<TransactionId>,
}

fn load_half(parts: &Parts, request: &EndTransactionRequest) -> Result<Half, Refusal> {
    let record = parts
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
    let properties = Properties::parse(&record.properties);
    if properties.producer_group() != Some(&request.producer_group) {
        return Err(Refusal::system("The producer group wrong"));
    }
    if record.queue_offset != request.tran_state_table_offset {
        return Err(Refusal::system("The transaction state table offset wrong"));
    }
    check_lateness(parts, request, &record, &properties)?;
    let id = TransactionId::of(&properties);
    Ok(Half { record, id })
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
    notes::note(&mut properties, property::WAIT, "false");
    record.properties = notes::encode(&properties);
    record.sys_flag = record.sys_flag.with(SysFlag::TRANSACTION_COMMIT);
    record.prepared_transaction_offset = request.commit_log_offset;
    Ok(record)
}
