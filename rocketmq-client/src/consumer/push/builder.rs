//! [`PushConsumerBuilder`]: the subscriptions and options of a push consumer, and its start.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rocketmq_remoting::body::MessageModel;
use rocketmq_remoting::names::retry_topic;
use rocketmq_remoting::route::MessageQueue;
use rocketmq_remoting::subscription::SubscriptionData;

use super::health::ConsumerHealth;
use super::member::PushMember;
use super::running::Running;
use crate::consumer::calls::Calls;
use crate::consumer::config::ConsumerConfig;
use crate::consumer::handling::at_work::AtWork;
use crate::consumer::handling::call::Handler;
use crate::consumer::handling::concurrent::ConcurrentService;
use crate::consumer::handling::engine::Engine;
use crate::consumer::handling::listen::{Listen, ListenBatch};
use crate::consumer::handling::orderly::{OrderlyParts, OrderlyService};
use crate::consumer::handling::permits::Permits;
use crate::consumer::handling::send_back::SendBack;
use crate::consumer::handling::send_back::ToBroker;
use crate::consumer::handling::service::Service;
use crate::consumer::handling::tries::Tries;
use crate::consumer::health::{HealthBook, HealthChange, OnHealth};
use crate::consumer::member::{Member, MemberParts};
use crate::consumer::pop::push::{PopParts, PopService};
use crate::consumer::pull::puller::PullOptions;
use crate::consumer::queue::offsets::OffsetStore;
use crate::consumer::rebalance::allocate::{AllocateStrategy, Averagely};
use crate::consumer::rebalance::rebalancer::{OnAssignment, Rebalancer};
use crate::consumer::start::FromWhere;
use crate::consumer::stats::Stats;
use crate::consumer::subscriptions::{ByTopic, Filter, Subscriptions, invalid};
use crate::error::StartError;
use crate::membership::ConsumerMember;
use crate::membership::Membership;
use crate::messages::validate;
use crate::observe::interceptor::Interceptors;
use crate::observe::metrics;
use crate::observe::trace::{Role, TraceConfig};

/// The time that brokers may hold a pull, and the limit of the whole call.
const SUSPEND: Duration = Duration::from_secs(15);
const PULL_TIMEOUT: Duration = Duration::from_secs(30);

/// Configures a push consumer; [`listen`](Self::listen) starts it.
///
/// All members of a group must have the same subscriptions, model and allocation strategy.
///
/// ```no_run
/// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// use rocketmq_client::{Delivery, FromWhere, Outcome};
///
/// let running = client
///     .push_consumer("billing")
///     .subscribe("orders", "created || paid")
///     .from_where(FromWhere::FirstOffset)
///     .concurrency(16)
///     .consume_timeout(Duration::from_secs(60))
///     .listen(|delivery: Delivery| async move {
///         println!("{}", delivery.message_id());
///         Ok::<_, std::convert::Infallible>(Outcome::Ack)
///     })
///     .await?;
/// running.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is consumed before `listen` is awaited"]
pub struct PushConsumerBuilder {
    membership: Arc<Membership>,
    group: String,
    subscriptions: Subscriptions,
    config: ConsumerConfig,
    strategy: Arc<dyn AllocateStrategy>,
    on_assignment: Option<OnAssignment>,
    on_health: Option<OnHealth>,
}

