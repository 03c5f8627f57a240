//! A pull on its way: it may be run at once, or after a wait.

use std::sync::Arc;

use bytes::Bytes;
use rocketmq_remoting::body::group::SubscriptionGroupConfig;
use rocketmq_remoting::body::topic::TopicConfig;
use rocketmq_remoting::requests::pull::{PullMessageRequest, PullMessageResponse};

use crate::exchange::ReplyTo;
use crate::filter::Filter;

/// The answer to a pull: the bounds of the queue, and the messages.
pub(crate) type Found = (PullMessageResponse, Bytes);

/// A pull that passed its checks: all it takes to run it, now or after a wait.
#[derive(Debug)]
pub(crate) struct Pull {
    pub request: PullMessageRequest,
    pub filter: Filter,
    pub reply_to: ReplyTo<Found>,
    pub topic: Arc<TopicConfig>,
    pub group: Arc<SubscriptionGroupConfig>,
}
