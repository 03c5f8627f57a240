//! Where topics live: what a name server answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The broker id of a master.
pub const MASTER_ID: i64 = 0;

/// A topic's or queue's permission bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Perm(pub i32);

impl Perm {
    /// Passed on to topics made after this template.
    pub const INHERIT: i32 = 1;
    /// Messages may be sent.
    pub const WRITE: i32 = 2;
    /// Messages may be pulled.
    pub const READ: i32 = 4;
    /// Priority; not valid in admin requests.
    pub const PRIORITY: i32 = 8;

    /// Whether messages may be pulled.
    pub const fn is_readable(self) -> bool {
        self.0 & Self::READ != 0
    }

    /// Whether messages may be sent.
    pub const fn is_writable(self) -> bool {
        self.0 & Self::WRITE != 0
    }

    /// Whether topics may be made after this one.
    pub const fn is_inherited(self) -> bool {
        self.0 & Self::INHERIT != 0
    }
}

/// A topic's queues on one broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct QueueData {
    /// The broker's name.
    pub broker_name: String,
    /// Read, write.
    pub perm: Perm,
    /// Queues one may pull from: 0 up to this.
    pub read_queue_nums: i32,
    /// Unit bits. Old peers say `topicSynFlag`.
    #[serde(alias = "topicSynFlag")]
    pub topic_sys_flag: i32,
    /// Queues one may send to: 0 up to this.
    pub write_queue_nums: i32,
}

/// The addresses behind a broker's name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BrokerData {
    /// Broker id to `host:port`; id 0 is the master.
    pub broker_addrs: BTreeMap<i64, String>,
    /// The broker's name.
    pub broker_name: String,
    /// The cluster.
    pub cluster: String,
    /// A slave may stand in for its master (5.x).
    pub enable_acting_master: bool,
    /// The zone (5.x).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone_name: Option<String>,
}

impl BrokerData {
    /// The master's address.
    pub fn master(&self) -> Option<&str> {
        self.broker_addrs.get(&MASTER_ID).map(String::as_str)
    }

    /// The master's address, else that of the slave with the lowest id.
    pub fn any(&self) -> Option<&str> {
        self.broker_addrs.values().next().map(String::as_str)
    }
}

/// A static topic's queues on one broker (5.x).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TopicQueueMappingInfo {
    /// The broker's name.
    pub bname: String,
    /// Logical to physical queue ids.
    pub curr_id_map: BTreeMap<i32, i32>,
    /// Whether the mapping is being changed.
    pub dirty: bool,
    /// The mapping's epoch.
    pub epoch: i64,
    /// The mapping's scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The topic.
    pub topic: String,
    /// How many logical queues there are.
    pub total_queues: i32,
}

/// Where one topic lives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TopicRoute {
    /// The brokers.
    pub broker_datas: Vec<BrokerData>,
    /// Filter servers by broker address; empty nowadays, but it must be there for 4.x readers.
    pub filter_server_table: BTreeMap<String, Vec<String>>,
    /// `brokerA:4;brokerB:4` for topics that a name server orders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_topic_conf: Option<String>,
    /// The queues, one entry per broker name.
    pub queue_datas: Vec<QueueData>,
    /// Static topics (5.x).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic_queue_mapping_by_broker: Option<BTreeMap<String, TopicQueueMappingInfo>>,
}

impl TopicRoute {
    /// The addresses behind a broker's name.
    pub fn broker(&self, name: &str) -> Option<&BrokerData> {
        self.broker_datas.iter().find(|broker| broker.broker_name == name)
    }
}

/// Every cluster a name server knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterInfo {
    /// Addresses by broker name.
    pub broker_addr_table: BTreeMap<String, BrokerData>,
    /// Broker names by cluster.
    pub cluster_addr_table: BTreeMap<String, Vec<String>>,
}

/// The brokers of one name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BrokerMemberGroup {
    /// Broker id to `host:port`.
    pub broker_addrs: BTreeMap<i64, String>,
    /// The broker's name.
    pub broker_name: String,
    /// The cluster.
    pub cluster: String,
}

/// One queue of one topic. Orders as Java does before it divides queues among consumers: topic,
/// broker name, queue id.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageQueue {
    /// The topic.
    pub topic: String,
    /// The broker's name.
    pub broker_name: String,
    /// The queue's number; -1 stands for all of a broker's queues in pop mode.
    pub queue_id: i32,
}

/// Java writes the members sorted by name, which is not the order queues sort by.
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
    /// Queue `queue_id` of `topic` on `broker_name`.
    pub fn new(topic: impl Into<String>, broker_name: impl Into<String>, queue_id: i32) -> Self {
        Self { topic: topic.into(), broker_name: broker_name.into(), queue_id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_form_reads_and_writes_alike() {
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
