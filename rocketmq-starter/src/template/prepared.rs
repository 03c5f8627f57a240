//! A message with its options, before it is sent.

use crate::context::Context;
use crate::extract::{FromMessage, Rejection};
use crate::layer::{Layers, sent_through, single};
use crate::transaction::CHECKER_PROPERTY;
use futures_util::future::BoxFuture;
use rocketmq_client::producer::RequestError;
use rocketmq_client::{DelayLevel, Delivery, Message, Producer, Receipt, SendError, Transaction};
use std::fmt;
use std::time::{Duration, SystemTime};

/// The kind of [`RocketmqTemplate::send`](crate::RocketmqTemplate::send): awaiting gives a [`Receipt`].
#[derive(Debug)]
#[non_exhaustive]
pub struct WithReceipt;

/// The kind of [`RocketmqTemplate::send_oneway`](crate::RocketmqTemplate::send_oneway): awaiting gives nothing, and the message may
/// be lost.
#[derive(Debug)]
#[non_exhaustive]
pub struct Oneway;

/// The kind of [`RocketmqTemplate::request`](crate::RocketmqTemplate::request): awaiting gives the reply, read as an `R`.
#[derive(Debug)]
pub struct Request<R> {
    read: fn(&Delivery, &Context) -> Result<R, Rejection>,
}

impl<R: Reply> Request<R> {
    pub(super) fn new() -> Self {
        Request { read: R::read }
    }
}

/// The kind of [`RocketmqTemplate::begin`](crate::RocketmqTemplate::begin): awaiting gives a [`Transaction`].
#[derive(Debug)]
#[non_exhaustive]
pub struct HalfMessage;

/// The type of a reply: every [`FromMessage`] is one.
///
/// ```no_run
/// use rocketmq_starter::template::ReplyError;
/// use rocketmq_starter::{Json, RocketmqTemplate};
///
/// # async fn run(template: &RocketmqTemplate) -> Result<(), ReplyError> {
/// let Json(answer) = template.request::<Json<i64>>("questions", 21).await?;
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "a reply cannot be read as `{Self}`",
    label = "the type of the reply is missing, or is none that a message can be read as",
    note = "give it here, as in `template.request::<Json<T>>(..)`; others are `Text`, `Raw`, `Bytes` and `Delivery`"
)]
pub trait Reply: Sized + Send + 'static {
    /// Reads the reply.
    ///
    /// # Errors
    /// Fails for a message that is no `Self`.
    fn read(delivery: &Delivery, context: &Context) -> Result<Self, Rejection>;
}

#[diagnostic::do_not_recommend]
impl<T: FromMessage> Reply for T {
    fn read(delivery: &Delivery, context: &Context) -> Result<Self, Rejection> {
        T::from_message(delivery, context)
    }
}

/// A message with its options. Awaiting it sends it; `K` is the kind of sending, [`WithReceipt`], [`Oneway`], [`Request`] or
/// [`HalfMessage`]. Illegal options are reported then.
///
/// | option | `send` | `send_oneway` | `request` | `begin` |
/// |---|---|---|---|---|
/// | [`key`](Self::key), [`property`](Self::property), [`wait_store`](Self::wait_store) | yes | yes | yes | yes |
/// | [`timeout`](Self::timeout) | yes | yes | yes | no |
/// | [`ordered_by`](Self::ordered_by) | yes | yes | yes | no |
/// | [`deliver_after`](Self::deliver_after), [`delay`](Self::delay), [`deliver_at`](Self::deliver_at) | yes | yes | yes, within its `timeout` | no |
/// | [`checked_by`](Self::checked_by) | no | no | no | yes |
///
/// Brokers delay no half message and no message of a [batch](crate::RocketmqTemplate::send_batch).
///
/// ```no_run
/// use rocketmq_starter::{RocketmqTemplate, SendError};
/// use std::time::Duration;
///
/// # async fn run(template: &RocketmqTemplate) -> Result<(), SendError> {
/// let receipt = template
///     .send("orders:created", 7)
///     .key("order-7")
///     .property("region", "north")
///     .ordered_by("customer-9")
///     .timeout(Duration::from_secs(1))
///     .await?;
/// println!("{} at {}", receipt.message_id(), receipt.queue_offset());
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
/// Dropping the future before its end may or may not send the message: a request that is written is not taken back.
#[must_use = "a message is sent only when this is awaited"]
pub struct Prepared<K> {
    producer: Producer,
    layers: Layers,
    message: Result<Message, SendError>,
    ordering_key: Option<String>,
    timeout: Option<Duration>,
    how: K,
}

