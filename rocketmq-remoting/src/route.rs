//! Routes: the brokers and queues of a topic, as name servers answer them.
//!
//! ```
//! use rocketmq_remoting::fastjson;
//! use rocketmq_remoting::route::{BrokerData, TopicRoute};
//!
//! let answer = br#"{
//!     "brokerDatas": [{"brokerAddrs": {0: "10.0.0.5:10911"}, "brokerName": "broker-a", "cluster": "c"}],
//!     "queueDatas": [{"brokerName": "broker-a", "perm": 6, "readQueueNums": 8, "writeQueueNums": 8}]
//! }"#;
//! let route: TopicRoute = fastjson::from_slice(answer)?;
//! let queues = &route.queue_datas[0];
//! assert!(queues.perm.is_writable() && queues.write_queue_nums == 8);
//! assert_eq!(route.broker("broker-a").and_then(BrokerData::master), Some("10.0.0.5:10911"));
//! # Ok::<(), rocketmq_remoting::DecodeError>(())
//! ```

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::error::{DecodeError, EncodeError};
use crate::ext::ExtFields;
use crate::fastjson::{self, Dialect};
use crate::payload::Payload;

/// The broker id of a master.
pub const MASTER_ID: i64 = 0;

/// The permission bits of a topic or queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Perm(pub i32);

impl Perm {
    /// New topics may take their settings from this one.
    pub const INHERIT: i32 = 1;
    /// Producers may send.
    pub const WRITE: i32 = 2;
    /// Consumers may pull.
    pub const READ: i32 = 4;
    /// Priority; illegal in admin requests.
    pub const PRIORITY: i32 = 8;

    /// Returns true if consumers may pull.
    pub const fn is_readable(self) -> bool {
        self.0 & Self::READ != 0
    }

    /// Returns true if producers may send.
    pub const fn is_writable(self) -> bool {
        self.0 & Self::WRITE != 0
    }

    /// Returns true if new topics may take their settings from this one.
    pub const fn is_inherited(self) -> bool {
        self.0 & Self::INHERIT != 0
    }
}

/// The queues of a topic on one broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct QueueData {
    /// The broker's name.
    pub broker_name: String,
    /// Permissions of all these queues.
    pub perm: Perm,
    /// Number of queues for consumers; they have the ids from 0.
    pub read_queue_nums: i32,
    /// Unit bits. Old peers write `topicSynFlag`.
    #[serde(alias = "topicSynFlag")]
    pub topic_sys_flag: i32,
    /// Number of queues for producers; they have the ids from 0.
    pub write_queue_nums: i32,
}

/// The addresses of the brokers that share a name: a master and its slaves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BrokerData {
    /// Addresses (`host:port`) by broker id; id 0 is the master.
    pub broker_addrs: BTreeMap<i64, String>,
    /// The broker's name.
    pub broker_name: String,
    /// The cluster.
    pub cluster: String,
    /// True if a slave may act as master (5.x).
    pub enable_acting_master: bool,
    /// The zone (5.x).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone_name: Option<String>,
}

impl BrokerData {
    /// Returns the address of the master, if it is registered.
    pub fn master(&self) -> Option<&str> {
        self.broker_addrs.get(&MASTER_ID).map(String::as_str)
    }

    /// Returns the address of the broker with the lowest id: the master, or else a slave.
    pub fn any(&self) -> Option<&str> {
        self.broker_addrs.values().next().map(String::as_str)
    }
}

/// The queues of a static topic on one broker (5.x).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TopicQueueMappingInfo {
    /// The broker's name.
    pub bname: String,
    /// Physical queue id by logical queue id.
    pub curr_id_map: BTreeMap<i32, i32>,
    /// True while the mapping changes.
    pub dirty: bool,
    /// The mapping's epoch.
    pub epoch: i64,
    /// The mapping's scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The topic.
    pub topic: String,
    /// Number of logical queues.
    pub total_queues: i32,
}

/// The route of one topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TopicRoute {
    /// The brokers.
    pub broker_datas: Vec<BrokerData>,
    /// Filter servers by broker address. Always empty today, but 4.x readers need the member.
    pub filter_server_table: BTreeMap<String, Vec<String>>,
    /// Orders of a name server for this topic, such as `brokerA:4;brokerB:4`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_topic_conf: Option<String>,
    /// The queues, one entry for each broker name.
    pub queue_datas: Vec<QueueData>,
    /// Mappings of a static topic by broker name (5.x).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic_queue_mapping_by_broker: Option<BTreeMap<String, TopicQueueMappingInfo>>,
}

