//! Queue locks of ordered consumers.
#![allow(missing_docs)] // The fields have the protocol's own names; where a name does not say it all, the field has a comment.

use serde::{Deserialize, Serialize};

use super::exchanges;
use crate::body::{LockBatchBody, LockBatchResult};
use crate::payload::Json;

/// Asks for queues; the bodies are [`LockBatchBody`](crate::body::LockBatchBody) and [`LockBatchResult`](crate::body::LockBatchResult).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LockBatchRequest {}

/// Gives queues back; the body is a [`LockBatchBody`](crate::body::LockBatchBody).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnlockBatchRequest {}

exchanges! {
    LockBatchRequest = LOCK_BATCH_MQ, Json<LockBatchBody> => Json<LockBatchResult>;
    UnlockBatchRequest = UNLOCK_BATCH_MQ, Json<LockBatchBody> => ();
}
