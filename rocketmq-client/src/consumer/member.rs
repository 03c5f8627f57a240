//! [`Member`]: the state that the pull loops, workers and rebalancer of one member share.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use rocketmq_remoting::body::MessageModel;
use rocketmq_remoting::names::is_retry;
use rocketmq_remoting::route::MessageQueue;
use rocketmq_remoting::subscription::SubscriptionData;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::calls::Calls;
use super::health::{Backlog, HealthBook};
use super::start::{FromWhere, Start};
use super::stats::Stats;
use super::subscriptions::ByTopic;
use crate::consumer::queue::flow::{FlowLimits, QueueLimits};
use crate::consumer::queue::offsets::OffsetStore;
use crate::consumer::queue::owned::OwnedQueue;
use crate::error::{CallError, StartError};
use crate::membership::Membership;
use crate::messages::Delivery;
use crate::observe::metrics;

/// Takes pulled messages; they are in the queue's window by then.
pub(crate) trait Sink: Send + Sync + 'static {
    /// Hands over messages of `queue` in order. Must not block.
    fn deliver(&self, queue: &Arc<OwnedQueue>, messages: Vec<Delivery>);

    /// Is called when a queue was assigned, before its first pull.
    fn opened(&self, queue: &Arc<OwnedQueue>) {
        let _ = queue;
    }
}

/// Holds the state that every kind of consumer has as the member of a group.
pub(crate) struct Member {
    pub(crate) membership: Arc<Membership>,
    pub(crate) calls: Calls,
    pub(crate) model: MessageModel,
    pub(crate) orderly: bool,
    pub(crate) from_where: FromWhere,
    pub(crate) flow: FlowLimits,
    pub(crate) offsets: OffsetStore,
    pub(crate) subscriptions: RwLock<ByTopic>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) health: HealthBook,
    pub(crate) sink: Arc<dyn Sink>,
    /// Set when a rebalance is wanted now.
    pub(crate) rebalance: Notify,
    /// No more pulls and rebalances.
    pub(crate) stopped: CancellationToken,
    pub(crate) tasks: TaskTracker,
    pub(crate) started_at: i64,
    queues: Mutex<HashMap<MessageQueue, Arc<OwnedQueue>>>,
    paused: AtomicBool,
}

/// The parts of a [`Member`].
pub(crate) struct MemberParts {
    pub(crate) membership: Arc<Membership>,
    pub(crate) calls: Calls,
    pub(crate) model: MessageModel,
    pub(crate) orderly: bool,
    pub(crate) from_where: FromWhere,
    pub(crate) flow: FlowLimits,
    pub(crate) offsets: OffsetStore,
    pub(crate) subscriptions: ByTopic,
    pub(crate) stats: Arc<Stats>,
    pub(crate) health: HealthBook,
    pub(crate) sink: Arc<dyn Sink>,
}

impl Member {
    pub(crate) fn new(parts: MemberParts) -> Arc<Self> {
        Arc::new(Self {
            membership: parts.membership,
            model: parts.model,
            orderly: parts.orderly,
            from_where: parts.from_where,
            flow: parts.flow,
            offsets: parts.offsets,
            subscriptions: RwLock::new(parts.subscriptions),
            stats: parts.stats,
            health: parts.health,
            sink: parts.sink,
            rebalance: Notify::new(),
            stopped: CancellationToken::new(),
            tasks: TaskTracker::new(),
            started_at: parts.calls.cluster.now_ms(),
            calls: parts.calls,
            queues: Mutex::default(),
            paused: AtomicBool::new(false),
        })
    }

    /// Returns the group's name on the wire.
    pub(crate) fn name(&self) -> &str {
        &self.calls.group
    }

    /// Returns the ms since the epoch, by the client's clock.
    pub(crate) fn now_ms(&self) -> i64 {
        self.calls.cluster.now_ms()
    }

    /// Counts one pull or pop of a topic (named as on the wire).
    pub(crate) fn count_pull(&self, topic: &str, outcome: &'static str, messages: usize) {
        let names = &self.calls.cluster.names;
        metrics::pulled(names.plain(self.name()), names.plain(topic), outcome, messages);
    }

    /// Counts a pull that had to wait, and for which limit.
    pub(crate) fn count_throttled(&self, topic: &str, limit: &'static str) {
        let names = &self.calls.cluster.names;
        metrics::throttled(names.plain(self.name()), names.plain(topic), limit);
    }

    /// Counts a change of the queues this member reads.
    pub(crate) fn count_rebalance(&self, topic: &str) {
        let names = &self.calls.cluster.names;
        metrics::rebalanced(names.plain(self.name()), names.plain(topic));
    }

    /// Returns every queue owned now.
    pub(crate) fn owned(&self) -> Vec<Arc<OwnedQueue>> {
        self.queues.lock().values().cloned().collect()
    }

    /// Counts the owned queues of a topic, and the messages that wait in them.
    pub(crate) fn backlog(&self, topic: &str) -> Backlog {
        Backlog::of(self.owned().iter().filter(|owned| owned.queue.topic == topic).map(|owned| owned.lag()))
    }

