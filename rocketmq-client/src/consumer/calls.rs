//! The requests consumers send, one typed function each. Time limits are the Java client's.

use std::sync::Arc;
use std::time::Duration;

use rocketmq_remoting::body::{CheckClientConfigBody, LockBatchBody};
use rocketmq_remoting::requests::heartbeat::CheckClientConfigRequest;
use rocketmq_remoting::requests::lock::{LockBatchRequest, UnlockBatchRequest};
use rocketmq_remoting::requests::offset::{
    GetMaxOffsetRequest, GetMinOffsetRequest, OffsetResponse, QueryConsumerOffsetRequest,
    SearchOffsetRequest, UpdateConsumerOffsetRequest,
};
use rocketmq_remoting::requests::send::ConsumerSendMsgBackRequest;
use rocketmq_remoting::route::MessageQueue;
use rocketmq_remoting::{Json, Request, ResponseCode};

use crate::cluster::calls::{Target, is_refusal};
use crate::cluster::{Cluster, Which};
use crate::error::CallError;
use crate::messages::Delivery;

const OFFSET_TIMEOUT: Duration = Duration::from_secs(5);
pub(crate) const BOUND_TIMEOUT: Duration = Duration::from_secs(6);
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);
const SEND_BACK_TIMEOUT: Duration = Duration::from_secs(5);

/// Requests of one consumer group.
#[derive(Clone)]
pub(crate) struct Calls {
    pub(crate) cluster: Arc<Cluster>,
    /// The name on the wire.
    pub(crate) group: String,
}

impl Calls {
    /// Makes the calls of a group, which is named without namespace.
    pub(crate) fn new(cluster: Arc<Cluster>, group: &str) -> Self {
        let group = cluster.names.wrap(group);
        Self { cluster, group }
    }

    /// Asks the master of `broker` about a topic.
    pub(crate) async fn call<R: Request>(
        &self,
        broker: &str,
        topic: &str,
        request: &R,
        body: R::Body,
        limit: Duration,
    ) -> Result<R::Response, CallError> {
        let address = self.cluster.address(broker, Which::Master, topic).await?;
        self.cluster.call(Target { address: &address, broker, topic }, request, body, limit).await
    }

    /// Asks the master of the broker that holds a queue.
    async fn call_for<R: Request<Body = ()>>(
        &self,
        queue: &MessageQueue,
        request: &R,
        limit: Duration,
    ) -> Result<R::Response, CallError> {
        self.call(&self.cluster.home(queue), &queue.topic, request, (), limit).await
    }

