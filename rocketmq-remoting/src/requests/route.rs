//! What clients, brokers and tools ask of a name server.
#![allow(missing_docs)] // The fields have the protocol's own names; where a name does not say it all, the field has a comment.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{exchanges, headers};
use crate::body::{BrokerMemberGroupBody, DataVersion, KvTable, TopicList};
use crate::payload::Json;
use crate::route::{ClusterInfo, RouteAnswer, TopicRoute};

/// Asks where a topic lives; the body is a [`TopicRoute`](crate::route::TopicRoute).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetRouteInfoRequest {
    pub topic: String,
    /// `true`: integer keys come quoted.
    pub accept_standard_json_only: Option<bool>,
}

/// Asks for all brokers; the body is a [`ClusterInfo`](crate::route::ClusterInfo).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetClusterInfoRequest {}

/// Stores a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PutKvConfigRequest {
    pub namespace: String,
    pub key: String,
    pub value: String,
}

/// Asks for a value. Answered QUERY_NOT_FOUND when there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetKvConfigRequest {
    pub namespace: String,
    pub key: String,
}

/// A stored value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetKvConfigResponse {
    pub value: Option<String>,
}

/// Removes a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteKvConfigRequest {
    pub namespace: String,
    pub key: String,
}

/// Asks for all values of a namespace; the body is a [`KvTable`](crate::body::KvTable).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetKvListRequest {
    pub namespace: String,
}

/// A broker tells its topics; the body is a [`RegisterBrokerBody`](crate::body::RegisterBrokerBody).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegisterBrokerRequest {
    pub broker_name: String,
    pub broker_addr: String,
    pub cluster_name: String,
    #[serde(default)]
    pub ha_server_addr: String,
    /// 0: master.
    pub broker_id: i64,
    /// How long the registration lives without another, ms; 120,000 when missing.
    pub heartbeat_timeout_millis: Option<i64>,
    /// Missing: a broker from before 5.0.
    pub enable_acting_master: Option<bool>,
    #[serde(default)]
    pub compressed: bool,
    /// Checksum of the body as sent, top bit cleared; 0 is not checked.
    #[serde(default)]
    pub body_crc32: i32,
}

/// Told to slaves only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegisterBrokerResponse {
    pub ha_server_addr: Option<String>,
    pub master_addr: Option<String>,
}

/// A broker leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnregisterBrokerRequest {
    pub broker_name: String,
    pub broker_addr: String,
    pub cluster_name: String,
    pub broker_id: i64,
}

/// Asks whether topics changed since the [`DataVersion`](crate::body::DataVersion) of the body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryDataVersionRequest {
    pub broker_name: String,
    pub broker_addr: String,
    pub cluster_name: String,
    pub broker_id: i64,
}

/// Whether they did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryDataVersionResponse {
    #[serde(default)]
    pub changed: bool,
}

/// A broker lives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BrokerHeartbeatRequest {
    pub cluster_name: String,
    pub broker_addr: String,
    pub broker_name: String,
    pub broker_id: Option<i64>,
    pub epoch: Option<i32>,
    pub max_offset: Option<i64>,
    pub confirm_offset: Option<i64>,
    /// ms.
    pub heartbeat_timeout_mills: Option<i64>,
    pub election_priority: Option<i32>,
}

/// Name server to broker: another broker now has the lowest id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotifyMinBrokerIdChangeRequest {
    pub min_broker_id: Option<i64>,
    pub broker_name: Option<String>,
    pub min_broker_addr: Option<String>,
    pub offline_broker_addr: Option<String>,
    pub ha_broker_addr: Option<String>,
}

/// Asks for the brokers of one name; the body is a [`BrokerMemberGroupBody`](crate::body::BrokerMemberGroupBody).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetBrokerMemberGroupRequest {
    pub cluster_name: String,
    pub broker_name: String,
}

/// Makes a broker's topics read-only in the routes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WipeWritePermRequest {
    pub broker_name: String,
}

/// How many topics changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WipeWritePermResponse {
    pub wipe_topic_count: i32,
}

/// Undoes [`WipeWritePermRequest`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddWritePermRequest {
    pub broker_name: String,
}

