//! Requests to a name server, from clients, brokers and tools.
#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{exchanges, headers};
use crate::body::{BrokerMemberGroupBody, DataVersion, KvTable, TopicList};
use crate::payload::Json;
use crate::route::{ClusterInfo, RouteAnswer, TopicRoute};

/// Asks for the route of a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetRouteInfoRequest {
    pub topic: String,
    /// With `true` the response is standard JSON, with quoted integer keys.
    pub accept_standard_json_only: Option<bool>,
}

/// Asks for all brokers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetClusterInfoRequest {}

/// Stores a value of the key-value configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PutKvConfigRequest {
    pub namespace: String,
    pub key: String,
    pub value: String,
}

/// Asks for a value of the key-value configuration. The response is QUERY_NOT_FOUND if there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetKvConfigRequest {
    pub namespace: String,
    pub key: String,
}

/// A value of the key-value configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetKvConfigResponse {
    pub value: Option<String>,
}

/// Deletes a value of the key-value configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteKvConfigRequest {
    pub namespace: String,
    pub key: String,
}

/// Asks for all values of a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetKvListRequest {
    pub namespace: String,
}

/// Registers a broker with its topics. The body is a [`RegisterBrokerBody`](crate::body::RegisterBrokerBody), perhaps
/// compressed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegisterBrokerRequest {
    pub broker_name: String,
    pub broker_addr: String,
    pub cluster_name: String,
    #[serde(default)]
    pub ha_server_addr: String,
    /// 0 for a master.
    pub broker_id: i64,
    /// Life of the registration, in ms; 120,000 if absent.
    pub heartbeat_timeout_millis: Option<i64>,
    /// Absent in the registration of a broker before 5.0.
    pub enable_acting_master: Option<bool>,
    #[serde(default)]
    pub compressed: bool,
    /// Checksum of the body as sent, with its top bit cleared. 0 means unchecked.
    #[serde(default)]
    pub body_crc32: i32,
}

/// The addresses of the master, for a slave only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegisterBrokerResponse {
    pub ha_server_addr: Option<String>,
    pub master_addr: Option<String>,
}

/// Removes the registration of a broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnregisterBrokerRequest {
    pub broker_name: String,
    pub broker_addr: String,
    pub cluster_name: String,
    pub broker_id: i64,
}

/// Asks if the broker's topics differ from the registered ones. The body is the broker's version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryDataVersionRequest {
    pub broker_name: String,
    pub broker_addr: String,
    pub cluster_name: String,
    pub broker_id: i64,
}

/// Tells if the topics differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryDataVersionResponse {
    #[serde(default)]
    pub changed: bool,
}

/// Reports that a broker is alive.
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
    /// In ms.
    pub heartbeat_timeout_mills: Option<i64>,
    pub election_priority: Option<i32>,
}

/// Tells a broker that another one now has the lowest id of its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotifyMinBrokerIdChangeRequest {
    pub min_broker_id: Option<i64>,
    pub broker_name: Option<String>,
    pub min_broker_addr: Option<String>,
    pub offline_broker_addr: Option<String>,
    pub ha_broker_addr: Option<String>,
}

/// Asks for the brokers that share a name.
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

/// The number of changed topics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WipeWritePermResponse {
    pub wipe_topic_count: i32,
}

/// Reverses [`WipeWritePermRequest`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddWritePermRequest {
    pub broker_name: String,
}

/// The number of changed topics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddWritePermResponse {
    pub add_topic_count: i32,
}

/// Asks for all topics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAllTopicListRequest {}

/// Asks for the topics of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetTopicsByClusterRequest {
    pub cluster: String,
}

/// Asks for the names of clusters and brokers: each is also the name of a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetSystemTopicListFromNsRequest {}

/// Asks for the topics of units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetUnitTopicListRequest {}

/// Asks for the topics to which units subscribe.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetHasUnitSubTopicListRequest {}

/// Asks for the topics to which units subscribe, and which belong to no unit.
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

/// Registers one topic of a broker. The body holds only its queues.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegisterTopicRequest {
    pub topic: String,
}

/// Changes the configuration of the name server. The body is properties text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateNamesrvConfigRequest {}

/// Asks for the configuration of the name server, as properties text.
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
