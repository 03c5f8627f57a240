//! The property string of a message: `name \x01 value \x02`, repeated.
//!
//! 5.x writers end the last pair with `\x02`, 4.x writers do not; both read both. The format has no escapes, so neither
//! separator may occur in a name or a value.
//!
//! ```
//! use rocketmq_remoting::message::{Properties, names};
//!
//! let mut properties = Properties::new();
//! properties.set(names::TAGS, "created").set("customer", "7");
//! let wire = properties.encode()?;
//! assert_eq!(wire, "TAGS\u{1}created\u{2}customer\u{1}7\u{2}");
//! assert_eq!(Properties::parse(&wire).tags(), Some("created"));
//! # Ok::<(), rocketmq_remoting::EncodeError>(())
//! ```

use std::fmt::Write as _;

use crate::error::EncodeError;

/// Separates a name from its value.
pub const NAME_VALUE_SEPARATOR: char = '\u{1}';
/// Ends a pair.
pub const PROPERTY_SEPARATOR: char = '\u{2}';
/// Most bytes of a property string in a record: its length is a signed 16-bit number.
pub const MAX_ENCODED_LEN: usize = i16::MAX as usize;

/// Names of the properties that RocketMQ itself reads or writes; users may not set them.
pub mod names {
    macro_rules! reserved {
        ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
            $($(#[$doc])* pub const $name: &str = $text;)*
            /// All of these names, in the order of their declaration.
            pub const ALL: &[&str] = &[$($name),*];
        };
    }

    reserved! {
        /// Keys of the message index, separated by spaces.
        KEYS = "KEYS";
        /// Tag of the message.
        TAGS = "TAGS";
        /// `true` (the default) if the broker waits for flush and replication before it answers.
        WAIT = "WAIT";
        /// Delay level, 1 to 18.
        DELAY = "DELAY";
        /// Timer: the time to deliver, ms since the epoch.
        TIMER_DELIVER_MS = "TIMER_DELIVER_MS";
        /// Timer: the delay, in seconds.
        TIMER_DELAY_SEC = "TIMER_DELAY_SEC";
        /// Timer: the delay, in milliseconds.
        TIMER_DELAY_MS = "TIMER_DELAY_MS";
        /// Timer: the time the wheel took the message, ms since the epoch.
        TIMER_ENQUEUE_MS = "TIMER_ENQUEUE_MS";
        /// Timer: the time the wheel gave the message back, ms since the epoch.
        TIMER_DEQUEUE_MS = "TIMER_DEQUEUE_MS";
        /// Timer: number of rounds of the wheel so far.
        TIMER_ROLL_TIMES = "TIMER_ROLL_TIMES";
        /// Timer: the time the message is due, ms since the epoch.
        TIMER_OUT_MS = "TIMER_OUT_MS";
        /// Timer: unique key of the message that this one cancels.
        TIMER_DEL_UNIQKEY = "TIMER_DEL_UNIQKEY";
        /// Timer: delay level of a delayed message that became a timer message.
        TIMER_DELAY_LEVEL = "TIMER_DELAY_LEVEL";
        /// Timer: roll marker.
        TIMER_ROLL_LABEL = "TIMER_ROLL_LABEL";
        /// Unique key: the id that the client gives. Users see it as the message id.
        UNIQ_KEY = "UNIQ_KEY";
        /// Further ids of a batch.
        EXTEND_UNIQ_INFO = "EXTEND_UNIQ_INFO";
        /// Number of messages in an inner batch.
        INNER_NUM = "INNER_NUM";
        /// Queue offset of the first message of an inner batch.
        INNER_BASE = "INNER_BASE";
        /// Topic of a retried message before its first retry.
        RETRY_TOPIC = "RETRY_TOPIC";
        /// Topic of a message that waits for its delay, timer or transaction.
        REAL_TOPIC = "REAL_TOPIC";
        /// Queue that belongs to `REAL_TOPIC`.
        REAL_QID = "REAL_QID";
        /// Id of the message before its first retry.
        ORIGIN_MESSAGE_ID = "ORIGIN_MESSAGE_ID";
        /// Number of retries of a message that its consumer sent again.
        RECONSUME_TIME = "RECONSUME_TIME";
        /// Largest number of retries, beside `RECONSUME_TIME`.
        MAX_RECONSUME_TIMES = "MAX_RECONSUME_TIMES";
        /// Dead letter: topic of the original message.
        DLQ_ORIGIN_TOPIC = "DLQ_ORIGIN_TOPIC";
        /// Dead letter: id of the original message.
        DLQ_ORIGIN_MESSAGE_ID = "DLQ_ORIGIN_MESSAGE_ID";
        /// `true` on a half message.
        TRAN_MSG = "TRAN_MSG";
        /// Producer group that can decide the transaction.
        PGROUP = "PGROUP";
        /// Id of the transaction.
        TRANSACTION_ID = "__transactionId__";
        /// Number of the broker's checks of a half message.
        TRANSACTION_CHECK_TIMES = "TRANSACTION_CHECK_TIMES";
        /// Queue offset of a half message before the broker appended it again.
        TRAN_PREPARED_QUEUE_OFFSET = "TRAN_PREPARED_QUEUE_OFFSET";
        /// Seconds until the broker's first check of a half message.
        CHECK_IMMUNITY_TIME_IN_SECONDS = "CHECK_IMMUNITY_TIME_IN_SECONDS";
        /// First offset of the queue; the client sets it on a pull.
        MIN_OFFSET = "MIN_OFFSET";
        /// End of the queue; the client sets it on a pull.
        MAX_OFFSET = "MAX_OFFSET";
        /// Start of the handler, ms since the epoch; the client sets it.
        CONSUME_START_TIME = "CONSUME_START_TIME";
        /// Receipt of a popped message.
        POP_CK = "POP_CK";
        /// Checkpoint offset of a popped message.
        POP_CK_OFFSET = "POP_CK_OFFSET";
        /// Time of the first pop of a message, ms since the epoch.
        FIRST_POP_TIME = "1ST_POP_TIME";
        /// Request-reply: id that pairs a reply with its request.
        CORRELATION_ID = "CORRELATION_ID";
        /// Request-reply: id of the client that waits for the reply.
        REPLY_TO_CLIENT = "REPLY_TO_CLIENT";
        /// Request-reply: time until the requester gives up, ms.
        TTL = "TTL";
        /// Request-reply: `reply` on a reply.
        MSG_TYPE = "MSG_TYPE";
        /// Cluster of the broker.
        CLUSTER = "CLUSTER";
        /// Request-reply: arrival of the reply at the broker, ms since the epoch.
        ARRIVE_TIME = "ARRIVE_TIME";
        /// Request-reply: the broker's push of the reply, ms since the epoch.
        PUSH_REPLY_TIME = "PUSH_REPLY_TIME";
        /// Namespace that the client added to the names.
        INSTANCE_ID = "INSTANCE_ID";
        /// Region of the broker.
        MSG_REGION = "MSG_REGION";
        /// `true` if clients trace the message.
        TRACE_ON = "TRACE_ON";
        /// Ordering key.
        SHARDING_KEY = "__SHARDINGKEY";
        /// Names of the light queues that share the message, separated by commas.
        INNER_MULTI_DISPATCH = "INNER_MULTI_DISPATCH";
        /// Offsets in these light queues, separated by commas.
        INNER_MULTI_QUEUE_OFFSET = "INNER_MULTI_QUEUE_OFFSET";
        /// Tracing context.
        TRACE_CONTEXT = "TRACE_CONTEXT";
        /// Birth of the message, ms since the epoch, for proxies.
        BORN_TIMESTAMP = "BORN_TIMESTAMP";
        /// Address of the producer, for proxies.
        BORN_HOST = "__BORNHOST";
        /// Consumer group of a retried message.
        ORIGIN_GROUP = "ORIGIN_GROUP";
        /// Transaction bookkeeping of 5.4.
        TRANS_OFFSET = "TRANS_OFFSET";
        /// Priority of 5.4.
        PRIORITY = "_SYS_MSG_PRIORITY_";
        /// Checksum of the stored record, on brokers that append one.
        CRC32 = "__CRC32#";
        /// Legacy.
        BUYER_ID = "BUYER_ID";
        /// Legacy.
        TRANSFER_FLAG = "TRANSFER_FLAG";
        /// Legacy.
        CORRECTION_FLAG = "CORRECTION_FLAG";
        /// Legacy.
        MQ2_FLAG = "MQ2_FLAG";
        /// Legacy.
        REDIRECT = "REDIRECT";
        /// Legacy.
        FORWARD_QUEUE_ID = "PROPERTY_FORWARD_QUEUE_ID";
        /// Legacy.
        DUP_INFO = "DUP_INFO";
    }

    /// Prefix of names that live in memory only and are never stored.
    pub const TRANSIENT_PREFIX: &str = "__RMQ.TRANSIENT.";

    /// Returns true for a name that RocketMQ itself reads or writes.
    pub fn is_reserved(name: &str) -> bool {
        name.starts_with(TRANSIENT_PREFIX) || ALL.contains(&name)
    }
}

/// The properties of one message, in their order on the wire.
///
/// Each name occurs once: of duplicates on the wire the last wins, as in Java.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    entries: Vec<(String, String)>,
}