impl<K> Prepared<K> {
    pub(super) fn new(
        producer: &Producer,
        layers: &Layers,
        message: Result<Message, SendError>,
        how: K,
    ) -> Self {
        Prepared {
            producer: producer.clone(),
            layers: layers.clone(),
            message,
            ordering_key: None,
            timeout: None,
            how,
        }
    }

    fn change(mut self, change: impl FnOnce(Message) -> Message) -> Self {
        self.message = self.message.map(change);
        self
    }

    /// Adds a key by which the message can be found. Call it again for more keys.
    ///
    /// ```no_run
    /// # async fn run(template: &rocketmq_starter::RocketmqTemplate) -> Result<(), rocketmq_starter::SendError> {
    /// template.send("orders", 7).key("order-7").key("customer-9").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn key(self, key: impl fmt::Display) -> Self {
        self.change(|message| message.key(key))
    }

    /// Adds a property. Awaiting fails for RocketMQ's own names and for empty values.
    ///
    /// ```no_run
    /// # async fn run(template: &rocketmq_starter::RocketmqTemplate) -> Result<(), rocketmq_starter::SendError> {
    /// template.send("orders", 7).property("region", "north").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn property(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.change(|message| message.property(name, value))
    }

    /// Lets the broker answer before flush and replication if `wait` is false. Default: true; it matters only on brokers that
    /// flush or replicate synchronously.
    ///
    /// ```no_run
    /// # async fn run(template: &rocketmq_starter::RocketmqTemplate) -> Result<(), rocketmq_starter::SendError> {
    /// template.send("clicks", 7).wait_store(false).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait_store(self, wait: bool) -> Self {
        self.change(|message| message.wait_store(wait))
    }
}

impl<K: Orderable> Prepared<K> {
    /// Sends messages with equal keys to one queue, in the order of the sends. Such a send is not retried on another broker.
    ///
    /// ```no_run
    /// # async fn run(template: &rocketmq_starter::RocketmqTemplate) -> Result<(), rocketmq_starter::SendError> {
    /// template.send("orders", 7).ordered_by("customer-9").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn ordered_by(mut self, key: impl fmt::Display) -> Self {
        self.ordering_key = Some(key.to_string());
        self
    }
}

impl<K: Timed> Prepared<K> {
    /// Limits the whole time, retries and reply included. Default: `rocketmq.producer.send-message-timeout`, else 3 s.
    ///
    /// ```no_run
    /// # async fn run(template: &rocketmq_starter::RocketmqTemplate) -> Result<(), rocketmq_starter::SendError> {
    /// template.send("orders", 7).timeout(std::time::Duration::from_secs(1)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

impl<K: Delayable> Prepared<K> {
    /// Delivers the message after one of the broker's delay levels, on every broker. A request needs a
    /// [`timeout`](Self::timeout) that is longer than its delay.
    ///
    /// ```no_run
    /// # async fn run(template: &rocketmq_starter::RocketmqTemplate) -> Result<(), rocketmq_starter::SendError> {
    /// template.send("orders", 7).deliver_after(rocketmq_starter::DelayLevel::M1).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn deliver_after(self, level: DelayLevel) -> Self {
        self.change(|message| message.deliver_after(level))
    }

