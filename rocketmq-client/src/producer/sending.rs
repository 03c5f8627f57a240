//! Sends as values: options first, then `.await`.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, Either};
use rocketmq_remoting::route::MessageQueue;
use tracing::Instrument as _;

use super::batch::{self, BatchError};
use super::linger::Accumulator;
use super::parts::Keys;
use super::request::Requesting;
use super::sender::Sender;
use super::target::{Options, Target};
use super::watch::Watch;
use crate::error::SendError;
use crate::messages::{Message, Receipt};

/// The setters of one kind of send. The field `options` holds them.
macro_rules! options {
    ($type:ident) => {
        impl $type {
            /// Limits the time in all, instead of the producer's
            /// [`send_timeout`](crate::producer::ProducerBuilder::send_timeout).
            ///
            /// ```no_run
            /// # use rocketmq_client::{Message, Producer};
            /// # use std::time::Duration;
            /// # async fn example(producer: Producer) -> Result<(), Box<dyn std::error::Error>> {
            /// producer.send(Message::new("orders", "42")).timeout(Duration::from_secs(1)).await?;
            /// # Ok(())
            /// # }
            /// ```
            pub fn timeout(mut self, timeout: Duration) -> Self {
                self.options.timeout = Some(timeout);
                self
            }

            /// Sends messages with equal keys to the same queue, which keeps them in the order of the sends. Java's
            /// producer picks the same queue for a key. A failed send is not tried again.
            ///
            /// ```no_run
            /// # use rocketmq_client::{Message, Producer};
            /// # async fn example(producer: Producer) -> Result<(), Box<dyn std::error::Error>> {
            /// producer.send(Message::new("orders", "created")).ordered_by("customer-7").await?;
            /// producer.send(Message::new("orders", "paid")).ordered_by("customer-7").await?;
            /// # Ok(())
            /// # }
            /// ```
            pub fn ordered_by(mut self, key: impl std::fmt::Display) -> Self {
                self.options.target = Target::Key(key.to_string());
                self
            }

            /// Sends to this queue and no other. A failed send is not tried again.
            ///
            /// ```no_run
            /// # use rocketmq_client::{Message, Producer, PullConsumer};
            /// # async fn example(producer: Producer, pull: PullConsumer) -> Result<(), Box<dyn std::error::Error>> {
            /// let queues = pull.queues("orders").await?;
            /// producer.send(Message::new("orders", "42")).to_queue(&queues[0]).await?;
            /// # Ok(())
            /// # }
            /// ```
            pub fn to_queue(mut self, queue: &MessageQueue) -> Self {
                self.options.target = Target::Queue(queue.clone());
                self
            }

            /// Sends to the queue at the index that `select` returns. A failed send is not tried again.
            ///
            /// ```no_run
            /// # use rocketmq_client::{Message, Producer};
            /// # async fn example(producer: Producer) -> Result<(), Box<dyn std::error::Error>> {
            /// producer.send(Message::new("orders", "42")).select_with(|queues| 42 % queues.len()).await?;
            /// # Ok(())
            /// # }
            /// ```
            pub fn select_with(
                mut self,
                select: impl FnOnce(&[Arc<MessageQueue>]) -> usize + Send + 'static,
            ) -> Self {
                self.options.target = Target::Selector(Box::new(select));
                self
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($type)).finish_non_exhaustive()
            }
        }
    };
}

/// Holds a send and its options; awaiting it sends the message.
///
/// ```no_run
/// # async fn example(producer: rocketmq_client::Producer) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// use rocketmq_client::{Message, Sending};
///
/// let sending: Sending = producer.send(Message::new("orders", "42")).timeout(Duration::from_secs(1));
/// println!("{}", sending.await?.message_id());
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
/// A cancelled send abandons the wait. A message that is on its way may be stored all the same.
#[must_use = "a message is sent only when this is awaited"]
pub struct Sending {
    sender: Arc<Sender>,
    accumulator: Option<Arc<Accumulator>>,
    message: Message,
    options: Options,
}

options!(Sending);

impl Sending {
    pub(super) fn new(sender: Arc<Sender>, accumulator: Option<Arc<Accumulator>>, message: Message) -> Self {
        Self { sender, accumulator, message, options: Options::default() }
    }

