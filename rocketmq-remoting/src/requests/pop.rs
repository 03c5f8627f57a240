//! Consuming by pop: the broker hands out messages for a time and takes them back unless they are acknowledged.
//!
//! All codes here are over 32767 and therefore travel with a JSON header.
#![allow(missing_docs)] // The fields have the protocol's own names; where a name does not say it all, the field has a comment.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{exchanges, headers};
use crate::body::BatchAckBody;
use crate::payload::Json;

/// Asks for messages of any queue, hidden from others for `invisible_time`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PopMessageRequest {
    pub consumer_group: String,
    pub topic: String,
    /// -1: all queues.
    pub queue_id: i32,
    /// 1 to 32.
    pub max_msg_nums: i32,
    /// ms.
    pub invisible_time: i64,
    /// How long the broker may wait for a message, ms; 0 answers at once.
    #[serde(default)]
    pub poll_time: i64,
    /// When the request was made, ms since the epoch; 0 lets the broker fill it in, which spares both a comparison of clocks.
    #[serde(default)]
    pub born_time: i64,
    /// Where a new group starts: 0 at the first message, 1 at the end.
    #[serde(default)]
    pub init_mode: i32,
    /// `TAG` or `SQL92`.
    pub exp_type: Option<String>,
    /// The expression.
    pub exp: Option<String>,
    /// In order, queue by queue.
    #[serde(default)]
    pub order: bool,
    /// The same for a repeated ordered request.
    pub attempt_id: Option<String>,
}

/// What was handed out; the messages are the body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PopMessageResponse {
    /// ms since the epoch.
    pub pop_time: i64,
    /// ms.
    pub invisible_time: i64,
    /// 999: ordered.
    pub revive_qid: i32,
    /// Messages left behind.
    pub rest_num: i64,
    /// `<r> <queueId> <startOffset>`, joined by `;`.
    pub start_offset_info: Option<String>,
    /// `<r> <queueId> <offset,offset>`, joined by `;`.
    pub msg_offset_info: Option<String>,
    /// `<r> <queueId> <count>` or `<r> qo<queueId>%<offset> <count>`, joined by `;`.
    pub order_count_info: Option<String>,
}

/// Acknowledges one popped message. The topic is the retry topic when the receipt says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AckMessageRequest {
    pub consumer_group: String,
    pub topic: String,
    pub queue_id: i32,
    /// The receipt.
    pub extra_info: String,
    /// The queue offset, the receipt's last part.
    pub offset: i64,
}

/// Acknowledges many; the list is the body ([`BatchAckBody`](crate::body::BatchAckBody)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchAckMessageRequest {}

/// Hides one popped message for longer, or shorter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeInvisibleTimeRequest {
    pub consumer_group: String,
    pub topic: String,
    pub queue_id: i32,
    /// The receipt.
    pub extra_info: String,
    /// The queue offset, the receipt's last part.
    pub offset: i64,
    /// ms from now.
    pub invisible_time: i64,
}

/// The parts of the new receipt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeInvisibleTimeResponse {
    /// ms since the epoch.
    pub pop_time: i64,
    /// ms.
    pub invisible_time: i64,
    pub revive_qid: i32,
}

/// Looks at messages without taking them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PeekMessageRequest {
    pub topic: String,
    pub queue_id: i32,
    pub max_msg_nums: i32,
    pub consumer_group: String,
}

/// Waits until there is something to pop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotificationRequest {
    pub consumer_group: String,
    pub topic: String,
    pub queue_id: i32,
    /// How long the broker may wait, ms.
    #[serde(default)]
    pub poll_time: i64,
    /// When the request was made, ms since the epoch.
    #[serde(default)]
    pub born_time: i64,
    pub order: Option<bool>,
    pub attempt_id: Option<String>,
}

/// Whether there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotificationResponse {
    #[serde(default)]
    pub has_msg: bool,
    /// The broker holds too many waiting requests already.
    pub polling_full: Option<bool>,
}

/// Asks how many pops wait.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PollingInfoRequest {
    pub consumer_group: String,
    pub topic: String,
    pub queue_id: i32,
}

/// How many pops wait.
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
