//! The table of all keys under `[rocketmq]`, with the check of each. Files, variables and `App::set` are looked up here.

use super::parse::{
    self, bytes, bytes_within, count, count_within, interval, path, period, switch, text, topic,
};
use crate::listener::options;
use crate::listener::tuning::allocation;
use rocketmq_client::remoting::spring::{self, Renamed, canonical};

/// Fails for a text that a key does not take; the error describes what it takes.
pub(crate) type Check = fn(&str) -> Result<(), String>;

/// The kind of thing under a name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Node {
    /// One value.
    Value(Check),
    /// One value that is never shown.
    Secret(Check),
    /// A key of Spring's without a meaning here, and why.
    NoEffect(&'static str),
    /// A table of known keys.
    Table(&'static Table),
    /// The same thing under each name that the application chooses.
    Named(&'static Node),
}

impl Node {
    /// Describes what it takes if `text` is not that, and tells if it is a secret. An empty text counts as no value.
    pub(crate) fn refuses(&self, text: &str) -> Option<(String, bool)> {
        let (check, secret) = match self {
            Node::Value(check) => (check, false),
            Node::Secret(check) => (check, true),
            Node::NoEffect(_) | Node::Table(_) | Node::Named(_) => return None,
        };
        check(text).err().filter(|_| !text.trim().is_empty()).map(|takes| (takes, secret))
    }
}

/// A table of known keys.
#[derive(Debug)]
pub(crate) struct Table {
    keys: &'static [(&'static str, Node)],
    /// Further keys.
    also: Option<&'static Table>,
    /// Spring's other names for some of them.
    spring: fn(&str) -> Option<&'static Renamed>,
}

impl Table {
    /// Every key, those of further tables included.
    pub(crate) fn keys(&self) -> Vec<(&'static str, Node)> {
        let mut keys = self.keys.to_vec();
        keys.extend(self.also.map(Table::keys).unwrap_or_default());
        keys
    }

    /// The key of this spelling.
    pub(crate) fn get(&self, written: &str) -> Option<(&'static str, Node)> {
        let own = self.keys.iter().find(|(key, _)| canonical(key) == canonical(written)).copied();
        own.or_else(|| self.also?.get(written))
    }

    /// Tells the user what to write instead of an unknown key.
    pub(crate) fn hint(&self, written: &str) -> String {
        if let Some(renamed) = (self.spring)(written) {
            return springs(renamed);
        }
        if let Some(place) = elsewhere(written) {
            return format!("it belongs to `[{place}]`");
        }
        let nearest = self.keys().into_iter().map(|(key, _)| key).min_by_key(|key| distance(key, written));
        nearest.map_or_else(String::new, |key| format!("the nearest known key is `{key}`"))
    }
}

fn springs(renamed: &Renamed) -> String {
    let ours = renamed.ours.replace('_', "-");
    match (ours.as_str(), renamed.note) {
        ("", note) => format!("it is Spring's name: {note}"),
        (ours @ ("group" | "selector"), _) => format!("it is Spring's name: set `{ours}` in the attribute"),
        (ours, _) => format!("it is Spring's name: write `{ours}`"),
    }
}

/// Counts the typing errors between two keys.
pub(crate) fn distance(one: &str, other: &str) -> usize {
    strsim::damerau_levenshtein(&canonical(one), &canonical(other))
}

/// Finds the table that has a key of exactly this name.
fn elsewhere(written: &str) -> Option<&'static str> {
    let tables: [(&str, &Table); 8] = [
        ("rocketmq", &ROOT),
        ("rocketmq.client", &CLIENT),
        ("rocketmq.producer", &PRODUCER),
        ("rocketmq.consumer", &OPTIONS),
        ("rocketmq.pull-consumer", &PULL_CONSUMER),
        ("rocketmq.tls", &TLS),
        ("rocketmq.embedded", &EMBEDDED),
        ("rocketmq.management", &MANAGEMENT),
    ];
    let has = |table: &Table| table.get(written).is_some_and(|(_, node)| !matches!(node, Node::NoEffect(_)));
    tables.into_iter().find(|(_, table)| has(table)).map(|(place, _)| place)
}

fn no_other_names(_: &str) -> Option<&'static Renamed> {
    None
}

/// Checks a key by the function that reads it.
macro_rules! takes {
    ($parse:expr) => {
        Node::Value(|text| ($parse)(text).map(drop))
    };
    (secret $parse:expr) => {
        Node::Secret(|text| ($parse)(text).map(drop))
    };
}

