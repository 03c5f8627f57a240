//! Settings of topics.

#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::constant::java_enum;
use serde_json::Value;

use crate::route::{Perm, TopicQueueMappingInfo};

/// The version of a table. Two are equal only if all three members are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DataVersion {
    /// Number of changes.
    pub counter: i64,
    /// Unknown to 4.9.
    pub state_version: i64,
    /// Time of the last change, ms since the epoch.
    pub timestamp: i64,
}

impl DataVersion {
    /// Returns the version after a change at `now_ms`.
    #[must_use]
    pub fn next(self, now_ms: i64) -> Self {
        Self { counter: self.counter.wrapping_add(1), timestamp: now_ms, ..self }
    }
}

java_enum! {
    /// Tells the number of tags that a message of the topic may have. An unknown name reads as one.
    pub enum TopicFilterType {
        /// At most one tag.
        #[default]
        SingleTag = "SINGLE_TAG",
        /// Several tags.
        MultiTag = "MULTI_TAG",
    }
}

/// The settings of a topic on one broker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TopicConfig {
    /// `message.type`, `queue.type`, `cleanup.policy`, `reserve.time` (5.x).
    pub attributes: BTreeMap<String, String>,
    pub order: bool,
    pub perm: Perm,
    pub read_queue_nums: i32,
    pub topic_filter_type: TopicFilterType,
    pub topic_name: String,
    /// Unit bits.
    pub topic_sys_flag: i32,
    pub write_queue_nums: i32,
}

impl Default for TopicConfig {
    /// Has Java's defaults: sixteen queues each for reading and writing, both allowed.
    fn default() -> Self {
        Self {
            attributes: BTreeMap::new(),
            order: false,
            perm: Perm(Perm::READ | Perm::WRITE),
            read_queue_nums: 16,
            topic_filter_type: TopicFilterType::default(),
            topic_name: String::new(),
            topic_sys_flag: 0,
            write_queue_nums: 16,
        }
    }
}

/// The topics of a broker. 4.9 does not know the optional members; `None` is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TopicConfigWrapper {
    pub data_version: DataVersion,
    pub mapping_data_version: Option<DataVersion>,
    pub topic_config_table: BTreeMap<String, TopicConfig>,
    /// Static topics in full, passed on as received.
    pub topic_queue_mapping_detail_map: Option<BTreeMap<String, Value>>,
    pub topic_queue_mapping_info_map: Option<BTreeMap<String, TopicQueueMappingInfo>>,
}

/// Topics to create.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TopicConfigList {
    pub topic_config_list: Vec<TopicConfig>,
}

/// The settings of one topic, with its mapping if it is a static topic: the answer about a single topic.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TopicConfigAndMapping {
    pub attributes: BTreeMap<String, String>,
    /// The mapping, passed on as received.
    pub mapping_detail: Option<Value>,
    pub order: bool,
    pub perm: Perm,
    pub read_queue_nums: i32,
    pub topic_filter_type: TopicFilterType,
    pub topic_name: String,
    pub topic_sys_flag: i32,
    pub write_queue_nums: i32,
}

impl From<TopicConfig> for TopicConfigAndMapping {
    fn from(topic: TopicConfig) -> Self {
        Self {
            attributes: topic.attributes,
            mapping_detail: None,
            order: topic.order,
            perm: topic.perm,
            read_queue_nums: topic.read_queue_nums,
            topic_filter_type: topic.topic_filter_type,
            topic_name: topic.topic_name,
            topic_sys_flag: topic.topic_sys_flag,
            write_queue_nums: topic.write_queue_nums,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fastjson;

    #[test]
    fn a_4_9_topic_takes_the_defaults() {
        let text = r#"{"dataVersion":{"counter":2,"timestamp":5},"topicConfigTable":{"T":{"order":false,"perm":6,"readQueueNums":4,"topicFilterType":"SINGLE_TAG","topicName":"T","topicSysFlag":0,"writeQueueNums":4}}}"#;
        let read: TopicConfigWrapper = fastjson::from_slice(text.as_bytes()).unwrap();
        assert_eq!(read.data_version, DataVersion { counter: 2, state_version: 0, timestamp: 5 });
        assert_eq!(read.topic_config_table["T"].read_queue_nums, 4);
        assert_eq!(read.topic_queue_mapping_info_map, None);
        assert_eq!(fastjson::from_slice::<TopicConfig>(b"{}").unwrap().perm, Perm(6));
        assert_eq!(read.data_version.next(9), DataVersion { counter: 3, state_version: 0, timestamp: 9 });
    }

    #[test]
    fn static_mappings_pass_through() {
        let text = r#"{"dataVersion":{"counter":0,"stateVersion":0,"timestamp":0},"topicConfigTable":{},"topicQueueMappingDetailMap":{"T":{"hostedQueues":{"0":[{"gen":0}]}}}}"#;
        let read: TopicConfigWrapper = fastjson::from_slice(text.as_bytes()).unwrap();
        assert_eq!(fastjson::to_vec(&read).unwrap(), text.as_bytes());
    }
}
