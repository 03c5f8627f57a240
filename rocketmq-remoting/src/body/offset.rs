//! Offsets by queue. Whole queues are the keys of these maps, so only Java's dialect can write them.

#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::topic::DataVersion;
use crate::error::{DecodeError, EncodeError};
use crate::fastjson;
use crate::payload::Body;
use crate::route::MessageQueue;

/// The progress of a group: its offsets and its rate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConsumeStats {
    /// Messages per second.
    pub consume_tps: f64,
    pub offset_table: BTreeMap<MessageQueue, OffsetWrapper>,
}

/// The progress of a group in one queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OffsetWrapper {
    pub broker_offset: i64,
    pub consumer_offset: i64,
    /// Store time of the message before the consumer's offset, ms since the epoch.
    pub last_timestamp: i64,
    /// Unknown to 4.9.
    pub pull_offset: i64,
}

/// The progress of all groups of a broker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConsumeStatsList {
    pub broker_addr: Option<String>,
    pub consume_stats_list: Vec<BTreeMap<String, Vec<ConsumeStats>>>,
    pub total_diff: i64,
    pub total_inflight_diff: i64,
}

/// The bounds of a topic's queues.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TopicStatsTable {
    pub offset_table: BTreeMap<MessageQueue, TopicOffset>,
    /// Messages per second (5.x).
    pub topic_put_tps: f64,
}

/// The bounds of one queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TopicOffset {
    /// Store time of the last message, ms since the epoch; 0 for an empty queue.
    pub last_update_timestamp: i64,
    pub max_offset: i64,
    pub min_offset: i64,
}

/// The new offsets of consumers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResetOffsetBody {
    pub offset_table: BTreeMap<MessageQueue, i64>,
}

impl ResetOffsetBody {
    /// Reads either form: the map by queue, or the list that brokers push if the admin's language is C++.
    ///
    /// # Errors
    /// Fails for text that is neither.
    pub fn read(body: &[u8]) -> Result<Self, DecodeError> {
        fastjson::from_slice(body).or_else(|error| match fastjson::from_slice::<ResetOffsetBodyForC>(body) {
            Ok(list) => Ok(list.into()),
            Err(_) => Err(error),
        })
    }
}

/// A [`ResetOffsetBody`] in one of its two forms. Reading yields the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetOffsets {
    /// A map by queue.
    Table(ResetOffsetBody),
    /// A list, for an administrator whose language is C++: that client cannot read objects as keys.
    List(ResetOffsetBodyForC),
}

impl TargetOffsets {
    /// Returns the offsets by queue.
    pub fn into_table(self) -> BTreeMap<MessageQueue, i64> {
        match self {
            Self::Table(table) => table.offset_table,
            Self::List(list) => ResetOffsetBody::from(list).offset_table,
        }
    }
}

impl Body for TargetOffsets {
    fn to_bytes(&self) -> Result<Bytes, EncodeError> {
        let text = match self {
            Self::Table(table) => fastjson::to_vec(table)?,
            Self::List(list) => fastjson::to_vec(list)?,
        };
        Ok(text.into())
    }

    fn from_bytes(bytes: Bytes) -> Result<Self, DecodeError> {
        ResetOffsetBody::read(&bytes).map(Self::Table)
    }
}

/// A [`ResetOffsetBody`] as a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResetOffsetBodyForC {
    pub offset_table: Vec<QueueOffset>,
}

/// One queue with its offset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct QueueOffset {
    pub broker_name: String,
    pub offset: i64,
    pub queue_id: i32,
    pub topic: String,
}

impl From<ResetOffsetBodyForC> for ResetOffsetBody {
    fn from(list: ResetOffsetBodyForC) -> Self {
        let entry = |q: QueueOffset| (MessageQueue::new(q.topic, q.broker_name, q.queue_id), q.offset);
        Self { offset_table: list.offset_table.into_iter().map(entry).collect() }
    }
}

