//! What the broker lets its owner decide. Names and defaults are Apache's unless the field says otherwise.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use super::acl::AclSettings;
use super::delay_level::DEFAULT_LEVELS;
use super::pop::PopSettings;

/// Settings of one broker. The network's own (threads, TLS, idle limits) belong to the listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub cluster: String,
    pub broker_name: String,
    /// 0 is the master.
    pub broker_id: i64,
    /// The address clients are told and that every record carries; its port is the listener's real one.
    pub advertised_ip: IpAddr,
    /// The port behind `advertised_ip`.
    pub listen_port: u16,
    pub store_root: PathBuf,

    /// Read 4, write 2; ANDed onto every topic's permission in the routes.
    pub broker_permission: i32,
    pub auto_create_topics: bool,
    pub auto_create_groups: bool,
    pub default_topic_queues: i32,
    pub cluster_topic: bool,
    pub broker_topic: bool,
    pub trace_topic: bool,
    pub trace_topic_name: String,
    /// Told to producers, which trace what they send only when it is true.
    pub trace_on: bool,
    pub region: String,
    /// Largest message body in bytes.
    pub max_message_size: usize,
    pub reject_transactions: bool,
    pub reject_pull_consumers: bool,
    pub lite_pull: bool,
    /// SQL92 filters; off in Apache, on here because a broker for development should not refuse them.
    pub property_filter: bool,
    pub store_reply_messages: bool,
    pub server_side_reset: bool,
    pub recall: bool,
    pub mixed_message_type: bool,

    pub sync_flush: bool,
    pub sync_flush_timeout: Duration,

    pub long_polling: bool,
    /// How long an empty pull is held when long polling is off.
    pub short_polling: Duration,
    /// Pulls held at once; one more is answered "nothing new" at once.
    pub max_parked_pulls: usize,
    /// Most bytes and messages of one pull answer.
    pub max_pull_bytes: usize,
    pub max_pull_messages: usize,
    /// Percent of this machine's memory, counted from the log's end, whose messages count as in memory.
    pub in_memory_percent: u64,
    /// Most messages of one query answer.
    pub max_query_messages: usize,

    pub notify_consumer_changes: bool,
    /// Silence after which a client is forgotten.
    pub channel_expiry: Duration,
    pub queue_lock_lease: Duration,

    pub delay_levels: String,
    pub timers: bool,
    pub timer_max_delay: Duration,

    pub transaction_timeout: Duration,
    pub transaction_check_interval: Duration,
    pub transaction_check_max: u32,
    /// Half messages older than this are given up, like any message past its retention.
    pub file_reserved: Duration,

    pub persist_interval: Duration,
    /// Sends that may wait for the disk at once; one more is refused with `[OVERLOAD]`.
    pub max_waiting_sends: usize,
    /// Sends are refused before this time (milliseconds since 1970).
    pub accept_sends_from: i64,
    /// Queues of the POP revive topic.
    pub revive_queues: i32,
    pub pop: PopSettings,
    pub acl: AclSettings,
}

impl Settings {
    /// Apache's defaults, for a store in `store_root`.
    pub fn new(store_root: impl Into<PathBuf>) -> Self {
        Self {
            cluster: "DefaultCluster".into(),
            broker_name: "broker-a".into(),
            broker_id: 0,
            advertised_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            listen_port: 10911,
            store_root: store_root.into(),
            broker_permission: 6,
            auto_create_topics: true,
            auto_create_groups: true,
            default_topic_queues: 8,
            cluster_topic: true,
            broker_topic: true,
            trace_topic: false,
            trace_topic_name: super::names::TRACE_TOPIC.into(),
            trace_on: true,
            region: "DefaultRegion".into(),
            max_message_size: 4 * 1024 * 1024,
            reject_transactions: false,
            reject_pull_consumers: false,
            lite_pull: true,
            property_filter: true,
            store_reply_messages: true,
            server_side_reset: true,
            recall: false,
            mixed_message_type: false,
            sync_flush: false,
            sync_flush_timeout: Duration::from_secs(5),
            long_polling: true,
            short_polling: Duration::from_secs(1),
            max_parked_pulls: 100_000,
            max_pull_bytes: 256 * 1024,
            max_pull_messages: 32,
            in_memory_percent: 40,
            max_query_messages: 64,
            notify_consumer_changes: true,
            channel_expiry: Duration::from_secs(120),
            queue_lock_lease: Duration::from_secs(60),
            delay_levels: DEFAULT_LEVELS.into(),
            timers: true,
            timer_max_delay: Duration::from_secs(259_200),
            transaction_timeout: Duration::from_secs(6),
            transaction_check_interval: Duration::from_secs(30),
            transaction_check_max: 15,
            file_reserved: Duration::from_secs(72 * 3600),
            persist_interval: Duration::from_secs(5),
            max_waiting_sends: 10_000,
            accept_sends_from: 0,
            revive_queues: 8,
            pop: PopSettings::default(),
            acl: AclSettings::default(),
        }
    }
}

/// A duration as the milliseconds that clocks and leases count in.
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
