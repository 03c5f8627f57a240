//! Settings that tools change while the broker runs.

use std::time::Duration;

use crate::broker::pop::settings::PopSettings;
use crate::store::{FlushMode, StoreLive};

/// Limits, switches, intervals and permissions. Handlers and services read them anew each time.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// Read 4, write 2; ANDed onto every topic's permission in the routes.
    pub broker_permission: i32,
    /// `autoCreateTopicEnable`: the first message to an unknown topic makes it.
    pub auto_create_topics: bool,
    /// `autoCreateSubscriptionGroup`: the first use of an unknown group makes it.
    pub auto_create_groups: bool,
    /// The longest body that a client may send. Messages in the log are delivered whatever their size.
    pub max_message_size: usize,
    /// `rejectTransactionMessage`.
    pub reject_transactions: bool,
    /// `rejectPullConsumerEnable`.
    pub reject_pull_consumers: bool,
    /// `litePullMessageEnable`: consumers that keep their own offsets may pull.
    pub lite_pull: bool,
    /// SQL92 filters; off in Apache, on here because a broker for development should not refuse them.
    pub property_filter: bool,
    /// `storeReplyMessageEnable`: replies are stored, too.
    pub store_reply_messages: bool,
    /// `useServerSideResetOffset`: a reset of offsets happens in the broker, not in its clients.
    pub server_side_reset: bool,
    /// `recallMessageEnable`: producers may recall messages that wait for their time.
    pub recall: bool,
    /// `enableMixedMessageType`: a topic may hold messages of every type.
    pub mixed_message_type: bool,

    /// `syncFlushTimeout`: the time that a send waits for the flush.
    pub sync_flush_timeout: Duration,
    /// Machines that must have a message before its send is answered, this one counted, where the role asks for copies.
    pub in_sync_replicas: i32,
    /// The time that a send waits for them.
    pub slave_timeout: Duration,

    /// `longPollingEnable`: an empty pull is parked as long as its client asks for.
    pub long_polling: bool,
    /// The time that an empty pull is parked when long polling is off.
    pub short_polling: Duration,
    /// Pulls held at once; one more is answered "nothing new" at once.
    pub max_parked_pulls: usize,
    /// Most bytes of one pull answer.
    pub max_pull_bytes: usize,
    /// Most messages of one pull answer.
    pub max_pull_messages: usize,
    /// Messages count as in memory if they are no farther from the log's end than this percentage of the machine's memory.
    pub in_memory_percent: u64,
    /// Most messages of one query answer.
    pub max_query_messages: usize,

    /// `notifyConsumerIdsChangedEnable`: members are told when their group changes.
    pub notify_consumer_changes: bool,
    /// Silence after which a client is forgotten.
    pub channel_expiry: Duration,

    /// `timerMaxDelaySec`: the longest delay that a producer may ask for.
    pub timer_max_delay: Duration,

    /// `transactionTimeOut`: the age at which a half message is asked about.
    pub transaction_timeout: Duration,
    /// `transactionCheckInterval`: the pause between two check rounds.
    pub transaction_check_interval: Duration,
    /// `transactionCheckMax`: the number of checks after which a half message is given up.
    pub transaction_check_max: u32,

    /// `flushConsumerOffsetInterval`: the pause between two saves of the tables.
    pub persist_interval: Duration,
    /// Sends that may wait for the disk at once; one more is refused with `[OVERLOAD]`.
    pub max_waiting_sends: usize,
    /// Sends are refused before this time (milliseconds since 1970).
    pub accept_sends_from: i64,
    /// Settings of POP.
    pub pop: PopSettings,
    /// Keys that tools may not change, joined by semicolons.
    pub black_list: String,
    /// Settings of the store.
    pub store: StoreLive,
}

impl Live {
    /// Returns true if a send is answered only when its message is on the disk.
    pub fn sync_flush(&self) -> bool {
        self.store.flush_mode == FlushMode::Sync
    }
}

impl Default for Live {
    /// Apache's defaults.
    fn default() -> Self {
        Self {
            broker_permission: 6,
            auto_create_topics: true,
            auto_create_groups: true,
            max_message_size: 4 << 20,
            reject_transactions: false,
            reject_pull_consumers: false,
            lite_pull: true,
            property_filter: true,
            store_reply_messages: true,
            server_side_reset: true,
            recall: false,
            mixed_message_type: false,
            sync_flush_timeout: Duration::from_secs(5),
            in_sync_replicas: 1,
            slave_timeout: Duration::from_secs(3),
            long_polling: true,
            short_polling: Duration::from_secs(1),
            max_parked_pulls: 100_000,
            max_pull_bytes: 256 * 1024,
            max_pull_messages: 32,
            in_memory_percent: 40,
            max_query_messages: 64,
            notify_consumer_changes: true,
            channel_expiry: Duration::from_secs(120),
            timer_max_delay: Duration::from_secs(259_200),
            transaction_timeout: Duration::from_secs(6),
            transaction_check_interval: Duration::from_secs(30),
            transaction_check_max: 15,
            persist_interval: Duration::from_secs(5),
            max_waiting_sends: 10_000,
            accept_sends_from: 0,
            pop: PopSettings::default(),
            black_list: "configBlackList;brokerConfigPath".into(),
            store: StoreLive::default(),
        }
    }
}