    /// Finds an owned queue.
    pub(crate) fn find(&self, queue: &MessageQueue) -> Option<Arc<OwnedQueue>> {
        self.queues.lock().get(queue).cloned()
    }

    /// Takes a queue in; `false` when it is owned already.
    pub(crate) fn insert(&self, owned: Arc<OwnedQueue>) -> bool {
        let mut queues = self.queues.lock();
        if queues.contains_key(&owned.queue) {
            return false;
        }
        queues.insert(owned.queue.clone(), owned);
        true
    }

    /// Puts `fresh` in the place of `old`; `false` when `old` is not owned any more.
    pub(crate) fn replace(&self, old: &Arc<OwnedQueue>, fresh: Arc<OwnedQueue>) -> bool {
        let mut queues = self.queues.lock();
        let current = queues.get(&old.queue).is_some_and(|owned| Arc::ptr_eq(owned, old));
        if current {
            queues.insert(fresh.queue.clone(), fresh);
        }
        current
    }

    /// Lets go of a queue.
    pub(crate) fn remove(&self, owned: &Arc<OwnedQueue>) {
        let mut queues = self.queues.lock();
        if queues.get(&owned.queue).is_some_and(|current| Arc::ptr_eq(current, owned)) {
            queues.remove(&owned.queue);
        }
    }

    /// Gives a queue up and stores how far it was read.
    pub(crate) async fn release(&self, owned: &Arc<OwnedQueue>) {
        owned.drop_it();
        if let Some(offset) = owned.offset() {
            self.offsets.store(vec![(owned.queue.clone(), offset)]).await;
        }
        self.remove(owned);
    }

    /// Lets go of every queue.
    pub(crate) fn remove_all(&self) -> Vec<Arc<OwnedQueue>> {
        let removed: Vec<_> = self.queues.lock().drain().map(|(_, owned)| owned).collect();
        removed.iter().for_each(|owned| owned.drop_it());
        removed
    }

    /// Returns the limits of each queue at the present number of queues.
    pub(crate) fn limits(&self) -> QueueLimits {
        self.flow.per_queue(self.queues.lock().len())
    }

    /// Returns the subscription of a topic.
    pub(crate) fn subscription(&self, topic: &str) -> Option<Arc<SubscriptionData>> {
        self.subscriptions.read().get(topic).cloned()
    }

    /// Stops or resumes pulling; what was pulled is handled all the same.
    pub(crate) fn set_paused(&self, paused: bool) {
        self.paused.store(paused, Ordering::Release);
        if !paused {
            self.rebalance.notify_one();
        }
    }

    /// Tells whether pulling is paused.
    pub(crate) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }

    /// Finds the begin of a queue: the stored offset, or else the consumer's wish.
    pub(crate) async fn start_offset(&self, queue: &MessageQueue) -> Result<i64, CallError> {
        if let Some(offset) = self.offsets.load(queue).await? {
            return Ok(offset);
        }
        match self.from_where.without_stored_offset(is_retry(&queue.topic)) {
            Start::At(offset) => Ok(offset),
            Start::Max => self.end_of(queue).await,
            Start::AtTime(ms) => self.calls.offset_at(queue, ms).await,
        }
    }

    /// Asks for the end of a queue on which the group has no offset.
    ///
    /// Brokers of 5.x know no offset on an empty queue either. A message that comes before its end is asked for makes it
    /// young: the broker then begins at that message, and is asked once more.
    async fn end_of(&self, queue: &MessageQueue) -> Result<i64, CallError> {
        match self.calls.max_offset(queue).await? {
            0 => Ok(0),
            end => Ok(self.offsets.load(queue).await?.unwrap_or(end)),
        }
    }

    /// Prepares the subscriptions before the first pull.
    pub(crate) async fn prepare(&self) -> Result<(), StartError> {
        let subscriptions = self.subscriptions.read().clone();
        self.calls.prepare(&subscriptions).await
    }

    /// Ends pull loops, rebalancing and periodic commits, and waits for them.
    pub(crate) async fn stop_pulling(&self) {
        self.stopped.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Stores the offsets of all owned queues.
    pub(crate) async fn persist(&self) {
        self.offsets.store(self.progress()).await;
    }

    /// Stores the offsets at the end, with more tries: no later round would repeat a failed one.
    pub(crate) async fn persist_last(&self) {
        self.offsets.store_last(self.progress()).await;
    }

    /// Returns the offset of each owned queue.
    fn progress(&self) -> Vec<(MessageQueue, i64)> {
        self.owned().iter().filter_map(|q| Some((q.queue.clone(), q.offset()?))).collect()
    }

    /// Stores offsets every so often until the consumer stops.
    pub(crate) async fn persist_periodically(self: Arc<Self>, every: Duration) {
        let persist = async {
            loop {
                tokio::time::sleep(every).await;
                self.persist().await;
            }
        };
        tokio::select! { () = persist => {}, () = self.stopped.cancelled() => {} }
    }
}
