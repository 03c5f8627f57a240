//! Queues as routes, sends and receipts share them.

use std::sync::Arc;

use rocketmq_remoting::route::MessageQueue;

/// A queue that many share.
pub(crate) type SharedQueue = Arc<MessageQueue>;

/// No route has more queues than this; a damaged count must not make the client build millions.
pub(super) const MAX_QUEUES: i32 = 65_536;

/// Returns the first `count` queues of a topic on a broker.
pub(super) fn queues_of(topic: &str, broker: &str, count: i32) -> impl Iterator<Item = SharedQueue> {
    (0..count.min(MAX_QUEUES)).map(move |id| Arc::new(MessageQueue::new(topic, broker, id)))
}