impl TopicRoute {
    /// Returns the brokers with this name.
    pub fn broker(&self, name: &str) -> Option<&BrokerData> {
        self.broker_datas.iter().find(|broker| broker.broker_name == name)
    }
}

/// All clusters of a name server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterInfo {
    /// Addresses by broker name.
    pub broker_addr_table: BTreeMap<String, BrokerData>,
    /// Broker names by cluster.
    pub cluster_addr_table: BTreeMap<String, Vec<String>>,
}

/// The brokers that share a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BrokerMemberGroup {
    /// Addresses (`host:port`) by broker id.
    pub broker_addrs: BTreeMap<i64, String>,
    /// The broker's name.
    pub broker_name: String,
    /// The cluster.
    pub cluster: String,
}

/// A route in the dialect that its reader understands. Reading accepts both dialects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RouteAnswer {
    /// The route.
    pub route: TopicRoute,
    /// The dialect to write it in.
    pub dialect: Dialect,
}

impl Payload for RouteAnswer {
    fn to_parts(&self) -> Result<(ExtFields, Bytes), EncodeError> {
        Ok((ExtFields::new(), fastjson::to_vec_in(self.dialect, &self.route)?.into()))
    }

    fn from_parts(_: &ExtFields, body: Bytes) -> Result<Self, DecodeError> {
        Ok(Self { route: fastjson::from_slice(&body)?, dialect: Dialect::default() })
    }
}

/// Names one queue.
///
/// Queues sort by topic, broker name and queue id: members of a group must sort them alike, and like Java, before they
/// divide them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageQueue {
    /// The topic.
    pub topic: String,
    /// The broker's name.
    pub broker_name: String,
    /// The queue's number. In POP mode -1 stands for all queues of the broker.
    pub queue_id: i32,
}

/// The JSON form. Java writes the members by name, which is not the order of the fields by which queues sort.
#[derive(Serialize, Deserialize)]
#[serde(rename = "MessageQueue", rename_all = "camelCase")]
struct MessageQueueJson<S: Default> {
    #[serde(default)]
    broker_name: S,
    #[serde(default)]
    queue_id: i32,
    #[serde(default)]
    topic: S,
}

impl Serialize for MessageQueue {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { topic, broker_name, queue_id } = self;
        MessageQueueJson { broker_name: broker_name.as_str(), queue_id: *queue_id, topic: topic.as_str() }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for MessageQueue {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let MessageQueueJson::<String> { broker_name, queue_id, topic } =
            Deserialize::deserialize(deserializer)?;
        Ok(Self { topic, broker_name, queue_id })
    }
}

impl MessageQueue {
    /// Names queue `queue_id` of `topic` on `broker_name`.
    pub fn new(topic: impl Into<String>, broker_name: impl Into<String>, queue_id: i32) -> Self {
        Self { topic: topic.into(), broker_name: broker_name.into(), queue_id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_in_standard_json_reads_and_writes_unchanged() {
        let text = r#"{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.5:10911"},"brokerName":"broker-a","cluster":"DefaultCluster","enableActingMaster":false}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]}"#;
        let route: TopicRoute = serde_json::from_str(text).unwrap();
        assert_eq!(route.broker("broker-a").and_then(BrokerData::master), Some("10.0.0.5:10911"));
        assert!(route.queue_datas[0].perm.is_writable());
        assert_eq!(serde_json::to_string(&route).unwrap(), text);
    }

    #[test]
    fn queues_sort_as_in_java_and_write_sorted_members() {
        let mut queues =
            [MessageQueue::new("T", "b", 0), MessageQueue::new("T", "a", 10), MessageQueue::new("T", "a", 9)];
        queues.sort();
        assert_eq!(queues[0], MessageQueue::new("T", "a", 9));
        assert_eq!(
            serde_json::to_string(&queues[2]).unwrap(),
            r#"{"brokerName":"b","queueId":0,"topic":"T"}"#
        );
    }

    #[test]
    fn permissions() {
        assert!(Perm(7).is_inherited() && !Perm(6).is_inherited());
        assert!(Perm(4).is_readable() && !Perm(4).is_writable());
    }
}
