//! SEND_MESSAGE (10), SEND_MESSAGE_V2 (310) and SEND_BATCH_MESSAGE (320).
//!
//! A put numbers a message and buffers it. The answer waits until the buffer is with the kernel, once for all messages of one
//! read from the connection; with SYNC_FLUSH it waits for the disk.

use bytes::Bytes;
use rocketmq_remoting::Request;
use rocketmq_remoting::requests::send::{SendMessageRequest, SendMessageResponse};

use super::accept::accept;
use super::answer::refused;
use super::parts::Parts;
use super::safety::Safety;
use crate::exchange::{Asked, Reply};

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
