//! Membership: heartbeats, members of a group, clients that leave.
#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use serde::{Deserialize, Serialize};

use super::{exchanges, headers};
use crate::body::{CheckClientConfigBody, ConsumerIdList, HeartbeatData};
use crate::payload::Json;

/// Reports a client with all its groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeartbeatRequest {}

/// The response to a heartbeat. 4.9 sends it without fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeartbeatResponse {
    /// True if the broker accepts heartbeats without subscriptions.
    #[serde(rename = "IS_SUPPORT_HEART_BEAT_V2", default)]
    pub is_support_heart_beat_v2: bool,
    /// True if the group's subscriptions differ from those of the fingerprint.
    #[serde(rename = "IS_SUB_CHANGE", default)]
    pub is_sub_change: bool,
}

/// Removes a client from one of its groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnregisterClientRequest {
    #[serde(rename = "clientID")]
    pub client_id: String,
    pub producer_group: Option<String>,
    pub consumer_group: Option<String>,
}

/// Tells a consumer that the members of its group changed, so that it rebalances.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotifyConsumerIdsChangedRequest {
    pub consumer_group: String,
}

/// Asks for the members of a group. The response is SYSTEM_ERROR for a group without members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetConsumerListByGroupRequest {
    pub consumer_group: String,
}

/// Asks the broker to check a subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckClientConfigRequest {}

headers!(HeartbeatResponse);

exchanges! {
    HeartbeatRequest = HEART_BEAT, Json<HeartbeatData> => HeartbeatResponse;
    UnregisterClientRequest = UNREGISTER_CLIENT => ();
    NotifyConsumerIdsChangedRequest = NOTIFY_CONSUMER_IDS_CHANGED => ();
    GetConsumerListByGroupRequest = GET_CONSUMER_LIST_BY_GROUP => Json<ConsumerIdList>;
    CheckClientConfigRequest = CHECK_CLIENT_CONFIG, Json<CheckClientConfigBody> => ();
}
