//! Names of topics and groups: the legal ones, those of the brokers, and those derived from a group.
//!
//! ```
//! use rocketmq_syntax::names;
//!
//! assert_eq!(names::retry_topic("billing"), "%RETRY%billing");
//! assert!(names::check_group(&"g".repeat(names::MAX_GROUP)).is_ok());
//! let error = names::check_topic("my orders").unwrap_err();
//! assert!(error.to_string().contains("holds ' '"));
//! ```

use crate::SyntaxError;
use std::fmt;

/// The template of new topics: a broker creates a topic at its first message with the settings of this one.
pub const TEMPLATE_TOPIC: &str = "TBW102";
/// The topic of delayed messages that are not due yet, with one queue for each level.
pub const SCHEDULE_TOPIC: &str = "SCHEDULE_TOPIC_XXXX";
/// The topic of half messages, until their transaction ends.
pub const HALF_TOPIC: &str = "RMQ_SYS_TRANS_HALF_TOPIC";
/// The topic of records that mark half messages as finished.
pub const OP_HALF_TOPIC: &str = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
/// The topic of half messages that the broker checked too often.
pub const TRANS_CHECK_MAX_TIME_TOPIC: &str = "TRANS_CHECK_MAX_TIME_TOPIC";
/// [`HALF_TOPIC`] of brokers that keep it in RocksDB.
pub const ROCKSDB_HALF_TOPIC: &str = "RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC";
/// [`OP_HALF_TOPIC`] of brokers that keep it in RocksDB.
pub const ROCKSDB_OP_HALF_TOPIC: &str = "RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC";
/// The topic of timer messages that are not due yet.
pub const TIMER_TOPIC: &str = "rmq_sys_wheel_timer";
/// The topic of a broker's tests of itself.
pub const SELF_TEST_TOPIC: &str = "SELF_TEST_TOPIC";
/// The topic of benchmarks.
pub const BENCHMARK_TOPIC: &str = "BenchmarkTest";
/// The topic of events about requests for offsets that no longer exist.
pub const OFFSET_MOVED_TOPIC: &str = "OFFSET_MOVED_EVENT";
/// The default topic of message traces.
pub const TRACE_TOPIC: &str = "RMQ_SYS_TRACE_TOPIC";

/// Prefix of a group's retry topic.
pub const RETRY_PREFIX: &str = "%RETRY%";
/// Prefix of a group's dead letter topic.
pub const DLQ_PREFIX: &str = "%DLQ%";
/// Prefix of further topics of the brokers.
pub const SYSTEM_TOPIC_PREFIX: &str = "rmq_sys_";
/// Prefix of groups of the brokers.
pub const SYSTEM_GROUP_PREFIX: &str = "CID_RMQ_SYS_";

/// Longest name of a topic, in characters.
pub const MAX_TOPIC: usize = 127;
/// Longest name of a retry or dead letter topic, in characters.
pub const MAX_DERIVED_TOPIC: usize = 255;
/// Longest name of a group, in characters, as in 5.x. 4.9's Java client takes 255, and its broker does not check.
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

/// Tells why the name of a topic or group is refused. `what` is `topic` or `group`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameError {
    /// The name is empty, or only white space.
    Blank {
        /// `topic` or `group`.
        what: &'static str,
    },
    /// The name has a character outside `[%|a-zA-Z0-9_-]`.
    Illegal {
        /// `topic` or `group`.
        what: &'static str,
        /// The whole name.
        name: String,
        /// The first illegal character.
        bad: char,
    },
    /// The name has more characters than brokers take.
    TooLong {
        /// `topic` or `group`.
        what: &'static str,
        /// The whole name.
        name: String,
        /// [`MAX_TOPIC`], [`MAX_DERIVED_TOPIC`] or [`MAX_GROUP`].
        limit: usize,
    },
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NameError::Blank { what } => write!(f, "the {what} is missing; give it a name"),
            NameError::Illegal { what, name, .. } | NameError::TooLong { what, name, .. } => {
                write!(f, "{what} \"{name}\" {}", self.reason())
            }
        }
    }
}

impl std::error::Error for NameError {}

impl NameError {
    /// Returns the fault without the name.
    fn reason(&self) -> String {
        match self {
            NameError::Blank { .. } => "is missing; give it a name".to_owned(),
            NameError::Illegal { bad, .. } => {
                format!("holds {bad:?}; allowed are A-Z, a-z, 0-9 and the characters % | _ -")
            }
            NameError::TooLong { name, limit, .. } => {
                format!("has {} characters; at most {limit} are allowed", name.len())
            }
        }
    }
}

