//! Accepts messages and batches: checks them, completes them, and puts them into the log.

use bytes::Bytes;
use rocketmq_remoting::Request;
use rocketmq_remoting::body::topic::TopicFilterType;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::message::batch;
use rocketmq_remoting::message::properties::{Properties, names as property};
use rocketmq_remoting::message::{BatchMessage, MessageRecord, SysFlag};
use rocketmq_remoting::net::Connection;
use rocketmq_remoting::recall::RecallHandle;
use rocketmq_remoting::requests::send::{SendMessageRequest, SendMessageResponse};

use super::accepted::Accepted;
use super::answer::{message_id, stamped_header};
use super::checks::{Target, check, check_batch, check_recall, check_size};
use super::parts::Parts;
use super::properties::SentProperties;
use crate::broker::log::notes::check_room;
use crate::broker::log::placement::{Placement, divert, into_half};
use crate::broker::log::refuse_put;
use crate::exchange::{Asked, Refusal};

/// Puts a message or a batch.
///
/// # Errors
/// The first check that fails, or the refusal of the store.
pub(crate) fn accept<R>(parts: &Parts, asked: Asked<'_, R>) -> Result<Accepted, Refusal>
where
    R: Request<Body = Bytes> + Into<SendMessageRequest>,
{
    let (version, connection) = (asked.version(), asked.connection);
    let (request, body): (SendMessageRequest, _) = (asked.header.into(), asked.body);
    if request.is_batch() {
        check_batch(&request.topic)?;
    }
    let target = check(parts, &request, version)?;
    if body.is_empty() {
        return Err(Refusal::system("the message body is empty"));
    }
    if request.is_batch() {
        accept_batch(parts, connection, request, target, body)
    } else {
        accept_one(parts, connection, request, target, body)
    }
}

/// Stores one message where its properties send it.
pub(crate) fn accept_one(
    parts: &Parts,
    connection: &Connection,
    request: SendMessageRequest,
    target: Target,
    body: Bytes,
) -> Result<Accepted, Refusal> {
    check_size(parts, &body)?;
    let wire = request.properties.as_deref().unwrap_or_default();
    let mut sent = SentProperties::scan(wire);
    check_recall(&request.topic, &sent.timer)?;
    if target.dead_letter {
        sent.delay = None;
    }
    let new_key = sent.unique_key.is_none().then(|| parts.ids.next(parts.log.now()));
    let key = sent.unique_key.or(new_key.as_deref()).map(str::to_owned);
    let mut properties = parts.stamp.apply(wire, &sent, new_key.as_deref());
    if target.dead_letter {
        properties = without_delay(&properties);
    }
    let placement = parts.log.placement_rules().place(&sent)?;
    let record = record_of(parts, connection, &request, &target, properties, body);
    let half = is_half(&sent, &request, placement);
    let record = if half {
        check_transactions(parts)?;
        into_half(record, key.as_deref())
    } else {
        divert(record, placement)
    };
    if half || matches!(placement, Placement::Timer(_)) {
        check_room(&record)?;
    }
    let wait = sent.wait;
    let recall_handle = recall_handle(parts, &target, placement, key.as_deref());
    let put = parts.log.put_buffered(record)?;
    Ok(Accepted {
        header: SendMessageResponse {
            msg_id: Some(message_id(parts, &put)),
            queue_id: target.queue_id,
            queue_offset: put.queue_offset,
            transaction_id: key,
            recall_handle,
            ..stamped_header(parts)
        },
        put,
        wait,
    })
}

fn record_of(
    parts: &Parts,
    connection: &Connection,
    request: &SendMessageRequest,
    target: &Target,
    properties: String,
    body: Bytes,
) -> MessageRecord {
    let mut sys_flag = SysFlag(request.sys_flag);
    if target.topic.topic_filter_type == TopicFilterType::MultiTag {
        sys_flag = sys_flag.with(SysFlag::MULTI_TAGS);
    }
    MessageRecord {
        queue_id: target.queue_id,
        flag: request.flag,
        sys_flag,
        born_timestamp: request.born_timestamp,
        born_host: connection.peer(),
        store_host: parts.settings.address,
        reconsume_times: request.reconsume_times.unwrap_or(0),
        body,
        topic: target.topic.topic_name.clone(),
        properties,
        ..MessageRecord::default()
    }
    .seal()
}

fn without_delay(wire: &str) -> String {
    let mut properties = Properties::parse(wire);
    properties.remove(property::DELAY);
    properties.encode_stored()
}

/// A retry of a committed message still says that it was one of a transaction, and is none.
fn is_half(sent: &SentProperties<'_>, request: &SendMessageRequest, placement: Placement) -> bool {
    let is_retry = request.reconsume_times.unwrap_or(0) > 0 && matches!(placement, Placement::Level(_));
    sent.transaction && !is_retry
}

fn check_transactions(parts: &Parts) -> Result<(), Refusal> {
    if parts.settings.live().reject_transactions {
        let remark =
            format!("the broker[{}] sending transaction message is forbidden", parts.settings.address);
        return Err(Refusal::forbidden(remark));
    }
    Ok(())
}

fn recall_handle(parts: &Parts, target: &Target, placement: Placement, key: Option<&str>) -> Option<String> {
    let Placement::Timer(due) = placement else {
        return None;
    };
    let handle = RecallHandle {
        topic: target.topic.topic_name.clone(),
        broker: parts.settings.fixed.broker_name.clone(),
        due,
        message_id: key?.to_owned(),
    };
    Some(handle.encode())
}

fn accept_batch(
    parts: &Parts,
    connection: &Connection,
    request: SendMessageRequest,
    target: Target,
    body: Bytes,
) -> Result<Accepted, Refusal> {
    check_size(parts, &body)?;
    let sent = SentProperties::scan(request.properties.as_deref().unwrap_or_default());
    let messages = batch::decode(body)?;
    let mut records = Vec::with_capacity(messages.len());
    for message in messages {
        records.push(batch_record(parts, connection, &request, &target, message)?);
    }
    let traffic = parts.log.stats.traffic.puts(&request.topic);
    let puts = parts.log.store.put_batch(records).map_err(refuse_put)?;
    puts.iter().for_each(|one| parts.log.count_put(&traffic, one));
    let ids: Vec<String> = puts.iter().map(|one| message_id(parts, one)).collect();
    let (Some(first), Some(last)) = (puts.first(), puts.last()) else {
        return Err(Refusal::system("the batch holds no message"));
    };
    Ok(Accepted {
        header: SendMessageResponse {
            msg_id: Some(ids.join(",")),
            queue_id: target.queue_id,
            queue_offset: first.queue_offset,
            transaction_id: sent.unique_key.map(str::to_owned),
            ..stamped_header(parts)
        },
        put: last.clone(),
        wait: sent.wait,
    })
}

fn batch_record(
    parts: &Parts,
    connection: &Connection,
    request: &SendMessageRequest,
    target: &Target,
    message: BatchMessage,
) -> Result<MessageRecord, Refusal> {
    let sent = SentProperties::scan(&message.properties);
    check_recall(&request.topic, &sent.timer)?;
    if sent.transaction || sent.delay.is_some_and(|level| level.parse::<i32>().is_ok_and(|level| level > 0)) {
        let remark = "a batch holds neither delayed nor transactional messages";
        return Err(Refusal::new(ResponseCode::MESSAGE_ILLEGAL, remark));
    }
    let record = record_of(parts, connection, request, target, message.properties, message.body);
    Ok(MessageRecord { flag: message.flag, ..record })
}
