//! [`Transaction`]: a half message and its decision.

use std::fmt;
use std::sync::Arc;

use rocketmq_remoting::message::{OffsetMessageId, names};
use rocketmq_remoting::requests::transaction::EndTransactionRequest;

use super::sender::Sender;
use super::target::Options;
use crate::cluster::Which;
use crate::cluster::calls::Target;
use crate::error::{CallError, CallErrorKind, SendError, SendErrorKind};
use crate::messages::{Message, Receipt, SendStatus, TransactionState};
use crate::observe::trace::Decision;

/// Holds a stored half message that waits for its decision. Dropped undecided, it stays invisible until the broker asks the
/// producer's [`transaction_checker`](crate::producer::ProducerBuilder::transaction_checker), by default after about 6 s.
///
/// ```no_run
/// # async fn example(producer: rocketmq_client::Producer) -> Result<(), Box<dyn std::error::Error>> {
/// use rocketmq_client::Message;
///
/// let transaction = producer.begin(Message::new("orders", "42")).await?;
/// println!("{} waits", transaction.message_id());
/// transaction.commit().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "undecided, the transaction waits for the broker to ask about it"]
pub struct Transaction {
    sender: Arc<Sender>,
    topic: String,
    receipt: Receipt,
    /// The record for the message trace, when there is one.
    traced: Option<Decision>,
}

impl Transaction {
    /// Delivers the message.
    ///
    /// ```no_run
    /// # async fn example(transaction: rocketmq_client::Transaction) -> Result<(), Box<dyn std::error::Error>> {
    /// transaction.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The broker does not confirm the commit. The transaction may be committed all the same; if it is not, the broker
    /// asks about it.
    ///
    /// # Cancel safety
    /// A cancelled commit may have reached the broker; if it has not, the broker asks about the transaction.
    pub async fn commit(self) -> Result<(), CallError> {
        self.end(TransactionState::Commit).await
    }

    /// Discards the message.
    ///
    /// ```no_run
    /// # async fn example(transaction: rocketmq_client::Transaction) -> Result<(), Box<dyn std::error::Error>> {
    /// transaction.rollback().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    ///
    /// # Cancel safety
    /// As [`commit`](Self::commit).
    pub async fn rollback(self) -> Result<(), CallError> {
        self.end(TransactionState::Rollback).await
    }

    /// Returns the message's id, which is the transaction's id. Consumers see the same id.
    ///
    /// ```no_run
    /// # async fn example(transaction: rocketmq_client::Transaction) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{}", transaction.message_id());
    /// # Ok(())
    /// # }
    /// ```
    pub fn message_id(&self) -> &str {
        self.receipt.message_id()
    }

    /// Returns the receipt of the half message. Its queue is not the queue that the message will be in.
    ///
    /// ```no_run
    /// # async fn example(transaction: rocketmq_client::Transaction) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{}", transaction.receipt().broker());
    /// # Ok(())
    /// # }
    /// ```
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    async fn end(&self, state: TransactionState) -> Result<(), CallError> {
        let cluster = &self.sender.cluster;
        let queue = self.receipt.message_queue();
        let broker = cluster.home(queue);
        let decision = self.decision(state)?;
        let address = cluster.address(&broker, Which::Master, &queue.topic).await?;
        if let (Some(tracer), Some(traced)) = (&self.sender.tracer, &self.traced) {
            tracer.decided(traced, state, &address, false);
        }
        let target = Target { address: &address, broker: &broker, topic: &self.topic };
        cluster.call(target, &decision, (), self.sender.config.send_timeout).await
    }

    fn decision(&self, state: TransactionState) -> Result<EndTransactionRequest, CallError> {
        let stored: OffsetMessageId = self.receipt.offset_message_id().parse().map_err(|error| {
            let text = format!("offset message id \"{}\"", self.receipt.offset_message_id());
            CallError::new(CallErrorKind::Malformed, text).with_source(error)
        })?;
        Ok(EndTransactionRequest {
            producer_group: self.sender.wire_group.clone(),
            tran_state_table_offset: self.receipt.queue_offset(),
            commit_log_offset: stored.offset,
            commit_or_rollback: state.code(),
            from_transaction_check: false,
            msg_id: self.receipt.message_id().to_owned(),
            transaction_id: Some(self.receipt.message_id().to_owned()),
            topic: Some(self.receipt.message_queue().topic.clone()),
        })
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("message_id", &self.message_id()).finish_non_exhaustive()
    }
}

pub(super) async fn begin(sender: &Arc<Sender>, message: Message) -> Result<Transaction, SendError> {
    let (mut topic, mut traced) = (message.topic.clone(), None);
    let halve = |message: &mut Message| {
        message.properties.remove(names::DELAY);
        message.properties.set(names::TRAN_MSG, "true");
        message.properties.set(names::PGROUP, sender.wire_group.as_str());
        topic.clone_from(&message.topic);
        traced = sender.tracer.is_some().then(|| message.properties.clone());
    };
    let receipt = sender.send_alone(message, Options::default(), halve).await?;
    let status = receipt.status();
    let traced = traced.map(|properties| Decision::of_sent(&topic, receipt.message_id(), &properties));
    let transaction = Transaction { sender: sender.clone(), topic, receipt, traced };
    if status == SendStatus::Ok {
        return Ok(transaction);
    }
    let text = format!("half message to {} stored with status {status:?}", transaction.topic);
    if let Err(error) = transaction.rollback().await {
        tracing::warn!(%error, "the broker will ask about a half message that was to be rolled back");
    }
    Err(SendError::new(SendErrorKind::HalfNotDurable, text))
}
