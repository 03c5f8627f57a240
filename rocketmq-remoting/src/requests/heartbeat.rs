//! Membership: who is there, who left, who shares a group.
#![allow(missing_docs)] // The fields have the protocol's own names; where a name does not say it all, the field has a comment.

use serde::{Deserialize, Serialize};

use super::{exchanges, headers};
use crate::body::{CheckClientConfigBody, ConsumerIdList, HeartbeatData};
use crate::payload::Json;

/// A client lives; the body is a [`HeartbeatData`](crate::body::HeartbeatData).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeartbeatRequest {}

/// What a 5.x broker adds; 4.9 answers without header.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeartbeatResponse {
    /// The broker takes heartbeats without subscriptions.
    #[serde(rename = "IS_SUPPORT_HEART_BEAT_V2", default)]
    pub is_support_heart_beat_v2: bool,
    /// The group's subscriptions are not those of the fingerprint sent.
    #[serde(rename = "IS_SUB_CHANGE", default)]
    pub is_sub_change: bool,
}

/// A client leaves one of its groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnregisterClientRequest {
    #[serde(rename = "clientID")]
    pub client_id: String,
    pub producer_group: Option<String>,
    pub consumer_group: Option<String>,
}

/// Broker to consumer: the group's members changed, rebalance now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotifyConsumerIdsChangedRequest {
    pub consumer_group: String,
}

/// Asks for a group's members; the body is a [`ConsumerIdList`](crate::body::ConsumerIdList). SYSTEM_ERROR when there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetConsumerListByGroupRequest {
    pub consumer_group: String,
}

/// Asks whether the broker takes a subscription; the body is a [`CheckClientConfigBody`](crate::body::CheckClientConfigBody).
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
