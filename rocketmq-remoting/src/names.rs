//! The names of topics and groups: which are legal, which belong to the brokers, how the derived ones are spelt.
//!
//! ```
//! use rocketmq_remoting::names;
//!
//! assert_eq!(names::retry_topic("billing"), "%RETRY%billing");
//! assert!(names::check_group(&"g".repeat(names::MAX_GROUP)).is_ok());
//! let error = names::check_topic("my orders").unwrap_err();
//! assert!(error.to_string().contains("holds ' '"));
//! ```

/// What brokers copy the settings of a topic from that comes into being by being sent to.
pub const TEMPLATE_TOPIC: &str = "TBW102";
/// Where delayed messages wait, one queue for each level.
pub const SCHEDULE_TOPIC: &str = "SCHEDULE_TOPIC_XXXX";
/// Where half messages wait for the end of their transaction.
pub const HALF_TOPIC: &str = "RMQ_SYS_TRANS_HALF_TOPIC";
/// What says which half messages are done with.
pub const OP_HALF_TOPIC: &str = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
/// Half messages that were asked about too often.
pub const TRANS_CHECK_MAX_TIME_TOPIC: &str = "TRANS_CHECK_MAX_TIME_TOPIC";
/// [`HALF_TOPIC`] of brokers that keep it in RocksDB.
pub const ROCKSDB_HALF_TOPIC: &str = "RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC";
/// [`OP_HALF_TOPIC`] of brokers that keep it in RocksDB.
pub const ROCKSDB_OP_HALF_TOPIC: &str = "RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC";
/// Where timer messages wait.
pub const TIMER_TOPIC: &str = "rmq_sys_wheel_timer";
/// What brokers test themselves with.
pub const SELF_TEST_TOPIC: &str = "SELF_TEST_TOPIC";
/// For benchmarks.
pub const BENCHMARK_TOPIC: &str = "BenchmarkTest";
/// Requests for offsets that are no longer there.
pub const OFFSET_MOVED_TOPIC: &str = "OFFSET_MOVED_EVENT";
/// Traces of messages, unless clients are told of another.
pub const TRACE_TOPIC: &str = "RMQ_SYS_TRACE_TOPIC";

/// In front of a group's name: the topic its retries come through.
pub const RETRY_PREFIX: &str = "%RETRY%";
/// In front of a group's name: the topic of its dead letters.
pub const DLQ_PREFIX: &str = "%DLQ%";
/// Other topics of the brokers start with this.
pub const SYSTEM_TOPIC_PREFIX: &str = "rmq_sys_";
/// Groups of the brokers start with this.
pub const SYSTEM_GROUP_PREFIX: &str = "CID_RMQ_SYS_";

/// Characters of the longest topic.
pub const MAX_TOPIC: usize = 127;
/// Characters of the longest topic made of a group's name: retries and dead letters.
pub const MAX_DERIVED_TOPIC: usize = 255;
/// Characters of the longest group. 5.x says so; 4.9's Java client takes 255, and its broker does not look.
pub const MAX_GROUP: usize = 120;

/// Apache's `NOT_ALLOWED_SEND_TOPIC_SET`.
const CLOSED_TOPICS: [&str; 6] = [
    SCHEDULE_TOPIC,
    HALF_TOPIC,
    OP_HALF_TOPIC,
    TRANS_CHECK_MAX_TIME_TOPIC,
    SELF_TEST_TOPIC,
    OFFSET_MOVED_TOPIC,
];

/// Apache's `SYSTEM_TOPIC_SET`.
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

/// Why the name of a topic or group is refused. `what` says which of the two it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, or only white space.
    #[error("the {what} is missing; give it a name")]
    Blank {
        /// `topic` or `group`.
        what: &'static str,
    },
    /// A character outside `[%|a-zA-Z0-9_-]`.
    #[error("{what} \"{name}\" holds {bad:?}; allowed are A-Z, a-z, 0-9 and the characters % | _ -")]
    Illegal {
        /// `topic` or `group`.
        what: &'static str,
        /// The whole name.
        name: String,
        /// The first character that is not allowed.
        bad: char,
    },
    /// More characters than brokers take.
    #[error("{what} \"{name}\" has {} characters; at most {limit} are allowed", name.len())]
    TooLong {
        /// `topic` or `group`.
        what: &'static str,
        /// The whole name.
        name: String,
        /// [`MAX_TOPIC`], [`MAX_DERIVED_TOPIC`] or [`MAX_GROUP`].
        limit: usize,
    },
}

/// Checks the name of a topic: its characters, and [`MAX_TOPIC`] of them at most ([`MAX_DERIVED_TOPIC`] for retries and
/// dead letters).
///
/// # Errors
/// The first rule it breaks.
pub fn check_topic(topic: &str) -> Result<(), NameError> {
    let derived = is_retry(topic) || is_dlq(topic);
    check("topic", topic, if derived { MAX_DERIVED_TOPIC } else { MAX_TOPIC })
}

