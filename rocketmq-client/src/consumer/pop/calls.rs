//! The requests of POP: pop, acknowledge, hide anew, and the broker's own assignment of queues.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rocketmq_remoting::body::{
    BatchAck, BatchAckBody, MessageModel, MessageQueueAssignment, QueryAssignmentBody,
};
use rocketmq_remoting::message::{MessageRecord, names, properties};
use rocketmq_remoting::requests::group::QueryAssignmentRequest;
use rocketmq_remoting::requests::pop::{
    AckMessageRequest, BatchAckMessageRequest, ChangeInvisibleTimeRequest, PopMessageRequest,
    PopMessageResponse,
};
use rocketmq_remoting::route::MessageQueue;
use rocketmq_remoting::subscription::SubscriptionData;
use rocketmq_remoting::{Json, ResponseCode};

use super::popped::Popped;
use super::receipt::{PopInfo, PopReceipt};
use crate::clock::millis;
use crate::cluster::Which;
use crate::cluster::calls::{Target, is_refusal};
use crate::consumer::calls::Calls;
use crate::consumer::pull::incoming::Incoming;
use crate::error::CallError;

/// The time that a pop gets on top of the broker's wait.
const MARGIN: Duration = Duration::from_secs(10);
const ACK_TIMEOUT: Duration = Duration::from_secs(3);
/// The begin of a new group (`initMode`).
const FROM_FIRST: i32 = 0;
const FROM_LAST: i32 = 1;

/// The options of a pop.
#[derive(Debug, Clone)]
pub(crate) struct PopOptions {
    pub(crate) max: i32,
    pub(crate) invisible: Duration,
    /// The time that the broker may wait for a message.
    pub(crate) wait: Duration,
    pub(crate) from_first: bool,
    /// In ordered mode, the name of the attempt: the broker answers the same name with the same messages until they are
    /// acknowledged, and any other name with none.
    pub(crate) attempt: Option<String>,
}

/// The answer to a pop.
#[derive(Debug, Default)]
pub(crate) struct PopAnswer {
    pub(crate) messages: Vec<Popped>,
    /// The number of messages that wait behind them.
    pub(crate) left: u64,
}

impl Calls {
    /// Pops messages of a queue, or of all queues of its broker when the queue id is -1.
    pub(crate) async fn pop(
        &self,
        queue: &MessageQueue,
        subscription: &SubscriptionData,
        options: &PopOptions,
    ) -> Result<PopAnswer, CallError> {
        let request = PopMessageRequest {
            consumer_group: self.group.clone(),
            topic: queue.topic.clone(),
            queue_id: queue.queue_id,
            max_msg_nums: options.max,
            invisible_time: millis(options.invisible),
            poll_time: millis(options.wait),
            // The broker fills it in, so that two clocks need not agree.
            born_time: 0,
            init_mode: if options.from_first { FROM_FIRST } else { FROM_LAST },
            exp_type: Some(subscription.expression_type.clone()),
            exp: Some(subscription.sub_string.clone()),
            order: options.attempt.is_some(),
            attempt_id: options.attempt.clone(),
        };
        let address = self.cluster.address(&queue.broker_name, Which::Master, &queue.topic).await?;
        let target = Target { address: &address, broker: &queue.broker_name, topic: &queue.topic };
        match self.cluster.call(target, &request, (), options.wait.saturating_add(MARGIN)).await {
            Ok((answer, messages)) => Ok(self.popped(&answer, messages, queue, subscription)),
            Err(error) if is_nothing(&error) => Ok(PopAnswer::default()),
            Err(error) => Err(error),
        }
    }

    fn popped(
        &self,
        answer: &PopMessageResponse,
        messages: Bytes,
        queue: &MessageQueue,
        subscription: &SubscriptionData,
    ) -> PopAnswer {
        let records: Vec<MessageRecord> = MessageRecord::decode_all(messages).collect();
        let info = PopInfo::new(answer, &queue.broker_name, &queue.topic);
        let receipts = info.receipts(&records);
        let popped = records.into_iter().zip(receipts).map(|(mut record, receipt)| {
            record.reconsume_times = info.reconsume_times(&record);
            sign(&mut record, &receipt);
            let source = Arc::new(MessageQueue { queue_id: record.queue_id, ..queue.clone() });
            let names = &self.cluster.names;
            let incoming = Incoming { queue: &source, subscription, names, offset_delta: 0, from: 0 };
            let (wanted, clock) = (incoming.wants(&record), self.cluster.config.clock.clone());
            Popped::new(wanted, incoming.deliver(record), receipt, queue.topic.clone(), clock)
        });
        PopAnswer { messages: popped.collect(), left: u64::try_from(answer.rest_num).unwrap_or(0) }
    }

    /// Tells the broker that a message is done with.
    pub(crate) async fn ack(&self, topic: &str, receipt: &PopReceipt) -> Result<(), CallError> {
        let request = AckMessageRequest {
            consumer_group: self.group.clone(),
            topic: receipt.origin.topic(&self.group, topic),
            queue_id: receipt.queue_id,
            extra_info: receipt.to_string(),
            offset: receipt.queue_offset,
        };
        self.call(&receipt.broker, topic, &request, (), ACK_TIMEOUT).await
    }

