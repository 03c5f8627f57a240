//! Sends: a message is checked, placed and stored.

mod accept;
mod accepted;
mod answer;
pub(crate) mod back;
pub(crate) mod checks;
pub(crate) mod message;
mod parts;
pub(crate) mod properties;
pub(crate) mod reply;
pub(crate) mod retry;
mod safety;
#[cfg(test)]
mod tests;

pub(crate) use parts::Parts;

use rocketmq_remoting::requests::send::{
    ConsumerSendMsgBackRequest, SendBatchRequest, SendMessageRequest, SendMessageV1Request, SendReplyRequest,
    SendReplyV1Request,
};

use super::acl::needs::{Needs, SUB};
use super::requests::Requests;

/// The requests about sends.
pub(crate) fn requests(on: &mut Requests<'_, Parts>) {
    on.request::<SendMessageRequest>(|header, _| Needs::to_send(&header.topic), message::send);
    on.request::<SendMessageV1Request>(|header, _| Needs::to_send(&header.topic), message::send);
    on.request::<SendBatchRequest>(|header, _| Needs::to_send(&header.0.topic), message::send);
    on.request::<SendReplyRequest>(|header, _| Needs::to_reply(&header.0.topic), reply::reply);
    on.request::<SendReplyV1Request>(|header, _| Needs::to_reply(&header.0.topic), reply::reply);
    on.request::<ConsumerSendMsgBackRequest>(
        |header, _| SUB.group(&header.group).stored_at(header.offset),
        back::send_back,
    );
}