/// Checks the name of a group: its characters, and [`MAX_GROUP`] of them at most.
///
/// # Errors
/// The first rule it breaks.
pub fn check_group(group: &str) -> Result<(), NameError> {
    check("group", group, MAX_GROUP)
}

fn check(what: &'static str, name: &str, limit: usize) -> Result<(), NameError> {
    if name.trim().is_empty() {
        return Err(NameError::Blank { what });
    }
    if let Some(bad) = name.chars().find(|c| !is_legal(*c)) {
        return Err(NameError::Illegal { what, name: name.to_owned(), bad });
    }
    if name.len() > limit {
        return Err(NameError::TooLong { what, name: name.to_owned(), limit });
    }
    Ok(())
}

fn is_legal(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '%' | '|' | '_' | '-')
}

/// Whether `topic` belongs to the brokers: no tool changes or deletes it, and no namespace holds it.
pub fn is_system_topic(topic: &str) -> bool {
    SYSTEM_TOPICS.contains(&topic) || topic.starts_with(SYSTEM_TOPIC_PREFIX)
}

/// Whether Apache's brokers refuse what clients send to `topic` (code 16), because they keep their own records there.
pub fn is_closed_to_producers(topic: &str) -> bool {
    CLOSED_TOPICS.contains(&topic)
}

/// `%RETRY%group`: the topic a group's retries come through.
pub fn retry_topic(group: &str) -> String {
    format!("{RETRY_PREFIX}{group}")
}

/// `%DLQ%group`: the topic of a group's dead letters.
pub fn dlq_topic(group: &str) -> String {
    format!("{DLQ_PREFIX}{group}")
}

/// Where POP puts messages again, as 5.0 spelt it.
pub fn pop_retry_topic_v1(group: &str, topic: &str) -> String {
    format!("{RETRY_PREFIX}{group}_{topic}")
}

/// Where POP puts messages again on brokers with `enableRetryTopicV2`. The name is not one [`check_topic`] allows.
pub fn pop_retry_topic_v2(group: &str, topic: &str) -> String {
    format!("{RETRY_PREFIX}{group}+{topic}")
}

/// What stands behind [`RETRY_PREFIX`], if `topic` starts with it.
pub fn group_of_retry(topic: &str) -> Option<&str> {
    topic.strip_prefix(RETRY_PREFIX)
}

/// Whether retries come through `topic`.
pub fn is_retry(topic: &str) -> bool {
    topic.starts_with(RETRY_PREFIX)
}

/// Whether `topic` holds dead letters.
pub fn is_dlq(topic: &str) -> bool {
    topic.starts_with(DLQ_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_apaches_5x() {
        assert!(check_topic(&"t".repeat(127)).is_ok());
        assert!(matches!(check_topic(&"t".repeat(128)), Err(NameError::TooLong { limit: 127, .. })));
        assert!(check_topic(&dlq_topic(&"g".repeat(250))).is_ok());
        assert!(matches!(check_topic(&retry_topic(&"g".repeat(250))), Err(NameError::TooLong { .. })));
        assert!(check_group(&"g".repeat(120)).is_ok());
        assert!(matches!(check_group(&"g".repeat(121)), Err(NameError::TooLong { limit: 120, .. })));
    }

    #[test]
    fn illegal_names_are_shown_with_the_character_and_the_remedy() {
        let fault = check_topic("or ders").unwrap_err().to_string();
        assert!(fault.contains("or ders") && fault.contains("' '") && fault.contains("allowed"), "{fault}");
        for bad in ["", "  ", "标签", "a.b", "a/b"] {
            assert!(check_topic(bad).is_err() && check_group(bad).is_err(), "{bad}");
        }
        assert!(check_topic("%RETRY%a|b_c-1").is_ok());
    }

    #[test]
    fn producers_may_write_the_template_though_it_is_the_brokers() {
        assert!(is_system_topic(TEMPLATE_TOPIC) && !is_closed_to_producers(TEMPLATE_TOPIC));
        assert!(is_system_topic(TIMER_TOPIC) && is_closed_to_producers(SCHEDULE_TOPIC));
        assert!(!is_system_topic("orders") && !is_closed_to_producers("orders"));
    }

    #[test]
    fn a_retry_topic_leads_back_to_its_group() {
        assert_eq!(group_of_retry(&retry_topic("g")), Some("g"));
        assert!(is_retry(&pop_retry_topic_v1("g", "t")) && is_retry(&pop_retry_topic_v2("g", "t")));
        assert!(is_dlq(&dlq_topic("g")) && !is_retry(&dlq_topic("g")));
        assert_eq!(group_of_retry("g"), None);
    }
}