    async fn run(self) -> Result<Receipt, SendError> {
        let Self { sender, accumulator, mut message, options } = self;
        let watch = Watch::begin(&sender, &mut message);
        let result = match watch.span.in_scope(|| sender.admit(&mut message)) {
            Ok(()) => {
                let sending = send_admitted(&sender, accumulator, message, options);
                sending.instrument(watch.span.clone()).await
            }
            Err(error) => Err(error),
        };
        watch.end(result.as_ref().map(Some));
        result
    }
}

/// Sends the message in a batch if the producer gathers messages and the send has no options, alone otherwise.
fn send_admitted(
    sender: &Sender,
    accumulator: Option<Arc<Accumulator>>,
    message: Message,
    options: Options,
) -> impl Future<Output = Result<Receipt, SendError>> + Send {
    let free = options.timeout.is_none() && matches!(options.target, Target::Any);
    match accumulator.filter(|_| free) {
        Some(accumulator) => {
            let gathered: BoxFuture<'_, _> = Box::pin(async move { accumulator.send(message).await });
            Either::Left(gathered)
        }
        None => Either::Right(sender.send_now(message, options)),
    }
}

impl IntoFuture for Sending {
    type Output = Result<Receipt, SendError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// Holds a one-way send and its options; awaiting it writes the message to a connection.
///
/// ```no_run
/// # async fn example(producer: rocketmq_client::Producer) -> Result<(), Box<dyn std::error::Error>> {
/// # use rocketmq_client::Message;
/// producer.send_oneway(Message::new("metrics", "1")).ordered_by("cpu").await?;
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
/// A cancelled send may have left all the same.
#[must_use = "a message is sent only when this is awaited"]
pub struct SendingOneway {
    sender: Arc<Sender>,
    message: Message,
    options: Options,
}

options!(SendingOneway);

impl SendingOneway {
    pub(super) fn new(sender: Arc<Sender>, message: Message) -> Self {
        Self { sender, message, options: Options::default() }
    }
}

impl IntoFuture for SendingOneway {
    type Output = Result<(), SendError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { sender, message, options } = self;
        Box::pin(async move { sender.send_oneway(message, options).await })
    }
}

/// Holds a batch and its options; awaiting it sends the messages.
///
/// ```no_run
/// # async fn example(producer: rocketmq_client::Producer, orders: Vec<rocketmq_client::Message>) -> Result<(), Box<dyn std::error::Error>> {
/// let receipts = producer.send_batch(orders).ordered_by("customer-7").await?;
/// println!("{} stored", receipts.len());
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
/// A cancelled batch may be stored in part.
#[must_use = "messages are sent only when this is awaited"]
pub struct SendingBatch {
    sender: Arc<Sender>,
    messages: Vec<Message>,
    options: Options,
    keys: Option<Keys>,
}

options!(SendingBatch);
options!(Requesting);

impl SendingBatch {
    pub(super) fn new(sender: Arc<Sender>, messages: Vec<Message>) -> Self {
        Self { sender, messages, options: Options::default(), keys: None }
    }

    /// Gives each message an ordering key of its own, in their order: messages with equal keys go to the same queue and
    /// keep their order. `None` lets a message go to any queue. The batch takes one request for each queue in use, and
    /// goes before [`ordered_by`](Self::ordered_by), [`to_queue`](Self::to_queue) and [`select_with`](Self::select_with).
    ///
    /// ```no_run
    /// # async fn example(producer: rocketmq_client::Producer) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::Message;
    ///
    /// let lines = [("created", "customer-7"), ("created", "customer-9"), ("paid", "customer-7")];
    /// let orders = lines.iter().map(|(line, _)| Message::new("orders", *line)).collect();
    /// producer.send_batch(orders).ordered_by_each(lines.map(|(_, customer)| Some(customer))).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Awaiting fails before anything is sent when the number of keys is not that of the messages.
    pub fn ordered_by_each<K: std::fmt::Display>(
        mut self,
        keys: impl IntoIterator<Item = Option<K>>,
    ) -> Self {
        self.keys = Some(keys.into_iter().map(|key| key.map(|key| key.to_string())).collect());
        self
    }
}

impl IntoFuture for SendingBatch {
    type Output = Result<Vec<Receipt>, BatchError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { sender, messages, options, keys } = self;
        Box::pin(async move { batch::send(&sender, messages, options, keys).await })
    }
}
