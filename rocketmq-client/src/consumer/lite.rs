//! The lite pull consumer: queues are shared out as for a push consumer, or assigned by hand; the application asks for the
//! messages.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rocketmq_remoting::body::{ConsumeType, ConsumerData, MessageModel};
use rocketmq_remoting::net::Answer;
use rocketmq_remoting::route::MessageQueue;
use rocketmq_remoting::subscription::SubscriptionData;
use rocketmq_remoting::{Command, ResponseCode};
use tokio::sync::Notify;

use super::assign::{AllocateStrategy, Averagely};
use super::calls::Calls;
use super::flow::FlowLimits;
use super::group::{Group, GroupParts, Sink};
use super::offsets::OffsetStore;
use super::owned::OwnedQueue;
use super::pull::{Offset, resolve};
use super::pull_loop::{Begin, PullLoop};
use super::puller::PullOptions;
use super::push::invalid;
use super::rebalance::Rebalancer;
use super::start::FromWhere;
use crate::client::Client;
use crate::delivery::Delivery;
use crate::error::{CallError, CallErrorKind, StartError, StartErrorKind};
use crate::members::ConsumerMember;
use crate::trace::record::ConsumeEnd;
use crate::trace::{Role, TraceConfig, Tracer};
use crate::validate;

/// How long a broker may hold a lite pull, and the limit of the whole call.
const SUSPEND: Duration = Duration::from_secs(20);
const PULL_TIMEOUT: Duration = Duration::from_secs(30);

/// Configures a [`LiteConsumer`].
#[must_use]
pub struct LiteConsumerBuilder {
    client: Client,
    group: String,
    subscriptions: Vec<(String, String)>,
    assigned: Vec<MessageQueue>,
    from_where: FromWhere,
    flow: FlowLimits,
    pull_batch: i32,
    auto_commit: bool,
    strategy: Arc<dyn AllocateStrategy>,
    trace: Option<TraceConfig>,
}

impl std::fmt::Debug for LiteConsumerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiteConsumerBuilder").field("group", &self.group).finish_non_exhaustive()
    }
}

impl Client {
    /// Starts to configure a lite consumer of `group`. A client has one consumer per group.
    pub fn lite_consumer(&self, group: impl Into<String>) -> LiteConsumerBuilder {
        LiteConsumerBuilder {
            client: self.clone(),
            group: group.into(),
            subscriptions: Vec::new(),
            assigned: Vec::new(),
            from_where: FromWhere::default(),
            flow: FlowLimits::default(),
            pull_batch: 32,
            auto_commit: true,
            strategy: Arc::new(Averagely),
            trace: None,
        }
    }
}

impl LiteConsumerBuilder {
    /// Shares a topic's queues with the other members of the group. Excludes [`assign`](Self::assign).
    pub fn subscribe(mut self, topic: impl Into<String>, tags: impl Into<String>) -> Self {
        let topic = topic.into();
        self.subscriptions.retain(|(known, _)| *known != topic);
        self.subscriptions.push((topic, tags.into()));
        self
    }

    /// Reads exactly these queues, whatever other members do. Excludes [`subscribe`](Self::subscribe).
    pub fn assign(mut self, queues: impl IntoIterator<Item = MessageQueue>) -> Self {
        self.assigned.extend(queues);
        self
    }

    /// Where a group without stored offsets begins, default at the end.
    pub fn from_where(mut self, from: FromWhere) -> Self {
        self.from_where = from;
        self
    }

    /// Whether asking for the next batch commits the ones before it (default): every message is delivered at least once.
    /// Without it only [`Batch::commit`] moves the group's offsets.
    pub fn auto_commit(mut self, on: bool) -> Self {
        self.auto_commit = on;
        self
    }

    /// Most messages per batch, default 32.
    pub fn pull_batch(mut self, messages: u16) -> Self {
        self.pull_batch = i32::from(messages.clamp(1, 1024));
        self
    }

    /// What may be cached.
    pub fn flow(mut self, limits: FlowLimits) -> Self {
        self.flow = limits;
        self
    }

    /// How queues are split among the members, default [`Averagely`].
    pub fn allocate(mut self, strategy: impl AllocateStrategy) -> Self {
        self.strategy = Arc::new(strategy);
        self
    }

