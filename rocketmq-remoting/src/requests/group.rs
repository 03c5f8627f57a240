//! Consumer groups: configuration, members, progress.
#![allow(missing_docs)] // The fields have the protocol's own names; where a name does not say it all, the field has a comment.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{exchanges, headers};
use crate::body::{
    AllMessageRequestModes, ConsumeMessageDirectlyResult, ConsumeStats, ConsumeTimeSpanBody,
    ConsumerConnection, ConsumerRunningInfo, GetConsumerStatusBody, GroupForbidden, MessageRequestModeBody,
    ProducerConnection, ProducerTableInfo, QueryAssignmentBody, QueryAssignmentResult,
    QuerySubscriptionResult, SubscriptionGroupConfig, SubscriptionGroupList, SubscriptionGroupWrapper,
    TopicList,
};
use crate::payload::Json;

/// Makes or changes a group; the body is a [`SubscriptionGroupConfig`](crate::body::SubscriptionGroupConfig).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateSubscriptionGroupRequest {}

/// Makes or changes several; the body is a [`SubscriptionGroupList`](crate::body::SubscriptionGroupList).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateSubscriptionGroupListRequest {}

/// Asks for all groups. Old peers send no fields and want everything; so does a broker that ignores them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAllSubscriptionGroupConfigRequest {
    pub group_seq: Option<i32>,
    pub data_version: Option<String>,
    pub max_group_num: Option<i32>,
}

/// How many there are in all (5.3 and later).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAllSubscriptionGroupConfigResponse {
    pub total_group_num: Option<i32>,
}

/// Asks for one group. SUBSCRIPTION_GROUP_NOT_EXIST when there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetSubscriptionGroupConfigRequest {
    pub group: String,
}

/// Removes a group, and its offsets when asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteSubscriptionGroupRequest {
    pub group_name: String,
    #[serde(default)]
    pub clean_offset: bool,
}

/// Forbids a group to read a topic, or asks whether it may.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateGroupForbiddenRequest {
    pub group: String,
    pub topic: String,
    pub readable: Option<bool>,
}

/// Asks who consumes; the body is a [`ConsumerConnection`](crate::body::ConsumerConnection). CONSUMER_NOT_ONLINE when nobody does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetConsumerConnectionListRequest {
    pub consumer_group: String,
}

/// Asks who produces; the body is a [`ProducerConnection`](crate::body::ProducerConnection).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetProducerConnectionListRequest {
    pub producer_group: String,
}

/// Asks for all producers; the body is a [`ProducerTableInfo`](crate::body::ProducerTableInfo).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAllProducerInfoRequest {}

/// Asks how far a group is; the body is a [`ConsumeStats`](crate::body::ConsumeStats).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetConsumeStatsRequest {
    pub consumer_group: String,
    /// Missing or empty: all topics of the group.
    pub topic: Option<String>,
    /// Several topics, joined by `;`.
    pub topic_list: Option<String>,
}

/// Asks a client for its state, directly or through its broker; the body is a [`ConsumerRunningInfo`](crate::body::ConsumerRunningInfo).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetConsumerRunningInfoRequest {
    pub consumer_group: String,
    pub client_id: String,
    #[serde(default)]
    pub jstack_enable: bool,
}

/// Broker to consumer: where do you stand? The body is a [`GetConsumerStatusBody`](crate::body::GetConsumerStatusBody).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetConsumerStatusRequest {
    pub topic: String,
    pub group: String,
    pub client_addr: Option<String>,
}

/// Admin to broker: ask the consumers with [`GetConsumerStatusRequest`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvokeGetConsumerStatusRequest {
    pub topic: String,
    pub group: String,
    pub client_addr: Option<String>,
}

