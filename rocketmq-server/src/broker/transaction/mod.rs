//! Transactions: half messages, their ends, and asking producers about those that stay undecided.

mod checks;
mod halves;
mod service;
#[cfg(test)]
mod tests;

use rocketmq_remoting::requests::transaction::{EndTransactionRequest, ResumeCheckHalfMessageRequest};

use super::acl::needs::{PUB, UPDATE};
use super::core::Core;
use super::dispatch::Requests;

pub use service::{CheckRound, Transactions};

/// The requests about transactions. Whose a half message is, the message alone says.
pub fn requests(on: &mut Requests<'_, Core>) {
    on.request::<EndTransactionRequest>(|header, _| PUB.stored_at(header.commit_log_offset), service::end);
    on.request::<ResumeCheckHalfMessageRequest>(
        |header, _| UPDATE.stored_as(header.msg_id.as_deref().unwrap_or_default()),
        service::resume_check,
    );
}