/// Adds the place in the name.
impl From<NameError> for SyntaxError {
    fn from(error: NameError) -> Self {
        let (what, at) = match &error {
            NameError::Blank { what } => (what, 0),
            NameError::Illegal { what, name, bad } => (what, name.find(*bad).unwrap_or(0)),
            NameError::TooLong { what, limit, .. } => (what, *limit),
        };
        SyntaxError::new(at, format!("the {what} {}", error.reason()))
    }
}

/// Checks the name of a topic: its characters, and its length of at most [`MAX_TOPIC`] ([`MAX_DERIVED_TOPIC`] for retry
/// and dead letter topics).
///
/// # Errors
/// Fails with the first rule that the name breaks.
pub fn check_topic(topic: &str) -> Result<(), NameError> {
    let derived = is_retry(topic) || is_dlq(topic);
    check("topic", topic, if derived { MAX_DERIVED_TOPIC } else { MAX_TOPIC })
}

/// Checks the name of a group: its characters, and its length of at most [`MAX_GROUP`].
///
/// # Errors
/// Fails with the first rule that the name breaks.
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

/// Returns true if `topic` belongs to the brokers: no tool changes or deletes it, and no namespace holds it.
pub fn is_system_topic(topic: &str) -> bool {
    SYSTEM_TOPICS.contains(&topic) || topic.starts_with(SYSTEM_TOPIC_PREFIX)
}

/// Returns true if Apache's brokers refuse the messages of clients for `topic` (code 16), because they keep records of
/// their own there.
pub fn is_closed_to_producers(topic: &str) -> bool {
    CLOSED_TOPICS.contains(&topic)
}

/// Returns `%RETRY%group`, the retry topic of a group.
pub fn retry_topic(group: &str) -> String {
    format!("{RETRY_PREFIX}{group}")
}

/// Returns `%DLQ%group`, the dead letter topic of a group.
pub fn dlq_topic(group: &str) -> String {
    format!("{DLQ_PREFIX}{group}")
}

/// Returns `%RETRY%group_topic`, the topic of POP's retries.
pub fn pop_retry_topic_v1(group: &str, topic: &str) -> String {
    format!("{RETRY_PREFIX}{group}_{topic}")
}

/// Returns `%RETRY%group+topic`, the topic of POP's retries on brokers with `enableRetryTopicV2`. [`check_topic`]
/// refuses this name: `+` is illegal.
pub fn pop_retry_topic_v2(group: &str, topic: &str) -> String {
    format!("{RETRY_PREFIX}{group}+{topic}")
}

/// Returns the name behind [`RETRY_PREFIX`], if `topic` starts with it.
pub fn group_of_retry(topic: &str) -> Option<&str> {
    topic.strip_prefix(RETRY_PREFIX)
}

/// Returns true for a retry topic.
pub fn is_retry(topic: &str) -> bool {
    topic.starts_with(RETRY_PREFIX)
}

/// Returns true for a dead letter topic.
pub fn is_dlq(topic: &str) -> bool {
    topic.starts_with(DLQ_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_limited_as_in_5x() {
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
    fn producers_may_write_to_the_template_topic_of_the_brokers() {
        assert!(is_system_topic(TEMPLATE_TOPIC) && !is_closed_to_producers(TEMPLATE_TOPIC));
        assert!(is_system_topic(TIMER_TOPIC) && is_closed_to_producers(SCHEDULE_TOPIC));
        assert!(!is_system_topic("orders") && !is_closed_to_producers("orders"));
    }

    #[test]
    fn a_retry_topic_gives_back_its_group() {
        assert_eq!(group_of_retry(&retry_topic("g")), Some("g"));
        assert!(is_retry(&pop_retry_topic_v1("g", "t")) && is_retry(&pop_retry_topic_v2("g", "t")));
        assert!(is_dlq(&dlq_topic("g")) && !is_retry(&dlq_topic("g")));
        assert_eq!(group_of_retry("g"), None);
    }

    #[test]
    fn the_place_of_a_fault_is_that_in_the_name() {
        let fault = |name: &str| SyntaxError::from(check_group(name).unwrap_err());
        assert_eq!((fault("a.b").at(), fault("").at(), fault(&"g".repeat(121)).at()), (1, 0, 120));
        assert!(fault("a.b").reason().starts_with("the group holds '.'"), "{}", fault("a.b"));
    }
}
