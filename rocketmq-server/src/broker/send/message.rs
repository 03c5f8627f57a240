//! SEND_MESSAGE (10), SEND_MESSAGE_V2 (310) and SEND_BATCH_MESSAGE (320).
//!
//! Storing numbers a message and buffers it. The answer waits until the buffer went to the kernel, once for all messages
//! of one read from the connection; with SYNC_FLUSH it waits for the disk.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use rocketmq_remoting::body::topic::TopicFilterType;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::message::batch;
use rocketmq_remoting::message::properties::{Properties, names as property};
use rocketmq_remoting::message::{BatchMessage, MessageRecord, OffsetMessageId, SysFlag};
use rocketmq_remoting::net::Connection;
use rocketmq_remoting::recall::RecallHandle;
use rocketmq_remoting::requests::send::{RefusedSend, SendMessageRequest, SendMessageResponse};
use rocketmq_remoting::{Answered, Request};

use super::checks::{Target, check, check_batch, check_recall, check_size};
use super::parts::Parts;
use super::properties::SentProperties;
use crate::broker::log::notes::check_room;
use crate::broker::log::placement::{Placement, divert, into_half};
use crate::broker::log::refuse_put;
use crate::broker::settings::Copies;
use crate::exchange::{Asked, Refusal, Reply};
use crate::store::Put;

/// Stores a message or a batch; the answer follows when it is as safe as it asked to be.
pub(crate) fn send<R>(parts: &Parts, asked: Asked<'_, R>) -> Reply<SendMessageResponse>
where
    R: Request<Body = Bytes> + Into<SendMessageRequest>,
{
    let (topics, from) = (parts.topics.change(), asked.connection.id());
    match accept(parts, asked) {
        Ok(accepted) if parts.topics.change() != topics => {
            let parts = parts.clone();
            Reply::later(async move { accepted.announced(&parts).await })
        }
        Ok(accepted) if accepted.wait && Safety::of(parts).is_waited_for() => {
            let parts = parts.clone();
            Reply::later(async move { accepted.flushed(&parts).await })
        }
        Ok(accepted) => {
            parts.log.uncommitted.add(from, &accepted.put);
            Reply::Committed(Ok(accepted.header.into()))
        }
        Err(refusal) => Reply::refused(refused(parts, refusal)),
    }
}

/// Producers read the region and the trace switch from refusals too.
pub(crate) fn refused(parts: &Parts, refusal: Refusal) -> Refusal {
    let SendMessageResponse { msg_region, trace_on, .. } = stamped_header(parts);
    refusal.with_header(&RefusedSend { msg_region, trace_on })
}

type Sent = Result<Answered<SendMessageResponse>, Refusal>;

/// A message that has its place in the log.
#[derive(Debug)]
pub(crate) struct Accepted {
    put: Put,
    header: SendMessageResponse,
    /// The producer wants the disk to have it.
    wait: bool,
}

impl Accepted {
    /// As Apache's broker, answers the send that made a topic when consumers can find it.
    async fn announced(self, parts: &Parts) -> Sent {
        parts.topics.announced().await;
        self.flushed(parts).await
    }

    async fn flushed(self, parts: &Parts) -> Sent {
        let settled = self.settle(parts).await;
        settled.map(|code| Answered::with_code(code, self.header)).map_err(|refusal| refused(parts, refusal))
    }

    async fn settle(&self, parts: &Parts) -> Result<ResponseCode, Refusal> {
        parts.log.store.ensure_written(&self.put).map_err(refuse_put)?;
        let safety = Safety::of(parts);
        if !(self.wait && safety.is_waited_for()) {
            return Ok(ResponseCode::SUCCESS);
        }
        let _waiting = Waiting::enter(parts)?;
        let (on_disk, copied) = tokio::join!(safety.flushed(parts, &self.put), safety.copied(parts));
        Ok(copied.or(on_disk).unwrap_or(ResponseCode::SUCCESS))
    }
}

/// The safety that a send waits for.
#[derive(Debug, Clone, Copy)]
struct Safety {
    disk_within: Option<Duration>,
    copies: Copies,
}

impl Safety {
    fn of(parts: &Parts) -> Self {
        let live = parts.settings.live();
        Self {
            disk_within: live.sync_flush().then_some(live.sync_flush_timeout),
            copies: Copies::of(&parts.settings.fixed, &live),
        }
    }

    fn is_waited_for(self) -> bool {
        self.disk_within.is_some() || self.copies != Copies::NotWanted
    }

    /// Returns the code of the answer if the disk does not have the message in time.
    async fn flushed(self, parts: &Parts, put: &Put) -> Option<ResponseCode> {
        let in_time = parts.log.store.flushed(put.end, self.disk_within?).await;
        (!in_time).then_some(ResponseCode::FLUSH_DISK_TIMEOUT)
    }

    /// Returns the code of the answer if no other machine has the message in time.
    async fn copied(self, parts: &Parts) -> Option<ResponseCode> {
        match self.copies {
            Copies::NotWanted => None,
            Copies::Unavailable => Some(ResponseCode::SLAVE_NOT_AVAILABLE),
            Copies::Late(timeout) => {
                parts.log.clock.sleep(timeout).await;
                Some(ResponseCode::FLUSH_SLAVE_TIMEOUT)
            }
        }
    }
}

/// Counts the sends that wait for the disk, so that a disk that hangs does not fill the memory.
#[derive(Debug)]
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(parts: &'a Parts) -> Result<Self, Refusal> {
        let waiting = Self(&parts.waiting_sends);
        if waiting.0.fetch_add(1, Ordering::Relaxed) >= parts.settings.live().max_waiting_sends {
            let remark = "[OVERLOAD]the disk is slower than the producers, please slow down";
            return Err(Refusal::new(ResponseCode::SYSTEM_BUSY, remark));
        }
        Ok(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn accept<R>(parts: &Parts, asked: Asked<'_, R>) -> Result<Accepted, Refusal>
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

fn message_id(parts: &Parts, put: &Put) -> String {
    let id = OffsetMessageId { host: parts.settings.address, offset: put.physical_offset };
    id.to_string()
}

pub(crate) fn stamped_header(parts: &Parts) -> SendMessageResponse {
    SendMessageResponse {
        msg_region: Some(parts.stamp.region().to_owned()),
        trace_on: Some(parts.stamp.trace_text().to_owned()),
        ..SendMessageResponse::default()
    }
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