impl From<ResetOffsetBody> for ResetOffsetBodyForC {
    fn from(table: ResetOffsetBody) -> Self {
        let entry = |(queue, offset): (MessageQueue, i64)| QueueOffset {
            broker_name: queue.broker_name,
            offset,
            queue_id: queue.queue_id,
            topic: queue.topic,
        };
        Self { offset_table: table.offset_table.into_iter().map(entry).collect() }
    }
}

/// The offsets of consumers: those of a group by client, or those of one client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GetConsumerStatusBody {
    pub consumer_table: BTreeMap<String, BTreeMap<MessageQueue, i64>>,
    pub message_queue_table: BTreeMap<MessageQueue, i64>,
}

/// All offsets of a broker, by `topic@group` and queue id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConsumerOffsetWrapper {
    pub data_version: Option<DataVersion>,
    /// Topics by group (5.4).
    pub group_topic_map: Option<BTreeMap<String, Vec<String>>>,
    pub offset_table: BTreeMap<String, BTreeMap<i32, i64>>,
}

/// The progress of the delay levels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DelayOffsetWrapper {
    pub data_version: Option<DataVersion>,
    pub offset_table: BTreeMap<i32, i64>,
}

/// The lowest offset of several groups, by queue id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CorrectionOffsets {
    pub correction_offsets: BTreeMap<i32, i64>,
}

/// The age of the messages that a group has not consumed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConsumeTimeSpanBody {
    pub consume_time_span_set: Vec<QueueTimeSpan>,
}

/// The age of the messages of one queue. Times are in ms since the epoch, the delay is in ms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct QueueTimeSpan {
    pub consume_time_stamp: i64,
    pub delay_time: i64,
    pub max_time_stamp: i64,
    pub message_queue: MessageQueue,
    pub min_time_stamp: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same<T: Serialize + serde::de::DeserializeOwned>(text: &str) -> T {
        let read: T = fastjson::from_slice(text.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(fastjson::to_vec(&read).unwrap()).unwrap(), text);
        read
    }

    #[test]
    fn captured_tables_read_and_write_unchanged() {
        let stats: TopicStatsTable = same(
            r#"{"offsetTable":{{"brokerName":"broker-a","queueId":1,"topic":"TA"}:{"lastUpdateTimestamp":1795408912725,"maxOffset":1,"minOffset":0}},"topicPutTps":0.7}"#,
        );
        assert_eq!(stats.offset_table[&MessageQueue::new("TA", "broker-a", 1)].max_offset, 1);
        same::<GetConsumerStatusBody>(
            r#"{"consumerTable":{"192.0.2.2@22105#6055775370581":{{"brokerName":"broker-a","queueId":1,"topic":"TA"}:1}},"messageQueueTable":{}}"#,
        );
        same::<ConsumerOffsetWrapper>(r#"{"offsetTable":{"topic@group":{0:12,1:7}}}"#);
        same::<DelayOffsetWrapper>(r#"{"offsetTable":{1:1,3:2}}"#);
        same::<ConsumeStats>(r#"{"consumeTps":0.0,"offsetTable":{}}"#);
    }

    #[test]
    fn both_forms_of_a_reset_read_alike() {
        let list = r#"{"offsetTable":[{"brokerName":"broker-a","offset":3,"queueId":1,"topic":"TA"}]}"#;
        let table = r#"{"offsetTable":{{"brokerName":"broker-a","queueId":1,"topic":"TA"}:3}}"#;
        let read = ResetOffsetBody::read(list.as_bytes()).unwrap();
        assert_eq!(ResetOffsetBody::read(table.as_bytes()).unwrap(), read);
        assert_eq!(fastjson::to_vec(&ResetOffsetBodyForC::from(read)).unwrap(), list.as_bytes());
        assert!(ResetOffsetBody::read(br#"{"offsetTable":7}"#).is_err());
    }
}
