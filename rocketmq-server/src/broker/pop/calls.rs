//! Pops and notifications on their way: they may be served at once, or after a wait.

use bytes::Bytes;
use rocketmq_remoting::requests::pop::{
    NotificationRequest, NotificationResponse, PopMessageRequest, PopMessageResponse,
};

use crate::exchange::ReplyTo;
use crate::filter::Filter;

/// The answer to a pop: where the messages are from, and the messages.
pub(crate) type Popped = (PopMessageResponse, Bytes);

/// A pop that passed its checks: all it takes to run it, now or after a wait.
#[derive(Debug)]
pub(crate) struct PopCall {
    pub request: PopMessageRequest,
    pub filter: Filter,
    pub reply_to: ReplyTo<Popped>,
}

/// A notification that passed its checks.
#[derive(Debug)]
pub(crate) struct NotificationCall {
    pub request: NotificationRequest,
    pub reply_to: ReplyTo<NotificationResponse>,
}
