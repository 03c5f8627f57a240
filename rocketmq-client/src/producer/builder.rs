//! [`ProducerBuilder`]: the options of a producer, and its start.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::checker::Checker;
use super::config::{LingerConfig, ProducerConfig};
use super::detector;
use super::handle::Producer;
use super::latency::LatencyTable;

use super::permits::Permits;
use super::select::RoundRobin;
use super::sender::Sender;
use crate::cluster::route::Purpose;
use crate::error::{StartError, StartErrorKind};
use crate::membership::{Membership, ProducerMember};
use crate::messages::{Delivery, TransactionState, validate};
use crate::observe::interceptor::Interceptors;
use crate::observe::trace::{Role, TraceConfig, Tracer};

/// Configures a [`Producer`]; [`build`](Self::build) starts it.
///
/// ```no_run
/// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// let producer = client
///     .producer("order-service")
///     .send_timeout(Duration::from_secs(5))
///     .retries(3)
///     .topics(["orders"])
///     .build()
///     .await?;
/// # drop(producer);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct ProducerBuilder {
    membership: Arc<Membership>,
    group: String,
    config: ProducerConfig,
    topics: Vec<String>,
    checker: Option<Checker>,
    observed: bool,
}

impl fmt::Debug for ProducerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProducerBuilder")
            .field("group", &self.group)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl ProducerBuilder {
    pub(crate) fn new(membership: Arc<Membership>, group: String) -> Self {
        let (topics, checker) = (Vec::new(), None);
        Self { membership, group, config: ProducerConfig::default(), topics, checker, observed: true }
    }

    /// Makes the producer of message traces.
    pub(super) fn unobserved(membership: Arc<Membership>, group: String) -> Self {
        Self { observed: false, ..Self::new(membership, group) }
    }

    /// Replaces all options that were set so far.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::producer::ProducerConfig;
    ///
    /// let producer = client.producer("order-service").config(ProducerConfig::default()).build().await?;
    /// # drop(producer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn config(mut self, config: ProducerConfig) -> Self {
        self.config = config;
        self
    }

    /// Changes options that have no method of their own.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let producer = client.producer("order-service").configure(|config| config.compress_threshold = 1024).build().await?;
    /// # drop(producer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn configure(mut self, change: impl FnOnce(&mut ProducerConfig)) -> Self {
        change(&mut self.config);
        self
    }

    /// Limits the time of one send, retries included. Default: 3 s.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// let producer = client.producer("order-service").send_timeout(Duration::from_secs(5)).build().await?;
    /// # drop(producer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn send_timeout(mut self, timeout: Duration) -> Self {
        self.config.send_timeout = timeout;
        self
    }

    /// Sets the number of tries after the first. Default: 2.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let producer = client.producer("order-service").retries(5).build().await?;
    /// # drop(producer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn retries(mut self, retries: u32) -> Self {
        self.config.retries = retries;
        self
    }

    /// Gathers messages for up to this long and sends them together. Default: each message leaves alone.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// let producer = client.producer("metrics").linger(Duration::from_millis(5)).build().await?;
    /// # drop(producer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn linger(mut self, max_delay: Duration) -> Self {
        self.config.linger = Some(LingerConfig { max_delay, ..LingerConfig::default() });
        self
    }

    /// Traces stored messages and decided transactions. Default: as the client is configured, which is off.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let producer = client.producer("order-service").trace(rocketmq_client::TraceConfig::default()).build().await?;
    /// # drop(producer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn trace(mut self, trace: TraceConfig) -> Self {
        self.config.trace = Some(trace);
        self
    }

    /// Looks up the routes of these topics at the start instead of at the first send. A missing route is only logged.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let producer = client.producer("order-service").topics(["orders", "payments"]).build().await?;
    /// # drop(producer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn topics<T: Into<String>>(mut self, topics: impl IntoIterator<Item = T>) -> Self {
        self.topics.extend(topics.into_iter().map(Into::into));
        self
    }

    /// Decides transactions that their senders left undecided. A broker asks any living producer of the group, so every
    /// instance must be able to answer for all.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::{Delivery, TransactionState};
    ///
    /// # async fn is_saved(_: &str) -> bool { true }
    /// let producer = client
    ///     .producer("order-service")
    ///     .transaction_checker(|half: Delivery| async move {
    ///         if is_saved(half.message_id()).await { TransactionState::Commit } else { TransactionState::Unknown }
    ///     })
    ///     .build()
    ///     .await?;
    /// # drop(producer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn transaction_checker<C, F>(mut self, checker: C) -> Self
    where
        C: Fn(Delivery) -> F + Send + Sync + 'static,
        F: Future<Output = TransactionState> + Send + 'static,
    {
        self.checker = Some(Checker::new(checker));
        self
    }

    /// Starts the producer. From then on brokers know this client as a member of the group.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let producer = client.producer("order-service").build().await?;
    /// # drop(producer);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The group's name or an option is illegal, or the client already has a producer of this group.
    ///
    /// # Cancel safety
    /// A cancelled call leaves no producer behind.
    pub async fn build(self) -> Result<Producer, StartError> {
        let invalid = |fault| StartError::new(StartErrorKind::InvalidConfig, fault);
        let wire_group = self.membership.cluster.names.wrap(&self.group);
        validate::group(&wire_group).map_err(invalid)?;
        self.config.check().map_err(invalid)?;
        for topic in &self.topics {
            validate::topic(topic).map_err(invalid)?;
        }
        let topics = self.topics.clone();
        let sender = Arc::new(self.into_sender(wire_group));
        join(&sender)?;
        prefetch(&sender, &topics).await;
        Ok(Producer::new(sender))
    }

    fn into_sender(self, wire_group: String) -> Sender {
        Sender {
            wire_group,
            robin: RoundRobin::starting_at(self.membership.cluster.config.chance.below(1 << 16) as usize),
            latency: LatencyTable::default(),
            permits: Permits::new(self.config.max_in_flight, self.config.max_in_flight_bytes),
            interceptors: self.interceptors(),
            tracer: self.tracer(),
            checker: self.checker,
            observed: self.observed,
            closed: AtomicBool::new(false),
            cluster: self.membership.cluster.clone(),
            membership: self.membership,
            group: self.group,
            config: self.config,
        }
    }

    fn interceptors(&self) -> Interceptors {
        let configured = if self.observed { &*self.membership.cluster.config.interceptors } else { &[] };
        Interceptors::new(configured)
    }

    fn tracer(&self) -> Option<Arc<Tracer>> {
        let trace = self.config.trace.as_ref();
        self.observed.then(|| self.membership.tracer(&self.group, Role::Produce, trace)).flatten()
    }
}

fn join(sender: &Arc<Sender>) -> Result<(), StartError> {
    let member: Arc<dyn ProducerMember> = sender.clone();
    sender.membership.join_as_producer(&member)?;
    if sender.config.latency_fault_detector {
        detector::start(sender);
    }
    let membership = sender.membership.clone();
    sender.cluster.tasks.spawn(async move { membership.heartbeat().await });
    Ok(())
}

async fn prefetch(sender: &Sender, topics: &[String]) {
    let purpose = Purpose::Write { queues: sender.config.default_topic_queues };
    for topic in topics {
        let wire = sender.cluster.names.wrap(topic);
        if let Err(error) = sender.cluster.topic(&wire, purpose, None).await {
            tracing::warn!(topic, %error, "no route yet");
        }
    }
}