    /// Traces the messages it hands out, as handled well: it does not learn what becomes of them. Default: as the client
    /// is configured.
    pub fn trace(mut self, trace: TraceConfig) -> Self {
        self.trace = Some(trace);
        self
    }

    /// Starts pulling in the background.
    ///
    /// # Errors
    /// An illegal name or expression, `subscribe` and `assign` together or neither, a second consumer of the group on
    /// this client, or no reachable name server.
    pub async fn build(self) -> Result<LiteConsumer, StartError> {
        validate::group(&self.group).map_err(invalid)?;
        if self.subscriptions.is_empty() == self.assigned.is_empty() {
            return Err(invalid("call either subscribe or assign, and not both".to_owned()));
        }
        let calls = Calls::new(&self.client, &self.group);
        let inbox = Arc::<Inbox>::default();
        let group = Group::new(GroupParts {
            offsets: OffsetStore::Broker(calls.clone()),
            calls,
            model: MessageModel::Clustering,
            orderly: false,
            from_where: self.from_where,
            flow: self.flow,
            subscriptions: self.parse()?,
            stats: Arc::default(),
            sink: inbox.clone(),
        });
        let member = Arc::new(LiteMember { name: self.group.clone(), group: group.clone() });
        let registered: Arc<dyn ConsumerMember> = member.clone();
        if !self.client.inner.register_consumer(&registered) {
            let text = format!("this client already consumes as group \"{}\"", self.group);
            return Err(StartError::new(StartErrorKind::GroupInUse, text));
        }
        let trace = self.trace.as_ref().or(self.client.inner.config.trace.as_ref());
        let tracer =
            trace.map(|trace| Tracer::start(&self.client, &self.group, Role::Consume, trace.clone()));
        let consumer = LiteConsumer {
            tracer,
            pull: self.pull_options(),
            client: self.client,
            group,
            inbox,
            auto_commit: self.auto_commit,
            previous: None,
            _member: member,
        };
        consumer.group.prepare().await?;
        consumer.client.inner.heartbeat().await;
        consumer.start(&self.assigned, self.strategy);
        Ok(consumer)
    }

    fn parse(&self) -> Result<BTreeMap<String, Arc<SubscriptionData>>, StartError> {
        let names = &self.client.inner.names;
        let assigned = self.assigned.iter().map(|queue| (queue.topic.clone(), "*".to_owned()));
        let mut result = BTreeMap::new();
        for (topic, expression) in self.subscriptions.iter().cloned().chain(assigned) {
            let topic = names.wrap(&topic);
            validate::topic(&topic).map_err(invalid)?;
            let data = SubscriptionData::parse(&topic, &expression).map_err(|e| invalid(e.to_string()))?;
            result.insert(topic, Arc::new(data.with_version(self.client.inner.now_ms())));
        }
        Ok(result)
    }

    fn pull_options(&self) -> PullOptions {
        PullOptions {
            max_messages: self.pull_batch,
            max_bytes: i32::MAX,
            suspend: SUSPEND,
            timeout: PULL_TIMEOUT,
            interval: Duration::ZERO,
            inline_subscription: true,
        }
    }
}

/// Batches pulled and not handed out.
#[derive(Default)]
struct Inbox {
    batches: Mutex<VecDeque<(Arc<OwnedQueue>, Vec<Delivery>)>>,
    arrived: Notify,
}

impl Sink for Inbox {
    fn deliver(&self, queue: &Arc<OwnedQueue>, messages: Vec<Delivery>) {
        self.batches.lock().push_back((queue.clone(), messages));
        self.arrived.notify_one();
    }
}

impl Inbox {
    /// The oldest batch of a queue that is still owned.
    fn take(&self) -> Option<(Arc<OwnedQueue>, Vec<Delivery>)> {
        let mut batches = self.batches.lock();
        while let Some((queue, messages)) = batches.pop_front() {
            if !queue.is_dropped() {
                return Some((queue, messages));
            }
        }
        None
    }
}

/// A lite consumer as brokers see it.
struct LiteMember {
    name: String,
    group: Arc<Group>,
}

