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
    pub cluster: String,
    pub broker_name: String,
    /// 0 is the master.
    pub broker_id: i64,
    pub role: Role,
    pub apache_version: Apache,
    pub default_topic_queues: i32,
    pub cluster_topic: bool,
    pub broker_topic: bool,
    pub trace_topic: bool,
    pub trace_topic_name: String,
    /// Told to producers, which trace what they send only when it is true.
    pub trace_on: bool,
    pub region: String,
    pub queue_lock_lease: Duration,
    pub delay_levels: DelayLevels,
    pub timers: bool,
    /// Queues of the POP revive topic.
    pub revive_queues: i32,
    pub acl: AclSettings,
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
