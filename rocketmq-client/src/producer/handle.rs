//! [`Producer`]: what applications send with.

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

/// Sends the messages of one group. Clones are handles to the same producer; all methods take `&self`
/// and may run at once.
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

    /// Sends one message. Nothing happens until the answer is awaited; dropping it then abandons the
    /// wait, not a message already on its way.
    ///
    /// # Errors
    /// When no broker stored it; every try is in [`Error::attempts`](crate::Error::attempts).
    pub fn send(&self, message: Message) -> Sending {
        Sending::new(self.sender.clone(), self.accumulator.clone(), message)
    }

    /// Sends one message without asking for an answer: done once it is written to the connection.
    ///
    /// # Errors
    /// When there is no route or no connection. Whether the broker stored it is not known.
    pub fn send_oneway(&self, message: Message) -> SendingOneway {
        SendingOneway::new(self.sender.clone(), message)
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
        SendingBatch::new(self.sender.clone(), messages)
    }

    /// Stores a half message: invisible until the returned transaction is committed. A delay level on it
    /// is dropped, transactions know none.
    ///
    /// # Errors
    /// As [`send`](Self::send); also when the half message is stored less well than asked, and was
    /// rolled back for it.
    pub async fn begin(&self, message: Message) -> Result<Transaction, SendError> {
        transaction::begin(&self.sender, message).await
    }

    /// Sends a request and waits for the reply of whoever consumes it.
    pub fn request(&self, message: Message) -> Requesting {
        Requesting::new(self.sender.clone(), message)
    }

    /// Answers a message that was sent by [`request`](Self::request).
    ///
    /// # Errors
    /// When `request` is no such message, or the send fails.
    pub async fn reply(&self, request: &Delivery, body: impl Into<Bytes>) -> Result<Receipt, SendError> {
        request::reply(&self.sender, request, body.into()).await
    }

    /// Takes a timer message back before it is due. `handle` is its
    /// [`Receipt::recall_handle`]. Returns the id of the recalled message. Needs a 5.x broker.
    ///
    /// # Errors
    /// When the handle is damaged, the message is gone or already delivered, or the broker does not
    /// recall messages.
    pub async fn recall(&self, topic: &str, handle: &str) -> Result<String, CallError> {
        recall::recall(&self.sender, topic, handle).await
    }

    /// Its group.
    pub fn group(&self) -> &str {
        &self.sender.group
    }

    /// Sends what is still gathered, then tells the brokers that the group's member leaves. Later sends
    /// through any handle fail. Dropping the last handle instead leaves it to the brokers to notice.
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

    /// How many records of the message trace were lost, because the buffer was full or a broker did not take them.
    pub fn dropped_traces(&self) -> u64 {
        self.sender.tracer.as_ref().map_or(0, |tracer| tracer.dropped())
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("group", &self.sender.group).finish_non_exhaustive()
    }
}