impl ConsumerMember for LiteMember {
    fn group(&self) -> &str {
        &self.name
    }

    fn heartbeat(&self) -> ConsumerData {
        self.group.heartbeat(ConsumeType::Actively)
    }

    fn topics(&self) -> Vec<String> {
        self.group.topics()
    }

    fn rebalance_soon(&self) {
        self.group.rebalance.notify_one();
    }

    fn on_request(&self, request: Command) -> Answer {
        let code = ResponseCode::REQUEST_CODE_NOT_SUPPORTED;
        Answer::Now(
            Command::response_to(&request, code).with_remark("a lite consumer does not serve this request"),
        )
    }
}

/// Hands out the messages of its queues, batch by batch.
///
/// Dropping it stops pulling at once; what was handed out and not committed is delivered again.
pub struct LiteConsumer {
    client: Client,
    group: Arc<Group>,
    inbox: Arc<Inbox>,
    pull: PullOptions,
    auto_commit: bool,
    tracer: Option<Arc<Tracer>>,
    previous: Option<(Arc<OwnedQueue>, i64)>,
    _member: Arc<LiteMember>,
}

impl std::fmt::Debug for LiteConsumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiteConsumer").field("group", &self.group.name()).finish_non_exhaustive()
    }
}

impl LiteConsumer {
    fn start(&self, assigned: &[MessageQueue], strategy: Arc<dyn AllocateStrategy>) {
        let group = &self.group;
        let every = self.client.inner.config.persist_offset_interval;
        group.tasks.spawn(group.clone().persist_periodically(every));
        if assigned.is_empty() {
            let rebalancer = Rebalancer {
                group: group.clone(),
                strategy,
                pull: self.pull.clone(),
                on_assignment: None,
                pop: None,
            };
            group.tasks.spawn(rebalancer.run());
            return;
        }
        for queue in assigned {
            let topic = self.client.inner.names.wrap(&queue.topic);
            let owned = OwnedQueue::new(MessageQueue { topic, ..queue.clone() }, group.now_ms());
            if group.insert(owned.clone()) {
                PullLoop::spawn(group, owned, self.pull.clone(), Begin::Lookup(Duration::ZERO));
            }
        }
    }

    /// Waits for the next batch. It is committed when the one after it is asked for, unless `auto_commit` is off.
    ///
    /// Cancel safe: a batch is either returned or stays for the next call.
    ///
    /// # Errors
    /// None at present; brokers that cannot be reached are tried again and logged.
    pub async fn next_batch(&mut self) -> Result<Option<Batch>, CallError> {
        self.commit_previous();
        loop {
            if let Some((queue, messages)) = self.inbox.take() {
                return Ok(Some(self.hand_out(queue, messages)));
            }
            tokio::select! {
                () = self.inbox.arrived.notified() => {}
                () = self.group.stopped.cancelled() => return Ok(None),
            }
        }
    }

    /// [`next_batch`](Self::next_batch), giving up after `limit`: then `None`.
    ///
    /// # Errors
    /// As [`next_batch`](Self::next_batch).
    pub async fn poll(&mut self, limit: Duration) -> Result<Option<Batch>, CallError> {
        tokio::time::timeout(limit, self.next_batch()).await.unwrap_or(Ok(None))
    }

    fn commit_previous(&mut self) {
        if let Some((queue, next)) = self.previous.take().filter(|_| self.auto_commit) {
            queue.advance(next);
        }
    }

    fn hand_out(&mut self, queue: Arc<OwnedQueue>, messages: Vec<Delivery>) -> Batch {
        let next = messages.last().map_or(0, |last| last.queue_offset() + 1);
        queue.hand_out(messages.iter().map(Delivery::queue_offset), next);
        self.previous = Some((queue.clone(), next));
        if let Some(tracer) = &self.tracer {
            let call = tracer.consuming(&messages);
            tracer.consumed(&call, &messages, |_| ConsumeEnd::Success);
        }
        Batch { messages, next, queue, group: self.group.clone() }
    }

    /// The queues it reads now.
    pub fn assignment(&self) -> Vec<MessageQueue> {
        let mut queues: Vec<_> = self.group.owned().iter().map(|owned| owned.queue.clone()).collect();
        queues.sort();
        queues
    }