    /// Delivers the message after this time, to the millisecond. It needs a 5.x broker.
    ///
    /// ```no_run
    /// # async fn run(template: &rocketmq_starter::RocketmqTemplate) -> Result<(), rocketmq_starter::SendError> {
    /// template.send("orders", 7).delay(std::time::Duration::from_millis(1_500)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn delay(self, delay: Duration) -> Self {
        self.change(|message| message.delay(delay))
    }

    /// Delivers the message at this time, to the millisecond. It needs a 5.x broker; a time in the past means now.
    ///
    /// ```no_run
    /// # async fn run(template: &rocketmq_starter::RocketmqTemplate) -> Result<(), rocketmq_starter::SendError> {
    /// let noon = std::time::SystemTime::now() + std::time::Duration::from_secs(3600);
    /// template.send("orders", 7).deliver_at(noon).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn deliver_at(self, time: SystemTime) -> Self {
        self.change(|message| message.deliver_at(time))
    }
}

impl Prepared<HalfMessage> {
    /// Names the `#[rocketmq_transaction_listener(name = "..")]` that decides if this program does not.
    ///
    /// ```no_run
    /// # async fn run(template: &rocketmq_starter::RocketmqTemplate) -> Result<(), rocketmq_starter::SendError> {
    /// let transaction = template.begin("orders", 7).checked_by("orders-checker").await?;
    /// # drop(transaction);
    /// # Ok(())
    /// # }
    /// ```
    pub fn checked_by(self, name: impl Into<String>) -> Self {
        self.change(|message| message.property(CHECKER_PROPERTY, name))
    }
}

/// The kinds of sending that can keep an order: [`WithReceipt`], [`Oneway`] and [`Request`].
pub trait Orderable {}
impl Orderable for WithReceipt {}
impl Orderable for Oneway {}
impl<R> Orderable for Request<R> {}

/// The kinds of sending that have a time limit of their own: [`WithReceipt`], [`Oneway`] and [`Request`].
pub trait Timed {}
impl Timed for WithReceipt {}
impl Timed for Oneway {}
impl<R> Timed for Request<R> {}

/// The kinds of sending that can be delayed: [`WithReceipt`], [`Oneway`] and [`Request`]. Half messages cannot.
pub trait Delayable {}
impl Delayable for WithReceipt {}
impl Delayable for Oneway {}
impl<R> Delayable for Request<R> {}

/// Gives the ordering key and the time limit to the client.
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

impl IntoFuture for Prepared<WithReceipt> {
    type Output = Result<Receipt, SendError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let message = vec![self.message?];
            let send =
                |messages| async move { with_options!(self.producer.send(single(messages)?), self).await };
            sent_through(&self.layers, message, send).await
        })
    }
}

impl IntoFuture for Prepared<Oneway> {
    type Output = Result<(), SendError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let message = vec![self.message?];
            let send = |messages| async move {
                with_options!(self.producer.send_oneway(single(messages)?), self).await
            };
            sent_through(&self.layers, message, send).await
        })
    }
}

impl IntoFuture for Prepared<HalfMessage> {
    type Output = Result<Transaction, SendError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let begin = |messages| async move { self.producer.begin(single(messages)?).await };
            sent_through(&self.layers, vec![self.message?], begin).await
        })
    }
}

impl<R: Send + 'static> IntoFuture for Prepared<Request<R>> {
    type Output = Result<R, ReplyError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let message = vec![self.message?];
            let send = |messages| async move {
                let reply = with_options!(self.producer.request(single(messages)?), self).await?;
                Ok((self.how.read)(&reply, &Context::default())?)
            };
            sent_through(&self.layers, message, send).await
        })
    }
}

/// Tells why a request has no reply.
///
/// ```no_run
/// use rocketmq_starter::template::ReplyError;
/// use rocketmq_starter::{RocketmqTemplate, Text};
///
/// # async fn run(template: &RocketmqTemplate) {
/// match template.request::<Text>("questions", 21).await {
///     Ok(Text(answer)) => println!("{answer}"),
///     Err(ReplyError::Unreadable(why)) => println!("a strange answer: {why}"),
///     Err(error) => println!("no answer: {error}"),
/// }
/// # }
/// ```
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
