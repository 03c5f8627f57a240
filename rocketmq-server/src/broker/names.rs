//! The names that only a broker needs, and what it says of illegal ones; the others are the protocol's.

pub(crate) use rocketmq_remoting::names::*;

use crate::exchange::Refusal;

/// The group whose offsets tell how far the transaction check-back is.
pub(crate) const TRANS_GROUP: &str = "CID_RMQ_SYS_TRANS";

/// Groups that exist on every broker, in Apache's order.
pub(crate) const SYSTEM_GROUPS: [&str; 8] = [
    "TOOLS_CONSUMER",
    "FILTERSRV_CONSUMER",
    "SELF_TEST_C_GROUP",
    "CID_ONS-HTTP-PROXY",
    "CID_ONSAPI_PULL",
    "CID_ONSAPI_PERMISSION",
    "CID_ONSAPI_OWNER",
    TRANS_GROUP,
];

const REVIVE_TOPIC_PREFIX: &str = "rmq_sys_REVIVE_LOG_";

const DIVERSIONS: [&str; 4] = [SCHEDULE_TOPIC, HALF_TOPIC, TRANS_CHECK_MAX_TIME_TOPIC, TIMER_TOPIC];

/// Refuses a name with the words of Apache's broker.
pub(crate) fn illegal(error: &NameError) -> Refusal {
    Refusal::invalid(match error {
        NameError::Blank { what } => format!("The specified {what} is blank."),
        NameError::Illegal { what, name, .. } => format!(
            "The specified {what} {name:?} contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$"
        ),
        NameError::TooLong { what, limit, .. } => {
            format!("The specified {what} is longer than {what} max length {limit}.")
        }
    })
}

/// Returns true if clients may not send to `topic`. A message in the timer and POP topics says itself where it goes.
/// Apache lets clients write there, and so get round the permissions of that place.
pub(crate) fn is_closed_to_clients(topic: &str) -> bool {
    is_closed_to_producers(topic) || topic == TIMER_TOPIC || topic.starts_with(REVIVE_TOPIC_PREFIX)
}

/// Returns true if the messages of `topic` carry their final place in their properties.
pub(crate) fn is_diversion(topic: &str) -> bool {
    DIVERSIONS.contains(&topic)
}

/// Returns true if `group` belongs to the broker or to Apache's own tools.
pub(crate) fn is_system_group(group: &str) -> bool {
    SYSTEM_GROUPS.contains(&group) || group.starts_with(SYSTEM_GROUP_PREFIX)
}

/// Returns the topic to which repliers of request-reply send: `<cluster>_REPLY_TOPIC`.
pub(crate) fn reply_topic(cluster: &str) -> String {
    format!("{cluster}_REPLY_TOPIC")
}

/// POP checkpoints and acks of a cluster.
pub(crate) fn revive_topic(cluster: &str) -> String {
    format!("{REVIVE_TOPIC_PREFIX}{cluster}")
}

pub(crate) fn sync_member_topic(broker_name: &str) -> String {
    format!("rmq_sys_SYNC_BROKER_MEMBER_{broker_name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn illegal_names_are_refused_in_apaches_words() {
        let remark = |name: &str| illegal(&check_topic(name).unwrap_err()).remark().to_owned();
        assert!(remark("a b").contains("The specified topic \"a b\" contains illegal characters"));
        assert_eq!(remark("  "), "The specified topic is blank.");
        assert_eq!(remark(&"t".repeat(128)), "The specified topic is longer than topic max length 127.");
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