/// How many topics changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddWritePermResponse {
    pub add_topic_count: i32,
}

/// Asks for all topics; the body is a [`TopicList`](crate::body::TopicList).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAllTopicListRequest {}

/// Asks for a cluster's topics; the body is a [`TopicList`](crate::body::TopicList).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetTopicsByClusterRequest {
    pub cluster: String,
}

/// Asks for cluster and broker names as topics; the body is a [`TopicList`](crate::body::TopicList).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetSystemTopicListFromNsRequest {}

/// Asks for the unit topics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetUnitTopicListRequest {}

/// Asks for the topics with a unit subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetHasUnitSubTopicListRequest {}

/// Asks for the topics with a unit subscription that are no unit topics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetHasUnitSubUnunitTopicListRequest {}

/// Removes a topic from the routes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteTopicInNamesrvRequest {
    pub topic: String,
    pub cluster_name: Option<String>,
}

/// A broker adds one topic; the body is a [`TopicRoute`](crate::route::TopicRoute) with queues only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegisterTopicRequest {
    pub topic: String,
}

/// Changes the name server's configuration; the body is properties text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateNamesrvConfigRequest {}

/// Asks for the name server's configuration; the body is properties text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetNamesrvConfigRequest {}

headers!(
    GetKvConfigResponse,
    RegisterBrokerResponse,
    QueryDataVersionResponse,
    WipeWritePermResponse,
    AddWritePermResponse
);

exchanges! {
    GetRouteInfoRequest = GET_ROUTEINFO_BY_TOPIC => RouteAnswer;
    GetClusterInfoRequest = GET_BROKER_CLUSTER_INFO => Json<ClusterInfo>;
    PutKvConfigRequest = PUT_KV_CONFIG => ();
    GetKvConfigRequest = GET_KV_CONFIG => GetKvConfigResponse;
    DeleteKvConfigRequest = DELETE_KV_CONFIG => ();
    GetKvListRequest = GET_KVLIST_BY_NAMESPACE => Json<KvTable>;
    RegisterBrokerRequest = REGISTER_BROKER, Bytes => (RegisterBrokerResponse, Option<Json<KvTable>>);
    UnregisterBrokerRequest = UNREGISTER_BROKER => ();
    QueryDataVersionRequest = QUERY_DATA_VERSION, Json<DataVersion> => (QueryDataVersionResponse, Option<Json<DataVersion>>);
    BrokerHeartbeatRequest = BROKER_HEARTBEAT => ();
    NotifyMinBrokerIdChangeRequest = NOTIFY_MIN_BROKER_ID_CHANGE => ();
    GetBrokerMemberGroupRequest = GET_BROKER_MEMBER_GROUP => Json<BrokerMemberGroupBody>;
    WipeWritePermRequest = WIPE_WRITE_PERM_OF_BROKER => WipeWritePermResponse;
    AddWritePermRequest = ADD_WRITE_PERM_OF_BROKER => AddWritePermResponse;
    GetAllTopicListRequest = GET_ALL_TOPIC_LIST_FROM_NAMESERVER => Json<TopicList>;
    GetTopicsByClusterRequest = GET_TOPICS_BY_CLUSTER => Json<TopicList>;
    GetSystemTopicListFromNsRequest = GET_SYSTEM_TOPIC_LIST_FROM_NS => Json<TopicList>;
    GetUnitTopicListRequest = GET_UNIT_TOPIC_LIST => Json<TopicList>;
    GetHasUnitSubTopicListRequest = GET_HAS_UNIT_SUB_TOPIC_LIST => Json<TopicList>;
    GetHasUnitSubUnunitTopicListRequest = GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST => Json<TopicList>;
    DeleteTopicInNamesrvRequest = DELETE_TOPIC_IN_NAMESRV => ();
    RegisterTopicRequest = REGISTER_TOPIC_IN_NAMESRV, Option<Json<TopicRoute>> => ();
    UpdateNamesrvConfigRequest = UPDATE_NAMESRV_CONFIG, String => ();
    GetNamesrvConfigRequest = GET_NAMESRV_CONFIG => String;
}