static ROOT: Table = Table {
    keys: &[
        ("name-server", takes!(super::properties::name_server)),
        ("profile", takes!(text)),
        ("access-channel", takes!(super::properties::access_channel)),
        ("socks-proxy-config", takes!(secret super::properties::socks_proxies)),
        ("client", Node::Table(&CLIENT)),
        ("producer", Node::Table(&PRODUCER)),
        ("producers", Node::Named(&Node::Table(&PRODUCER))),
        ("consumer", Node::Table(&CONSUMER)),
        ("pull-consumer", Node::Table(&PULL_CONSUMER)),
        ("pull-consumers", Node::Named(&Node::Table(&PULL_CONSUMER))),
        ("clusters", Node::Named(&Node::Table(&CLUSTER))),
        ("tls", Node::Table(&TLS)),
        ("embedded", Node::Table(&EMBEDDED)),
        ("management", Node::Table(&MANAGEMENT)),
    ],
    also: None,
    spring: no_other_names,
};

static CLIENT: Table = Table {
    keys: &[
        ("client-ip", takes!(parse::address)),
        ("unit-name", takes!(text)),
        ("unit-mode", takes!(switch)),
        ("vip-channel-enabled", takes!(switch)),
        ("use-heartbeat-v2", takes!(switch)),
        ("poll-name-server-interval", takes!(interval)),
        ("heartbeat-broker-interval", takes!(interval)),
        ("persist-consumer-offset-interval", takes!(interval)),
        ("mq-client-api-timeout", takes!(interval)),
    ],
    also: None,
    spring: no_other_names,
};

static PRODUCER: Table = Table {
    keys: &[
        ("group", takes!(parse::own_group)),
        ("name-server", takes!(super::properties::name_server)),
        ("cluster", takes!(text)),
        ("send-message-timeout", takes!(interval)),
        ("retry-times-when-send-failed", takes!(count)),
        ("retry-next-server", takes!(switch)),
        ("compress-message-body-threshold", takes!(bytes)),
        ("max-message-size", takes!(bytes_within::<1, { usize::MAX }>)),
        ("compress-type", takes!(super::tuning::compression)),
        ("compress-level", takes!(count_within::<0, 9>)),
        ("send-msg-max-timeout-per-request", takes!(interval)),
        ("send-latency-fault-enable", takes!(switch)),
        ("start-detector-enable", takes!(switch)),
        ("auto-batch", takes!(switch)),
        ("batch-max-delay-ms", takes!(period)),
        ("batch-max-bytes", takes!(bytes_within::<1, { usize::MAX }>)),
        ("total-batch-max-bytes", takes!(bytes)),
        ("back-pressure-for-async-send-num", takes!(count_within::<10, { 1 << 20 }>)),
        ("back-pressure-for-async-send-size", takes!(bytes_within::<1, { usize::MAX }>)),
        ("default-topic-queue-nums", takes!(count_within::<1, 1024>)),
        ("create-topic-key", takes!(topic)),
        (
            "retry-times-when-send-async-failed",
            Node::NoEffect("every send is asynchronous and retried alike"),
        ),
    ],
    also: Some(&ACCESS),
    spring: no_other_names,
};

/// A further cluster.
static CLUSTER: Table = Table {
    keys: &[("name-server", takes!(super::properties::name_server)), ("tls", Node::Table(&TLS))],
    also: Some(&IDENTITY),
    spring: no_other_names,
};

/// Credentials, namespaces, encryption and traces of a producer or consumer.
static ACCESS: Table = Table {
    keys: &[("enable-msg-trace", takes!(switch)), ("customized-trace-topic", takes!(topic))],
    also: Some(&IDENTITY),
    spring: no_other_names,
};

/// Credentials, namespaces and encryption.
static IDENTITY: Table = Table {
    keys: &[
        ("access-key", takes!(secret text)),
        ("secret-key", takes!(secret text)),
        ("security-token", takes!(secret text)),
        ("namespace", takes!(text)),
        ("namespace-v2", takes!(text)),
        ("tls-enable", takes!(switch)),
        ("instance-name", takes!(text)),
    ],
    also: None,
    spring: no_other_names,
};