impl std::fmt::Debug for PushConsumerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PushConsumerBuilder")
            .field("group", &self.group)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl PushConsumerBuilder {
    pub(crate) fn new(membership: Arc<Membership>, group: String) -> Self {
        Self {
            membership,
            group,
            subscriptions: Subscriptions::default(),
            config: ConsumerConfig::default(),
            strategy: Arc::new(Averagely),
            on_assignment: None,
            on_health: None,
        }
    }

    /// Subscribes to a topic by tags, such as `"created || paid"`; `"*"` takes every message. A message without a tag
    /// matches only `"*"`. A second call for a topic replaces its expression.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let consumer = client.push_consumer("billing").subscribe("orders", "created || paid").subscribe("refunds", "*");
    /// # drop(consumer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe(mut self, topic: impl Into<String>, tags: impl Into<String>) -> Self {
        self.subscriptions.put(topic, Filter::Tags(tags.into()));
        self
    }

    /// Subscribes to a topic by an SQL92 condition over message properties. Needs a broker with
    /// `enablePropertyFilter=true`.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let consumer = client.push_consumer("billing").subscribe_sql("orders", "amount > 100 AND region = 'eu'");
    /// # drop(consumer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe_sql(mut self, topic: impl Into<String>, condition: impl Into<String>) -> Self {
        self.subscriptions.put(topic, Filter::Sql(condition.into()));
        self
    }

    /// Sets the number of handlers that run at once, 1 to 1000. Default: 20. [`Running::set_concurrency`] changes it later.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let consumer = client.push_consumer("billing").subscribe("orders", "*").concurrency(64);
    /// # drop(consumer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn concurrency(self, handlers: usize) -> Self {
        self.configure(|config| config.concurrency = handlers)
    }

    /// Sets the most messages of one call, 1 to 1024, for [`listen_batch`](Self::listen_batch). Default: 1.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let consumer = client.push_consumer("billing").subscribe("orders", "*").batch(100);
    /// # drop(consumer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn batch(self, messages: usize) -> Self {
        self.configure(|config| config.batch = messages)
    }

    /// Handles each queue in order: a message that fails is tried again before the messages behind it. Default:
    /// concurrently.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let consumer = client.push_consumer("billing").subscribe("orders", "*").orderly();
    /// # drop(consumer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn orderly(self) -> Self {
        self.configure(|config| config.orderly = true)
    }

    /// Shares the messages among the members, or hands every message to every member. Default: shares them.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::consumer::MessageModel;
    ///
    /// let consumer = client.push_consumer("billing").subscribe("orders", "*").model(MessageModel::Broadcasting);
    /// # drop(consumer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn model(self, model: MessageModel) -> Self {
        self.configure(|config| config.model = model)
    }

    /// Hands every message to every member. A local file keeps the offsets.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let consumer = client.push_consumer("billing").subscribe("orders", "*").broadcasting();
    /// # drop(consumer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn broadcasting(self) -> Self {
        self.model(MessageModel::Broadcasting)
    }

    /// Sets the begin of a group without stored offsets. Default: the end of each queue.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::FromWhere;
    ///
    /// let consumer = client.push_consumer("billing").subscribe("orders", "*").from_where(FromWhere::FirstOffset);
    /// # drop(consumer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_where(self, from: FromWhere) -> Self {
        self.configure(|config| config.from_where = from)
    }

    /// Sets the number of tries after the first; then a message goes to the dead letter queue. Default: 16, and no
    /// limit in orderly mode.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let consumer = client.push_consumer("billing").subscribe("orders", "*").max_reconsume_times(3);
    /// # drop(consumer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_reconsume_times(self, times: u32) -> Self {
        self.configure(|config| config.max_reconsume_times = Some(times))
    }

    /// Cancels a handler that takes longer, and delivers its messages again. Default: 15 minutes. Orderly mode has no
    /// limit.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// let consumer = client.push_consumer("billing").subscribe("orders", "*").consume_timeout(Duration::from_secs(30));
    /// # drop(consumer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn consume_timeout(self, limit: Duration) -> Self {
        self.configure(|config| config.consume_timeout = limit)
    }

    /// Sets the folder in which a broadcasting consumer keeps its offsets. Default: `~/.rocketmq_offsets`.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let consumer = client.push_consumer("billing").subscribe("orders", "*").broadcasting().offset_folder("/var/lib/billing");
    /// # drop(consumer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn offset_folder(self, folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        self.configure(|config| config.offset_folder = Some(folder))
    }

    /// Sets the strategy that splits queues among the members. Default: [`Averagely`].
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::consumer::ConsistentHash;
    ///
    /// let consumer = client.push_consumer("billing").subscribe("orders", "*").allocate(ConsistentHash::default());
    /// # drop(consumer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn allocate(mut self, strategy: impl AllocateStrategy) -> Self {
        self.strategy = Arc::new(strategy);
        self
    }

    /// Calls `tell` after each change of the queues: with the topic, all its queues, and those of this member. `tell`
    /// must not block.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let consumer = client.push_consumer("billing").subscribe("orders", "*").on_assignment(|topic, all, mine| {
    ///     println!("{topic}: {} of {} queues", mine.len(), all.len());
    /// });
    /// # drop(consumer);
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

    /// Calls `tell` once for each change of a topic's [`TopicState`](crate::consumer::TopicState), which is otherwise
    /// logged. `tell` must not block.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let consumer = client.push_consumer("billing").subscribe("orders", "*").on_health(|change| {
    ///     println!("{} is {}, it was {}", change.topic, change.to, change.from);
    /// });
    /// # drop(consumer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_health(mut self, tell: impl Fn(&HealthChange) + Send + Sync + 'static) -> Self {
        self.on_health = Some(Arc::new(tell));
        self
    }

    /// Traces the calls of the handler. Default: as the client is configured, which is off.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::TraceConfig;
    ///
    /// let consumer = client.push_consumer("billing").subscribe("orders", "*").trace(TraceConfig::default());
    /// # drop(consumer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn trace(self, trace: TraceConfig) -> Self {
        self.configure(|config| config.trace = Some(trace))
    }

    /// Changes options that have no method of their own.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let consumer = client.push_consumer("billing").subscribe("orders", "*").configure(|config| config.pull_batch = 64);
    /// # drop(consumer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn configure(mut self, change: impl FnOnce(&mut ConsumerConfig)) -> Self {
        change(&mut self.config);
        self
    }

    /// Starts the consumer with a handler of single messages: a closure, or a type that implements
    /// [`Listen`](crate::Listen).
    ///
    /// The consumer runs until [`Running::shutdown`] is called or the returned handle is dropped. It also reads topics
    /// that are created later.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::{Delivery, Outcome};
    ///
    /// # async fn bill(_: &[u8]) -> Result<(), std::io::Error> { Ok(()) }
    /// let running = client
    ///     .push_consumer("billing")
    ///     .subscribe("orders", "*")
    ///     .listen(|delivery: Delivery| async move {
    ///         bill(delivery.body()).await?; // after an error or a panic the message is delivered again later
    ///         Ok::<_, std::io::Error>(Outcome::Ack)
    ///     })
    ///     .await?;
    /// running.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// An option, name or expression is illegal, this client has a consumer of the group already, no name server can be
    /// reached, or a broker refuses a filter.
    ///
    /// # Cancel safety
    /// A cancelled call leaves no consumer behind.
    pub async fn listen(self, handler: impl Listen) -> Result<Running, StartError> {
        self.start(Handler::Each(Arc::new(handler))).await
    }

    /// Starts the consumer with a handler of up to [`batch`](Self::batch) messages of one queue.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::{Delivery, Outcome};
    ///
    /// let running = client
    ///     .push_consumer("billing")
    ///     .subscribe("orders", "*")
    ///     .batch(100)
    ///     .listen_batch(|deliveries: Vec<Delivery>| async move {
    ///         Ok::<_, std::convert::Infallible>(vec![Outcome::Ack; deliveries.len()])
    ///     })
    ///     .await?;
    /// running.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`listen`](Self::listen).
    ///
    /// # Cancel safety
    /// As [`listen`](Self::listen).
    pub async fn listen_batch(self, handler: impl ListenBatch) -> Result<Running, StartError> {
        self.start(Handler::Batch(Arc::new(handler))).await
    }

    async fn start(self, handler: Handler) -> Result<Running, StartError> {
        validate::group(&self.group).map_err(invalid)?;
        self.config.check().map_err(invalid)?;
        let subscriptions = self.subscriptions()?;
        let calls = Calls::new(self.membership.cluster.clone(), &self.group);
        let member = self.assemble(handler, calls, subscriptions)?;
        let registered: Arc<dyn ConsumerMember> = member.clone();
        self.membership.join_as_consumer(&registered)?;
        // From here on dropping `running` undoes the registration.
        let running = Running::new(self.membership.clone(), member.clone());
        member.group.prepare().await?;
        self.membership.heartbeat().await;
        member.run(self.strategy, self.on_assignment);
        Ok(running)
    }

    fn subscriptions(&self) -> Result<ByTopic, StartError> {
        let cluster = &self.membership.cluster;
        let mut subscriptions = self.subscriptions.parse_some(cluster, &self.group)?;
        if self.config.model == MessageModel::Clustering {
            let retry = retry_topic(&cluster.names.wrap(&self.group));
            let all = SubscriptionData::parse(&retry, "*").map_err(|error| invalid(error.to_string()))?;
            subscriptions.insert(retry, Arc::new(all.with_version(cluster.now_ms())));
        }
        Ok(subscriptions)
    }

    fn assemble(
        &self,
        handler: Handler,
        calls: Calls,
        subscriptions: ByTopic,
    ) -> Result<Arc<PushMember>, StartError> {
        let stats = Arc::<Stats>::default();
        let offsets = OffsetStore::open(self.config.model, &calls, self.config.offset_folder.clone())?;
        let health = HealthBook::new(&calls, subscriptions.keys(), self.on_health.clone());
        let engine = Arc::new(self.engine(handler, stats.clone()));
        let tries = Tries::new(self.config.max_reconsume_times, self.config.orderly);
        let back: Arc<dyn SendBack> = Arc::new(ToBroker {
            calls: calls.clone(),
            health: health.clone(),
            tries: tries.clone(),
            broadcasting: self.config.model == MessageModel::Broadcasting,
            in_order: self.config.orderly,
        });
        let service = self.service(engine.clone(), back.clone(), health.clone(), tries.clone());
        let group = Member::new(MemberParts {
            membership: self.membership.clone(),
            calls,
            model: self.config.model,
            orderly: self.config.orderly,
            from_where: self.config.from_where,
            flow: self.config.flow,
            offsets,
            subscriptions,
            stats,
            health,
            sink: Arc::new(service.clone()),
        });
        group.set_paused(self.config.paused);
        Ok(Arc::new(PushMember {
            name: self.group.clone(),
            pop: self
                .config
                .broker_assignment
                .then(|| self.pop_service(&group, engine.clone(), back, tries.clone())),
            group,
            service,
            engine,
            tries,
            pull: self.pull_options(),
            config: self.config.clone(),
        }))
    }

    fn engine(&self, handler: Handler, stats: Arc<Stats>) -> Engine {
        Engine {
            group: self.group.clone(),
            handler,
            batch: self.config.batch,
            consume_timeout: self.config.consume_timeout,
            permits: Permits::new(self.config.concurrency),
            interceptors: Interceptors::new(&self.membership.cluster.config.interceptors),
            tracer: self.membership.tracer(&self.group, Role::Consume, self.config.trace.as_ref()),
            at_work: AtWork::default(),
            stats,
        }
    }

    fn service(
        &self,
        engine: Arc<Engine>,
        send_back: Arc<dyn SendBack>,
        health: HealthBook,
        tries: Tries,
    ) -> Service {
        let clock = self.membership.cluster.config.clock.clone();
        if !self.config.orderly {
            return Service::Concurrent(ConcurrentService::start(engine, clock, send_back));
        }
        let parts = OrderlyParts {
            clock,
            health,
            send_back,
            suspend: self.config.suspend,
            tries,
            locked: self.config.model == MessageModel::Clustering,
        };
        Service::Orderly(OrderlyService::new(engine, parts))
    }

    fn pop_service(
        &self,
        group: &Arc<Member>,
        engine: Arc<Engine>,
        dead_letters: Arc<dyn SendBack>,
        tries: Tries,
    ) -> Arc<PopService> {
        let parts = PopParts { engine, pop: self.config.pop, tries, dead_letters };
        PopService::new(group.clone(), parts)
    }

    fn pull_options(&self) -> PullOptions {
        PullOptions {
            max_messages: self.config.pull_batch,
            max_bytes: self.config.pull_batch_bytes,
            suspend: SUSPEND,
            timeout: PULL_TIMEOUT,
            interval: self.config.pull_interval,
            inline_subscription: self.config.filter_with_pull,
        }
    }
}

impl PushMember {
    /// Starts to rebalance, to store offsets, and in orderly mode to renew locks.
    fn run(self: &Arc<Self>, strategy: Arc<dyn AllocateStrategy>, on_assignment: Option<OnAssignment>) {
        let group = &self.group;
        let rebalancer = Rebalancer {
            group: group.clone(),
            strategy,
            pull: self.pull.clone(),
            on_assignment,
            pop: self.pop.clone(),
        };
        group.tasks.spawn(rebalancer.run());
        let every = group.calls.cluster.config.persist_offset_interval;
        group.tasks.spawn(group.clone().persist_periodically(every));
        if metrics::ENABLED {
            let (health, stopped) = (ConsumerHealth::of(self), group.stopped.clone());
            let measure = health.measure(self.name.clone(), every);
            group.tasks.spawn(async move {
                tokio::select! { () = measure => {}, () = stopped.cancelled() => {} }
            });
        }
        if group.needs_locks() {
            group.tasks.spawn(group.clone().renew_locks());
        }
    }
}
