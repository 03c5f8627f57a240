//! A message that is told more before it goes out.

use crate::checker::CHECKER_PROPERTY;
use crate::context::Context;
use crate::extract::{FromMessage, Rejection};
use futures_util::future::BoxFuture;
use rocketmq_client::producer::RequestError;
use rocketmq_client::{DelayLevel, Delivery, Message, Producer, Receipt, SendError, Transaction};
use std::fmt;
use std::time::{Duration, SystemTime};

/// Awaiting it gives a [`Receipt`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Stored;

/// Awaiting it gives nothing: the message may be lost.
#[derive(Debug)]
#[non_exhaustive]
pub struct Oneway;

/// Awaiting it gives the reply, read as an `R`.
#[derive(Debug)]
pub struct Request<R> {
    read: fn(&Delivery, &Context) -> Result<R, Rejection>,
}

impl<R: Reply> Request<R> {
    pub(super) fn new() -> Self {
        Request { read: R::read }
    }
}

/// Awaiting it gives a [`Transaction`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Half;

/// A type that a reply can be read as: every [`FromMessage`].
#[diagnostic::on_unimplemented(
    message = "a reply cannot be read as `{Self}`",
    label = "the type of the reply is missing, or is none that a message can be read as",
    note = "give it here, as in `template.request::<Json<T>>(..)`; others are `Text`, `Raw`, `Bytes` and `Delivery`"
)]
pub trait Reply: Sized + Send + 'static {
    /// Reads the reply.
    ///
    /// # Errors
    /// When it is no `Self`.
    fn read(delivery: &Delivery, context: &Context) -> Result<Self, Rejection>;
}

#[diagnostic::do_not_recommend]
impl<T: FromMessage> Reply for T {
    fn read(delivery: &Delivery, context: &Context) -> Result<Self, Rejection> {
        T::from_message(delivery, context)
    }
}

/// A message that is sent when it is awaited; `K` says how. What it cannot accept is reported then.
#[must_use = "a message is sent only when this is awaited"]
pub struct Prepared<K> {
    producer: Producer,
    message: Result<Message, SendError>,
    ordering_key: Option<String>,
    timeout: Option<Duration>,
    how: K,
}

impl<K> Prepared<K> {
    pub(super) fn new(producer: &Producer, message: Result<Message, SendError>, how: K) -> Self {
        Prepared { producer: producer.clone(), message, ordering_key: None, timeout: None, how }
    }

    fn change(mut self, change: impl FnOnce(Message) -> Message) -> Self {
        self.message = self.message.map(change);
        self
    }

    /// A key the message can be found by; may be given several times.
    pub fn key(self, key: impl fmt::Display) -> Self {
        self.change(|message| message.key(key))
    }

    /// A property of the application's own. Reserved names and empty values are refused.
    pub fn property(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.change(|message| message.property(name, value))
    }

    /// Whether the broker answers only after flush and replication, where it is set up for them. Default: true.
    pub fn wait_store(self, wait: bool) -> Self {
        self.change(|message| message.wait_store(wait))
    }
}

impl<K: Orderable> Prepared<K> {
    /// Messages with equal keys go to one queue, in the order they are sent. Not retried on another broker.
    pub fn ordered_by(mut self, key: impl fmt::Display) -> Self {
        self.ordering_key = Some(key.to_string());
        self
    }
}

impl<K: Timed> Prepared<K> {
    /// How long it may take in all, retries and a reply included. Default:
    /// `rocketmq.producer.send-message-timeout`.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

impl<K: Delayable> Prepared<K> {
    /// Deliver after one of the broker's delay levels.
    pub fn deliver_after(self, level: DelayLevel) -> Self {
        self.change(|message| message.deliver_after(level))
    }

    /// Deliver after this long, to the millisecond. Needs a 5.x broker.
    pub fn delay(self, delay: Duration) -> Self {
        self.change(|message| message.delay(delay))
    }

    /// Deliver at this time, to the millisecond. Needs a 5.x broker; a time in the past delivers now.
    pub fn deliver_at(self, time: SystemTime) -> Self {
        self.change(|message| message.deliver_at(time))
    }
}

impl Prepared<Half> {
    /// Which `#[rocketmq_transaction_listener(name = "..")]` decides if this program does not.
    pub fn checked_by(self, name: impl Into<String>) -> Self {
        self.change(|message| message.property(CHECKER_PROPERTY, name))
    }
}

/// The ways of sending that can keep an order.
pub trait Orderable {}
impl Orderable for Stored {}
impl Orderable for Oneway {}

/// The ways of sending that can be given a time of their own.
pub trait Timed {}
impl Timed for Stored {}
impl Timed for Oneway {}
impl<R> Timed for Request<R> {}

/// The ways of sending that can be delayed: transactions and requests cannot.
pub trait Delayable {}
impl Delayable for Stored {}
impl Delayable for Oneway {}

/// Hands the ordering key and the time on to what the client prepares.
macro_rules! with_options {
    ($sending:expr, $prepared:ident) => {{
        let mut sending = $sending;
        if let Some(key) = $prepared.ordering_key {
            sending = sending.ordered_by(key);
        }
        if let Some(timeout) = $prepared.timeout {
            sending = sending.timeout(timeout);
        }
        sending
    }};
}

impl IntoFuture for Prepared<Stored> {
    type Output = Result<Receipt, SendError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { with_options!(self.producer.send(self.message?), self).await })
    }
}

impl IntoFuture for Prepared<Oneway> {
    type Output = Result<(), SendError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { with_options!(self.producer.send_oneway(self.message?), self).await })
    }
}

impl IntoFuture for Prepared<Half> {
    type Output = Result<Transaction, SendError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.producer.begin(self.message?).await })
    }
}

impl<R: Send + 'static> IntoFuture for Prepared<Request<R>> {
    type Output = Result<R, ReplyError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut request = self.producer.request(self.message?);
            if let Some(timeout) = self.timeout {
                request = request.timeout(timeout);
            }
            let reply = request.await?;
            Ok((self.how.read)(&reply, &Context::default())?)
        })
    }
}

/// Why a request gave no reply.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// The payload cannot be sent.
    #[error(transparent)]
    Payload(#[from] SendError),
    /// The request was not sent, or nobody replied in time.
    #[error(transparent)]
    NoReply(#[from] RequestError),
    /// A reply came, but not of the type that was asked for.
    #[error("the reply cannot be read: {0}")]
    Unreadable(#[from] Rejection),
}

impl<K> fmt::Debug for Prepared<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("message", &self.message).finish_non_exhaustive()
    }
}
