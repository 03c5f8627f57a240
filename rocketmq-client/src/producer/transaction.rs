//! Transactions: a half message, a decision, and the broker's question when the decision is missing.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rocketmq_remoting::Request as _;
use rocketmq_remoting::message::{OffsetMessageId, names};
use rocketmq_remoting::net::Connection;
use rocketmq_remoting::requests::transaction::{CheckTransactionStateRequest, EndTransactionRequest};
use rocketmq_remoting::{Command, ResponseCode};
use tokio::sync::Semaphore;

use super::Shared;
use super::sending::Options;
use crate::cluster::net::rpc::refusal;
use crate::error::{CallError, CallErrorKind, SendError, SendErrorKind};
use crate::messages::Delivery;
use crate::messages::Message;
use crate::messages::{Receipt, SendStatus};
use crate::observe::trace::Decision;

/// How many questions one producer works on at once; the broker asks again about those it drops.
const CHECKS_AT_ONCE: usize = 64;

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionState {
    /// Deliver the message.
    Commit,
    /// Drop it.
    Rollback,
    /// Not decided yet; the broker asks again, every 30 s and at most 15 times unless configured otherwise.
    Unknown,
}

impl TransactionState {
    fn code(self) -> i32 {
        match self {
            Self::Commit => EndTransactionRequest::COMMIT,
            Self::Rollback => EndTransactionRequest::ROLLBACK,
            Self::Unknown => EndTransactionRequest::UNKNOWN,
        }
    }
}

/// A half message is stored and waits for its decision. Dropped undecided it stays invisible until the
/// broker has asked the producer's `transaction_checker`, after some 6 s by default.
#[must_use = "undecided, the transaction waits for the broker to ask about it"]
pub struct Transaction {
    shared: Arc<Shared>,
    topic: String,
    receipt: Receipt,
    /// What a trace says of it, when there is one.
    traced: Option<Decision>,
}

impl Transaction {
    /// Delivers the message.
    ///
    /// # Errors
    /// When the broker does not confirm it. The transaction may be committed all the same, and if it is
    /// not, the broker will ask about it.
    pub async fn commit(self) -> Result<(), CallError> {
        self.end(TransactionState::Commit).await
    }

