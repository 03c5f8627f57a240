//! [`LiteConsumerBuilder`]: the options of a lite consumer, and its start.

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
use crate::consumer::member::{Member, MemberParts};
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

/// The time that brokers may hold a pull, and the limit of the whole call.
const SUSPEND: Duration = Duration::from_secs(20);
const PULL_TIMEOUT: Duration = Duration::from_secs(30);

/// Configures a [`LiteConsumer`]; [`build`](Self::build) starts it.
///
/// ```no_run
/// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use rocketmq_client::FromWhere;
///
/// let lite = client
///     .lite_consumer("audit")
///     .subscribe("orders", "*")
///     .from_where(FromWhere::FirstOffset)
///     .auto_commit(false)
///     .build()
///     .await?;
/// # drop(lite);
/// # Ok(())
/// # }
/// ```
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

    /// Shares the queues of a topic with the other members of the group, and takes the messages with these tags: `"a ||
    /// b"`, or `"*"` for all. A second call for a topic replaces its expression. Excludes [`assign`](Self::assign).
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let lite = client.lite_consumer("audit").subscribe("orders", "created || paid").build().await?;
    /// # drop(lite);
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe(mut self, topic: impl Into<String>, tags: impl Into<String>) -> Self {
        self.subscriptions.put(topic, Filter::Tags(tags.into()));
        self
    }

    /// Does the same as [`subscribe`](Self::subscribe) with an SQL92 condition over message properties. Needs a broker with
    /// `enablePropertyFilter=true`.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let lite = client.lite_consumer("audit").subscribe_sql("orders", "amount > 100").build().await?;
    /// # drop(lite);
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe_sql(mut self, topic: impl Into<String>, condition: impl Into<String>) -> Self {
        self.subscriptions.put(topic, Filter::Sql(condition.into()));
        self
    }

    /// Reads exactly these queues, whatever other members do; [`LiteConsumer::assign`] changes them later. Excludes
    /// [`subscribe`](Self::subscribe).
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client, pull: rocketmq_client::PullConsumer) -> Result<(), Box<dyn std::error::Error>> {
    /// let lite = client.lite_consumer("audit").assign(pull.queues("orders").await?).build().await?;
    /// # drop(lite);
    /// # Ok(())
    /// # }
    /// ```
    pub fn assign(mut self, queues: impl IntoIterator<Item = MessageQueue>) -> Self {
        self.assigned.extend(queues);
        self
    }

    /// Takes only the messages with these tags from the assigned queues of a topic. Default: every message. (Java:
    /// `setSubExpressionForAssign`.)
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client, pull: rocketmq_client::PullConsumer) -> Result<(), Box<dyn std::error::Error>> {
    /// let queues = pull.queues("orders").await?;
    /// let lite = client.lite_consumer("audit").assign(queues).filter_assigned("orders", "paid").build().await?;
    /// # drop(lite);
    /// # Ok(())
    /// # }
    /// ```
    pub fn filter_assigned(mut self, topic: impl Into<String>, tags: impl Into<String>) -> Self {
        self.assigned_filters.put(topic, Filter::Tags(tags.into()));
        self
    }

    /// Hands every message to every member. A local file keeps the offsets.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let lite = client.lite_consumer("audit").subscribe("orders", "*").broadcasting().build().await?;
    /// # drop(lite);
    /// # Ok(())
    /// # }
    /// ```
    pub fn broadcasting(mut self) -> Self {
        self.model = MessageModel::Broadcasting;
        self
    }

    /// Sets the folder in which a broadcasting consumer keeps its offsets. Default: `~/.rocketmq_offsets`.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let lite = client.lite_consumer("audit").subscribe("orders", "*").broadcasting().offset_folder("/var/lib/audit").build().await?;
    /// # drop(lite);
    /// # Ok(())
    /// # }
    /// ```
    pub fn offset_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.offset_folder = Some(folder.into());
        self
    }

    /// Sets the begin of a group without stored offsets. Default: the end of each queue.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::FromWhere;
    ///
    /// let lite = client.lite_consumer("audit").subscribe("orders", "*").from_where(FromWhere::FirstOffset).build().await?;
    /// # drop(lite);
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_where(mut self, from: FromWhere) -> Self {
        self.from_where = from;
        self
    }

    /// Commits a batch when the one after it is asked for, so that every message is delivered at least once. Default:
    /// true. Without it only [`Batch::commit`](super::Batch::commit) moves the group's offsets.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let lite = client.lite_consumer("audit").subscribe("orders", "*").auto_commit(false).build().await?;
    /// # drop(lite);
    /// # Ok(())
    /// # }
    /// ```
    pub fn auto_commit(mut self, on: bool) -> Self {
        self.auto_commit = on;
        self
    }

    /// Sets the most messages of one batch, 1 to 1024; other numbers become the nearest of these. Default: 32.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let lite = client.lite_consumer("audit").subscribe("orders", "*").pull_batch(100).build().await?;
    /// # drop(lite);
    /// # Ok(())
    /// # }
    /// ```
    pub fn pull_batch(mut self, messages: u16) -> Self {
        self.pull_batch = i32::from(messages.clamp(1, 1024));
        self
    }

    /// Limits the messages that were pulled and not handed out.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::consumer::FlowLimits;
    ///
    /// let mut limits = FlowLimits::default();
    /// limits.queue_count = 500;
    /// let lite = client.lite_consumer("audit").subscribe("orders", "*").flow(limits).build().await?;
    /// # drop(lite);
    /// # Ok(())
    /// # }
    /// ```
    pub fn flow(mut self, limits: FlowLimits) -> Self {
        self.flow = limits;
        self
    }

    /// Sets the strategy that splits queues among the members. Default: [`Averagely`].
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::consumer::AveragelyByCircle;
    ///
    /// let lite = client.lite_consumer("audit").subscribe("orders", "*").allocate(AveragelyByCircle).build().await?;
    /// # drop(lite);
    /// # Ok(())
    /// # }
    /// ```
    pub fn allocate(mut self, strategy: impl AllocateStrategy) -> Self {
        self.strategy = Arc::new(strategy);
        self
    }

    /// Calls `tell` after each change of the shared queues: with the topic, all its queues, and those of this member.
    /// `tell` must not block.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let lite = client.lite_consumer("audit").subscribe("orders", "*").on_assignment(|topic, _, mine| println!("{topic}: {}", mine.len())).build().await?;
    /// # drop(lite);
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_assignment(
        mut self,
        tell: impl Fn(&str, &[MessageQueue], &[MessageQueue]) + Send + Sync + 'static,
    ) -> Self {
        self.on_assignment = Some(Arc::new(tell));
        self
    }

    /// Traces the messages that are handed out, as handled well: the consumer does not learn the result. Default: as
    /// the client is configured.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::TraceConfig;
    ///
    /// let lite = client.lite_consumer("audit").subscribe("orders", "*").trace(TraceConfig::default()).build().await?;
    /// # drop(lite);
    /// # Ok(())
    /// # }
    /// ```
    pub fn trace(mut self, trace: TraceConfig) -> Self {
        self.trace = Some(trace);
        self
    }

    /// Starts to pull in the background.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let lite = client.lite_consumer("audit").subscribe("orders", "*").build().await?;
    /// lite.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// A name or expression is illegal, `subscribe` and `assign` are used together or neither is, this client has a
    /// consumer of the group already, no name server can be reached, a broker refuses a filter, or the file of offsets
    /// cannot be read.
    ///
    /// # Cancel safety
    /// A cancelled call leaves no consumer behind.
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

    fn join(&self, subscriptions: ByTopic, inbox: Arc<Inbox>) -> Result<Arc<Member>, StartError> {
        let calls = Calls::new(self.membership.cluster.clone(), &self.group);
        let health = HealthBook::new(&calls, subscriptions.keys(), None);
        Ok(Member::new(MemberParts {
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
