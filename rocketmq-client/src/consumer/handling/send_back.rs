//! Giving failed messages back: to the broker that stores them, or as a new message to the retry topic, when it refuses or
//! does not know how often the message was tried.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rocketmq_remoting::names::{TEMPLATE_TOPIC, retry_topic};
use rocketmq_remoting::requests::send::SendMessageRequest;
use rocketmq_remoting::route::MessageQueue;

use super::retry::{Redelivery, resend_properties};
use super::tries::Tries;
use crate::cluster::route::Purpose;
use crate::cluster::route::logical::is_logical;
use crate::consumer::calls::Calls;
use crate::consumer::health::HealthBook;
use crate::error::BoxError;
use crate::messages::Delivery;

/// The group Java clients send such messages as.
const INNER_PRODUCER: &str = "CLIENT_INNER_PRODUCER";
const RESEND_TIMEOUT: Duration = Duration::from_secs(3);

/// Gives a message back to the broker for a later try.
pub(crate) trait SendBack: Send + Sync + 'static {
    /// Sends a message back. Returns `true` when it can be committed: the broker has it, or it has no retries.
    fn send_back(&self, delivery: Delivery, redelivery: Redelivery) -> BoxFuture<'static, bool>;
}

/// Sends to the group's brokers.
#[derive(Clone)]
pub(crate) struct ToBroker {
    pub(crate) calls: Calls,
    pub(crate) health: HealthBook,
    pub(crate) tries: Tries,
    pub(crate) broadcasting: bool,
    /// Messages are tried in place, and come here to be dead letters.
    pub(crate) in_order: bool,
}

/// The way of a message back to a broker.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// The broker that stores it takes it back.
    GiveBack,
    /// It is sent to the retry topic as a new one.
    Resend,
}

impl SendBack for ToBroker {
    fn send_back(&self, delivery: Delivery, how: Redelivery) -> BoxFuture<'static, bool> {
        let this = self.clone();
        async move { this.take_back(&delivery, how).await }.boxed()
    }
}

impl ToBroker {
    async fn take_back(&self, delivery: &Delivery, how: Redelivery) -> bool {
        if self.broadcasting {
            tracing::warn!(
                group = self.calls.group,
                topic = delivery.topic(),
                message_id = delivery.message_id(),
                "a broadcasting consumer has no retries, the failed message is dropped"
            );
            return true;
        }
        // A message that was tried in place is sent anew: the broker counts no tries in place, and the dead letter shows them. A
        // wrong count is better than a queue that stands still because the broker does not take the message again.
        let (first, second) =
            if self.in_order { (Way::Resend, Way::GiveBack) } else { (Way::GiveBack, Way::Resend) };
        let Err(refused) = self.go(first, delivery, how).await else { return true };
        match self.go(second, delivery, how).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(
                    group = self.calls.group,
                    topic = delivery.topic(),
                    message_id = delivery.message_id(),
                    "the message can neither be given back nor re-sent ({refused}; {error}), it is tried here again"
                );
                false
            }
        }
    }

    async fn go(&self, way: Way, delivery: &Delivery, how: Redelivery) -> Result<(), BoxError> {
        // A broker moves what was tried often enough to the dead letters by itself. Of a message that it gives back to
        // itself it counts its own tries, of one that is sent anew those that the header says.
        let tries = match way {
            Way::GiveBack => {
                self.give_back(delivery, how).await?;
                delivery.stored_reconsume_times()
            }
            Way::Resend => {
                self.resend(delivery, how).await?;
                delivery.reconsume_times()
            }
        };
        let used_up = i32::try_from(tries).unwrap_or(i32::MAX) >= self.tries.wire();
        self.health.given_back(delivery.topic(), how == Redelivery::DeadLetter || used_up);
        Ok(())
    }

    async fn give_back(&self, delivery: &Delivery, how: Redelivery) -> Result<(), BoxError> {
        // No broker takes back what it does not hold for good.
        if is_logical(delivery.queue()) {
            return Err("its queue is one of a static topic".into());
        }
        Ok(self.calls.send_back(delivery, how.level(), self.tries.wire()).await?)
    }

    async fn resend(&self, delivery: &Delivery, how: Redelivery) -> Result<(), BoxError> {
        let topic = retry_topic(&self.calls.group);
        let info = self.calls.cluster.topic(&topic, Purpose::Write { queues: 1 }, None).await?;
        let queue = self.calls.cluster.config.chance.pick(&info.publish);
        let queue = queue.ok_or("no queue of the retry topic takes messages")?;
        let request = self.resend_request(delivery, how, queue);
        self.calls
            .call(&queue.broker_name, &queue.topic, &request, delivery.body().clone(), RESEND_TIMEOUT)
            .await?;
        Ok(())
    }

    fn resend_request(
        &self,
        delivery: &Delivery,
        how: Redelivery,
        queue: &MessageQueue,
    ) -> SendMessageRequest {
        let tries = i32::try_from(delivery.reconsume_times()).unwrap_or(i32::MAX);
        let tries = if self.in_order { tries } else { tries.saturating_add(1) };
        // A broker moves what was tried more often than allowed to the dead letters.
        let max = if how == Redelivery::DeadLetter { tries.saturating_sub(1) } else { self.tries.wire() };
        SendMessageRequest {
            producer_group: INNER_PRODUCER.to_owned(),
            topic: queue.topic.clone(),
            default_topic: TEMPLATE_TOPIC.to_owned(),
            default_topic_queue_nums: 1,
            queue_id: queue.queue_id,
            born_timestamp: self.calls.cluster.now_ms(),
            flag: delivery.flag(),
            properties: Some(resend_properties(delivery, how).encode_stored()),
            reconsume_times: Some(tries),
            max_reconsume_times: Some(max),
            unit_mode: Some(self.calls.cluster.config.unit_mode),
            batch: Some(false),
            broker_name: Some(queue.broker_name.clone()),
            ..SendMessageRequest::default()
        }
    }
}