    /// Asks for the group's offset; `None` when the broker has none.
    pub(crate) async fn stored_offset(&self, queue: &MessageQueue) -> Result<Option<i64>, CallError> {
        let request = QueryConsumerOffsetRequest {
            consumer_group: self.group.clone(),
            topic: queue.topic.clone(),
            queue_id: queue.queue_id,
            set_zero_if_not_found: None,
        };
        match self.offset(queue, &request, OFFSET_TIMEOUT).await {
            Ok(offset) => Ok(Some(offset).filter(|offset| *offset >= 0)),
            Err(error) if is_refusal(&error, ResponseCode::QUERY_NOT_FOUND) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Stores where the group stands and waits for the answer.
    pub(crate) async fn store_offset(&self, queue: &MessageQueue, offset: i64) -> Result<(), CallError> {
        let request = self.offset_update(queue, offset);
        self.call_for(queue, &request, OFFSET_TIMEOUT).await
    }

    fn offset_update(&self, queue: &MessageQueue, offset: i64) -> UpdateConsumerOffsetRequest {
        UpdateConsumerOffsetRequest {
            consumer_group: self.group.clone(),
            topic: queue.topic.clone(),
            queue_id: queue.queue_id,
            commit_offset: offset,
        }
    }

    /// Asks for the offset of the next message.
    pub(crate) async fn max_offset(&self, queue: &MessageQueue) -> Result<i64, CallError> {
        let (topic, queue_id) = (queue.topic.clone(), queue.queue_id);
        self.offset(queue, &GetMaxOffsetRequest { topic, queue_id, committed: None }, BOUND_TIMEOUT).await
    }

    /// Asks for the first offset that the broker still has.
    pub(crate) async fn min_offset(&self, queue: &MessageQueue) -> Result<i64, CallError> {
        let (topic, queue_id) = (queue.topic.clone(), queue.queue_id);
        self.offset(queue, &GetMinOffsetRequest { topic, queue_id }, BOUND_TIMEOUT).await
    }

    /// Asks for the offset of the first message stored at or after a time.
    pub(crate) async fn offset_at(&self, queue: &MessageQueue, timestamp: i64) -> Result<i64, CallError> {
        let (topic, queue_id) = (queue.topic.clone(), queue.queue_id);
        let request = SearchOffsetRequest { topic, queue_id, timestamp, boundary_type: None };
        self.offset(queue, &request, BOUND_TIMEOUT).await
    }

    async fn offset<R>(&self, queue: &MessageQueue, request: &R, limit: Duration) -> Result<i64, CallError>
    where
        R: Request<Body = (), Response = OffsetResponse>,
    {
        Ok(self.call_for(queue, request, limit).await?.offset)
    }

    /// Asks whether the broker accepts a subscription.
    pub(crate) async fn check_config(
        &self,
        address: &str,
        body: CheckClientConfigBody,
    ) -> Result<(), CallError> {
        let (target, limit) = (Target::address(address), self.cluster.config.api_timeout);
        self.cluster.call(target, &CheckClientConfigRequest {}, Json(body), limit).await
    }

    /// Asks for broker locks; the queues it gave.
    pub(crate) async fn lock(
        &self,
        broker: &str,
        queues: Vec<MessageQueue>,
    ) -> Result<Vec<MessageQueue>, CallError> {
        let (topic, body) = self.locking(queues);
        let Json(granted) = self.call(broker, &topic, &LockBatchRequest {}, body, LOCK_TIMEOUT).await?;
        Ok(granted.lock_ok_mq_set)
    }

    /// Makes the body for some queues, and returns the topic of the first, whose route names the broker.
    fn locking(&self, queues: Vec<MessageQueue>) -> (String, Json<LockBatchBody>) {
        let topic = queues.first().map(|queue| queue.topic.clone()).unwrap_or_default();
        let body = LockBatchBody {
            consumer_group: self.group.clone(),
            client_id: self.cluster.client_id.clone(),
            only_this_broker: false,
            mq_set: queues,
        };
        (topic, Json(body))
    }

    /// Gives broker locks back.
    pub(crate) async fn unlock(&self, broker: &str, queues: Vec<MessageQueue>) -> Result<(), CallError> {
        let (topic, body) = self.locking(queues);
        self.call(broker, &topic, &UnlockBatchRequest {}, body, LOCK_TIMEOUT).await
    }

    /// Gives a message back to the broker that stores it.
    pub(crate) async fn send_back(
        &self,
        delivery: &Delivery,
        delay_level: i32,
        max_reconsume_times: i32,
    ) -> Result<(), CallError> {
        let request = ConsumerSendMsgBackRequest {
            offset: delivery.commit_log_offset(),
            group: self.group.clone(),
            delay_level,
            origin_msg_id: Some(delivery.offset_message_id()),
            origin_topic: Some(delivery.queue().topic.clone()),
            unit_mode: Some(self.cluster.config.unit_mode),
            max_reconsume_times: Some(max_reconsume_times),
        };
        // The address in the message: the queue's broker name may stand for another master by now.
        let address = delivery.store_host().to_string();
        let broker = &delivery.queue().broker_name;
        let target = Target { address: &address, broker, topic: delivery.topic() };
        self.cluster.call(target, &request, (), SEND_BACK_TIMEOUT).await
    }
}
