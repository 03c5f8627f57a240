//! The requests consumers send, one typed function each. Time limits are the Java client's.

use std::sync::Arc;
use std::time::Duration;

use rocketmq_remoting::body::{CheckClientConfigBody, LockBatchBody};
use rocketmq_remoting::requests::heartbeat::{CheckClientConfigRequest, GetConsumerListByGroupRequest};
use rocketmq_remoting::requests::lock::{LockBatchRequest, UnlockBatchRequest};
use rocketmq_remoting::requests::offset::{
    GetMaxOffsetRequest, GetMinOffsetRequest, OffsetResponse, QueryConsumerOffsetRequest,
    SearchOffsetRequest, UpdateConsumerOffsetRequest,
};
use rocketmq_remoting::requests::send::ConsumerSendMsgBackRequest;
use rocketmq_remoting::route::MessageQueue;
use rocketmq_remoting::{Command, Json, Request, ResponseCode};

use crate::client::{Client, Inner};
use crate::cluster::net::call::Target;
use crate::error::{CallError, CallErrorKind};
use crate::messages::Delivery;

const OFFSET_TIMEOUT: Duration = Duration::from_secs(5);
pub(crate) const BOUND_TIMEOUT: Duration = Duration::from_secs(6);
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);
const SEND_BACK_TIMEOUT: Duration = Duration::from_secs(5);

/// Requests of one consumer group.
#[derive(Clone)]
pub(crate) struct Calls {
    pub(crate) client: Arc<Inner>,
    /// As it is on the wire.
    pub(crate) group: String,
}

impl Calls {
    /// For a group the application calls `group`.
    pub(crate) fn new(client: &Client, group: &str) -> Self {
        Self { client: client.inner.clone(), group: client.inner.names.wrap(group) }
    }

    /// Asks the master of `broker`.
    pub(crate) async fn call<R: Request>(
        &self,
        broker: &str,
        request: &R,
        body: R::Body,
        limit: Duration,
    ) -> Result<R::Response, CallError> {
        let address = self.client.master(broker)?;
        self.client.call(Target { address: &address, broker, topic: "" }, request, body, limit).await
    }

    /// Asks the master of the broker that holds a queue.
    async fn call_for<R: Request<Body = ()>>(
        &self,
        queue: &MessageQueue,
        request: &R,
        limit: Duration,
    ) -> Result<R::Response, CallError> {
        self.call(&self.client.home(queue), request, (), limit).await
    }

    /// Where the group stands; `None` when the broker knows no offset.
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

    /// The offset the next message will take.
    pub(crate) async fn max_offset(&self, queue: &MessageQueue) -> Result<i64, CallError> {
        let (topic, queue_id) = (queue.topic.clone(), queue.queue_id);
        self.offset(queue, &GetMaxOffsetRequest { topic, queue_id, committed: None }, BOUND_TIMEOUT).await
    }

    /// The first offset the broker still has.
    pub(crate) async fn min_offset(&self, queue: &MessageQueue) -> Result<i64, CallError> {
        let (topic, queue_id) = (queue.topic.clone(), queue.queue_id);
        self.offset(queue, &GetMinOffsetRequest { topic, queue_id }, BOUND_TIMEOUT).await
    }

    /// The offset of the first message stored at or after a time.
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

    /// The client ids of the group's members, as the broker at `address` lists them.
    pub(crate) async fn members(&self, address: &str) -> Result<Vec<String>, CallError> {
        let request = GetConsumerListByGroupRequest { consumer_group: self.group.clone() };
        let (target, limit) = (Target::address(address), self.client.config.api_timeout);
        let Json(list) = self.client.call(target, &request, (), limit).await?;
        Ok(list.consumer_id_list)
    }

    /// Whether the broker takes a subscription.
    pub(crate) async fn check_config(
        &self,
        address: &str,
        body: CheckClientConfigBody,
    ) -> Result<(), CallError> {
        let (target, limit) = (Target::address(address), self.client.config.api_timeout);
        self.client.call(target, &CheckClientConfigRequest {}, Json(body), limit).await
    }