    /// Drops the message.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    pub async fn rollback(self) -> Result<(), CallError> {
        self.end(TransactionState::Rollback).await
    }

    /// The message's id; consumers will see the same. It is the transaction's id too.
    pub fn message_id(&self) -> &str {
        self.receipt.message_id()
    }

    /// What the broker said about the half message. Its queue is not the one the message will be in.
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    async fn end(&self, state: TransactionState) -> Result<(), CallError> {
        let client = &self.shared.client.inner;
        let broker = &client.home(self.receipt.message_queue());
        let header = self.decision(state)?;
        let command = header.to_command().map_err(|error| {
            CallError::new(CallErrorKind::InvalidRequest, "a decision cannot be written").with_source(error)
        })?;
        let address = client.master_of(broker, &header_topic(&header)).await.ok_or_else(|| {
            CallError::new(CallErrorKind::UnknownBroker, format!("no master of {broker} is known"))
        })?;
        if let (Some(tracer), Some(traced)) = (&self.shared.tracer, &self.traced) {
            tracer.decided(traced, state, &address, false);
        }
        let response = client.call_broker(&address, command, self.shared.config.send_timeout).await?;
        match response.response_code() {
            ResponseCode::SUCCESS => Ok(()),
            _ => Err(CallError::refused_by(refusal(&response, broker, &self.topic))),
        }
    }

    fn decision(&self, state: TransactionState) -> Result<EndTransactionRequest, CallError> {
        let stored: OffsetMessageId = self.receipt.offset_message_id().parse().map_err(|error| {
            let text = format!("offset message id \"{}\"", self.receipt.offset_message_id());
            CallError::new(CallErrorKind::Malformed, text).with_source(error)
        })?;
        Ok(EndTransactionRequest {
            producer_group: self.shared.wire_group.clone(),
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

fn header_topic(header: &EndTransactionRequest) -> String {
    header.topic.clone().unwrap_or_default()
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("message_id", &self.message_id()).finish_non_exhaustive()
    }
}

pub(super) async fn begin(shared: &Arc<Shared>, message: Message) -> Result<Transaction, SendError> {
    let (mut topic, mut traced) = (message.topic.clone(), None);
    let halve = |message: &mut Message| {
        message.properties.remove(names::DELAY);
        message.properties.set(names::TRAN_MSG, "true");
        message.properties.set(names::PGROUP, shared.wire_group.as_str());
        topic.clone_from(&message.topic);
        traced = shared.tracer.is_some().then(|| message.properties.clone());
    };
    let receipt = shared.send_alone(message, Options::default(), halve).await?;
    let status = receipt.status();
    let traced = traced.map(|properties| Decision::of_sent(&topic, receipt.message_id(), &properties));
    let transaction = Transaction { shared: shared.clone(), topic, receipt, traced };
    if status == SendStatus::Ok {
        return Ok(transaction);
    }
    let text = format!("half message to {} stored with status {status:?}", transaction.topic);
    if let Err(error) = transaction.rollback().await {
        tracing::warn!(%error, "the broker will ask about a half message that was to be rolled back");
    }
    Err(SendError::new(SendErrorKind::HalfNotDurable, text))
}

/// A broker's question about a half message, as it came.
#[derive(Debug)]
pub(crate) struct TransactionCheck {
    pub(crate) header: CheckTransactionStateRequest,
    pub(crate) connection: Connection,
}

type Check = Box<dyn Fn(Delivery) -> BoxFuture<'static, TransactionState> + Send + Sync>;

/// Answers for all transactions of a group.
pub(crate) struct Checker {
    check: Check,
    running: Arc<Semaphore>,
}

impl Checker {
    pub(crate) fn new<C, F>(checker: C) -> Self
    where
        C: Fn(Delivery) -> F + Send + Sync + 'static,
        F: Future<Output = TransactionState> + Send + 'static,
    {
        let check: Check = Box::new(move |half| Box::pin(checker(half)));
        Self { check, running: Arc::new(Semaphore::new(CHECKS_AT_ONCE)) }
    }
}

/// Works out the answer in a task of its own and sends it over the connection the question came by.
pub(super) fn check(shared: Arc<Shared>, half: Delivery, check: TransactionCheck) {
    let Some(checker) = &shared.checker else {
        tracing::warn!(
            group = shared.group,
            message_id = half.message_id(),
            "a broker asks about a transaction, and this producer has no transaction_checker"
        );
        return;
    };
    let Ok(permit) = checker.running.clone().try_acquire_owned() else {
        tracing::warn!(
            group = shared.group,
            "too many transaction checks at once; the broker will ask again"
        );
        return;
    };
    let client = shared.client.inner.clone();
    client.tasks.spawn(async move {
        let _permit = permit;
        answer(&shared, half, check).await;
    });
}

async fn answer(shared: &Shared, half: Delivery, check: TransactionCheck) {
    let Some(checker) = &shared.checker else { return };
    let message_id = half.message_id().to_owned();
    let traced = shared.tracer.as_ref().map(|tracer| (tracer, Decision::of_half(&half)));
    let decision = AssertUnwindSafe((checker.check)(half)).catch_unwind().await;
    let state = decision.unwrap_or_else(|_| {
        tracing::error!(message_id, "a transaction checker panicked; the broker will ask again");
        TransactionState::Unknown
    });
    if let Some((tracer, half)) = traced {
        tracer.decided(&half, state, &check.connection.peer().to_string(), true);
    }
    let Some(command) = answer_command(shared, check.header, message_id, state) else { return };
    if let Err(error) = shared.client.inner.rpc.oneway_on(&check.connection, command).await {
        tracing::warn!(%error, "a transaction check was not answered; the broker will ask again");
    }
}

/// The offsets are those of the question: the broker stores the half message anew before each.
fn answer_command(
    shared: &Shared,
    question: CheckTransactionStateRequest,
    message_id: String,
    state: TransactionState,
) -> Option<Command> {
    let header = EndTransactionRequest {
        producer_group: shared.wire_group.clone(),
        tran_state_table_offset: question.tran_state_table_offset,
        commit_log_offset: question.commit_log_offset,
        commit_or_rollback: state.code(),
        from_transaction_check: true,
        msg_id: message_id,
        transaction_id: question.transaction_id,
        topic: question.topic,
    };
    header.to_command().inspect_err(|error| tracing::error!(%error, "an answer cannot be written")).ok()
}
