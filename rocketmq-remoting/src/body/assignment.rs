//! Assignment of queues by the broker, and the switch of a group between pull and POP.

#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::constant::java_enum;

use super::heartbeat::MessageModel;
use crate::route::MessageQueue;

java_enum! {
    /// Selects pull or POP. An unknown name reads as pull.
    pub enum MessageRequestMode {
        #[default]
        Pull = "PULL",
        Pop = "POP",
    }
}

/// Asks for the client's queues of a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct QueryAssignmentBody {
    pub client_id: String,
    pub consumer_group: String,
    pub message_model: MessageModel,
    /// `AVG`, `AVG_BY_CIRCLE` and others.
    pub strategy_name: String,
    pub topic: String,
}

/// The client's queues. `None` tells the client to keep those it has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct QueryAssignmentResult {
    pub message_queue_assignments: Option<Vec<MessageQueueAssignment>>,
}

/// One queue, or in POP mode all queues of one broker (queue id -1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MessageQueueAssignment {
    pub attachments: Option<BTreeMap<String, String>>,
    pub message_queue: MessageQueue,
    pub mode: MessageRequestMode,
}

/// Switches a group between pull and POP for a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MessageRequestModeBody {
    pub consumer_group: String,
    pub mode: MessageRequestMode,
    /// Number of members that share a queue; 0 means all.
    pub pop_share_queue_num: i32,
    pub topic: String,
}

/// The modes of a broker, by topic and group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AllMessageRequestModes {
    pub message_request_mode_map: BTreeMap<String, BTreeMap<String, MessageRequestModeBody>>,
}
