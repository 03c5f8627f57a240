//! Plain tables and lists.

#![allow(missing_docs)] // The fields have the protocol's own names; where a name does not say it all, the field has a comment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::subscription::SubscriptionData;

/// Names and values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KvTable {
    pub table: BTreeMap<String, String>,
}

/// Topics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TopicList {
    /// Any broker's address; in the system topics of a name server.
    pub broker_addr: Option<String>,
    pub topic_list: Vec<String>,
}

/// Groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GroupList {
    pub group_list: Vec<String>,
}

/// What a group wants of a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct QuerySubscriptionResult {
    pub group: String,
    pub subscription_data: Option<SubscriptionData>,
    pub topic: String,
}
