//! Settings that stay as they were when the broker started.

use std::path::PathBuf;
use std::time::Duration;

use super::role::{Apache, Role};
use crate::broker::acl::AclSettings;
use crate::broker::delay::levels::DelayLevels;
use crate::broker::names;
use crate::store::StoreConfig;

/// Names, folders, topics made at the start, and which services there are.
#[derive(Debug, Clone, PartialEq)]
pub struct Fixed {
    /// `brokerClusterName`: the cluster it belongs to.
    pub cluster: String,
    /// `brokerName`: its name in routes.
    pub broker_name: String,
    /// 0 is the master.
    pub broker_id: i64,
    /// `brokerRole`.
    pub role: Role,
    /// `apacheVersion`.
    pub apache_version: Apache,
    /// `defaultTopicQueueNums`: queues of a topic that its first message makes.
    pub default_topic_queues: i32,
    /// `clusterTopicEnable`: it makes a topic with the name of the cluster.
    pub cluster_topic: bool,
    /// `brokerTopicEnable`: it makes a topic with its own name.
    pub broker_topic: bool,
    /// `traceTopicEnable`: it makes the topic of message traces.
    pub trace_topic: bool,
    /// `msgTraceTopicName`.
    pub trace_topic_name: String,
    /// Told to producers, which trace what they send only when it is true.
    pub trace_on: bool,
    /// `regionId`: producers get it with each answer.
    pub region: String,
    /// The time after which a queue lock ends that nobody renews.
    pub queue_lock_lease: Duration,
    /// `messageDelayLevel`.
    pub delay_levels: DelayLevels,
    /// `timerWheelEnable`: messages may ask for a delivery time.
    pub timers: bool,
    /// Queues of the POP revive topic.
    pub revive_queues: i32,
    /// Access control.
    pub acl: AclSettings,
    /// Settings of the store.
    pub store: StoreConfig,
}

impl Fixed {
    /// Apache's defaults, for a store in `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            cluster: "DefaultCluster".into(),
            broker_name: "broker-a".into(),
            broker_id: 0,
            role: Role::default(),
            apache_version: Apache::default(),
            default_topic_queues: 8,
            cluster_topic: true,
            broker_topic: true,
            trace_topic: false,
            trace_topic_name: names::TRACE_TOPIC.into(),
            trace_on: true,
            region: "DefaultRegion".into(),
            queue_lock_lease: Duration::from_secs(60),
            delay_levels: DelayLevels::default(),
            timers: true,
            revive_queues: 8,
            acl: AclSettings::default(),
            store: StoreConfig::new(root),
        }
    }
}