    /// Reads a queue on at another place. What is cached of it is forgotten; the group's offset moves with the next
    /// commit.
    ///
    /// # Errors
    /// When the queue is not assigned to this consumer, the offset is not in the queue, or the broker cannot be asked.
    pub async fn seek(&mut self, queue: &MessageQueue, to: Offset) -> Result<(), CallError> {
        let refused = |text: String| CallError::new(CallErrorKind::InvalidRequest, text);
        let offset = resolve(&self.group.calls, queue, to).await?;
        let (min, max) =
            (self.group.calls.min_offset(queue).await?, self.group.calls.max_offset(queue).await?);
        if !(min..=max).contains(&offset) {
            return Err(refused(format!("offset {offset} is not in the queue, which holds {min} to {max}")));
        }
        let owned = self.group.find(queue);
        let owned = owned.ok_or_else(|| refused(format!("{queue:?} is not assigned to this consumer")))?;
        if self.previous.as_ref().is_some_and(|(previous, _)| Arc::ptr_eq(previous, &owned)) {
            self.previous = None;
        }
        self.group.start_anew(&owned, offset, &self.pull);
        Ok(())
    }

    /// Stops pulling these queues; what is cached is still handed out.
    pub fn pause(&self, queues: &[MessageQueue]) {
        self.set_paused(queues, true);
    }

    /// Pulls these queues again.
    pub fn resume(&self, queues: &[MessageQueue]) {
        self.set_paused(queues, false);
    }

    fn set_paused(&self, queues: &[MessageQueue], paused: bool) {
        for owned in queues.iter().filter_map(|queue| self.group.find(queue)) {
            owned.set_paused(paused);
        }
    }

    /// Where the group stands on a queue.
    ///
    /// # Errors
    /// When the broker cannot be asked.
    pub async fn committed(&self, queue: &MessageQueue) -> Result<Option<i64>, CallError> {
        self.group.calls.stored_offset(queue).await
    }

    /// Stores what was committed in memory now, instead of within five seconds.
    pub async fn commit(&mut self) {
        self.commit_previous();
        self.group.persist().await;
    }

    /// Stops pulling, stores what was committed, and leaves the group.
    pub async fn shutdown(self) {
        self.group.stop_pulling().await;
        self.group.persist().await;
        self.group.remove_all();
        self.client.inner.unregister_consumer(&self._member.name).await;
        if let Some(tracer) = &self.tracer {
            tracer.shutdown().await;
        }
    }
}

impl Drop for LiteConsumer {
    fn drop(&mut self) {
        self.group.stopped.cancel();
        self.group.remove_all();
        self.client.inner.members.remove_consumer(&self._member.name);
    }
}

/// Messages of one queue, in order.
pub struct Batch {
    messages: Vec<Delivery>,
    next: i64,
    queue: Arc<OwnedQueue>,
    group: Arc<Group>,
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch")
            .field("queue", &self.queue.queue)
            .field("messages", &self.messages.len())
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl Batch {
    /// The queue they came from.
    pub fn queue(&self) -> &MessageQueue {
        &self.queue.queue
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether there is none; batches handed out hold at least one.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The messages.
    pub fn iter(&self) -> std::slice::Iter<'_, Delivery> {
        self.messages.iter()
    }

    /// Stores on the broker that the group has read this batch.
    ///
    /// # Errors
    /// When the broker did not confirm it; it is then stored with the next periodic commit, within five seconds.
    pub async fn commit(&self) -> Result<(), CallError> {
        self.queue.advance(self.next);
        if self.queue.is_dropped() {
            return Ok(());
        }
        self.group.offsets.store_now(&self.queue.queue, self.next).await
    }
}

impl<'a> IntoIterator for &'a Batch {
    type Item = &'a Delivery;
    type IntoIter = std::slice::Iter<'a, Delivery>;

    fn into_iter(self) -> Self::IntoIter {
        self.messages.iter()
    }
}

impl IntoIterator for Batch {
    type Item = Delivery;
    type IntoIter = std::vec::IntoIter<Delivery>;

    fn into_iter(self) -> Self::IntoIter {
        self.messages.into_iter()
    }
}
