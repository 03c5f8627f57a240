//! Transactions.
//!
//! ```text
//! send ──▶ half message ──┬─ END_TRANSACTION ──▶ its topic (commit) or nothing (rollback), and an op record
//!              ▲          │
//!              └── copy ◀─┴─ check round: asks a producer; after the last check ──▶ TRANS_CHECK_MAX_TIME_TOPIC
//! ```
//!
//! Half messages and op records lie in topics of their own, in Apache's form: a restart finds in them what is open.

mod checks;
mod end;
mod halves;
mod ops;
mod resume;
mod round;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rocketmq_remoting::requests::transaction::{EndTransactionRequest, ResumeCheckHalfMessageRequest};

use super::acl::needs::{PUB, UPDATE};
use super::clients::members::Members;
use super::dispatch::Requests;
use super::log::Log;
use super::log::store_times::StoreTimes;
use super::offsets::table::Offsets;
use super::settings::Current;
use super::topics::table::TopicTable;
use halves::Halves;

pub use ops::recover;
pub use round::CheckRound;

/// The one queue of the half and op topics this broker uses, as Apache's does.
const QUEUE: i32 = 0;

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

/// What this broker knows of transactions.
#[derive(Debug, Default)]
pub struct Transactions {
    halves: Mutex<Halves>,
    /// For each decided half not yet passed, where its op record is: what a restart must read again.
    ops: Mutex<BTreeMap<i64, i64>>,
    /// When the halves were stored.
    times: Mutex<StoreTimes>,
}

/// The requests about transactions. Whose a half message is, the message alone says.
pub fn requests(on: &mut Requests<'_, Parts>) {
    on.request::<EndTransactionRequest>(|header, _| PUB.stored_at(header.commit_log_offset), end::end);
    on.request::<ResumeCheckHalfMessageRequest>(
        |header, _| UPDATE.stored_as(header.msg_id.as_deref().unwrap_or_default()),
        resume::resume_check,
    );
}
