//! The end of transactions.
#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::exchanges;

/// Decides a half message. Most senders send it one-way; the remark of the frame may name the local failure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndTransactionRequest {
    pub producer_group: String,
    /// Queue offset of the half message.
    pub tran_state_table_offset: i64,
    /// Commit log offset of the half message.
    pub commit_log_offset: i64,
    /// [`COMMIT`](Self::COMMIT), [`ROLLBACK`](Self::ROLLBACK) or [`UNKNOWN`](Self::UNKNOWN); brokers refuse other
    /// values.
    pub commit_or_rollback: i32,
    /// True in the answer to a [`CheckTransactionStateRequest`].
    #[serde(default)]
    pub from_transaction_check: bool,
    /// Unique key of the half message.
    #[serde(default)]
    pub msg_id: String,
    pub transaction_id: Option<String>,
    pub topic: Option<String>,
}

impl EndTransactionRequest {
    /// The transaction succeeded. The value equals the bits of the sys flag.
    pub const COMMIT: i32 = 8;
    /// The transaction failed.
    pub const ROLLBACK: i32 = 12;
    /// The transaction is undecided: the broker asks again later.
    pub const UNKNOWN: i32 = 0;
}

/// Asks a producer, from its broker, for the state of a transaction. The body is the half message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckTransactionStateRequest {
    pub topic: Option<String>,
    pub tran_state_table_offset: i64,
    pub commit_log_offset: i64,
    pub msg_id: Option<String>,
    pub transaction_id: Option<String>,
    pub offset_msg_id: Option<String>,
}

/// Resumes the checks of a half message that the broker had given up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResumeCheckHalfMessageRequest {
    pub topic: Option<String>,
    pub msg_id: Option<String>,
}

exchanges! {
    EndTransactionRequest = END_TRANSACTION => ();
    CheckTransactionStateRequest = CHECK_TRANSACTION_STATE, Bytes => ();
    ResumeCheckHalfMessageRequest = RESUME_CHECK_HALF_MESSAGE => ();
}
