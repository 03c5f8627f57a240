//! Consumer offsets and queue bounds.
#![allow(missing_docs)] // The fields have the protocol's own names; where a name does not say it all, the field has a comment.

use serde::{Deserialize, Serialize};

use super::{exchanges, headers};
use crate::body::{CorrectionOffsets, TargetOffsets};
use crate::payload::Json;

/// Asks where a group stands in a queue. Answered QUERY_NOT_FOUND when the group has no offset there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryConsumerOffsetRequest {
    pub consumer_group: String,
    pub topic: String,
    pub queue_id: i32,
    /// `Some(false)`: do not answer 0 for a queue that starts at 0. Unknown to 4.9.
    pub set_zero_if_not_found: Option<bool>,
}

/// Stores where a group stands in a queue. The broker checks nothing about the number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateConsumerOffsetRequest {
    pub consumer_group: String,
    pub topic: String,
    pub queue_id: i32,
    pub commit_offset: i64,
}

/// Asks for the offset that belongs to a store time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SearchOffsetRequest {
    pub topic: String,
    pub queue_id: i32,
    /// ms since the epoch.
    pub timestamp: i64,
    /// `LOWER` or `UPPER`: which of several messages of that time; anything else means the first.
    pub boundary_type: Option<String>,
}

/// Asks for the offset the next message of a queue will take; 0 for an unknown queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetMaxOffsetRequest {
    pub topic: String,
    pub queue_id: i32,
    /// `false` counts messages that are not replicated yet. Taken as `true` when missing.
    pub committed: Option<bool>,
}

/// Asks for a queue's first offset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetMinOffsetRequest {
    pub topic: String,
    pub queue_id: i32,
}

/// One offset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OffsetResponse {
    pub offset: i64,
}

/// Asks when the first message of a queue was stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetEarliestMessageStoreTimeRequest {
    pub topic: String,
    pub queue_id: i32,
}

/// One point in time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimestampResponse {
    /// ms since the epoch.
    pub timestamp: i64,
}

/// Broker to consumer: go to the offsets in the body ([`ResetOffsetBody`](crate::body::ResetOffsetBody)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResetConsumerOffsetRequest {
    pub group: String,
    pub topic: String,
    /// -1 or missing: every queue.
    pub queue_id: Option<i32>,
    pub offset: Option<i64>,
    /// ms since the epoch; -1 stands for the end.
    #[serde(default)]
    pub timestamp: i64,
    #[serde(default)]
    pub is_force: bool,
}

/// Admin to broker: reset a group's offsets by time, or one queue's to an offset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvokeResetOffsetRequest {
    pub group: String,
    pub topic: String,
    /// -1 or missing: every queue.
    pub queue_id: Option<i32>,
    pub offset: Option<i64>,
    /// ms since the epoch; -1 stands for the end.
    #[serde(default)]
    pub timestamp: i64,
    #[serde(default)]
    pub is_force: bool,
}

/// Admin to broker: copy one group's offsets to another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CloneGroupOffsetRequest {
    pub src_group: String,
    pub dest_group: String,
    pub topic: Option<String>,
    #[serde(default)]
    pub offline: bool,
}

/// Admin to broker: the lowest offsets among the groups that consume a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryCorrectionOffsetRequest {
    /// Groups to leave out, separated by commas.
    pub filter_groups: Option<String>,
    pub compare_group: String,
    pub topic: String,
}

headers!(OffsetResponse, TimestampResponse);

exchanges! {
    QueryConsumerOffsetRequest = QUERY_CONSUMER_OFFSET => OffsetResponse;
    UpdateConsumerOffsetRequest = UPDATE_CONSUMER_OFFSET => ();
    SearchOffsetRequest = SEARCH_OFFSET_BY_TIMESTAMP => OffsetResponse;
    GetMaxOffsetRequest = GET_MAX_OFFSET => OffsetResponse;
    GetMinOffsetRequest = GET_MIN_OFFSET => OffsetResponse;
    GetEarliestMessageStoreTimeRequest = GET_EARLIEST_MSG_STORETIME => TimestampResponse;
    ResetConsumerOffsetRequest = RESET_CONSUMER_CLIENT_OFFSET, TargetOffsets => ();
    InvokeResetOffsetRequest = INVOKE_BROKER_TO_RESET_OFFSET => TargetOffsets;
    CloneGroupOffsetRequest = CLONE_GROUP_OFFSET => ();
    QueryCorrectionOffsetRequest = QUERY_CORRECTION_OFFSET => Json<CorrectionOffsets>;
}
