//! Lists for administrators, made from the route table.

use std::collections::{BTreeMap, BTreeSet};

use rocketmq_remoting::route::{BrokerData, BrokerMemberGroup, ClusterInfo, QueueData};

use super::routes::RouteTable;

/// Bit of a topic that belongs to a unit.
const UNIT: i32 = 1;
/// Bit of a topic to which units subscribe.
const UNIT_SUBSCRIBED: i32 = 1 << 1;

/// Selects the topics of a unit list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Units {
    /// Topics that belong to a unit.
    Own,
    /// Topics to which units subscribe.
    Subscribed,
    /// Topics to which units subscribe, and which belong to no unit.
    SubscribedOnly,
}

impl Units {
    fn hold(self, sys_flag: i32) -> bool {
        let (unit, subscribed) = (sys_flag & UNIT != 0, sys_flag & UNIT_SUBSCRIBED != 0);
        match self {
            Self::Own => unit,
            Self::Subscribed => subscribed,
            Self::SubscribedOnly => subscribed && !unit,
        }
    }
}

impl RouteTable {
    pub(super) fn all_topics(&self) -> Vec<String> {
        self.topics.keys().cloned().collect()
    }

    /// Returns the topics of a cluster. For an unknown cluster the list is empty, as Apache's.
    pub(super) fn topics_of_cluster(&self, cluster: &str) -> Vec<String> {
        let none = BTreeSet::new();
        let names = self.clusters.get(cluster).unwrap_or(&none);
        self.topics_where(|brokers| brokers.keys().any(|name| names.contains(name)))
    }

    pub(super) fn unit_topics(&self, units: Units) -> Vec<String> {
        self.topics_where(|brokers| {
            brokers.values().next().is_some_and(|queue| units.hold(queue.topic_sys_flag))
        })
    }

    fn topics_where(&self, wanted: impl Fn(&BTreeMap<String, QueueData>) -> bool) -> Vec<String> {
        self.topics.iter().filter(|(_, brokers)| wanted(brokers)).map(|(topic, _)| topic.clone()).collect()
    }

    /// Returns the names of clusters and brokers (each broker creates topics of these names), and the address of one
    /// broker.
    pub(super) fn system_topics(&self) -> (Vec<String>, Option<String>) {
        let names = self.clusters.keys().chain(self.brokers.keys()).cloned().collect();
        let address = self.brokers.values().find_map(BrokerData::any).map(str::to_owned);
        (names, address)
    }

    pub(super) fn cluster_info(&self) -> ClusterInfo {
        let names = |names: &BTreeSet<String>| names.iter().cloned().collect();
        ClusterInfo {
            broker_addr_table: self.brokers.clone(),
            cluster_addr_table: self.clusters.iter().map(|(c, n)| (c.clone(), names(n))).collect(),
        }
    }

    pub(super) fn member_group(&self, cluster: &str, broker_name: &str) -> BrokerMemberGroup {
        let known = self.brokers.get(broker_name).filter(|broker| broker.cluster == cluster);
        BrokerMemberGroup {
            cluster: cluster.to_owned(),
            broker_name: broker_name.to_owned(),
            broker_addrs: known.map(|broker| broker.broker_addrs.clone()).unwrap_or_default(),
        }
    }
}
