//! [`Producer`]: the handle that applications send with.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::linger::Accumulator;
use super::recall;
use super::request::{self, Requesting};
use super::sender::Sender;
use super::sending::{Sending, SendingBatch, SendingOneway};
use super::transaction::{self, Transaction};
use crate::error::{CallError, SendError};
use crate::membership::Membership;
use crate::messages::{Delivery, Message, Receipt};

/// Sends the messages of one group. Clones are handles to the same producer, and all methods may run at once.
///
/// ```no_run
/// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use rocketmq_client::Message;
///
/// let producer = client.producer("order-service").build().await?;
/// let receipt = producer.send(Message::new("orders", "42").tag("created")).await?;
/// println!("{} in {}", receipt.message_id(), producer.group());
/// producer.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Producer {
    sender: Arc<Sender>,
    pub(super) accumulator: Option<Arc<Accumulator>>,
}

impl Producer {
    pub(super) fn new(sender: Arc<Sender>) -> Self {
        let accumulator = sender.config.linger.map(|linger| Accumulator::new(sender.clone(), linger));
        Self { sender, accumulator }
    }

    pub(crate) fn membership(&self) -> &Arc<Membership> {
        &self.sender.membership
    }

    /// Sends one message. Nothing happens before the returned value is awaited.
    ///
    /// ```no_run
    /// # async fn example(producer: rocketmq_client::Producer) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// use rocketmq_client::Message;
    ///
    /// producer.send(Message::new("orders", "42")).await?;
    /// // Options go on the send itself.
    /// producer.send(Message::new("orders", "43")).ordered_by("customer-7").timeout(Duration::from_secs(1)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// No broker stored the message; every try is in [`Error::attempts`](crate::Error::attempts).
    ///
    /// # Cancel safety
    /// A cancelled send abandons the wait. A message that is on its way may be stored all the same.
    pub fn send(&self, message: Message) -> Sending {
        Sending::new(self.sender.clone(), self.accumulator.clone(), message)
    }

    /// Sends one message and asks for no answer: it is done once the message is written to the connection.
    ///
    /// ```no_run
    /// # async fn example(producer: rocketmq_client::Producer) -> Result<(), Box<dyn std::error::Error>> {
    /// # use rocketmq_client::Message;
    /// producer.send_oneway(Message::new("metrics", "1")).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// There is no route or no connection. `Ok` does not say that a broker stored the message.
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    pub fn send_oneway(&self, message: Message) -> SendingOneway {
        SendingOneway::new(self.sender.clone(), message)
    }

    /// Sends messages of one topic together, in as few requests as
    /// [`max_message_size`](crate::producer::ProducerConfig::max_message_size) allows. The receipts have the order of
    /// the messages.
    ///
    /// ```no_run
    /// # async fn example(producer: rocketmq_client::Producer) -> Result<(), Box<dyn std::error::Error>> {
    /// # use rocketmq_client::Message;
    /// let orders = (0..100).map(|id| Message::new("orders", id.to_string())).collect();
    /// match producer.send_batch(orders).await {
    ///     Ok(receipts) => println!("{} stored", receipts.len()),
    ///     Err(failed) => println!("{} stored, then: {}", failed.stored().len(), failed.error()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Before anything is sent: the messages differ in topic or in [`wait_store`](Message::wait_store), or one of them
    /// is delayed or goes to a `%RETRY%` topic. Later, [`BatchError::stored`](crate::producer::BatchError::stored)
    /// returns the receipts from before the request that failed.
    ///
    /// # Cancel safety
    /// A cancelled batch may be stored in part.
    pub fn send_batch(&self, messages: Vec<Message>) -> SendingBatch {
        SendingBatch::new(self.sender.clone(), messages)
    }

