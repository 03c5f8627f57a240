//! The options of a lite consumer, and how it starts.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rocketmq_remoting::body::MessageModel;
use rocketmq_remoting::route::MessageQueue;

use super::batch::Inbox;
use super::consumer::LiteConsumer;
use super::member::LiteMember;
use crate::consumer::calls::Calls;
use crate::consumer::health::HealthBook;
use crate::consumer::member::{Group, GroupParts};
use crate::consumer::pull::puller::PullOptions;
use crate::consumer::queue::flow::FlowLimits;
use crate::consumer::queue::offsets::OffsetStore;
use crate::consumer::rebalance::allocate::{AllocateStrategy, Averagely};
use crate::consumer::rebalance::rebalancer::{OnAssignment, Rebalancer};
use crate::consumer::start::FromWhere;
use crate::consumer::subscriptions::{ByTopic, Filter, Subscriptions, invalid};
use crate::error::StartError;
use crate::membership::ConsumerMember;
use crate::membership::Membership;
use crate::messages::validate;
use crate::observe::trace::{Role, TraceConfig, Tracer};

/// How long a broker may hold a lite pull, and the limit of the whole call.
const SUSPEND: Duration = Duration::from_secs(20);
const PULL_TIMEOUT: Duration = Duration::from_secs(30);

/// Configures a [`LiteConsumer`].
#[must_use]
pub struct LiteConsumerBuilder {
    membership: Arc<Membership>,
    group: String,
    subscriptions: Subscriptions,
    assigned: Vec<MessageQueue>,
    assigned_filters: Subscriptions,
    model: MessageModel,
    offset_folder: Option<PathBuf>,
    from_where: FromWhere,
    flow: FlowLimits,
    pull_batch: i32,
    auto_commit: bool,
    strategy: Arc<dyn AllocateStrategy>,
    on_assignment: Option<OnAssignment>,
    trace: Option<TraceConfig>,
}

impl std::fmt::Debug for LiteConsumerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiteConsumerBuilder").field("group", &self.group).finish_non_exhaustive()
    }
}

impl LiteConsumerBuilder {
    pub(crate) fn new(membership: Arc<Membership>, group: String) -> Self {
        Self {
            membership,
            group,
            subscriptions: Subscriptions::default(),
            assigned: Vec::new(),
            assigned_filters: Subscriptions::default(),
            model: MessageModel::Clustering,
            offset_folder: None,
            from_where: FromWhere::default(),
            flow: FlowLimits::default(),
            pull_batch: 32,
            auto_commit: true,
            strategy: Arc::new(Averagely),
            on_assignment: None,
            trace: None,
        }
    }

    /// Shares a topic's queues with the other members of the group, and takes the messages with these tags: `"a || b"`, or
    /// `"*"` for all. Subscribing to a topic again replaces the expression. Excludes [`assign`](Self::assign).
    pub fn subscribe(mut self, topic: impl Into<String>, tags: impl Into<String>) -> Self {
        self.subscriptions.put(topic, Filter::Tags(tags.into()));
        self
    }

    /// [`subscribe`](Self::subscribe) by an SQL92 condition over message properties, `"amount > 100"`. Needs a broker with
    /// `enablePropertyFilter=true`.
    pub fn subscribe_sql(mut self, topic: impl Into<String>, condition: impl Into<String>) -> Self {
        self.subscriptions.put(topic, Filter::Sql(condition.into()));
        self
    }

    /// Reads exactly these queues, whatever other members do; [`LiteConsumer::assign`] changes them later. Excludes
    /// [`subscribe`](Self::subscribe).
    pub fn assign(mut self, queues: impl IntoIterator<Item = MessageQueue>) -> Self {
        self.assigned.extend(queues);
        self
    }

    /// Of the assigned queues of a topic, only messages with these tags. Default: every message. (Java:
    /// `setSubExpressionForAssign`.)
    pub fn filter_assigned(mut self, topic: impl Into<String>, tags: impl Into<String>) -> Self {
        self.assigned_filters.put(topic, Filter::Tags(tags.into()));
        self
    }

