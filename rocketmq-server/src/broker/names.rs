//! The names of topics and groups: which are legal, which belong to the broker itself, how the derived ones are spelt.

use std::fmt;

pub const TEMPLATE_TOPIC: &str = "TBW102";
pub const SCHEDULE_TOPIC: &str = "SCHEDULE_TOPIC_XXXX";
pub const HALF_TOPIC: &str = "RMQ_SYS_TRANS_HALF_TOPIC";
pub const OP_HALF_TOPIC: &str = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
pub const TRANS_CHECK_MAX_TIME_TOPIC: &str = "TRANS_CHECK_MAX_TIME_TOPIC";
pub const TIMER_TOPIC: &str = "rmq_sys_wheel_timer";
pub const SELF_TEST_TOPIC: &str = "SELF_TEST_TOPIC";
pub const BENCHMARK_TOPIC: &str = "BenchmarkTest";
pub const OFFSET_MOVED_TOPIC: &str = "OFFSET_MOVED_EVENT";
pub const TRACE_TOPIC: &str = "RMQ_SYS_TRACE_TOPIC";
pub const ROCKSDB_HALF_TOPIC: &str = "RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC";
pub const ROCKSDB_OP_HALF_TOPIC: &str = "RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC";

/// The group whose offsets say how far transaction check-back has come.
pub const TRANS_GROUP: &str = "CID_RMQ_SYS_TRANS";

/// Groups that exist on every broker, in Apache's order.
pub const SYSTEM_GROUPS: [&str; 8] = [
    "TOOLS_CONSUMER",
    "FILTERSRV_CONSUMER",
    "SELF_TEST_C_GROUP",
    "CID_ONS-HTTP-PROXY",
    "CID_ONSAPI_PULL",
    "CID_ONSAPI_PERMISSION",
    "CID_ONSAPI_OWNER",
    TRANS_GROUP,
];

const RETRY_PREFIX: &str = "%RETRY%";
const DLQ_PREFIX: &str = "%DLQ%";
const SYSTEM_TOPIC_PREFIX: &str = "rmq_sys_";
const REVIVE_TOPIC_PREFIX: &str = "rmq_sys_REVIVE_LOG_";
const MAX_TOPIC_LEN: usize = 127;
const MAX_DERIVED_TOPIC_LEN: usize = 255;
const MAX_GROUP_LEN: usize = 120;

/// Topics only the broker itself writes; a client that names one is refused with code 16.
const CLOSED_TOPICS: [&str; 6] = [
    SCHEDULE_TOPIC,
    HALF_TOPIC,
    OP_HALF_TOPIC,
    TRANS_CHECK_MAX_TIME_TOPIC,
    SELF_TEST_TOPIC,
    OFFSET_MOVED_TOPIC,
];

/// Topics that admin requests may neither change nor delete.
const SYSTEM_TOPICS: [&str; 11] = [
    TEMPLATE_TOPIC,
    SCHEDULE_TOPIC,
    BENCHMARK_TOPIC,
    HALF_TOPIC,
    ROCKSDB_HALF_TOPIC,
    TRACE_TOPIC,
    OP_HALF_TOPIC,
    ROCKSDB_OP_HALF_TOPIC,
    TRANS_CHECK_MAX_TIME_TOPIC,
    SELF_TEST_TOPIC,
    OFFSET_MOVED_TOPIC,
];

const PARKING_TOPICS: [&str; 4] = [SCHEDULE_TOPIC, HALF_TOPIC, TRANS_CHECK_MAX_TIME_TOPIC, TIMER_TOPIC];

/// Why a topic or group name is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameError {
    /// Empty or only white space.
    Blank { what: &'static str },
    /// A character outside `[%|a-zA-Z0-9_-]`.
    Illegal { what: &'static str, name: String },
    /// More characters than a record header or Apache's own check allows.
    TooLong { what: &'static str, limit: usize },
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank { what } => write!(f, "The specified {what} is blank."),
            Self::Illegal { what, name } => write!(
                f,
                "The specified {what} {name:?} contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$"
            ),
            Self::TooLong { what, limit } => {
                write!(f, "The specified {what} is longer than {what} max length {limit}.")
            }
        }
    }
}

impl std::error::Error for NameError {}

fn is_name_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'%' | b'|' | b'_' | b'-')
}

fn check(what: &'static str, name: &str, limit: usize) -> Result<(), NameError> {
    if name.trim().is_empty() {
        return Err(NameError::Blank { what });
    }
    if !name.bytes().all(is_name_byte) {
        let name = name.to_owned();
        return Err(NameError::Illegal { what, name });
    }
    if name.len() > limit {
        return Err(NameError::TooLong { what, limit });
    }
    Ok(())
}