    /// Stores a half message, which stays invisible until the returned transaction is committed. Transactions have no
    /// delay: a delay level on the message is removed.
    ///
    /// ```no_run
    /// # async fn example(producer: rocketmq_client::Producer) -> Result<(), Box<dyn std::error::Error>> {
    /// # use rocketmq_client::Message;
    /// # async fn save_locally() -> Result<(), std::io::Error> { Ok(()) }
    /// let transaction = producer.begin(Message::new("orders", "42")).await?;
    /// match save_locally().await {
    ///     Ok(()) => transaction.commit().await?,
    ///     Err(_) => transaction.rollback().await?,
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`send`](Self::send); also when the half message was stored less durably than configured, and rolled back for it.
    ///
    /// # Cancel safety
    /// A cancelled call may leave a half message; the broker asks the
    /// [`transaction_checker`](crate::producer::ProducerBuilder::transaction_checker) about it.
    pub async fn begin(&self, message: Message) -> Result<Transaction, SendError> {
        transaction::begin(&self.sender, message).await
    }

    /// Sends a request and waits for the [`reply`](Self::reply) of a consumer.
    ///
    /// ```no_run
    /// # async fn example(producer: rocketmq_client::Producer) -> Result<(), Box<dyn std::error::Error>> {
    /// # use rocketmq_client::Message;
    /// use std::time::Duration;
    ///
    /// let reply = producer.request(Message::new("prices", "apple")).timeout(Duration::from_secs(1)).await?;
    /// println!("{:?}", reply.text());
    /// # Ok(())
    /// # }
    /// ```
    pub fn request(&self, message: Message) -> Requesting {
        Requesting::new(self.sender.clone(), message)
    }

    /// Replies to a message that [`request`](Self::request) sent.
    ///
    /// ```no_run
    /// # async fn example(producer: rocketmq_client::Producer, delivery: rocketmq_client::Delivery) -> Result<(), Box<dyn std::error::Error>> {
    /// producer.reply(&delivery, "1.20").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `request` is no such message, or the send fails.
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    pub async fn reply(&self, request: &Delivery, body: impl Into<Bytes>) -> Result<Receipt, SendError> {
        request::reply(&self.sender, request, body.into()).await
    }

    /// Takes a timer message back before it is due, and returns its id. `handle` is its
    /// [`Receipt::recall_handle`]. Needs a 5.x broker.
    ///
    /// ```no_run
    /// # async fn example(producer: rocketmq_client::Producer, receipt: rocketmq_client::Receipt) -> Result<(), Box<dyn std::error::Error>> {
    /// if let Some(handle) = receipt.recall_handle() {
    ///     println!("recalled {}", producer.recall("reminders", handle).await?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The handle is damaged, the message is gone or delivered, or the broker does not recall messages.
    ///
    /// # Cancel safety
    /// A cancelled call may have recalled the message.
    pub async fn recall(&self, topic: &str, handle: &str) -> Result<String, CallError> {
        recall::recall(&self.sender, topic, handle).await
    }

    /// Returns the group, without namespace.
    ///
    /// ```no_run
    /// # async fn example(producer: rocketmq_client::Producer) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{}", producer.group());
    /// # Ok(())
    /// # }
    /// ```
    pub fn group(&self) -> &str {
        &self.sender.group
    }

    /// Sends gathered messages, then tells the brokers that the producer leaves its group. Later sends through any
    /// handle fail. Without a shutdown, dropping the last handle leaves it to the brokers to notice.
    ///
    /// ```no_run
    /// # async fn example(producer: rocketmq_client::Producer) -> Result<(), Box<dyn std::error::Error>> {
    /// producer.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// A cancelled shutdown may leave gathered messages unsent; call it again.
    pub async fn shutdown(&self) {
        self.sender.close();
        if let Some(accumulator) = &self.accumulator {
            accumulator.flush().await;
        }
        self.sender.membership.leave_as_producer(&self.sender.wire_group).await;
        if let Some(tracer) = &self.sender.tracer {
            tracer.shutdown().await;
        }
    }

    /// Counts the records of the message trace that were lost: the buffer was full, or no broker stored them.
    ///
    /// ```no_run
    /// # async fn example(producer: rocketmq_client::Producer) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{} traces lost", producer.dropped_traces());
    /// # Ok(())
    /// # }
    /// ```
    pub fn dropped_traces(&self) -> u64 {
        self.sender.tracer.as_ref().map_or(0, |tracer| tracer.dropped())
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("group", &self.sender.group).finish_non_exhaustive()
    }
}
