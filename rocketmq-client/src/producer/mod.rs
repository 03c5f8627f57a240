//! Sending: queue choice, retries, batches, transactions, request-reply.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::cluster::config::{LingerConfig, ProducerConfig};
use crate::error::{CallError, SendError, SendErrorKind, StartError, StartErrorKind};
use crate::membership::members::ProducerMember;
use crate::messages::Delivery;
use crate::messages::validate;
use crate::messages::{Message, Receipt};
use crate::observe::interceptor::Interceptors;
use crate::observe::trace::{Role, Stored, TraceConfig, Tracer};
use rand::RngExt as _;
use rocketmq_remoting::net::deadline;

pub(crate) mod batch;
pub(crate) mod detector;
pub(crate) mod dispatch;
pub(crate) mod latency;
pub(crate) mod linger;
pub(crate) mod outgoing;
pub(crate) mod permits;
pub(crate) mod recall;
pub(crate) mod request;
pub(crate) mod retry;
pub(crate) mod select;
pub(crate) mod sending;
#[cfg(test)]
mod tests;
pub(crate) mod transaction;
mod watch;

use latency::LatencyTable;
use linger::Accumulator;
use outgoing::Outgoing;
use permits::Permits;
use request::Requesting;
use select::RoundRobin;
pub use sending::{Sending, SendingBatch, SendingOneway};
use transaction::{Checker, Transaction, TransactionCheck};

/// Sends the messages of one group. Clones are handles to the same producer; all methods take `&self`
/// and may run at once.
#[derive(Clone)]
pub struct Producer {
    pub(crate) shared: Arc<Shared>,
}

/// What the handles share.
pub(crate) struct Shared {
    pub(crate) client: Client,
    /// As the application calls it.
    pub(crate) group: String,
    /// As it is on the wire.
    pub(crate) wire_group: String,
    pub(crate) config: ProducerConfig,
    pub(crate) robin: RoundRobin,
    pub(crate) faults: LatencyTable,
    pub(crate) permits: Permits,
    pub(crate) checker: Option<Checker>,
    pub(crate) accumulator: Option<Accumulator>,
    pub(crate) interceptors: Interceptors,
    pub(crate) tracer: Option<Arc<Tracer>>,
    /// False for the producer of message traces, which nobody watches and which knows no namespace.
    pub(crate) observed: bool,
    pub(crate) closed: AtomicBool,
}

impl Producer {
    /// Sends one message. Nothing happens until the answer is awaited; dropping it then abandons the
    /// wait, not a message already on its way.
    ///
    /// # Errors
    /// When no broker stored it; every try is in [`Error::attempts`](crate::Error::attempts).
    pub fn send(&self, message: Message) -> Sending {
        Sending::new(self.shared.clone(), message)
    }

    /// Sends one message without asking for an answer: done once it is written to the connection.
    ///
    /// # Errors
    /// When there is no route or no connection. Whether the broker stored it is not known.
    pub fn send_oneway(&self, message: Message) -> SendingOneway {
        SendingOneway::new(self.shared.clone(), message)
    }

    /// Sends messages of one topic together, in as few requests as `max_message_size` allows. The
    /// receipts are in the order of the messages.
    ///
    /// # Errors
    /// Before anything is sent when the messages differ in topic or in waiting for storage, when one of
    /// them is delayed or goes to a `%RETRY%` topic. Later
    /// [`BatchError::stored`](crate::BatchError::stored) says which messages were stored before the
    /// request that failed.
    pub fn send_batch(&self, messages: Vec<Message>) -> SendingBatch {
        SendingBatch::new(self.shared.clone(), messages)
    }

    /// Stores a half message: invisible until the returned transaction is committed. A delay level on it
    /// is dropped, transactions know none.
    ///
    /// # Errors
    /// As [`send`](Self::send); also when the half message is stored less well than asked, and was
    /// rolled back for it.
    pub async fn begin(&self, message: Message) -> Result<Transaction, SendError> {
        transaction::begin(&self.shared, message).await
    }

    /// Sends a request and waits for the reply of whoever consumes it.
    pub fn request(&self, message: Message) -> Requesting {
        Requesting::new(self.shared.clone(), message)
    }

    /// Answers a message that was sent by [`request`](Self::request).
    ///
    /// # Errors
    /// When `request` is no such message, or the send fails.
    pub async fn reply(
        &self,
        request: &Delivery,
        body: impl Into<bytes::Bytes>,
    ) -> Result<Receipt, SendError> {
        request::reply(&self.shared, request, body.into()).await
    }

    /// Takes a timer message back before it is due. `handle` is its
    /// [`Receipt::recall_handle`]. Returns the id of the recalled message. Needs a 5.x broker.
    ///
    /// # Errors
    /// When the handle is damaged, the message is gone or already delivered, or the broker does not
    /// recall messages.
    pub async fn recall(&self, topic: &str, handle: &str) -> Result<String, CallError> {
        recall::recall(&self.shared, topic, handle).await
    }

    /// The client it sends through.
    pub fn client(&self) -> &Client {
        &self.shared.client
    }

    /// Its group.
    pub fn group(&self) -> &str {
        &self.shared.group
    }

    /// Sends what is still gathered, then tells the brokers that the group's member leaves. Later sends
    /// through any handle fail. Dropping the last handle instead leaves it to the brokers to notice.
    pub async fn shutdown(&self) {
        self.shared.closed.store(true, Ordering::Release);
        if let Some(accumulator) = &self.shared.accumulator {
            accumulator.flush(&self.shared).await;
        }
        self.shared.client.inner.unregister_producer(&self.shared.wire_group).await;
        if let Some(tracer) = &self.shared.tracer {
            tracer.shutdown().await;
        }
    }