/// The options of listeners in the configuration; the attribute writes `_` for `-`.
static OPTIONS: Table = Table {
    keys: &[
        ("mode", takes!(options::mode)),
        ("model", takes!(options::MessageModel::parse)),
        ("concurrency", takes!(count_within::<1, 1000>)),
        ("batch", takes!(count_within::<1, 1024>)),
        ("max-reconsume-times", takes!(count_within::<0, { i32::MAX as u32 }>)),
        ("consume-timeout", takes!(parse::consume_timeout)),
        ("retry-delay", takes!(options::delay_level)),
        ("suspend-time", takes!(period)),
        ("on-error", takes!(options::on_error)),
        ("on-unreadable", takes!(options::on_unreadable)),
        ("from", takes!(options::start_point)),
        ("pull-batch-size", takes!(count_within::<1, 1024>)),
        ("pull-interval", takes!(period)),
        ("reply-timeout", takes!(interval)),
        ("await-termination", takes!(period)),
        ("enabled", takes!(switch)),
        ("name-server", takes!(super::properties::name_server)),
        ("cluster", takes!(text)),
        ("allocate", takes!(allocation)),
        ("consumer-idcs", takes!(parse::names)),
        ("client-rebalance", takes!(switch)),
        ("pop-invisible-time", takes!(parse::pop_invisible_time)),
        ("pop-batch-nums", takes!(count_within::<1, 32>)),
        ("pop-threshold-for-queue", takes!(count_within::<1, 65_535>)),
        ("pull-threshold-for-queue", takes!(count_within::<1, 65_535>)),
        ("pull-threshold-size-for-queue", takes!(bytes_within::<{ 1 << 20 }, { 1 << 30 }>)),
        ("pull-threshold-for-topic", takes!(count_within::<1, 6_553_500>)),
        ("pull-threshold-size-for-topic", takes!(bytes_within::<{ 1 << 20 }, { 100 << 30 }>)),
        ("consume-concurrently-max-span", takes!(count_within::<1, 65_535>)),
        ("local-offset-store-dir", takes!(path)),
    ],
    also: Some(&ACCESS),
    spring: spring::listener,
};

/// The options of the attribute besides topic, group and name.
pub(crate) static ATTRIBUTE: Table = Table {
    keys: &[("selector", takes!(options::tags)), ("sql", takes!(options::sql))],
    also: Some(&OPTIONS),
    spring: spring::listener,
};

const IN_ATTRIBUTE: &str = "each listener's attribute says it, as in Spring";

static CONSUMER: Table = Table {
    keys: &[
        // Spring's `<group>.<topic> = false`.
        ("listeners", Node::Named(&Node::Named(&takes!(switch)))),
        ("groups", Node::Named(&Node::Table(&OPTIONS))),
        ("group", Node::NoEffect(IN_ATTRIBUTE)),
        ("topic", Node::NoEffect(IN_ATTRIBUTE)),
        ("message-model", Node::NoEffect(IN_ATTRIBUTE)),
        ("selector-type", Node::NoEffect(IN_ATTRIBUTE)),
        ("selector-expression", Node::NoEffect(IN_ATTRIBUTE)),
    ],
    also: Some(&OPTIONS),
    spring: spring::listener,
};

static PULL_CONSUMER: Table = Table {
    keys: &[
        ("group", takes!(parse::own_group)),
        ("topic", takes!(topic)),
        ("name-server", takes!(super::properties::name_server)),
        ("cluster", takes!(text)),
        ("message-model", takes!(options::MessageModel::parse)),
        ("selector-type", takes!(super::properties::selector_type)),
        ("selector-expression", takes!(text)),
        ("pull-batch-size", takes!(count_within::<1, 1024>)),
    ],
    also: Some(&ACCESS),
    spring: no_other_names,
};

static TLS: Table = Table {
    keys: &[
        ("enable", takes!(switch)),
        ("ca", takes!(path)),
        ("cert", takes!(path)),
        ("key", takes!(path)),
        ("key-password", takes!(secret text)),
        ("server-name", takes!(text)),
        ("insecure", takes!(switch)),
    ],
    also: None,
    spring: no_other_names,
};

static MANAGEMENT: Table = Table {
    keys: &[("address", takes!(parse::listen_address)), ("lag-grows-for", takes!(interval))],
    also: None,
    spring: no_other_names,
};

static EMBEDDED: Table = Table { keys: &[("store-path", takes!(path))], also: None, spring: no_other_names };

/// The goal of a path.
#[derive(Debug)]
pub(crate) struct Place {
    /// The path in our spelling; names that the application chooses stay as they are.
    pub(crate) path: String,
    pub(crate) node: Node,
}

/// An unknown key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unknown {
    /// Advice for the user.
    pub(crate) hint: String,
}

/// Follows the segments of a path below `rocketmq`.
///
/// # Errors
/// Fails at the first segment that no table has.
pub(crate) fn follow<'s>(segments: impl IntoIterator<Item = &'s str>) -> Result<Place, Unknown> {
    let mut place = Place { path: "rocketmq".to_owned(), node: Node::Table(&ROOT) };
    for written in segments {
        let (segment, node) = step(place.node, written)?;
        place = Place { path: format!("{}.{segment}", place.path), node };
    }
    Ok(place)
}

