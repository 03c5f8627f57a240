//! SEND_REPLY_MESSAGE (324, 325): hands the answer of a request to the client that asked, then stores it.

use std::sync::Arc;
use std::time::Duration;

use rocketmq_remoting::Command;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::message::properties::{Properties, names as property};
use rocketmq_remoting::net::{Answer, Connection};
use rocketmq_remoting::requests::reply::PushReplyMessageRequest;
use rocketmq_remoting::requests::send::{SendMessageRequest, SendMessageResponse};
use rocketmq_remoting::{Header, Request};

use super::checks::{Target, check};
use super::message::{accept_one, read_request, refused, stamped_header};
use crate::broker::answer::Refusal;
use crate::broker::core::Core;

/// How long the requester may take to acknowledge the reply.
const PATIENCE: Duration = Duration::from_secs(10);

/// The answer follows the requester's, so a replier knows whether its reply arrived.
pub fn handle(core: &Arc<Core>, connection: &Connection, command: &Command) -> Answer {
    let (request, target, push) = match prepare(core, connection, command) {
        Ok(prepared) => prepared,
        Err(refusal) => return Answer::Now(refused(core, refusal)),
    };
    let (core, connection, body) = (core.clone(), connection.clone(), command.body.clone());
    Answer::Later(Box::pin(async move {
        let pushed = deliver(push).await;
        let queue_id = target.queue_id;
        if core.tuned().store_reply_messages
            && let Err(refusal) = accept_one(&core, &connection, request, target, body)
        {
            tracing::warn!(%refusal, "a reply was not stored");
        }
        Some(match pushed {
            Ok(()) => pushed_answer(&core, queue_id),
            Err(refusal) => refused(&core, refusal),
        })
    }))
}

/// The requester's connection and what it is sent, or why nobody can be.
type Push = Result<(Connection, Command), Refusal>;

fn prepare(
    core: &Core,
    connection: &Connection,
    command: &Command,
) -> Result<(SendMessageRequest, Target, Push), Refusal> {
    let request = read_request(command)?;
    let target = check(core, &request, command.version)?;
    let push = push_command(core, connection, &request, &target, command);
    Ok((request, target, push))
}

fn push_command(
    core: &Core,
    connection: &Connection,
    request: &SendMessageRequest,
    target: &Target,
    command: &Command,
) -> Push {
    let mut properties = Properties::parse(request.properties.as_deref().unwrap_or_default());
    let client = properties.get(property::REPLY_TO_CLIENT).ok_or_else(|| {
        Refusal::system("REPLY_TO_CLIENT is missing, cannot find the channel of the requester")
    })?;
    let requester =
        core.producers.lock().channel_of(client).and_then(|channel| core.channels.get(channel)).ok_or_else(
            || Refusal::system(format_args!("push reply message fail, channel of <{client}> not found")),
        )?;
    properties.set(property::PUSH_REPLY_TIME, core.now().to_string());
    properties.set(property::MSG_REGION, core.stamp.region());
    properties.set(property::TRACE_ON, core.stamp.trace_text());
    let header = PushReplyMessageRequest {
        born_host: connection.peer().to_string(),
        store_host: core.address.to_string(),
        store_timestamp: core.now(),
        producer_group: request.producer_group.clone(),
        topic: request.topic.clone(),
        default_topic: request.default_topic.clone(),
        default_topic_queue_nums: request.default_topic_queue_nums,
        queue_id: target.queue_id,
        sys_flag: request.sys_flag,
        born_timestamp: request.born_timestamp,
        flag: request.flag,
        properties: Some(properties.encode_stored()),
        reconsume_times: request.reconsume_times,
        unit_mode: request.unit_mode,
    };
    Ok((requester, header.to_command()?.with_body(command.body.clone())))
}

async fn deliver(push: Push) -> Result<(), Refusal> {
    let (requester, command) = push?;
    let answer = requester.call(command, PATIENCE).await.map_err(|error| {
        Refusal::system(format_args!("push reply message to the requester failed: {error}"))
    })?;
    if answer.response_code() == ResponseCode::SUCCESS {
        return Ok(());
    }
    let remark = answer.remark.unwrap_or_default();
    Err(Refusal::system(format_args!("the requester refused the reply: {remark}")))
}

fn pushed_answer(core: &Core, queue_id: i32) -> Command {
    let header =
        SendMessageResponse { msg_id: Some("0".into()), queue_id, queue_offset: 0, ..stamped_header(core) };
    match header.to_fields() {
        Ok(ext) => Command::response(ResponseCode::SUCCESS).with_ext(ext),
        Err(error) => refused(core, error.into()),
    }
}
