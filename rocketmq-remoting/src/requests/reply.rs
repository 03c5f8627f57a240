//! Request-reply: the way of a reply from the broker to the requester.
#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::exchanges;

/// Pushes a reply to its requester. The body is the reply's, and the fields always have long names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PushReplyMessageRequest {
    /// Address as `host:port`.
    #[serde(default)]
    pub born_host: String,
    /// Address as `host:port`.
    #[serde(default)]
    pub store_host: String,
    /// In ms since the epoch.
    #[serde(default)]
    pub store_timestamp: i64,
    #[serde(default)]
    pub producer_group: String,
    pub topic: String,
    #[serde(default)]
    pub default_topic: String,
    #[serde(default)]
    pub default_topic_queue_nums: i32,
    pub queue_id: i32,
    #[serde(default)]
    pub sys_flag: i32,
    /// In ms since the epoch.
    #[serde(default)]
    pub born_timestamp: i64,
    #[serde(default)]
    pub flag: i32,
    pub properties: Option<String>,
    pub reconsume_times: Option<i32>,
    pub unit_mode: Option<bool>,
}

exchanges! {
    PushReplyMessageRequest = PUSH_REPLY_MESSAGE_TO_CLIENT, Bytes => ();
}
