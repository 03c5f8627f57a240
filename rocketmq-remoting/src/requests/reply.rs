//! Request and reply: the answer on its way back to the requester.
#![allow(missing_docs)] // The fields have the protocol's own names; where a name does not say it all, the field has a comment.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::exchanges;

/// Broker to requester: here is the reply (the body). Always under the long names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PushReplyMessageRequest {
    /// `host:port`.
    #[serde(default)]
    pub born_host: String,
    /// `host:port`.
    #[serde(default)]
    pub store_host: String,
    /// ms since the epoch.
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
    /// ms since the epoch.
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
