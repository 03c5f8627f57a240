//! Topics as brokers keep them.

#![allow(missing_docs)] // The fields have the protocol's own names; where a name does not say it all, the field has a comment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::constant::java_enum;
use serde_json::Value;

use crate::route::{Perm, TopicQueueMappingInfo};

/// The version of a table: equal only when all three are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DataVersion {
    /// Goes up by one with each change.
    pub counter: i64,
    /// Unknown to 4.9.
    pub state_version: i64,
    /// Of the last change, ms since the epoch.
    pub timestamp: i64,
}

impl DataVersion {
    /// The version after a change at `now_ms`.
    #[must_use]
    pub fn next(self, now_ms: i64) -> Self {
        Self { counter: self.counter.wrapping_add(1), timestamp: now_ms, ..self }
    }
}

java_enum! {
    /// How many tags a message of a topic may have. An unknown name reads as one.
    pub enum TopicFilterType {
        /// One.
        #[default]
        SingleTag = "SINGLE_TAG",
        /// Several.
        MultiTag = "MULTI_TAG",
    }
}

/// One topic on one broker.
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
    /// Java's: sixteen queues each way, readable and writable.
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

/// The topics of a broker. The last three members are 5.x; they are left out when `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TopicConfigWrapper {
    pub data_version: DataVersion,
    pub mapping_data_version: Option<DataVersion>,
    pub topic_config_table: BTreeMap<String, TopicConfig>,
    /// Static topics in full; passed on as they came.
    pub topic_queue_mapping_detail_map: Option<BTreeMap<String, Value>>,
    pub topic_queue_mapping_info_map: Option<BTreeMap<String, TopicQueueMappingInfo>>,
}

/// Topics to make.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TopicConfigList {
    pub topic_config_list: Vec<TopicConfig>,
}

/// One topic, with its static mapping when it has one: the answer about a single topic.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TopicConfigAndMapping {
    pub attributes: BTreeMap<String, String>,
    /// Passed on as it came.
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
