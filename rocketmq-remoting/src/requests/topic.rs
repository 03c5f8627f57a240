//! Topics: settings and figures.
#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{exchanges, headers};
use crate::body::{GroupList, TopicConfig, TopicConfigList, TopicConfigWrapper, TopicList, TopicStatsTable};
use crate::payload::Json;

/// Creates or changes a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateTopicRequest {
    pub topic: String,
    #[serde(default)]
    pub default_topic: String,
    pub read_queue_nums: i32,
    pub write_queue_nums: i32,
    pub perm: i32,
    /// `SINGLE_TAG` or `MULTI_TAG`; brokers refuse other values.
    #[serde(default)]
    pub topic_filter_type: String,
    pub topic_sys_flag: Option<i32>,
    #[serde(default)]
    pub order: bool,
    /// Changes such as `+key=value,-key`.
    pub attributes: Option<String>,
    pub force: Option<bool>,
}

/// Creates or changes several topics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateTopicListRequest {}

/// Creates or changes a static topic. The body is its mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateStaticTopicRequest {
    pub topic: String,
    #[serde(default)]
    pub default_topic: String,
    pub read_queue_nums: i32,
    pub write_queue_nums: i32,
    pub perm: i32,
    #[serde(default)]
    pub topic_filter_type: String,
    pub topic_sys_flag: Option<i32>,
    #[serde(default)]
    pub order: bool,
    pub attributes: Option<String>,
    pub force: Option<bool>,
}

/// Deletes a topic of a broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteTopicRequest {
    pub topic: String,
}

/// Asks for the settings of a topic. Unknown to 4.9.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetTopicConfigRequest {
    pub topic: String,
    pub lo: Option<bool>,
}

/// Asks for all topics. A request without fields, as old peers send it, asks for everything; a broker that ignores the
/// fields answers with everything too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAllTopicConfigRequest {
    pub topic_seq: Option<i32>,
    pub data_version: Option<String>,
    pub max_topic_num: Option<i32>,
}

/// The number of all topics (5.3 and later).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAllTopicConfigResponse {
    pub total_topic_num: Option<i32>,
}

/// Asks for the bounds of a topic's queues.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetTopicStatsInfoRequest {
    pub topic: String,
}

/// Asks for the groups that consume a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryTopicConsumeByWhoRequest {
    pub topic: String,
}

/// Asks for the system topics of a broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetSystemTopicListFromBrokerRequest {}

headers!(GetAllTopicConfigResponse);

exchanges! {
    UpdateTopicRequest = UPDATE_AND_CREATE_TOPIC => ();
    UpdateTopicListRequest = UPDATE_AND_CREATE_TOPIC_LIST, Json<TopicConfigList> => ();
    UpdateStaticTopicRequest = UPDATE_AND_CREATE_STATIC_TOPIC, Bytes => ();
    DeleteTopicRequest = DELETE_TOPIC_IN_BROKER => ();
    GetTopicConfigRequest = GET_TOPIC_CONFIG => Json<TopicConfig>;
    GetAllTopicConfigRequest = GET_ALL_TOPIC_CONFIG => (GetAllTopicConfigResponse, Json<TopicConfigWrapper>);
    GetTopicStatsInfoRequest = GET_TOPIC_STATS_INFO => Json<TopicStatsTable>;
    QueryTopicConsumeByWhoRequest = QUERY_TOPIC_CONSUME_BY_WHO => Json<GroupList>;
    GetSystemTopicListFromBrokerRequest = GET_SYSTEM_TOPIC_LIST_FROM_BROKER => Json<TopicList>;
}
