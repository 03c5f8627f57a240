//! SEND_REPLY_MESSAGE (324, 325): hands the answer of a request to the client that asked, then stores it.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::message::properties::{Properties, names as property};
use rocketmq_remoting::net::Connection;
use rocketmq_remoting::requests::reply::PushReplyMessageRequest;
use rocketmq_remoting::requests::send::{SendMessageRequest, SendMessageResponse};
use rocketmq_remoting::{Command, Request};

use super::accept::accept_one;
use super::answer::{refused, stamped_header};
use super::checks::{Target, check};
use super::parts::Parts;
use crate::exchange::{Asked, Refusal, Reply};

/// The time that the requester has to acknowledge the reply.
const PATIENCE: Duration = Duration::from_secs(10);

/// The answer follows the requester's, so a replier knows whether its reply arrived.
pub(crate) fn reply<R>(parts: &Parts, asked: Asked<'_, R>) -> Reply<SendMessageResponse>
where
    R: Request<Body = Bytes> + Into<SendMessageRequest>,
{
    let (connection, version, body) = (asked.connection.clone(), asked.version(), asked.body);
    let request: SendMessageRequest = asked.header.into();
    let target = match check(parts, &request, version) {
        Ok(target) => target,
        Err(refusal) => return Reply::refused(refused(parts, refusal)),
    };
    let push = push_command(parts, connection.peer(), &request, &target, &body);
    let parts = parts.clone();
    Reply::later(async move {
        let pushed = deliver(push).await;
        let queue_id = target.queue_id;
        if parts.settings.live().store_reply_messages
            && let Err(refusal) = accept_one(&parts, &connection, request, target, body)
        {
            tracing::warn!(%refusal, "a reply was not stored");
        }
        match pushed {
            Ok(()) => Ok(pushed_answer(&parts, queue_id).into()),
            Err(refusal) => Err(refused(&parts, refusal)),
        }
    })
}

/// The requester's connection and the request for it, or the reason for which there is none.
type Push = Result<(Connection, Command), Refusal>;

fn push_command(
    parts: &Parts,
    replier: SocketAddr,
    request: &SendMessageRequest,
    target: &Target,
    body: &Bytes,
) -> Push {
    let mut properties = Properties::parse(request.properties.as_deref().unwrap_or_default());
    let client = properties.get(property::REPLY_TO_CLIENT).ok_or_else(|| {
        Refusal::system("REPLY_TO_CLIENT is missing, cannot find the channel of the requester")
    })?;
    let requester = parts
        .clients
        .producers
        .lock()
        .channel_of(client)
        .and_then(|channel| parts.clients.channels.get(channel))
        .ok_or_else(|| {
            Refusal::system(format_args!("push reply message fail, channel of <{client}> not found"))
        })?;
    properties.set(property::PUSH_REPLY_TIME, parts.log.now().to_string());
    properties.set(property::MSG_REGION, parts.stamp.region());
    properties.set(property::TRACE_ON, parts.stamp.trace_text());
    let header = PushReplyMessageRequest {
        born_host: replier.to_string(),
        store_host: parts.settings.address.to_string(),
        store_timestamp: parts.log.now(),
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
    Ok((requester, header.command(body)?))
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

fn pushed_answer(parts: &Parts, queue_id: i32) -> SendMessageResponse {
    SendMessageResponse { msg_id: Some("0".into()), queue_id, queue_offset: 0, ..stamped_header(parts) }
}
