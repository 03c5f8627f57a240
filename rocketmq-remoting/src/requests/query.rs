//! Looking messages up.
#![allow(missing_docs)] // The fields have the protocol's own names; where a name does not say it all, the field has a comment.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{exchanges, headers};
use crate::body::QueryConsumeQueueBody;
use crate::payload::Json;

/// Asks for messages by key. The index is a hash: the asker compares the keys again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryMessageRequest {
    pub topic: String,
    pub key: String,
    pub max_num: i32,
    /// ms since the epoch.
    pub begin_timestamp: i64,
    /// ms since the epoch.
    pub end_timestamp: i64,
    /// The key is a unique key; the broker then answers up to its own limit.
    #[serde(rename = "_UNIQUE_KEY_QUERY")]
    pub unique_key_query: Option<bool>,
    /// `K` for a key query of 5.4 clients.
    pub index_type: Option<String>,
}

/// How fresh the index is; the messages are the body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryMessageResponse {
    /// ms since the epoch.
    #[serde(default)]
    pub index_last_update_timestamp: i64,
    #[serde(default)]
    pub index_last_update_phyoffset: i64,
}

/// Asks for the message at a commit log offset; it is the body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ViewMessageRequest {
    pub offset: i64,
    pub topic: Option<String>,
}

/// Asks for entries of a consume queue; the body is a [`QueryConsumeQueueBody`](crate::body::QueryConsumeQueueBody).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryConsumeQueueRequest {
    pub topic: String,
    pub queue_id: i32,
    pub index: i64,
    pub count: i32,
    pub consumer_group: Option<String>,
}

headers!(QueryMessageResponse);

exchanges! {
    QueryMessageRequest = QUERY_MESSAGE => (QueryMessageResponse, Bytes);
    ViewMessageRequest = VIEW_MESSAGE_BY_ID => Bytes;
    QueryConsumeQueueRequest = QUERY_CONSUME_QUEUE => Json<QueryConsumeQueueBody>;
}