    /// How many records of the message trace were lost, because the buffer was full or a broker did not take them.
    pub fn dropped_traces(&self) -> u64 {
        self.shared.tracer.as_ref().map_or(0, |tracer| tracer.dropped())
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("group", &self.shared.group).finish_non_exhaustive()
    }
}

impl Shared {
    /// When a send has used up its time.
    pub(crate) fn deadline(&self, begun: Instant, timeout: Option<Duration>) -> Instant {
        deadline(begun, timeout.unwrap_or(self.config.send_timeout))
    }

    /// Interceptors first: they may change what is then checked.
    pub(crate) fn admit(&self, message: &mut Message) -> Result<(), SendError> {
        if self.closed.load(Ordering::Acquire) || self.client.inner.stop.is_cancelled() {
            return Err(SendError::new(SendErrorKind::Closed, format!("producer of group {}", self.group)));
        }
        self.interceptors.before_send(message).map_err(|cause| {
            SendError::new(SendErrorKind::Vetoed, format!("message to {}: {cause}", message.topic))
                .with_source(cause)
        })?;
        validate::message(message, self.config.max_message_size)
            .map_err(|fault| SendError::new(SendErrorKind::InvalidMessage, fault))
    }

    /// Traces a stored message or batch.
    pub(crate) fn trace(&self, out: &Outgoing, receipt: &Receipt, took: Duration) {
        let Some(tracer) = &self.tracer else { return };
        let routes = self.client.inner.routes.load();
        let host = self
            .channel(Cow::Borrowed(routes.master(routes.home(receipt.message_queue())).unwrap_or_default()));
        let topic = self.client.inner.names.plain(&out.topic);
        tracer.sent(&Stored { topic, out, receipt, host: &host, took });
    }

    /// Room for a body of this size.
    pub(crate) async fn room(&self, bytes: usize, deadline: Instant) -> Result<permits::Room, SendError> {
        self.permits.room(bytes, deadline.into()).await.ok_or_else(|| {
            let text = format!(
                "no room within the time for the send; the limits are max_in_flight = {} and \
                 max_in_flight_bytes = {}",
                self.config.max_in_flight, self.config.max_in_flight_bytes
            );
            SendError::new(SendErrorKind::Overloaded, text)
        })
    }
}

impl ProducerMember for Shared {
    fn wire_group(&self) -> &str {
        &self.wire_group
    }

    fn check(self: Arc<Self>, half: Delivery, check: TransactionCheck) {
        transaction::check(self, half, check);
    }
}

/// Configures a [`Producer`].
#[must_use]
pub struct ProducerBuilder {
    client: Client,
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
    pub(crate) fn new(client: Client, group: String) -> Self {
        let (topics, checker) = (Vec::new(), None);
        Self { client, group, config: ProducerConfig::default(), topics, checker, observed: true }
    }

    /// The producer of message traces.
    pub(crate) fn unobserved(client: Client, group: String) -> Self {
        Self { observed: false, ..Self::new(client, group) }
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
        F: Future<Output = crate::TransactionState> + Send + 'static,
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
        let wire_group = self.client.inner.names.wrap(&self.group);
        validate::group(&wire_group).map_err(invalid)?;
        self.config.check().map_err(invalid)?;
        for topic in &self.topics {
            validate::topic(topic).map_err(invalid)?;
        }
        let topics = self.topics.clone();
        let shared = Arc::new(self.into_shared(wire_group));
        shared.clone().join()?;
        shared.prefetch(&topics).await;
        Ok(Producer { shared })
    }

    fn interceptors(&self) -> Interceptors {
        let configured = if self.observed { &*self.client.inner.config.interceptors } else { &[] };
        Interceptors::new(configured)
    }

    fn tracer(&self) -> Option<Arc<Tracer>> {
        let config = self.config.trace.as_ref().or(self.client.inner.config.trace.as_ref());
        let config = config.filter(|_| self.observed)?;
        Some(Tracer::start(&self.client, &self.group, Role::Produce, config.clone()))
    }

    fn into_shared(self, wire_group: String) -> Shared {
        Shared {
            wire_group,
            robin: RoundRobin::starting_at(rand::rng().random_range(0..1 << 16)),
            faults: LatencyTable::default(),
            permits: Permits::new(self.config.max_in_flight, self.config.max_in_flight_bytes),
            accumulator: self.config.linger.map(Accumulator::new),
            interceptors: self.interceptors(),
            tracer: self.tracer(),
            observed: self.observed,
            checker: self.checker,
            closed: AtomicBool::new(false),
            client: self.client,
            group: self.group,
            config: self.config,
        }
    }
}

impl Shared {
    fn join(self: Arc<Self>) -> Result<(), StartError> {
        let member: Arc<dyn ProducerMember> = self.clone();
        if !self.client.inner.register_producer(&member) {
            let text = format!("this client already has a producer of group \"{}\"; share it", self.group);
            return Err(StartError::new(StartErrorKind::GroupInUse, text));
        }
        if self.config.latency_fault_detector {
            detector::start(&self);
        }
        let client = self.client.inner.clone();
        self.client.inner.tasks.spawn(async move { client.heartbeat().await });
        Ok(())
    }

    async fn prefetch(&self, topics: &[String]) {
        for topic in topics {
            let wire = self.client.inner.names.wrap(topic);
            if let Err(error) = self.client.inner.publish_info(&wire, self.config.default_topic_queues).await
            {
                tracing::warn!(topic, %error, "no route yet");
            }
        }
    }
}