fn step(node: Node, written: &str) -> Result<(String, Node), Unknown> {
    match node {
        Node::Table(table) => match table.get(written) {
            Some((key, node)) => Ok((key.to_owned(), node)),
            None => Err(Unknown { hint: table.hint(written) }),
        },
        Node::Named(each) => Ok((written.to_owned(), *each)),
        Node::Value(_) | Node::Secret(_) | Node::NoEffect(_) => {
            Err(Unknown { hint: "the key above it takes one value, no table".to_owned() })
        }
    }
}

/// The place that is nearest to the words of a variable behind `ROCKETMQ_`, and how many typing errors lie between.
pub(crate) fn nearest(words: &[&str]) -> Option<(usize, Place)> {
    let (distance, path, node) = search(Node::Table(&ROOT), words)?;
    Some((distance, Place { path: format!("rocketmq{path}"), node }))
}

fn search(node: Node, words: &[&str]) -> Option<(usize, String, Node)> {
    match node {
        Node::Value(_) | Node::Secret(_) | Node::NoEffect(_) => {
            words.is_empty().then(|| (0, String::new(), node))
        }
        Node::Table(table) => {
            let keys = table.keys().into_iter();
            let found = keys.flat_map(|(key, node)| (1..=words.len()).map(move |count| (key, node, count)));
            let found = found.filter_map(|(key, node, count)| {
                let own = distance(&words[..count].concat(), key);
                // A key with more errors is another word.
                let (rest, path, node) = (own <= key.len() / 2).then(|| search(node, &words[count..]))??;
                Some((own + rest, format!(".{key}{path}"), node))
            });
            found.min_by_key(|(distance, ..)| *distance)
        }
        Node::Named(each) => {
            let found = (1..=words.len()).filter_map(|count| {
                let (rest, path, node) = search(*each, &words[count..])?;
                let name = words[..count].join("-").to_ascii_lowercase();
                Some((rest, format!(".{name}{path}"), node))
            });
            found.min_by_key(|(distance, ..)| *distance)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(written: &str) -> Result<String, Unknown> {
        follow(written.split('.')).map(|place| place.path)
    }

    #[test]
    fn keys_are_known_in_each_spelling_and_names_stay_as_they_are() {
        assert_eq!(path("producer.sendMessageTimeout").unwrap(), "rocketmq.producer.send-message-timeout");
        assert_eq!(
            path("consumer.groups.Bill_ing.name_server").unwrap(),
            "rocketmq.consumer.groups.Bill_ing.name-server"
        );
        assert_eq!(path("consumer.listeners.g.t").unwrap(), "rocketmq.consumer.listeners.g.t");
        assert!(matches!(follow(["producers", "audit"]).unwrap().node, Node::Table(_)));
    }

    #[test]
    fn what_is_not_known_gets_a_hint() {
        let hint = |written| path(written).unwrap_err().hint;
        assert!(hint("producer.gruop").contains("`group`"));
        assert!(hint("producer.concurrency").contains("`[rocketmq.consumer]`"));
        assert!(hint("consumer.groups.g.consumeThreadNumber").contains("write `concurrency`"));
        assert!(hint("consumer.groups.g.consumer-group").contains("`group` in the attribute"));
        assert!(hint("producer.group.x").contains("no table"));
    }

    #[test]
    fn a_variable_stands_for_a_key_also_below_a_name_of_the_application() {
        let found =
            |name: &str| nearest(&name.split('_').collect::<Vec<_>>()).map(|(far, place)| (far, place.path));
        for (name, expected) in [
            ("NAME_SERVER", "rocketmq.name-server"),
            ("PRODUCER_SENDMESSAGETIMEOUT", "rocketmq.producer.send-message-timeout"),
            ("PRODUCERS_ORDER_AUDIT_GROUP", "rocketmq.producers.order-audit.group"),
            (
                "CONSUMER_GROUPS_BILLING_MAX_RECONSUME_TIMES",
                "rocketmq.consumer.groups.billing.max-reconsume-times",
            ),
            ("CONSUMER_LISTENERS_BILLING_ORDERS", "rocketmq.consumer.listeners.billing.orders"),
        ] {
            assert_eq!(found(name), Some((0, expected.to_owned())), "{name}");
        }
        assert_eq!(found("PRODUCER_GRUOP"), Some((1, "rocketmq.producer.group".to_owned())));
        assert!(found("HOME").is_none_or(|(far, _)| far > 2));
    }
}