impl Properties {
    /// Makes an empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the wire form. Never fails: it drops pairs without a name, a value or a separator, as Java does.
    pub fn parse(wire: &str) -> Self {
        let mut properties = Self::new();
        for (name, value) in pairs(wire) {
            properties.set(name, value);
        }
        properties
    }

    /// Returns the wire form, with the separator after the last pair.
    ///
    /// # Errors
    /// Fails for a name or value with a separator, for an empty name or value (readers would drop it), and for more
    /// than [`MAX_ENCODED_LEN`] bytes.
    pub fn encode(&self) -> Result<String, EncodeError> {
        for (name, value) in &self.entries {
            check(name, value)?;
        }
        let wire = self.encode_stored();
        if wire.len() > MAX_ENCODED_LEN {
            return Err(EncodeError::new(
                "properties",
                format!("{} bytes; a message holds at most {MAX_ENCODED_LEN}", wire.len()),
            ));
        }
        Ok(wire)
    }

    /// Returns the wire form without any check. For properties that come from a stored message: one odd message must
    /// not stop a broker that moves it.
    pub fn encode_stored(&self) -> String {
        let mut wire = String::with_capacity(self.encoded_len());
        for (name, value) in &self.entries {
            append(&mut wire, name, value);
        }
        wire
    }

