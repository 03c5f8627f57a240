//! Requests a tool addresses to a consumer: the broker passes them on and brings the answer back (221, 307, 309).

use std::time::Duration;

use futures_util::future::join_all;
use rocketmq_remoting::body::{ConsumeMessageDirectlyResult, ConsumerRunningInfo, GetConsumerStatusBody};
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::message::OffsetMessageId;
use rocketmq_remoting::net::{CallError, Connection};
use rocketmq_remoting::requests::group::{
    ConsumeMessageDirectlyRequest, GetConsumerRunningInfoRequest, GetConsumerStatusRequest,
    InvokeGetConsumerStatusRequest,
};
use rocketmq_remoting::{Command, Json, Request};

use super::parts::Parts;
use crate::exchange::{Asked, Refusal, Reply};

/// The time that a consumer has to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The time that it has to name its offsets.
const STATUS_PATIENCE: Duration = Duration::from_secs(5);

/// GET_CONSUMER_RUNNING_INFO (307).
pub(crate) fn running_info(
    parts: &Parts,
    asked: Asked<'_, GetConsumerRunningInfoRequest>,
) -> Reply<Json<ConsumerRunningInfo>> {
    let GetConsumerRunningInfoRequest { consumer_group, client_id, .. } = &asked.header;
    match member(parts, consumer_group, client_id) {
        Ok(connection) => pass_on(connection, asked.forwarded(), client_id.clone()),
        Err(refusal) => Reply::refused(refusal),
    }
}

/// CONSUME_MESSAGE_DIRECTLY (309): the message goes along, since the consumer may never have seen it.
pub(crate) fn consume_directly(
    parts: &Parts,
    asked: Asked<'_, ConsumeMessageDirectlyRequest>,
) -> Reply<Json<ConsumeMessageDirectlyResult>> {
    let client_id = asked.header.client_id.clone().unwrap_or_default();
    let prepared = member(parts, &asked.header.consumer_group, &client_id)
        .and_then(|connection| Ok((connection, with_message(parts, &asked)?)));
    match prepared {
        Ok((connection, onward)) => pass_on(connection, onward, client_id),
        Err(refusal) => Reply::refused(refusal),
    }
}

fn with_message(parts: &Parts, asked: &Asked<'_, ConsumeMessageDirectlyRequest>) -> Result<Command, Refusal> {
    let id: OffsetMessageId = asked.header.msg_id.as_deref().unwrap_or_default().parse()?;
    let record = parts
        .log
        .record_bytes(id.offset)
        .ok_or_else(|| Refusal::system(format_args!("no message at offset {}", id.offset)))?;
    let told = ConsumeMessageDirectlyRequest {
        broker_name: Some(parts.settings.fixed.broker_name.clone()),
        topic_sys_flag: Some(0),
        group_sys_flag: Some(0),
        ..asked.header.clone()
    };
    Ok(asked.forwarded_as(&told, &record)?)
}

fn member(parts: &Parts, group: &str, client_id: &str) -> Result<Connection, Refusal> {
    let channel = parts
        .clients
        .consumers
        .lock()
        .group(group)
        .and_then(|live| live.member(client_id))
        .map(|member| member.channel);
    channel
        .and_then(|channel| parts.clients.channels.get(channel))
        .ok_or_else(|| Refusal::system(format_args!("The Consumer <{group}> <{client_id}> not online")))
}

fn pass_on<P>(connection: Connection, onward: Command, client_id: String) -> Reply<P> {
    Reply::PassedOn(Box::pin(async move {
        connection.call(onward, PATIENCE).await.map_err(|error| unanswered(&client_id, &error))
    }))
}

fn unanswered(client_id: &str, error: &CallError) -> Refusal {
    let remark = format!("consumer <{client_id}> did not answer: {error}");
    let code = if matches!(error, CallError::Timeout(_)) {
        ResponseCode::CONSUME_MSG_TIMEOUT
    } else {
        ResponseCode::SYSTEM_ERROR
    };
    Refusal::new(code, remark)
}

/// INVOKE_BROKER_TO_GET_CONSUMER_STATUS (223): asks every member, or one, how far it is (221).
pub(crate) fn consumer_status(
    parts: &Parts,
    asked: Asked<'_, InvokeGetConsumerStatusRequest>,
) -> Reply<Json<GetConsumerStatusBody>> {
    match status_members(parts, asked.header) {
        Ok(members) => Reply::later(async move { Ok(Json(collect_status(members).await).into()) }),
        Err(refusal) => Reply::refused(refusal),
    }
}

type StatusCall = (String, Connection, Command);

fn status_members(
    parts: &Parts,
    request: InvokeGetConsumerStatusRequest,
) -> Result<Vec<StatusCall>, Refusal> {
    let InvokeGetConsumerStatusRequest { topic, group, client_addr } = request;
    let wanted = client_addr.clone().filter(|id| !id.is_empty());
    let consumers = parts.clients.consumers.lock();
    let live = consumers.group(&group).ok_or_else(|| {
        Refusal::system(format_args!("No Any Consumer online in the consumer group: [{group}]"))
    })?;
    let onward = GetConsumerStatusRequest { topic, group, client_addr }.command(&())?;
    let chosen = live.members().filter(|member| wanted.as_ref().is_none_or(|id| *id == member.client_id));
    Ok(chosen
        .filter_map(|member| {
            Some((member.client_id.clone(), parts.clients.channels.get(member.channel)?, onward.clone()))
        })
        .collect())
}

async fn collect_status(members: Vec<StatusCall>) -> GetConsumerStatusBody {
    let asked = members.into_iter().map(|(client_id, connection, command)| async move {
        let answer = connection.call(command, STATUS_PATIENCE).await.ok()?;
        let Json(body) = GetConsumerStatusRequest::answer(answer).ok()?.payload;
        Some((client_id, body.message_queue_table))
    });
    GetConsumerStatusBody {
        consumer_table: join_all(asked).await.into_iter().flatten().collect(),
        ..GetConsumerStatusBody::default()
    }
}
