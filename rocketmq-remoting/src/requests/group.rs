//! Consumer groups: settings, members, progress.
#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

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

/// Creates or changes a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateSubscriptionGroupRequest {}

/// Creates or changes several groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateSubscriptionGroupListRequest {}

/// Asks for all groups. A request without fields, as old peers send it, asks for everything; a broker that ignores the
/// fields answers with everything too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAllSubscriptionGroupConfigRequest {
    pub group_seq: Option<i32>,
    pub data_version: Option<String>,
    pub max_group_num: Option<i32>,
}

/// The number of all groups (5.3 and later).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAllSubscriptionGroupConfigResponse {
    pub total_group_num: Option<i32>,
}

/// Asks for one group. The response is SUBSCRIPTION_GROUP_NOT_EXIST for an unknown group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetSubscriptionGroupConfigRequest {
    pub group: String,
}

/// Deletes a group, and on request its offsets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteSubscriptionGroupRequest {
    pub group_name: String,
    #[serde(default)]
    pub clean_offset: bool,
}

/// Forbids a group to read a topic, or asks if it may.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateGroupForbiddenRequest {
    pub group: String,
    pub topic: String,
    pub readable: Option<bool>,
}

/// Asks for the members of a consumer group. The response is CONSUMER_NOT_ONLINE for a group without members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetConsumerConnectionListRequest {
    pub consumer_group: String,
}

/// Asks for the members of a producer group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetProducerConnectionListRequest {
    pub producer_group: String,
}

/// Asks for all producers of the broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAllProducerInfoRequest {}

/// Asks for the progress of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetConsumeStatsRequest {
    pub consumer_group: String,
    /// Without a topic, all topics of the group.
    pub topic: Option<String>,
    /// Several topics, separated by `;`.
    pub topic_list: Option<String>,
}

/// Asks a consumer for its state, directly or through its broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetConsumerRunningInfoRequest {
    pub consumer_group: String,
    pub client_id: String,
    #[serde(default)]
    pub jstack_enable: bool,
}

/// Asks a consumer, from its broker, for its offsets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetConsumerStatusRequest {
    pub topic: String,
    pub group: String,
    pub client_addr: Option<String>,
}

/// Tells a broker to ask its consumers with [`GetConsumerStatusRequest`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvokeGetConsumerStatusRequest {
    pub topic: String,
    pub group: String,
    pub client_addr: Option<String>,
}

/// Hands one message to one consumer. An administrator sends the offset message id and no body; the broker adds the
/// rest.
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

/// Asks for the subscription of a group to a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuerySubscriptionByConsumerRequest {
    pub group: String,
    pub topic: Option<String>,
}

/// Asks for the topics of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryTopicsByConsumerRequest {
    pub group: String,
}

/// Asks for the age of the messages that a group has not consumed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryConsumeTimeSpanRequest {
    pub topic: String,
    pub group: String,
}

/// Asks the broker for the client's queues.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryAssignmentRequest {}

/// Switches a group between pull and POP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetMessageRequestModeRequest {}

/// Asks a master, from its slave, for the modes of all groups.
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