    /// Every member reads every queue of the topics subscribed to; offsets are kept in a local file.
    pub fn broadcasting(mut self) -> Self {
        self.model = MessageModel::Broadcasting;
        self
    }

    /// The folder a broadcasting consumer keeps its offsets in, default `~/.rocketmq_offsets`.
    pub fn offset_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.offset_folder = Some(folder.into());
        self
    }

    /// Where a group without stored offsets begins, default at the end.
    pub fn from_where(mut self, from: FromWhere) -> Self {
        self.from_where = from;
        self
    }

    /// Whether asking for the next batch commits the ones before it (default): every message is delivered at least once.
    /// Without it only [`Batch::commit`](super::Batch::commit) moves the group's offsets.
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

    /// Calls `tell` with topic, all queues and those of this member after each change of the shared queues.
    pub fn on_assignment(
        mut self,
        tell: impl Fn(&str, &[MessageQueue], &[MessageQueue]) + Send + Sync + 'static,
    ) -> Self {
        self.on_assignment = Some(Arc::new(tell));
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
    /// this client, no reachable name server, a filter the broker refuses, or a file of offsets that cannot be read.
    pub async fn build(self) -> Result<LiteConsumer, StartError> {
        validate::group(&self.group).map_err(invalid)?;
        if self.subscriptions.is_empty() == self.assigned.is_empty() {
            return Err(invalid("call either subscribe or assign, and not both".to_owned()));
        }
        let subscriptions = self.subscriptions.parse(&self.membership.cluster)?;
        let inbox = Arc::<Inbox>::default();
        let group = self.join(subscriptions, inbox.clone())?;
        let member = Arc::new(LiteMember {
            name: self.group.clone(),
            group: group.clone(),
            pull_batch: self.pull_batch,
            auto_commit: self.auto_commit,
        });
        let registered: Arc<dyn ConsumerMember> = member.clone();
        self.membership.join_as_consumer(&registered)?;
        let consumer = LiteConsumer {
            tracer: self.tracer(),
            pull: self.pull_options(),
            membership: self.membership.clone(),
            group,
            inbox,
            by_hand: self.subscriptions.is_empty().then(|| self.assigned_filters.clone()),
            auto_commit: self.auto_commit,
            previous: None,
            member,
        };
        self.start(consumer).await
    }

    fn join(&self, subscriptions: ByTopic, inbox: Arc<Inbox>) -> Result<Arc<Group>, StartError> {
        let calls = Calls::new(self.membership.cluster.clone(), &self.group);
        let health = HealthBook::new(&calls, subscriptions.keys(), None);
        Ok(Group::new(GroupParts {
            membership: self.membership.clone(),
            health,
            offsets: OffsetStore::open(self.model, &calls, self.offset_folder.clone())?,
            calls,
            model: self.model,
            orderly: false,
            from_where: self.from_where,
            flow: self.flow,
            subscriptions,
            stats: Arc::default(),
            sink: inbox,
        }))
    }

    fn tracer(&self) -> Option<Arc<Tracer>> {
        self.membership.tracer(&self.group, Role::Consume, self.trace.as_ref())
    }

    async fn start(self, mut consumer: LiteConsumer) -> Result<LiteConsumer, StartError> {
        let group = consumer.group.clone();
        if consumer.by_hand.is_some() {
            consumer.assign(self.assigned).await?;
        } else {
            group.prepare().await?;
            self.membership.heartbeat().await;
            let rebalancer = Rebalancer {
                group: group.clone(),
                strategy: self.strategy,
                pull: consumer.pull.clone(),
                on_assignment: self.on_assignment,
                pop: None,
            };
            group.tasks.spawn(rebalancer.run());
        }
        let every = self.membership.cluster.config.persist_offset_interval;
        group.tasks.spawn(group.clone().persist_periodically(every));
        Ok(consumer)
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
