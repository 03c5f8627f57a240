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
mod parts;
mod resume;
mod round;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use parts::Parts;

use rocketmq_remoting::requests::transaction::{EndTransactionRequest, ResumeCheckHalfMessageRequest};

use super::acl::needs::{PUB, UPDATE};
use super::requests::Requests;

pub(crate) use ops::recover;
pub(crate) use round::CheckRound;

/// The requests about transactions. Only the half message itself says to which topic it belongs.
pub(crate) fn requests(on: &mut Requests<'_, Parts>) {
    on.request::<EndTransactionRequest>(|header, _| PUB.stored_at(header.commit_log_offset), end::end);
    on.request::<ResumeCheckHalfMessageRequest>(
        |header, _| UPDATE.stored_as(header.msg_id.as_deref().unwrap_or_default()),
        resume::resume_check,
    );
}
