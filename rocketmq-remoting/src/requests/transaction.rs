//! The end of transactions.
#![allow(missing_docs)] // The fields have the protocol's own names; where a name does not say it all, the field has a comment.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::exchanges;

/// Decides a half message. Usually one-way; the frame's remark may carry the local failure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndTransactionRequest {
    pub producer_group: String,
    /// The half message's queue offset.
    pub tran_state_table_offset: i64,
    /// The half message's commit log offset.
    pub commit_log_offset: i64,
    /// One of [`COMMIT`](Self::COMMIT), [`ROLLBACK`](Self::ROLLBACK), [`UNKNOWN`](Self::UNKNOWN); anything else is refused.
    pub commit_or_rollback: i32,
    /// An answer to [`CheckTransactionStateRequest`].
    #[serde(default)]
    pub from_transaction_check: bool,
    /// The unique key.
    #[serde(default)]
    pub msg_id: String,
    pub transaction_id: Option<String>,
    pub topic: Option<String>,
}

impl EndTransactionRequest {
    /// The transaction succeeded. Equals the sys flag's bits.
    pub const COMMIT: i32 = 8;
    /// The transaction failed.
    pub const ROLLBACK: i32 = 12;
    /// Not decided: the broker asks again later.
    pub const UNKNOWN: i32 = 0;
}

/// Broker to producer: what became of the half message in the body?
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

/// Admin to broker: ask again about a half message that was given up.
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
