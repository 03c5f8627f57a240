//! Dividing queues on the broker, and switching groups between pull and pop.

#![allow(missing_docs)] // The fields have the protocol's own names; where a name does not say it all, the field has a comment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::constant::java_enum;

use super::heartbeat::MessageModel;
use crate::route::MessageQueue;

java_enum! {
    /// Pull or pop. An unknown name reads as pull.
    pub enum MessageRequestMode {
        #[default]
        Pull = "PULL",
        Pop = "POP",
    }
}

/// Asks for this client's share of a topic.
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

/// The share; `None`: keep what you have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct QueryAssignmentResult {
    pub message_queue_assignments: Option<Vec<MessageQueueAssignment>>,
}

/// One queue, or in pop mode all queues of one broker (queue id -1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MessageQueueAssignment {
    pub attachments: Option<BTreeMap<String, String>>,
    pub message_queue: MessageQueue,
    pub mode: MessageRequestMode,
}

/// Switches a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MessageRequestModeBody {
    pub consumer_group: String,
    pub mode: MessageRequestMode,
    /// How many members share a queue; 0: all.
    pub pop_share_queue_num: i32,
    pub topic: String,
}

/// All switches, by topic and group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AllMessageRequestModes {
    pub message_request_mode_map: BTreeMap<String, BTreeMap<String, MessageRequestModeBody>>,
}
