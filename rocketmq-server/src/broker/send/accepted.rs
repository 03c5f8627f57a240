//! A message that was put, on its way to its answer.

use rocketmq_remoting::Answered;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::requests::send::SendMessageResponse;

use super::answer::refused;
use super::parts::Parts;
use super::safety::{Safety, Waiting};
use crate::broker::log::refuse_put;
use crate::exchange::Refusal;
use crate::store::Put;

type Sent = Result<Answered<SendMessageResponse>, Refusal>;

/// A message that has its place in the log.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) put: Put,
    pub(crate) header: SendMessageResponse,
    /// The producer wants the disk to have it.
    pub(crate) wait: bool,
}

impl Accepted {
    /// As Apache's broker, answers the send that made a topic when consumers can find it.
    pub(crate) async fn announced(self, parts: &Parts) -> Sent {
        parts.topics.announced().await;
        self.flushed(parts).await
    }

    pub(crate) async fn flushed(self, parts: &Parts) -> Sent {
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