    /// Returns the length of [`encode`](Self::encode)'s text, in bytes.
    pub fn encoded_len(&self) -> usize {
        self.entries.iter().map(|(name, value)| name.len() + value.len() + 2).sum()
    }

    /// Returns the value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.entries.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Returns the value of `name` as a number, or `None` if it is missing or no number.
    pub fn get_number<N: std::str::FromStr>(&self, name: &str) -> Option<N> {
        self.get(name)?.trim().parse().ok()
    }

    /// Returns the value of `name` as a boolean, or `None` if it is missing. Only `true`, in any case, is true, as for
    /// Java's `Boolean.parseBoolean`.
    pub fn get_bool(&self, name: &str) -> Option<bool> {
        self.get(name).map(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Sets `name`, at its old position if it has a value already.
    pub fn set(&mut self, name: impl AsRef<str> + Into<String>, value: impl Into<String>) -> &mut Self {
        match self.entries.iter_mut().find(|(n, _)| n == name.as_ref()) {
            Some((_, old)) => *old = value.into(),
            None => self.entries.push((name.into(), value.into())),
        }
        self
    }

    /// Removes `name` and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        let at = self.entries.iter().position(|(n, _)| n == name)?;
        Some(self.entries.remove(at).1)
    }

    /// Returns names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the number of properties.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns true if there are no properties.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the tag.
    pub fn tags(&self) -> Option<&str> {
        self.get(names::TAGS)
    }

    /// Returns the index keys, split at spaces.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.get(names::KEYS).unwrap_or_default().split(' ').filter(|key| !key.is_empty())
    }

    /// Returns the id that the client gave.
    pub fn unique_key(&self) -> Option<&str> {
        self.get(names::UNIQ_KEY)
    }

    /// Returns the delay level, or 0 without one.
    pub fn delay_level(&self) -> i32 {
        self.get_number(names::DELAY).unwrap_or(0)
    }

    /// Returns true if the broker shall wait for flush and replication: the default.
    pub fn wait_store(&self) -> bool {
        self.get_bool(names::WAIT).unwrap_or(true)
    }

