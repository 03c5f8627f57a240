//! The options of a producer, and how it starts.

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

/// Configures a [`Producer`].
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

    /// The producer of message traces.
    pub(super) fn unobserved(membership: Arc<Membership>, group: String) -> Self {
        Self { observed: false, ..Self::new(membership, group) }
    }

    /// Replaces all options set so far.
    pub fn config(mut self, config: ProducerConfig) -> Self {
        self.config = config;
        self
    }

    /// Changes options for which there is no method of their own.
    pub fn configure(mut self, change: impl FnOnce(&mut ProducerConfig)) -> Self {
        change(&mut self.config);
        self
    }

    /// How long one send may take in all. Default: 3 s.
    pub fn send_timeout(mut self, timeout: Duration) -> Self {
        self.config.send_timeout = timeout;
        self
    }

    /// How many more tries a failed send gets. Default: 2.
    pub fn retries(mut self, retries: u32) -> Self {
        self.config.retries = retries;
        self
    }

    /// Gather messages for up to this long and send them together. Default: each goes alone.
    pub fn linger(mut self, max_delay: Duration) -> Self {
        self.config.linger = Some(LingerConfig { max_delay, ..LingerConfig::default() });
        self
    }

    /// Traces stored messages and decided transactions. Default: as the client is configured, which is not to.
    pub fn trace(mut self, trace: TraceConfig) -> Self {
        self.config.trace = Some(trace);
        self
    }

    /// Topics whose routes are looked up at once rather than by the first send. A route that is missing
    /// then is only logged.
    pub fn topics<T: Into<String>>(mut self, topics: impl IntoIterator<Item = T>) -> Self {
        self.topics.extend(topics.into_iter().map(Into::into));
        self
    }

    /// Decides transactions that their senders left undecided. A broker may ask any living producer of
    /// the group, so every instance needs to know how to answer for all.
    pub fn transaction_checker<C, F>(mut self, checker: C) -> Self
    where
        C: Fn(Delivery) -> F + Send + Sync + 'static,
        F: Future<Output = TransactionState> + Send + 'static,
    {
        self.checker = Some(Checker::new(checker));
        self
    }

    /// Starts the producer: from here on brokers know this client as a member of the group.
    ///
    /// # Errors
    /// When the group's name or an option is illegal, or the client already has a producer of this group.
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
