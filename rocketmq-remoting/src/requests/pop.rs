//! Consumption by POP. The broker gives messages out for a time, and delivers them again unless they are acknowledged.
//!
//! All these codes are above 32767, so the requests travel with a JSON header.
#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{exchanges, headers};
use crate::body::BatchAckBody;
use crate::payload::Json;

/// Asks for messages of a queue or of all queues, and hides them from other consumers for `invisible_time`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PopMessageRequest {
    pub consumer_group: String,
    pub topic: String,
    /// -1 means all queues.
    pub queue_id: i32,
    /// From 1 to 32.
    pub max_msg_nums: i32,
    /// In ms.
    pub invisible_time: i64,
    /// Longest wait of the broker for a message, in ms; 0 means no wait.
    #[serde(default)]
    pub poll_time: i64,
    /// Time of the request, ms since the epoch. With 0 the broker fills it in, and the clocks of both need not agree.
    #[serde(default)]
    pub born_time: i64,
    /// Start of a new group: 0 is the first message, 1 is the end.
    #[serde(default)]
    pub init_mode: i32,
    /// `TAG` or `SQL92`.
    pub exp_type: Option<String>,
    /// The expression of the subscription.
    pub exp: Option<String>,
    /// True for consumption in order, queue by queue.
    #[serde(default)]
    pub order: bool,
    /// Id of an ordered request; a repeated request has the same id.
    pub attempt_id: Option<String>,
}

/// The popped messages: their receipts in fields, the messages in the body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PopMessageResponse {
    /// In ms since the epoch.
    pub pop_time: i64,
    /// In ms.
    pub invisible_time: i64,
    /// Queue of the revive topic; 999 for an ordered pop.
    pub revive_qid: i32,
    /// Number of messages left in the queues.
    pub rest_num: i64,
    /// Entries `<r> <queueId> <startOffset>`, separated by `;`.
    pub start_offset_info: Option<String>,
    /// Entries `<r> <queueId> <offset,offset>`, separated by `;`.
    pub msg_offset_info: Option<String>,
    /// Entries `<r> <queueId> <count>` or `<r> qo<queueId>%<offset> <count>`, separated by `;`.
    pub order_count_info: Option<String>,
}

/// Acknowledges one popped message. The topic is the retry topic if the receipt says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AckMessageRequest {
    pub consumer_group: String,
    pub topic: String,
    pub queue_id: i32,
    /// The receipt.
    pub extra_info: String,
    /// The queue offset, which is the last part of the receipt.
    pub offset: i64,
}

/// Acknowledges many popped messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchAckMessageRequest {}

/// Changes the time for which a popped message stays hidden.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeInvisibleTimeRequest {
    pub consumer_group: String,
    pub topic: String,
    pub queue_id: i32,
    /// The receipt.
    pub extra_info: String,
    /// The queue offset, which is the last part of the receipt.
    pub offset: i64,
    /// In ms from now.
    pub invisible_time: i64,
}

/// The parts of the new receipt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeInvisibleTimeResponse {
    /// In ms since the epoch.
    pub pop_time: i64,
    /// In ms.
    pub invisible_time: i64,
    pub revive_qid: i32,
}

/// Asks for messages without hiding them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PeekMessageRequest {
    pub topic: String,
    pub queue_id: i32,
    pub max_msg_nums: i32,
    pub consumer_group: String,
}

/// Waits until there is a message to pop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotificationRequest {
    pub consumer_group: String,
    pub topic: String,
    pub queue_id: i32,
    /// Longest wait of the broker, in ms.
    #[serde(default)]
    pub poll_time: i64,
    /// Time of the request, ms since the epoch.
    #[serde(default)]
    pub born_time: i64,
    pub order: Option<bool>,
    pub attempt_id: Option<String>,
}

/// Tells if there is a message to pop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotificationResponse {
    #[serde(default)]
    pub has_msg: bool,
    /// True if the broker has too many parked requests already.
    pub polling_full: Option<bool>,
}

/// Asks for the number of parked pops.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PollingInfoRequest {
    pub consumer_group: String,
    pub topic: String,
    pub queue_id: i32,
}

/// The number of parked pops.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PollingInfoResponse {
    pub polling_num: i32,
}

headers!(PopMessageResponse, ChangeInvisibleTimeResponse, NotificationResponse, PollingInfoResponse);

exchanges! {
    PopMessageRequest = POP_MESSAGE => (PopMessageResponse, Bytes);
    AckMessageRequest = ACK_MESSAGE => ();
    BatchAckMessageRequest = BATCH_ACK_MESSAGE, Option<Json<BatchAckBody>> => ();
    ChangeInvisibleTimeRequest = CHANGE_MESSAGE_INVISIBLETIME => ChangeInvisibleTimeResponse;
    PeekMessageRequest = PEEK_MESSAGE => (PopMessageResponse, Bytes), SUCCESS | PULL_NOT_FOUND;
    NotificationRequest = NOTIFICATION => NotificationResponse;
    PollingInfoRequest = POLLING_INFO => PollingInfoResponse;
}