    /// Asks for broker locks; the queues it gave.
    pub(crate) async fn lock(
        &self,
        broker: &str,
        queues: Vec<MessageQueue>,
    ) -> Result<Vec<MessageQueue>, CallError> {
        let body = self.locking(queues);
        let Json(granted) = self.call(broker, &LockBatchRequest {}, body, LOCK_TIMEOUT).await?;
        Ok(granted.lock_ok_mq_set)
    }

    fn locking(&self, queues: Vec<MessageQueue>) -> Json<LockBatchBody> {
        Json(LockBatchBody {
            consumer_group: self.group.clone(),
            client_id: self.client.client_id.clone(),
            only_this_broker: false,
            mq_set: queues,
        })
    }

    /// Gives broker locks back.
    pub(crate) async fn unlock(&self, broker: &str, queues: Vec<MessageQueue>) -> Result<(), CallError> {
        self.call(broker, &UnlockBatchRequest {}, self.locking(queues), LOCK_TIMEOUT).await
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
            unit_mode: Some(self.client.config.unit_mode),
            max_reconsume_times: Some(max_reconsume_times),
        };
        // The address in the message: the queue's broker name may stand for another master by now.
        let address = delivery.store_host().to_string();
        let broker = &delivery.queue().broker_name;
        let target = Target { address: &address, broker, topic: delivery.topic() };
        self.client.call(target, &request, (), SEND_BACK_TIMEOUT).await
    }
}

/// Addresses by the client's current routes; the periodic refresh keeps them fresh.
impl Inner {
    /// The broker's master.
    pub(crate) fn master(&self, broker: &str) -> Result<String, CallError> {
        let address = self.routes.load().master(broker).map(str::to_owned);
        address.ok_or_else(|| unknown(broker))
    }

    /// Where to read: the broker of this id, else one near it.
    pub(crate) fn reader(&self, broker: &str, id: i64) -> Result<String, CallError> {
        let address = self.routes.load().reader(broker, id, false).map(str::to_owned);
        address.ok_or_else(|| unknown(broker))
    }

    /// One address per broker of a topic, masters where there are any.
    pub(crate) fn topic_brokers(&self, topic: &str) -> Vec<String> {
        let Some(info) = self.routes.topic(topic) else { return Vec::new() };
        info.route.broker_datas.iter().filter_map(|broker| broker.any()).map(str::to_owned).collect()
    }

    /// The brokers of a topic by name, with an address each.
    pub(crate) fn brokers_of(&self, topic: &str) -> Vec<(String, String)> {
        let Some(info) = self.routes.topic(topic) else { return Vec::new() };
        let brokers = info.route.broker_datas.iter();
        brokers.filter_map(|broker| Some((broker.broker_name.clone(), broker.any()?.to_owned()))).collect()
    }

    /// What broadcasting consumers file their offsets under: the same after a restart.
    pub(crate) fn stable_id(&self) -> String {
        match (&self.config.instance_name, self.client_id.split_once('@')) {
            (None, Some((host, _))) => format!("{host}@DEFAULT"),
            _ => self.client_id.clone(),
        }
    }
}

fn unknown(broker: &str) -> CallError {
    CallError::new(CallErrorKind::UnknownBroker, format!("no route names a master or slave of {broker}"))
}

/// The request as a command.
pub(crate) fn command<R: Request>(request: &R) -> Result<Command, CallError> {
    request.to_command().map_err(unwritable)
}

/// A SUCCESS, or the refusal as an error.
pub(crate) fn accept(response: Command, broker: &str, topic: &str) -> Result<Command, CallError> {
    if response.response_code() == ResponseCode::SUCCESS {
        return Ok(response);
    }
    Err(CallError::refused_by(crate::cluster::net::rpc::refusal(&response, broker, topic)))
}

/// Whether the broker answered with this code.
pub(crate) fn is_refusal(error: &CallError, code: ResponseCode) -> bool {
    error.refusal().is_some_and(|refusal| refusal.code == code)
}

pub(crate) fn malformed(error: rocketmq_remoting::DecodeError) -> CallError {
    CallError::new(CallErrorKind::Malformed, error.to_string())
}

pub(crate) fn unwritable(error: impl std::fmt::Display) -> CallError {
    CallError::new(CallErrorKind::InvalidRequest, error.to_string())
}
