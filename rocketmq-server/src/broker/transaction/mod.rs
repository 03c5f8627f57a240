//! Transactions: half messages, their ends, and asking producers about those that stay undecided.

mod checks;
mod halves;
mod service;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use rocketmq_remoting::requests::transaction::{EndTransactionRequest, ResumeCheckHalfMessageRequest};

use super::acl::needs::{PUB, UPDATE};
use super::clients::members::Members;
use super::dispatch::Requests;
use super::log::Log;
use super::offsets::table::Offsets;
use super::settings::Current;
use super::topics::table::TopicTable;

pub use service::{CheckRound, Transactions};

/// What transactions work on.
#[derive(Debug, Clone)]
pub struct Parts {
    pub settings: Arc<Current>,
    pub log: Arc<Log>,
    pub topics: Arc<TopicTable>,
    pub offsets: Arc<Offsets>,
    pub clients: Arc<Members>,
    pub state: Arc<Transactions>,
}

/// The requests about transactions. Whose a half message is, the message alone says.
pub fn requests(on: &mut Requests<'_, Parts>) {
    on.request::<EndTransactionRequest>(|header, _| PUB.stored_at(header.commit_log_offset), service::end);
    on.request::<ResumeCheckHalfMessageRequest>(
        |header, _| UPDATE.stored_as(header.msg_id.as_deref().unwrap_or_default()),
        service::resume_check,
    );
}
