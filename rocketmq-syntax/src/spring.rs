//! Names that rocketmq-spring gives to settings which have another name here.

/// The setting to write instead of one of Spring's, with the difference where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renamed {
    /// Spring's name, in its own spelling.
    pub spring: &'static str,
    /// Our name, as the attribute writes it; empty if nothing takes its place.
    pub ours: &'static str,
    /// Tells the difference; may be empty.
    pub note: &'static str,
}

const fn renamed(spring: &'static str, ours: &'static str, note: &'static str) -> Renamed {
    Renamed { spring, ours, note }
}

/// Settings of `@RocketMQMessageListener`.
const LISTENER: [Renamed; 13] = [
    renamed("consumerGroup", "group", ""),
    renamed("selectorExpression", "selector", "`sql` takes SQL92 conditions"),
    renamed(
        "selectorType",
        "selector",
        "`selector` takes tags and `sql` an SQL92 condition; no type is written",
    ),
    renamed("consumeMode", "mode", "its values are \"concurrent\" and \"orderly\""),
    renamed("messageModel", "model", "its values are \"clustering\" and \"broadcasting\""),
    renamed("consumeThreadNumber", "concurrency", "the number of handlers at once"),
    renamed("consumeThreadMax", "concurrency", "the number of handlers at once"),
    renamed("consumeFromWhere", "from", "its values are \"first\", \"last\" and a time"),
    renamed(
        "delayLevelWhenNextConsume",
        "retry_delay",
        "a duration such as \"10s\"; -1 is `on_error = \"dead-letter\"`",
    ),
    renamed("suspendCurrentQueueTimeMillis", "suspend_time", ""),
    renamed("awaitTerminationMillisWhenShutdown", "await_termination", ""),
    renamed("consumeMessageBatchMaxSize", "batch", "the handler takes a `Vec` then"),
    renamed(
        "accessChannel",
        "",
        "set `rocketmq.access-channel` in application.toml: it is one for all listeners",
    ),
];

/// Settings of `@RocketMQTransactionListener`.
const CHECKER: [Renamed; 6] = [
    renamed("rocketMQTemplateBeanName", "group", "the group of the producer that it answers for"),
    renamed("corePoolSize", "", NO_POOL),
    renamed("maximumPoolSize", "", NO_POOL),
    renamed("keepAliveTime", "", NO_POOL),
    renamed("keepAliveTimeUnit", "", NO_POOL),
    renamed("blockingQueueSize", "", NO_POOL),
];

const NO_POOL: &str = "leave it out: checks run as tasks, and there is no pool";

/// Finds a setting of Spring's listeners, in whatever spelling: `consumerGroup`, `consumer_group`, `consumer-group`.
///
/// ```
/// let renamed = rocketmq_syntax::spring::listener("consume_thread_number").expect("Spring has it");
/// assert_eq!(renamed.ours, "concurrency");
/// ```
pub fn listener(name: &str) -> Option<&'static Renamed> {
    find(&LISTENER, name)
}

/// Finds a setting of Spring's transaction listeners.
pub fn checker(name: &str) -> Option<&'static Renamed> {
    find(&CHECKER, name)
}

fn find(all: &'static [Renamed], name: &str) -> Option<&'static Renamed> {
    all.iter().find(|renamed| canonical(renamed.spring) == canonical(name))
}

/// Spells a key without its separators and in lower case: Spring takes keys in any of these spellings.
pub fn canonical(key: &str) -> String {
    key.chars().filter(|c| !matches!(c, '-' | '_' | '.')).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spelling_is_found_and_other_names_are_not() {
        for name in ["consumerGroup", "consumer_group", "consumer-group", "CONSUMER_GROUP"] {
            assert_eq!(listener(name).map(|renamed| renamed.ours), Some("group"), "{name}");
        }
        assert_eq!(listener("group"), None);
        assert!(checker("core_pool_size").is_some_and(|renamed| renamed.ours.is_empty()));
        assert_eq!(checker("consumerGroup"), None);
    }
}
