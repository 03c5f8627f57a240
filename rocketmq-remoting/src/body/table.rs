//! Plain tables and lists.

#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::subscription::SubscriptionData;

/// Values by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KvTable {
    pub table: BTreeMap<String, String>,
}

/// Names of topics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TopicList {
    /// Address of any broker, in a name server's list of system topics.
    pub broker_addr: Option<String>,
    pub topic_list: Vec<String>,
}

/// Names of groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GroupList {
    pub group_list: Vec<String>,
}

/// The subscription of a group to a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct QuerySubscriptionResult {
    pub group: String,
    pub subscription_data: Option<SubscriptionData>,
    pub topic: String,
}
