//! Made-up messages and queues for the tests of this room.

use std::sync::Arc;

use rocketmq_remoting::message::MessageRecord;
use rocketmq_remoting::route::MessageQueue;

use crate::consumer::queue::owned::OwnedQueue;
use crate::messages::Delivery;
use crate::messages::Names;

/// Makes a message of queue 0 of broker-a at `offset`.
pub(crate) fn delivery(topic: &str, offset: i64) -> Delivery {
    let queue = Arc::new(MessageQueue::new(topic, "broker-a", 0));
    let record = MessageRecord {
        topic: topic.to_owned(),
        queue_offset: offset,
        body: "body".into(),
        ..MessageRecord::default()
    };
    Delivery::from_plain_record(queue, record, &Names::default())
}

/// Queue 0 of broker-a, just assigned.
pub(crate) fn owned_queue(topic: &str) -> Arc<OwnedQueue> {
    OwnedQueue::new(MessageQueue::new(topic, "broker-a", 0), 0)
}
