//! The keys of `#[rocketmq_listener]`.
//!
//! With `-` for `_` they are also the keys of `[rocketmq.consumer.groups.<group>]`, which overrides them.

use crate::setting::{Key, Kind, Vocabulary};
use rocketmq_syntax::spring;

/// The delay levels of a broker by default, for the next try of a message.
const DELAYS: &[&str] = &[
    "1s", "5s", "10s", "30s", "1m", "2m", "3m", "4m", "5m", "6m", "7m", "8m", "9m", "10m", "20m", "30m",
    "1h", "2h",
];

pub(super) static VOCABULARY: Vocabulary = Vocabulary { keys: KEYS, spring: spring::listener };

static KEYS: &[Key] = &[
    Key { name: "topic", kind: Kind::Topic },
    Key { name: "group", kind: Kind::Group },
    Key { name: "name", kind: Kind::Text },
    Key { name: "selector", kind: Kind::Tags },
    Key { name: "sql", kind: Kind::Sql },
    Key { name: "mode", kind: Kind::Choice(&["concurrent", "orderly"]) },
    Key { name: "model", kind: Kind::Choice(&["clustering", "broadcasting"]) },
    Key { name: "concurrency", kind: Kind::Count { min: 1, max: 1000 } },
    Key { name: "batch", kind: Kind::Count { min: 1, max: 1024 } },
    Key { name: "max_reconsume_times", kind: Kind::Count { min: 0, max: i32::MAX as i64 } },
    Key { name: "consume_timeout", kind: Kind::Period },
    Key { name: "retry_delay", kind: Kind::Choice(DELAYS) },
    Key { name: "suspend_time", kind: Kind::Period },
    Key { name: "on_error", kind: Kind::Choice(&["retry", "dead-letter"]) },
    Key { name: "on_unreadable", kind: Kind::Choice(&["dead-letter", "retry", "skip"]) },
    Key { name: "from", kind: Kind::StartPoint },
    Key { name: "pull_batch_size", kind: Kind::Count { min: 1, max: 1024 } },
    Key { name: "pull_interval", kind: Kind::Period },
    Key { name: "reply_timeout", kind: Kind::Period },
    Key { name: "await_termination", kind: Kind::Period },
    Key { name: "paused", kind: Kind::Switch },
    Key { name: "enabled", kind: Kind::Switch },
    Key { name: "name_server", kind: Kind::Text },
    Key { name: "cluster", kind: Kind::Text },
    Key { name: "access_key", kind: Kind::Text },
    Key { name: "secret_key", kind: Kind::Text },
    Key { name: "security_token", kind: Kind::Text },
    Key { name: "access_key_file", kind: Kind::Text },
    Key { name: "secret_key_file", kind: Kind::Text },
    Key { name: "security_token_file", kind: Kind::Text },
    Key { name: "tls_enable", kind: Kind::Switch },
    Key { name: "namespace", kind: Kind::Text },
    Key { name: "namespace_v2", kind: Kind::Text },
    Key { name: "instance_name", kind: Kind::Text },
    Key {
        name: "allocate",
        kind: Kind::Choice(&["averagely", "by-circle", "consistent-hash", "machine-room"]),
    },
    Key { name: "consumer_idcs", kind: Kind::Text },
    Key { name: "client_rebalance", kind: Kind::Switch },
    Key { name: "pop_invisible_time", kind: Kind::Period },
    Key { name: "pop_batch_nums", kind: Kind::Count { min: 1, max: 32 } },
    Key { name: "pop_threshold_for_queue", kind: Kind::Count { min: 1, max: 65_535 } },
    Key { name: "pull_threshold_for_queue", kind: Kind::Count { min: 1, max: 65_535 } },
    Key { name: "pull_threshold_size_for_queue", kind: Kind::Size },
    Key { name: "pull_threshold_for_topic", kind: Kind::Count { min: 1, max: 6_553_500 } },
    Key { name: "pull_threshold_size_for_topic", kind: Kind::Size },
    Key { name: "consume_concurrently_max_span", kind: Kind::Count { min: 1, max: 65_535 } },
    Key { name: "local_offset_store_dir", kind: Kind::Text },
    Key { name: "enable_msg_trace", kind: Kind::Switch },
    Key { name: "customized_trace_topic", kind: Kind::Topic },
];
