//! A producer as the member of a group: it answers the brokers' questions about half messages.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use rocketmq_remoting::requests::transaction::{CheckTransactionStateRequest, EndTransactionRequest};
use rocketmq_remoting::{Command, Request as _};

use super::sender::Sender;
use crate::membership::{ProducerMember, TransactionCheck};
use crate::messages::{Delivery, TransactionState};
use crate::observe::trace::Decision;

impl ProducerMember for Sender {
    fn wire_group(&self) -> &str {
        &self.wire_group
    }

    /// Finds the answer in a task of its own, and sends it over the connection of the question.
    fn check(self: Arc<Self>, half: Delivery, check: TransactionCheck) {
        let group = &self.group;
        let Some(checker) = &self.checker else {
            let message_id = half.message_id();
            tracing::warn!(
                group,
                message_id,
                "a broker asks about a transaction, and this producer has no transaction_checker"
            );
            return;
        };
        let Ok(permit) = checker.running.clone().try_acquire_owned() else {
            tracing::warn!(group, "too many transaction checks at once; the broker will ask again");
            return;
        };
        let cluster = self.cluster.clone();
        cluster.tasks.spawn(async move {
            let _permit = permit;
            self.answer(half, check).await;
        });
    }
}

impl Sender {
    async fn answer(&self, half: Delivery, check: TransactionCheck) {
        let Some(checker) = &self.checker else { return };
        let message_id = half.message_id().to_owned();
        let traced = self.tracer.as_ref().map(|tracer| (tracer, Decision::of_half(&half)));
        let decision = AssertUnwindSafe((checker.check)(half)).catch_unwind().await;
        let state = decision.unwrap_or_else(|_| {
            tracing::error!(message_id, "a transaction checker panicked; the broker will ask again");
            TransactionState::Unknown
        });
        if let Some((tracer, half)) = traced {
            tracer.decided(&half, state, &check.connection.peer().to_string(), true);
        }
        let Some(command) = answer_command(self, check.header, message_id, state) else { return };
        if let Err(error) = self.cluster.rpc.oneway_on(&check.connection, command).await {
            tracing::warn!(%error, "a transaction check was not answered; the broker will ask again");
        }
    }
}

/// Makes the answer with the offsets of the question: the broker stores the half message anew before each question.
fn answer_command(
    sender: &Sender,
    question: CheckTransactionStateRequest,
    message_id: String,
    state: TransactionState,
) -> Option<Command> {
    let header = EndTransactionRequest {
        producer_group: sender.wire_group.clone(),
        tran_state_table_offset: question.tran_state_table_offset,
        commit_log_offset: question.commit_log_offset,
        commit_or_rollback: state.code(),
        from_transaction_check: true,
        msg_id: message_id,
        transaction_id: question.transaction_id,
        topic: question.topic,
    };
    header.command(&()).inspect_err(|error| tracing::error!(%error, "an answer cannot be written")).ok()
}
