//! Queue locks of orderly consumers.
#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use serde::{Deserialize, Serialize};

use super::exchanges;
use crate::body::{LockBatchBody, LockBatchResult};
use crate::payload::Json;

/// Locks queues. The response lists the queues that the client has locked now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LockBatchRequest {}

/// Unlocks queues.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnlockBatchRequest {}

exchanges! {
    LockBatchRequest = LOCK_BATCH_MQ, Json<LockBatchBody> => Json<LockBatchResult>;
    UnlockBatchRequest = UNLOCK_BATCH_MQ, Json<LockBatchBody> => ();
}