    /// Returns the ordering key.
    pub fn sharding_key(&self) -> Option<&str> {
        self.get(names::SHARDING_KEY)
    }

    /// Returns the topic of a retried message before its first retry.
    pub fn retry_topic(&self) -> Option<&str> {
        self.get(names::RETRY_TOPIC)
    }

    /// Returns topic and queue of a message that waits for its delay, timer or transaction; `None` unless both are
    /// present.
    pub fn real_destination(&self) -> Option<(&str, i32)> {
        Some((self.get(names::REAL_TOPIC)?, self.get_number(names::REAL_QID)?))
    }

    /// Returns true for a half message.
    pub fn is_transaction(&self) -> bool {
        self.get_bool(names::TRAN_MSG).unwrap_or(false)
    }

    /// Returns the producer group that can decide the transaction.
    pub fn producer_group(&self) -> Option<&str> {
        self.get(names::PGROUP)
    }

    /// Returns the receipt of a popped message.
    pub fn pop_receipt(&self) -> Option<&str> {
        self.get(names::POP_CK)
    }

    /// Returns the id that pairs a reply with its request.
    pub fn correlation_id(&self) -> Option<&str> {
        self.get(names::CORRELATION_ID)
    }
}

impl<N: AsRef<str> + Into<String>, V: Into<String>> FromIterator<(N, V)> for Properties {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut properties = Self::new();
        for (name, value) in pairs {
            properties.set(name, value);
        }
        properties
    }
}

/// Checks that a property can be written.
///
/// # Errors
/// Fails for an empty name or value, and for one with a separator. The error names the property.
pub fn check(name: &str, value: &str) -> Result<(), EncodeError> {
    let unwritable = |text: &str| text.contains([NAME_VALUE_SEPARATOR, PROPERTY_SEPARATOR]);
    if name.is_empty() {
        return Err(EncodeError::new("property name", "empty; give the property a name"));
    }
    if unwritable(name) {
        return Err(EncodeError::new(
            "property name",
            format!("{name:?} holds \\u0001 or \\u0002; remove it"),
        ));
    }
    if value.is_empty() {
        return Err(EncodeError::new("property value", format!("{name} is empty; leave the property out")));
    }
    if unwritable(value) {
        return Err(EncodeError::new(
            "property value",
            format!("{name} = {value:?} holds \\u0001 or \\u0002; remove it"),
        ));
    }
    Ok(())
}

/// Returns the pairs of a wire form, duplicates included. Allocates nothing.
pub fn pairs(wire: &str) -> impl Iterator<Item = (&str, &str)> {
    wire.split(PROPERTY_SEPARATOR)
        .filter_map(|pair| pair.split_once(NAME_VALUE_SEPARATOR))
        .filter(|(name, value)| !name.is_empty() && !value.is_empty())
}

/// Returns one value of a wire form: of duplicates, the last. Allocates nothing.
pub fn find<'a>(wire: &'a str, name: &str) -> Option<&'a str> {
    pairs(wire).filter(|(n, _)| *n == name).last().map(|(_, value)| value)
}

/// Appends one pair to a wire form. Closes the pair before it first, if a 4.x writer left it open. Does not [`check`]
/// the pair.
pub fn append(wire: &mut String, name: &str, value: &str) {
    close(wire);
    wire.reserve(name.len() + value.len() + 2);
    wire.push_str(name);
    wire.push(NAME_VALUE_SEPARATOR);
    wire.push_str(value);
    wire.push(PROPERTY_SEPARATOR);
}

/// Does the same as [`append`] for a value that is not text yet.
pub fn append_display(wire: &mut String, name: &str, value: impl std::fmt::Display) {
    close(wire);
    // Writing to a String cannot fail.
    let _ = write!(wire, "{name}{NAME_VALUE_SEPARATOR}{value}{PROPERTY_SEPARATOR}");
}