/// Hands one message to one consumer. An admin sends no body and the offset message id; the broker adds the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsumeMessageDirectlyRequest {
    pub consumer_group: String,
    pub client_id: Option<String>,
    pub msg_id: Option<String>,
    pub broker_name: Option<String>,
    pub topic: Option<String>,
    pub topic_sys_flag: Option<i32>,
    pub group_sys_flag: Option<i32>,
}

/// Asks what a group wants of a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuerySubscriptionByConsumerRequest {
    pub group: String,
    pub topic: Option<String>,
}

/// Asks for a group's topics; the body is a [`TopicList`](crate::body::TopicList).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryTopicsByConsumerRequest {
    pub group: String,
}

/// Asks how old the messages are that a group has before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryConsumeTimeSpanRequest {
    pub topic: String,
    pub group: String,
}

/// Asks the broker to divide the queues; the body is a [`QueryAssignmentBody`](crate::body::QueryAssignmentBody).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryAssignmentRequest {}

/// Switches a group between pull and pop; the body is a [`MessageRequestModeBody`](crate::body::MessageRequestModeBody).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetMessageRequestModeRequest {}

/// Slave to master: all switches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAllMessageRequestModeRequest {}

headers!(GetAllSubscriptionGroupConfigResponse);

exchanges! {
    UpdateSubscriptionGroupRequest = UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, Json<SubscriptionGroupConfig> => ();
    UpdateSubscriptionGroupListRequest = UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST, Json<SubscriptionGroupList> => ();
    GetAllSubscriptionGroupConfigRequest = GET_ALL_SUBSCRIPTIONGROUP_CONFIG
    => (GetAllSubscriptionGroupConfigResponse, Json<SubscriptionGroupWrapper>);
    GetSubscriptionGroupConfigRequest = GET_SUBSCRIPTIONGROUP_CONFIG => Json<SubscriptionGroupConfig>;
    DeleteSubscriptionGroupRequest = DELETE_SUBSCRIPTIONGROUP => ();
    UpdateGroupForbiddenRequest = UPDATE_AND_GET_GROUP_FORBIDDEN => Json<GroupForbidden>;
    GetConsumerConnectionListRequest = GET_CONSUMER_CONNECTION_LIST => Json<ConsumerConnection>;
    GetProducerConnectionListRequest = GET_PRODUCER_CONNECTION_LIST => Json<ProducerConnection>;
    GetAllProducerInfoRequest = GET_ALL_PRODUCER_INFO => Json<ProducerTableInfo>;
    GetConsumeStatsRequest = GET_CONSUME_STATS => Json<ConsumeStats>;
    GetConsumerRunningInfoRequest = GET_CONSUMER_RUNNING_INFO => Json<ConsumerRunningInfo>;
    GetConsumerStatusRequest = GET_CONSUMER_STATUS_FROM_CLIENT => Json<GetConsumerStatusBody>;
    InvokeGetConsumerStatusRequest = INVOKE_BROKER_TO_GET_CONSUMER_STATUS => Json<GetConsumerStatusBody>;
    ConsumeMessageDirectlyRequest = CONSUME_MESSAGE_DIRECTLY, Bytes => Json<ConsumeMessageDirectlyResult>;
    QuerySubscriptionByConsumerRequest = QUERY_SUBSCRIPTION_BY_CONSUMER => Json<QuerySubscriptionResult>;
    QueryTopicsByConsumerRequest = QUERY_TOPICS_BY_CONSUMER => Json<TopicList>;
    QueryConsumeTimeSpanRequest = QUERY_CONSUME_TIME_SPAN => Json<ConsumeTimeSpanBody>;
    QueryAssignmentRequest = QUERY_ASSIGNMENT, Json<QueryAssignmentBody> => Json<QueryAssignmentResult>;
    SetMessageRequestModeRequest = SET_MESSAGE_REQUEST_MODE, Json<MessageRequestModeBody> => ();
    GetAllMessageRequestModeRequest = GET_ALL_MESSAGE_REQUEST_MODE => Json<AllMessageRequestModes>;
}