    /// Hides a message for so long from now; the receipt that counts from then on.
    pub(crate) async fn hide(
        &self,
        topic: &str,
        receipt: &PopReceipt,
        invisible: Duration,
    ) -> Result<PopReceipt, CallError> {
        let request = ChangeInvisibleTimeRequest {
            consumer_group: self.group.clone(),
            topic: receipt.origin.topic(&self.group, topic),
            queue_id: receipt.queue_id,
            extra_info: receipt.to_string(),
            offset: receipt.queue_offset,
            invisible_time: millis(invisible),
        };
        let answer = self.call(&receipt.broker, topic, &request, (), ACK_TIMEOUT).await?;
        Ok(receipt.renewed(&answer))
    }

    /// Acknowledges many messages with one request to each broker.
    pub(crate) async fn ack_all(&self, messages: &[Popped]) -> Result<(), CallError> {
        for (broker, acks) in batches(&self.group, messages) {
            let topic = acks.first().map(|ack| ack.topic.clone()).unwrap_or_default();
            let body = Some(Json(BatchAckBody { broker_name: broker.clone(), acks }));
            self.call(&broker, &topic, &BatchAckMessageRequest {}, body, ACK_TIMEOUT).await?;
        }
        Ok(())
    }

    /// Asks the broker for the queues of this client; `None` when nothing is to change.
    pub(crate) async fn assignment(
        &self,
        address: &str,
        topic: &str,
        strategy: &str,
        model: MessageModel,
    ) -> Result<Option<Vec<MessageQueueAssignment>>, CallError> {
        let body = QueryAssignmentBody {
            topic: topic.to_owned(),
            consumer_group: self.group.clone(),
            client_id: self.cluster.client_id.clone(),
            strategy_name: strategy.to_owned(),
            message_model: model,
        };
        let target = Target { address, broker: address, topic };
        let limit = self.cluster.config.api_timeout;
        let Json(result) = self.cluster.call(target, &QueryAssignmentRequest {}, Json(body), limit).await?;
        Ok(result.message_queue_assignments)
    }
}

/// Tells whether the broker waited and found nothing.
fn is_nothing(error: &CallError) -> bool {
    [ResponseCode::POLLING_TIMEOUT, ResponseCode::PULL_NOT_FOUND].iter().any(|code| is_refusal(error, *code))
}

/// Puts the receipt into the message's properties, where applications and tools of Java look for it.
fn sign(record: &mut MessageRecord, receipt: &PopReceipt) {
    if properties::find(&record.properties, names::POP_CK).is_none() {
        properties::append_display(&mut record.properties, names::POP_CK, receipt);
    }
    if properties::find(&record.properties, names::FIRST_POP_TIME).is_none() {
        properties::append_display(&mut record.properties, names::FIRST_POP_TIME, receipt.pop_time);
    }
}

/// Makes one bit set for each checkpoint, by broker.
fn batches(group: &str, messages: &[Popped]) -> BTreeMap<String, Vec<BatchAck>> {
    let mut brokers = BTreeMap::<String, Vec<BatchAck>>::new();
    for message in messages {
        let (receipt, topic) = (message.receipt(), message.wire_topic());
        let acks = brokers.entry(receipt.broker.clone()).or_default();
        let bit = usize::try_from(receipt.queue_offset - receipt.checkpoint_offset).unwrap_or(usize::MAX);
        let fresh = BatchAck {
            consumer_group: group.to_owned(),
            topic: topic.to_owned(),
            retry: receipt.origin.number().to_string(),
            start_offset: receipt.checkpoint_offset,
            queue_id: receipt.queue_id,
            revive_queue_id: receipt.revive_queue,
            pop_time: receipt.pop_time,
            invisible_time: receipt.invisible_ms,
            ..BatchAck::default()
        };
        let same = |ack: &&mut BatchAck| BatchAck { bits: fresh.bits.clone(), ..(**ack).clone() } == fresh;
        match acks.iter_mut().find(same) {
            Some(ack) => drop(ack.bits.insert(bit)),
            None => acks.push(BatchAck { bits: [bit].into_iter().collect(), ..fresh }),
        }
    }
    brokers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::consumer::testing::delivery;

    fn popped(receipt: &str) -> Popped {
        Popped::new(true, delivery("t", 0), receipt.parse().unwrap(), "t".into(), Clock::default())
    }

    #[test]
    fn messages_of_one_checkpoint_are_acknowledged_by_one_bit_set() {
        let messages = [
            popped("5 100 60000 2 0 broker-a 0 5"),
            popped("5 100 60000 2 0 broker-a 0 14"),
            popped("5 100 60000 2 1 broker-a 0 5"),
            popped("5 100 60000 2 0 broker-b 0 6"),
        ];
        let brokers = batches("g", &messages);
        let a = &brokers["broker-a"];
        assert_eq!(a.iter().map(|ack| ack.retry.as_str()).collect::<Vec<_>>(), ["0", "1"]);
        assert_eq!(a[0].bits.iter().collect::<Vec<_>>(), [0, 9]);
        assert_eq!((a[0].start_offset, a[0].pop_time, a[0].revive_queue_id), (5, 100, 2));
        assert_eq!(brokers["broker-b"][0].bits.iter().collect::<Vec<_>>(), [1]);
    }
}
