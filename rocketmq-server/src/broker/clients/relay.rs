//! Requests a tool addresses to a consumer: the broker passes them on and brings the answer back (221, 307, 309).

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rocketmq_remoting::body::offset::GetConsumerStatusBody;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::message::OffsetMessageId;
use rocketmq_remoting::net::{Answer, CallError, Connection};
use rocketmq_remoting::requests::group::{
    ConsumeMessageDirectlyRequest, GetConsumerRunningInfoRequest, GetConsumerStatusRequest,
    InvokeGetConsumerStatusRequest,
};
use rocketmq_remoting::{Command, Request, fastjson};

use crate::broker::answer::{Refusal, Reply, ok_json};
use crate::broker::core::Core;
use crate::broker::query::record_bytes;

/// How long a consumer may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it may take to name its offsets.
const STATUS_PATIENCE: Duration = Duration::from_secs(5);

/// GET_CONSUMER_RUNNING_INFO (307).
pub fn running_info(core: &Core, command: &Command) -> Answer {
    let prepare = || {
        let request = GetConsumerRunningInfoRequest::from_ext(&command.ext)?;
        let connection = member(core, &request.consumer_group, &request.client_id)?;
        Ok((connection, forwarded(command), request.client_id))
    };
    relay(prepare())
}

/// CONSUME_MESSAGE_DIRECTLY (309): the message goes along, since the consumer may never have seen it.
pub fn consume_directly(core: &Core, command: &Command) -> Answer {
    let prepare = || {
        let request = ConsumeMessageDirectlyRequest::from_ext(&command.ext)?;
        let client_id = request.client_id.clone().unwrap_or_default();
        let connection = member(core, &request.consumer_group, &client_id)?;
        let id: OffsetMessageId = request.msg_id.as_deref().unwrap_or_default().parse()?;
        let record = record_bytes(core, id.offset)
            .ok_or_else(|| Refusal::system(format_args!("no message at offset {}", id.offset)))?;
        let mut onward = forwarded(command).with_body(record);
        onward.ext.set("brokerName", &core.settings.broker_name);
        onward.ext.set("topicSysFlag", "0");
        onward.ext.set("groupSysFlag", "0");
        Ok((connection, onward, client_id))
    };
    relay(prepare())
}

fn forwarded(command: &Command) -> Command {
    Command::request(command.request_code()).with_ext(command.ext.clone()).with_body(command.body.clone())
}

fn member(core: &Core, group: &str, client_id: &str) -> Result<Connection, Refusal> {
    let channel = core
        .consumers
        .lock()
        .group(group)
        .and_then(|live| live.member(client_id))
        .map(|member| member.channel);
    channel
        .and_then(|channel| core.channels.get(channel))
        .ok_or_else(|| Refusal::system(format_args!("The Consumer <{group}> <{client_id}> not online")))
}

fn relay(prepared: Result<(Connection, Command, String), Refusal>) -> Answer {
    let (connection, onward, client_id) = match prepared {
        Ok(prepared) => prepared,
        Err(refusal) => return Answer::Now(refusal.into_command()),
    };
    Answer::Later(Box::pin(async move {
        Some(match connection.call(onward, PATIENCE).await {
            Ok(answer) => answer,
            Err(error) => unanswered(&client_id, &error).into_command(),
        })
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
pub fn consumer_status(core: &Arc<Core>, command: &Command) -> Answer {
    let members = match status_members(core, command) {
        Ok(members) => members,
        Err(refusal) => return Answer::Now(refusal.into_command()),
    };
    Answer::Later(Box::pin(async move {
        let reply = collect_status(members).await;
        Some(reply.unwrap_or_else(Refusal::into_command))
    }))
}

type StatusCall = (String, Connection, Command);

fn status_members(core: &Core, command: &Command) -> Result<Vec<StatusCall>, Refusal> {
    let request = InvokeGetConsumerStatusRequest::from_ext(&command.ext)?;
    let wanted = request.client_addr.clone().filter(|id| !id.is_empty());
    let consumers = core.consumers.lock();
    let live = consumers.group(&request.group).ok_or_else(|| {
        Refusal::system(format_args!("No Any Consumer online in the consumer group: [{}]", request.group))
    })?;
    let header = GetConsumerStatusRequest {
        topic: request.topic,
        group: request.group,
        client_addr: request.client_addr,
    };
    let onward = header.to_command()?;
    let chosen = live.members().filter(|member| wanted.as_ref().is_none_or(|id| *id == member.client_id));
    Ok(chosen
        .filter_map(|member| {
            Some((member.client_id.clone(), core.channels.get(member.channel)?, onward.clone()))
        })
        .collect())
}

async fn collect_status(members: Vec<StatusCall>) -> Reply {
    let asked = members.into_iter().map(|(client_id, connection, command)| async move {
        let answer = connection.call(command, STATUS_PATIENCE).await.ok()?;
        let body: GetConsumerStatusBody = fastjson::from_slice(&answer.body).ok()?;
        Some((client_id, body.message_queue_table))
    });
    ok_json(&GetConsumerStatusBody {
        consumer_table: join_all(asked).await.into_iter().flatten().collect(),
        ..GetConsumerStatusBody::default()
    })
}
