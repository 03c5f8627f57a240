//! Sends: a message is checked, placed and stored.

pub mod back;
pub mod checks;
pub mod message;
pub mod properties;
pub mod reply;
pub mod retry;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use properties::Stamp;
use rocketmq_remoting::message::UniqueIds;
use rocketmq_remoting::requests::send::{
    ConsumerSendMsgBackRequest, SendBatchRequest, SendMessageRequest, SendMessageV1Request, SendReplyRequest,
    SendReplyV1Request,
};

use super::acl::needs::{Needs, SUB};
use super::clients::members::Members;
use super::dispatch::Requests;
use super::groups::table::GroupTable;
use super::log::Log;
use super::settings::Current;
use super::topics::table::TopicTable;

/// What sends work on.
#[derive(Debug, Clone)]
pub struct Parts {
    pub settings: Arc<Current>,
    pub log: Arc<Log>,
    pub topics: Arc<TopicTable>,
    pub groups: Arc<GroupTable>,
    pub clients: Arc<Members>,
    pub stamp: Arc<Stamp>,
    pub ids: Arc<UniqueIds>,
    /// Sends that wait for the disk.
    pub waiting_sends: Arc<AtomicUsize>,
}

/// The requests about sends.
pub fn requests(on: &mut Requests<'_, Parts>) {
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
