//! Offsets of groups, and bounds of queues.
#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use serde::{Deserialize, Serialize};

use super::{exchanges, headers};
use crate::body::{CorrectionOffsets, TargetOffsets};
use crate::payload::Json;

/// Asks for the offset of a group in a queue. The response is QUERY_NOT_FOUND if there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryConsumerOffsetRequest {
    pub consumer_group: String,
    pub topic: String,
    pub queue_id: i32,
    /// With `Some(false)` the broker does not answer 0 for a queue that starts at 0. Unknown to 4.9.
    pub set_zero_if_not_found: Option<bool>,
}

/// Stores the offset of a group in a queue. The broker does not check the number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateConsumerOffsetRequest {
    pub consumer_group: String,
    pub topic: String,
    pub queue_id: i32,
    pub commit_offset: i64,
}

/// Asks for the offset of a store time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SearchOffsetRequest {
    pub topic: String,
    pub queue_id: i32,
    /// In ms since the epoch.
    pub timestamp: i64,
    /// Selects among several messages of that time: `LOWER` or `UPPER`. Any other value selects the first.
    pub boundary_type: Option<String>,
}

/// Asks for the offset of a queue's next message. The response is 0 for an unknown queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetMaxOffsetRequest {
    pub topic: String,
    pub queue_id: i32,
    /// `false` includes messages that are not replicated yet. Absent means `true`.
    pub committed: Option<bool>,
}

/// Asks for the first offset of a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetMinOffsetRequest {
    pub topic: String,
    pub queue_id: i32,
}

/// An offset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OffsetResponse {
    pub offset: i64,
}

/// Asks for the store time of a queue's first message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetEarliestMessageStoreTimeRequest {
    pub topic: String,
    pub queue_id: i32,
}

/// A point in time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimestampResponse {
    /// In ms since the epoch.
    pub timestamp: i64,
}

/// Tells a consumer to continue at the offsets in the body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResetConsumerOffsetRequest {
    pub group: String,
    pub topic: String,
    /// -1 or absent means every queue.
    pub queue_id: Option<i32>,
    pub offset: Option<i64>,
    /// In ms since the epoch; -1 means the end.
    #[serde(default)]
    pub timestamp: i64,
    #[serde(default)]
    pub is_force: bool,
}

/// Resets the offsets of a group to a time, or the offset of one queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvokeResetOffsetRequest {
    pub group: String,
    pub topic: String,
    /// -1 or absent means every queue.
    pub queue_id: Option<i32>,
    pub offset: Option<i64>,
    /// In ms since the epoch; -1 means the end.
    #[serde(default)]
    pub timestamp: i64,
    #[serde(default)]
    pub is_force: bool,
}

/// Copies the offsets of one group to another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CloneGroupOffsetRequest {
    pub src_group: String,
    pub dest_group: String,
    pub topic: Option<String>,
    #[serde(default)]
    pub offline: bool,
}

/// Asks for the lowest offset among the groups of a topic, by queue.
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