/// Checks a topic name a client sent: characters, and 127 of them at most (255 for retry and dead letter topics).
pub fn check_topic(topic: &str) -> Result<(), NameError> {
    let limit = if is_retry(topic) || is_dlq(topic) { MAX_DERIVED_TOPIC_LEN } else { MAX_TOPIC_LEN };
    check("topic", topic, limit)
}

/// Checks a group name: characters, and 120 of them at most.
pub fn check_group(group: &str) -> Result<(), NameError> {
    check("group", group, MAX_GROUP_LEN)
}

/// Whether clients are forbidden to send to `topic`. What lies in the timer and POP topics says itself where it goes:
/// Apache lets clients write there, and so past the permissions for where that is.
pub fn is_closed_to_clients(topic: &str) -> bool {
    CLOSED_TOPICS.contains(&topic) || topic == TIMER_TOPIC || topic.starts_with(REVIVE_TOPIC_PREFIX)
}

/// Whether the messages of `topic` carry in their properties where they will go.
pub fn is_parking(topic: &str) -> bool {
    PARKING_TOPICS.contains(&topic)
}

/// Whether `topic` belongs to the broker (by name or by the `rmq_sys_` prefix).
pub fn is_system_topic(topic: &str) -> bool {
    SYSTEM_TOPICS.contains(&topic) || topic.starts_with(SYSTEM_TOPIC_PREFIX)
}

/// Whether `group` belongs to the broker or to Apache's own tools.
pub fn is_system_group(group: &str) -> bool {
    SYSTEM_GROUPS.contains(&group) || group.starts_with("CID_RMQ_SYS_")
}

/// `%RETRY%group`
pub fn retry_topic(group: &str) -> String {
    format!("{RETRY_PREFIX}{group}")
}

/// `%DLQ%group`
pub fn dlq_topic(group: &str) -> String {
    format!("{DLQ_PREFIX}{group}")
}

/// Where POP puts messages again, as 5.0 named it.
pub fn pop_retry_topic_v1(group: &str, topic: &str) -> String {
    format!("{RETRY_PREFIX}{group}_{topic}")
}

/// Where POP puts messages again when `enableRetryTopicV2` is on.
pub fn pop_retry_topic_v2(group: &str, topic: &str) -> String {
    format!("{RETRY_PREFIX}{group}+{topic}")
}

/// The group of a retry topic, if `topic` is one.
pub fn group_of_retry(topic: &str) -> Option<&str> {
    topic.strip_prefix(RETRY_PREFIX)
}

pub fn is_retry(topic: &str) -> bool {
    topic.starts_with(RETRY_PREFIX)
}

pub fn is_dlq(topic: &str) -> bool {
    topic.starts_with(DLQ_PREFIX)
}

/// Where repliers of request-reply send to: `<cluster>_REPLY_TOPIC`.
pub fn reply_topic(cluster: &str) -> String {
    format!("{cluster}_REPLY_TOPIC")
}

/// POP checkpoints and acks of a cluster.
pub fn revive_topic(cluster: &str) -> String {
    format!("{REVIVE_TOPIC_PREFIX}{cluster}")
}

pub fn sync_member_topic(broker_name: &str) -> String {
    format!("rmq_sys_SYNC_BROKER_MEMBER_{broker_name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_topics_stop_at_127_characters_and_retry_topics_at_255() {
        assert!(check_topic(&"a".repeat(127)).is_ok());
        assert!(matches!(check_topic(&"a".repeat(128)), Err(NameError::TooLong { limit: 127, .. })));
        assert!(check_topic(&retry_topic(&"g".repeat(120))).is_ok());
        assert!(check_topic(&retry_topic(&"g".repeat(250))).is_err());
    }

    #[test]
    fn an_illegal_character_is_named_with_the_topic() {
        let text = check_topic("a b").unwrap_err().to_string();
        assert!(text.contains("\"a b\""), "{text}");
        assert!(matches!(check_topic("  "), Err(NameError::Blank { .. })));
    }

    #[test]
    fn clients_may_write_the_template_but_not_where_messages_wait() {
        assert!(!is_closed_to_clients(TEMPLATE_TOPIC));
        for closed in [SCHEDULE_TOPIC, TIMER_TOPIC, &revive_topic("C")] {
            assert!(is_closed_to_clients(closed), "{closed}");
        }
        assert!(is_system_topic(TIMER_TOPIC));
    }
}
