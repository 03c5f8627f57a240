//! Topics: configuration and figures.
#![allow(missing_docs)] // The fields have the protocol's own names; where a name does not say it all, the field has a comment.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{exchanges, headers};
use crate::body::{GroupList, TopicConfig, TopicConfigList, TopicConfigWrapper, TopicList, TopicStatsTable};
use crate::payload::Json;

/// Makes or changes a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateTopicRequest {
    pub topic: String,
    #[serde(default)]
    pub default_topic: String,
    pub read_queue_nums: i32,
    pub write_queue_nums: i32,
    pub perm: i32,
    /// `SINGLE_TAG` or `MULTI_TAG`; a broker refuses anything else.
    #[serde(default)]
    pub topic_filter_type: String,
    pub topic_sys_flag: Option<i32>,
    #[serde(default)]
    pub order: bool,
    /// `+key=value,-key`.
    pub attributes: Option<String>,
    pub force: Option<bool>,
}

/// Makes or changes several; the body is a [`TopicConfigList`](crate::body::TopicConfigList).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateTopicListRequest {}

/// Makes or changes a static topic; the body holds the mapping.
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

/// Removes a topic from a broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteTopicRequest {
    pub topic: String,
}

/// Asks for a topic; the body is a [`TopicConfig`](crate::body::TopicConfig). Unknown to 4.9.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetTopicConfigRequest {
    pub topic: String,
    pub lo: Option<bool>,
}

/// Asks for all topics. Old peers send no fields and want everything; so does a broker that ignores them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAllTopicConfigRequest {
    pub topic_seq: Option<i32>,
    pub data_version: Option<String>,
    pub max_topic_num: Option<i32>,
}

/// How many there are in all (5.3 and later).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAllTopicConfigResponse {
    pub total_topic_num: Option<i32>,
}

/// Asks for a topic's bounds; the body is a [`TopicStatsTable`](crate::body::TopicStatsTable).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetTopicStatsInfoRequest {
    pub topic: String,
}

/// Asks for the groups that consume a topic; the body is a [`GroupList`](crate::body::GroupList).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryTopicConsumeByWhoRequest {
    pub topic: String,
}

/// Asks for a broker's system topics; the body is a [`TopicList`](crate::body::TopicList).
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
