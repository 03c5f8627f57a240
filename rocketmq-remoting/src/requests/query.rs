//! Queries for stored messages.
#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{exchanges, headers};
use crate::body::QueryConsumeQueueBody;
use crate::payload::Json;

/// Asks for messages by key. The index knows only a hash, so compare the keys of the response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryMessageRequest {
    pub topic: String,
    pub key: String,
    pub max_num: i32,
    /// In ms since the epoch.
    pub begin_timestamp: i64,
    /// In ms since the epoch.
    pub end_timestamp: i64,
    /// True if the key is a unique key. The broker then applies its own limit to the number of messages.
    #[serde(rename = "_UNIQUE_KEY_QUERY")]
    pub unique_key_query: Option<bool>,
    /// `K` in a query by key of a 5.4 client.
    pub index_type: Option<String>,
}

/// The age of the index; the body holds the messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryMessageResponse {
    /// In ms since the epoch.
    #[serde(default)]
    pub index_last_update_timestamp: i64,
    #[serde(default)]
    pub index_last_update_phyoffset: i64,
}

/// Asks for the message at a commit log offset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ViewMessageRequest {
    pub offset: i64,
    pub topic: Option<String>,
}

/// Asks for entries of a consume queue.
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
