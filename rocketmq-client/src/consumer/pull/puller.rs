//! [`Puller`]: makes the request, chooses the broker, and reads the messages of the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use rocketmq_remoting::message::PullFlag;
use rocketmq_remoting::requests::pull::{PullMessageRequest, PullMessageResponse};
use rocketmq_remoting::route::MessageQueue;
use rocketmq_remoting::subscription::SubscriptionData;
use rocketmq_remoting::{Answered, ResponseCode};

use super::incoming::Incoming;
use crate::clock::millis;
use crate::cluster::Which;
use crate::cluster::calls::Target;
use crate::consumer::calls::Calls;
use crate::error::CallError;
use crate::messages::Delivery;

/// The options of a pull.
#[derive(Debug, Clone)]
pub(crate) struct PullOptions {
    /// Most messages per pull.
    pub(crate) max_messages: i32,
    /// Most bytes per pull.
    pub(crate) max_bytes: i32,
    /// The time that the broker may hold the request; zero asks for an answer at once.
    pub(crate) suspend: Duration,
    /// Pause between two pulls.
    pub(crate) interval: Duration,
    /// Limit of the whole call.
    pub(crate) timeout: Duration,
    /// Send the filter with each pull, instead of relying on the heartbeat's.
    pub(crate) inline_subscription: bool,
}

/// The result of a pull.
#[derive(Debug)]
pub(crate) enum Pulled {
    /// Messages without those of other tags; `next` is the offset to go on at.
    Found { messages: Vec<Delivery>, next: i64 },
    /// Nothing (for this filter) up to `next`.
    Empty { next: i64 },
    /// The offset is outside the queue, or was reset: go on at `to`.
    Moved { to: i64 },
}

/// Pulls one queue, and remembers the broker of the set to ask.
pub(crate) struct Puller {
    calls: Calls,
    queue: Arc<MessageQueue>,
    broker_id: AtomicI64,
    /// The end of the queue, by the newest answer.
    end: AtomicI64,
    options: PullOptions,
}

impl Puller {
    pub(crate) fn new(calls: Calls, queue: Arc<MessageQueue>, options: PullOptions) -> Self {
        Self { calls, queue, broker_id: AtomicI64::new(0), end: AtomicI64::new(0), options }
    }

    /// Returns the end of the queue, one past its newest message, by the newest answer.
    pub(crate) fn end(&self) -> i64 {
        self.end.load(Ordering::Relaxed)
    }

    /// Pulls at `offset`. The broker stores `commit` on the way.
    pub(crate) async fn pull(
        &self,
        offset: i64,
        commit: Option<i64>,
        subscription: &SubscriptionData,
    ) -> Result<Pulled, CallError> {
        let broker_id = self.broker_id.load(Ordering::Relaxed);
        // A slave would keep the offset to itself.
        let commit = commit.filter(|_| broker_id == 0);
        let request = self.request(offset, commit, subscription);
        let cluster = &self.calls.cluster;
        let (broker, which) = (cluster.home(&self.queue), Which::Reader(broker_id));
        let address = cluster.address(&broker, which, &self.queue.topic).await?;
        let target = Target { address: &address, broker: &self.queue.broker_name, topic: &self.queue.topic };
        let answer = cluster.exchange(target, &request, &(), self.options.timeout).await?;
        Ok(self.read(answer, offset, subscription))
    }

    fn request(
        &self,
        offset: i64,
        commit: Option<i64>,
        subscription: &SubscriptionData,
    ) -> PullMessageRequest {
        let options = &self.options;
        let inline = options.inline_subscription;
        PullMessageRequest {
            consumer_group: self.calls.group.clone(),
            topic: self.queue.topic.clone(),
            queue_id: self.queue.queue_id,
            queue_offset: offset,
            max_msg_nums: options.max_messages,
            sys_flag: self.flags(commit.is_some()).0,
            commit_offset: commit.unwrap_or(0),
            suspend_timeout_millis: millis(options.suspend),
            sub_version: subscription.sub_version,
            subscription: inline.then(|| subscription.sub_string.clone()),
            expression_type: Some(subscription.expression_type.clone()),
            max_msg_bytes: Some(options.max_bytes),
            bname: Some(self.queue.broker_name.clone()),
            ..PullMessageRequest::default()
        }
    }

    fn flags(&self, commit: bool) -> PullFlag {
        let bit = |on: bool, bit: i32| if on { bit } else { 0 };
        let bits = bit(commit, PullFlag::COMMIT_OFFSET)
            | bit(!self.options.suspend.is_zero(), PullFlag::SUSPEND)
            | bit(self.options.inline_subscription, PullFlag::SUBSCRIPTION);
        PullFlag(bits)
    }

    fn read(
        &self,
        answer: Answered<(PullMessageResponse, Bytes)>,
        from: i64,
        subscription: &SubscriptionData,
    ) -> Pulled {
        let (header, messages) = answer.payload;
        self.broker_id.store(header.suggest_which_broker_id, Ordering::Relaxed);
        self.end.store(header.max_offset, Ordering::Relaxed);
        let next = header.next_begin_offset;
        match answer.code {
            ResponseCode::SUCCESS => {
                Pulled::Found { messages: self.messages(messages, &header, from, subscription), next }
            }
            ResponseCode::PULL_OFFSET_MOVED => Pulled::Moved { to: next },
            _ => Pulled::Empty { next },
        }
    }

    fn messages(
        &self,
        messages: Bytes,
        header: &PullMessageResponse,
        from: i64,
        subscription: &SubscriptionData,
    ) -> Vec<Delivery> {
        let incoming = Incoming {
            queue: &self.queue,
            subscription,
            names: &self.calls.cluster.names,
            offset_delta: header.offset_delta.unwrap_or(0),
            from,
        };
        incoming.read(messages)
    }
}
