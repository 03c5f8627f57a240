//! From a stored record to a delivery: tag filter, decompression, batches stored as one, and the original topic of retries.

use std::sync::Arc;

use rocketmq_remoting::message::batch::unwrap_inner;
use rocketmq_remoting::message::{MessageRecord, SysFlag, names, properties};
use rocketmq_remoting::route::MessageQueue;
use rocketmq_remoting::subscription::SubscriptionData;

use crate::messages::Names;
use crate::messages::{Delivery, inflate};

/// Turns the records of one queue into deliveries.
pub(crate) struct Incoming<'a> {
    pub(crate) queue: &'a Arc<MessageQueue>,
    pub(crate) subscription: &'a SubscriptionData,
    pub(crate) names: &'a Names,
    /// Added to every queue offset (static topics).
    pub(crate) offset_delta: i64,
    /// The offset asked for. A batch stored as one comes whole, also when it begins before.
    pub(crate) from: i64,
}

impl Incoming<'_> {
    /// Reads the messages of a pull's body that match the subscription text for text.
    pub(crate) fn read(&self, body: bytes::Bytes) -> Vec<Delivery> {
        let mut deliveries = Vec::with_capacity(32);
        for record in MessageRecord::decode_all(body) {
            if record.sys_flag.has(SysFlag::INNER_BATCH | SysFlag::NEED_UNWRAP) {
                self.take_inner(&record, &mut deliveries);
            } else {
                self.take(record, &mut deliveries);
            }
        }
        deliveries
    }

    fn take_inner(&self, record: &MessageRecord, deliveries: &mut Vec<Delivery>) {
        match unwrap_inner(record) {
            Ok(mut messages) => {
                messages
                    .retain(|message| message.queue_offset.saturating_add(self.offset_delta) >= self.from);
                messages.into_iter().for_each(|message| self.take(message, deliveries));
            }
            Err(error) => tracing::error!(
                topic = record.topic,
                queue_offset = record.queue_offset,
                "a batch stored as one message cannot be read and is skipped: {error}"
            ),
        }
    }

    fn take(&self, record: MessageRecord, deliveries: &mut Vec<Delivery>) {
        if self.wants(&record) {
            deliveries.push(self.deliver(record));
        }
    }

    /// Makes the delivery of a record.
    pub(crate) fn deliver(&self, mut record: MessageRecord) -> Delivery {
        record.queue_offset = record.queue_offset.saturating_add(self.offset_delta);
        inflate_or_leave(&mut record);
        Delivery::from_plain_record(self.queue.clone(), record, self.names)
    }

    /// Brokers compare hashes of tags; only the text decides.
    pub(crate) fn wants(&self, record: &MessageRecord) -> bool {
        self.subscription.tags_set.is_empty()
            || self.subscription.matches_tag_text(properties::find(&record.properties, names::TAGS))
    }
}

/// Decompresses the body. A damaged body stays as it is, with its flag set, so that the handler can refuse the message.
pub(crate) fn inflate_or_leave(record: &mut MessageRecord) {
    if let Err(error) = inflate(record) {
        tracing::error!(
            topic = record.topic,
            queue_offset = record.queue_offset,
            "the body cannot be decompressed and is delivered as it is: {error}"
        );
    }
}