fn close(wire: &mut String) {
    if !wire.is_empty() && !wire.ends_with(PROPERTY_SEPARATOR) {
        wire.push(PROPERTY_SEPARATOR);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_endings_read_alike() {
        let closed = Properties::parse("TAGS\u{1}TagA\u{2}WAIT\u{1}true\u{2}");
        assert_eq!(closed, Properties::parse("TAGS\u{1}TagA\u{2}WAIT\u{1}true"));
        assert_eq!(closed.encode().unwrap(), "TAGS\u{1}TagA\u{2}WAIT\u{1}true\u{2}");
        assert_eq!(closed.encoded_len(), 20);
        assert_eq!(closed.tags(), Some("TagA"));
        assert!(closed.wait_store());
    }

    #[test]
    fn broken_pairs_are_dropped() {
        let read = Properties::parse("a\u{1}\u{2}\u{1}b\u{2}cd\u{2}e\u{1}f\u{2}\u{2}");
        assert_eq!(read.iter().collect::<Vec<_>>(), [("e", "f")]);
        assert!(Properties::parse("").is_empty());
    }

    #[test]
    fn the_last_duplicate_wins() {
        let wire = "UNIQ_KEY\u{1}A\u{2}x\u{1}y\u{2}UNIQ_KEY\u{1}B\u{2}";
        assert_eq!(Properties::parse(wire).unique_key(), Some("B"));
        assert_eq!(find(wire, "UNIQ_KEY"), Some("B"));
        assert_eq!(find(wire, "KEY"), None);
    }

    #[test]
    fn separators_are_refused_and_named() {
        let mut properties = Properties::new();
        properties.set("colour", "re\u{2}d");
        let error = properties.encode().unwrap_err().to_string();
        assert!(error.contains("colour"), "{error}");
        assert!(check("a\u{1}b", "c").is_err());
        assert!(check("", "c").is_err());
        assert!(check("a", "").is_err());
        assert!(check("a", "b c").is_ok());
    }

    #[test]
    fn stored_properties_are_written_unchecked() {
        let wire = "a\u{1}b\u{1}c\u{2}";
        assert_eq!(Properties::parse(wire).encode_stored(), wire);
    }

    #[test]
    fn too_long_is_refused() {
        let mut properties = Properties::new();
        properties.set("a", "x".repeat(MAX_ENCODED_LEN - 3));
        assert_eq!(properties.encode().unwrap().len(), MAX_ENCODED_LEN);
        properties.set("a", "x".repeat(MAX_ENCODED_LEN - 2));
        assert!(properties.encode().is_err());
    }

    #[test]
    fn appending_closes_an_open_pair() {
        let mut wire = "TAGS\u{1}TagA".to_owned();
        append(&mut wire, "CLUSTER", "C");
        append_display(&mut wire, "DELAY", 3);
        assert_eq!(wire, "TAGS\u{1}TagA\u{2}CLUSTER\u{1}C\u{2}DELAY\u{1}3\u{2}");
    }

    #[test]
    fn typed_values() {
        let read = Properties::parse(
            "KEYS\u{1}k1  k2\u{2}DELAY\u{1}4\u{2}WAIT\u{1}FALSE\u{2}REAL_TOPIC\u{1}T\u{2}REAL_QID\u{1}7",
        );
        assert_eq!(read.keys().collect::<Vec<_>>(), ["k1", "k2"]);
        assert_eq!(read.delay_level(), 4);
        assert!(!read.wait_store());
        assert_eq!(read.real_destination(), Some(("T", 7)));
        assert_eq!(Properties::parse("DELAY\u{1}x").delay_level(), 0);
    }

    #[test]
    fn reserved_names() {
        assert!(names::is_reserved("__transactionId__"));
        assert!(names::is_reserved("__RMQ.TRANSIENT.TOPIC_SYS_FLAG"));
        assert!(!names::is_reserved("colour"));
    }

    proptest! {
        #[test]
        fn round_trip(pairs in proptest::collection::btree_map("[^\u{1}\u{2}]{1,8}", "[^\u{1}\u{2}]{1,8}", 0..8)) {
            let properties: Properties = pairs.into_iter().collect();
            let wire = properties.encode().unwrap();
            prop_assert_eq!(Properties::parse(&wire), properties.clone());
            prop_assert_eq!(Properties::parse(wire.trim_end_matches('\u{2}')), properties);
        }

        #[test]
        fn any_text_parses(wire in "[ab\u{1}\u{2}é]{0,40}") {
            let once = Properties::parse(&wire);
            prop_assert_eq!(Properties::parse(&once.encode_stored()), once);
        }
    }
}
