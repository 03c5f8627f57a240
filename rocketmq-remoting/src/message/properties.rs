//! The property string of a message: `name \x01 value \x02`, repeated.
//!
//! 5.x writers end the last pair with `\x02`, 4.x writers do not; both read both. There is no escaping,
//! so neither separator may occur in a name or a value.

use std::fmt::Write as _;

use crate::error::EncodeError;

/// Between a name and its value.
pub const NAME_VALUE_SEPARATOR: char = '\u{1}';
/// After each pair.
pub const PROPERTY_SEPARATOR: char = '\u{2}';
/// What a record can hold: the length travels as a signed 16-bit number.
pub const MAX_ENCODED_LEN: usize = i16::MAX as usize;

/// Every name RocketMQ gives a meaning to; users may not set these as their own properties.
pub mod names {
    macro_rules! reserved {
        ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
            $($(#[$doc])* pub const $name: &str = $text;)*
            /// All of them, in the order of declaration.
            pub const ALL: &[&str] = &[$($name),*];
        };
    }

    reserved! {
        /// Index keys, separated by spaces.
        KEYS = "KEYS";
        /// The tag.
        TAGS = "TAGS";
        /// Whether the broker waits for flush and replication before it answers.
        WAIT = "WAIT";
        /// Delay level, 1 to 18.
        DELAY = "DELAY";
        /// Timer: deliver at this time, ms since the epoch.
        TIMER_DELIVER_MS = "TIMER_DELIVER_MS";
        /// Timer: deliver after this many seconds.
        TIMER_DELAY_SEC = "TIMER_DELAY_SEC";
        /// Timer: deliver after this many milliseconds.
        TIMER_DELAY_MS = "TIMER_DELAY_MS";
        /// Timer: when the wheel took the message.
        TIMER_ENQUEUE_MS = "TIMER_ENQUEUE_MS";
        /// Timer: when the wheel gave it back.
        TIMER_DEQUEUE_MS = "TIMER_DEQUEUE_MS";
        /// Timer: how often the message went round the wheel.
        TIMER_ROLL_TIMES = "TIMER_ROLL_TIMES";
        /// Timer: the time it is due, ms since the epoch.
        TIMER_OUT_MS = "TIMER_OUT_MS";
        /// Timer: cancels the message with this unique key.
        TIMER_DEL_UNIQKEY = "TIMER_DEL_UNIQKEY";
        /// Timer: the level of a delay turned into a timer.
        TIMER_DELAY_LEVEL = "TIMER_DELAY_LEVEL";
        /// Timer: roll marker.
        TIMER_ROLL_LABEL = "TIMER_ROLL_LABEL";
        /// The id the client gave; what users see as the message id.
        UNIQ_KEY = "UNIQ_KEY";
        /// Further ids of a batch.
        EXTEND_UNIQ_INFO = "EXTEND_UNIQ_INFO";
        /// How many messages an inner batch holds.
        INNER_NUM = "INNER_NUM";
        /// The queue offset of the first message of an inner batch.
        INNER_BASE = "INNER_BASE";
        /// The topic of a retried message before its retries.
        RETRY_TOPIC = "RETRY_TOPIC";
        /// The topic of a message parked by a delay, timer or transaction.
        REAL_TOPIC = "REAL_TOPIC";
        /// The queue that goes with `REAL_TOPIC`.
        REAL_QID = "REAL_QID";
        /// The id before the first retry.
        ORIGIN_MESSAGE_ID = "ORIGIN_MESSAGE_ID";
        /// The retry count of a message re-sent by its consumer.
        RECONSUME_TIME = "RECONSUME_TIME";
        /// The limit that goes with `RECONSUME_TIME`.
        MAX_RECONSUME_TIMES = "MAX_RECONSUME_TIMES";
        /// Dead letter: where it came from.
        DLQ_ORIGIN_TOPIC = "DLQ_ORIGIN_TOPIC";
        /// Dead letter: which message it was.
        DLQ_ORIGIN_MESSAGE_ID = "DLQ_ORIGIN_MESSAGE_ID";
        /// `true` on a half message.
        TRAN_MSG = "TRAN_MSG";
        /// The producer group that can decide a transaction.
        PGROUP = "PGROUP";
        /// The transaction's id.
        TRANSACTION_ID = "__transactionId__";
        /// How often the broker asked about a half message.
        TRANSACTION_CHECK_TIMES = "TRANSACTION_CHECK_TIMES";
        /// The queue offset of the half message before it was appended again.
        TRAN_PREPARED_QUEUE_OFFSET = "TRAN_PREPARED_QUEUE_OFFSET";
        /// How many seconds the broker waits before it asks.
        CHECK_IMMUNITY_TIME_IN_SECONDS = "CHECK_IMMUNITY_TIME_IN_SECONDS";
        /// Set by the client on a pull: the queue's first offset.
        MIN_OFFSET = "MIN_OFFSET";
        /// Set by the client on a pull: the queue's end.
        MAX_OFFSET = "MAX_OFFSET";
        /// Set by the client when its handler starts.
        CONSUME_START_TIME = "CONSUME_START_TIME";
        /// The receipt of a popped message.
        POP_CK = "POP_CK";
        /// The checkpoint offset of a popped message.
        POP_CK_OFFSET = "POP_CK_OFFSET";
        /// When a message was popped first.
        FIRST_POP_TIME = "1ST_POP_TIME";
        /// Request-reply: pairs a reply with its request.
        CORRELATION_ID = "CORRELATION_ID";
        /// Request-reply: the client that waits.
        REPLY_TO_CLIENT = "REPLY_TO_CLIENT";
        /// Request-reply: ms until the requester gives up.
        TTL = "TTL";
        /// Request-reply: `reply` on an answer.
        MSG_TYPE = "MSG_TYPE";
        /// The broker's cluster.
        CLUSTER = "CLUSTER";
        /// Request-reply: when the reply reached the broker.
        ARRIVE_TIME = "ARRIVE_TIME";
        /// Request-reply: when the broker pushed it.
        PUSH_REPLY_TIME = "PUSH_REPLY_TIME";
        /// The namespace the client added to the names.
        INSTANCE_ID = "INSTANCE_ID";
        /// The broker's region.
        MSG_REGION = "MSG_REGION";
        /// Whether the message is traced.
        TRACE_ON = "TRACE_ON";
        /// The ordering key.
        SHARDING_KEY = "__SHARDINGKEY";
        /// The light queues that share the message, separated by commas.
        INNER_MULTI_DISPATCH = "INNER_MULTI_DISPATCH";
        /// The offsets that go with `INNER_MULTI_DISPATCH`.
        INNER_MULTI_QUEUE_OFFSET = "INNER_MULTI_QUEUE_OFFSET";
        /// Tracing context.
        TRACE_CONTEXT = "TRACE_CONTEXT";
        /// When the message was born, for proxies.
        BORN_TIMESTAMP = "BORN_TIMESTAMP";
        /// Where the message was born, for proxies.
        BORN_HOST = "__BORNHOST";
        /// The group a retried message belongs to.
        ORIGIN_GROUP = "ORIGIN_GROUP";
        /// Transaction bookkeeping of 5.4.
        TRANS_OFFSET = "TRANS_OFFSET";
        /// Priority of 5.4.
        PRIORITY = "_SYS_MSG_PRIORITY_";
        /// The stored record's checksum, when the broker appends one.
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

    /// Names with this prefix live in memory only and are never stored.
    pub const TRANSIENT_PREFIX: &str = "__RMQ.TRANSIENT.";

    /// Whether `name` means something to RocketMQ itself.
    pub fn is_reserved(name: &str) -> bool {
        name.starts_with(TRANSIENT_PREFIX) || ALL.contains(&name)
    }
}

/// The properties of one message, in the order they were written. A name occurs once: of duplicates on
/// the wire the last wins, as in Java.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    entries: Vec<(String, String)>,
}

impl Properties {
    /// No properties.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the wire form. Pairs without a name, without a value or without a separator are dropped, as
    /// Java drops them; nothing is an error.
    pub fn parse(wire: &str) -> Self {
        let mut properties = Self::new();
        for (name, value) in pairs(wire) {
            properties.set(name, value);
        }
        properties
    }

    /// The wire form with the final separator.
    ///
    /// # Errors
    /// A name or value that holds a separator, an empty name or value (the reader would drop it), or more
    /// than [`MAX_ENCODED_LEN`] bytes in all.
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

    /// The wire form of properties that were parsed from one: whatever a message already carried is
    /// written again unchecked, so that one odd message cannot stop a broker that moves it.
    pub fn encode_stored(&self) -> String {
        let mut wire = String::with_capacity(self.encoded_len());
        for (name, value) in &self.entries {
            append(&mut wire, name, value);
        }
        wire
    }

    /// How many bytes [`encode`](Self::encode) writes.
    pub fn encoded_len(&self) -> usize {
        self.entries.iter().map(|(name, value)| name.len() + value.len() + 2).sum()
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.entries.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The value of `name` as a number; `None` when it is missing or not one.
    pub fn get_number<N: std::str::FromStr>(&self, name: &str) -> Option<N> {
        self.get(name)?.trim().parse().ok()
    }

    /// The value of `name` as Java's `Boolean.parseBoolean` reads it; `None` when missing.
    pub fn get_bool(&self, name: &str) -> Option<bool> {
        self.get(name).map(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Sets `name`, replacing the value it had.
    pub fn set(&mut self, name: impl AsRef<str> + Into<String>, value: impl Into<String>) -> &mut Self {
        match self.entries.iter_mut().find(|(n, _)| n == name.as_ref()) {
            Some((_, old)) => *old = value.into(),
            None => self.entries.push((name.into(), value.into())),
        }
        self
    }

    /// Takes `name` out.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        let at = self.entries.iter().position(|(n, _)| n == name)?;
        Some(self.entries.remove(at).1)
    }

    /// Names and values in the order they were written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The tag.
    pub fn tags(&self) -> Option<&str> {
        self.get(names::TAGS)
    }

    /// The index keys, split at spaces.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.get(names::KEYS).unwrap_or_default().split(' ').filter(|key| !key.is_empty())
    }

    /// The id the client gave.
    pub fn unique_key(&self) -> Option<&str> {
        self.get(names::UNIQ_KEY)
    }

    /// The delay level; 0 when there is none.
    pub fn delay_level(&self) -> i32 {
        self.get_number(names::DELAY).unwrap_or(0)
    }

    /// Whether the broker waits for flush and replication; `true` unless the message says otherwise.
    pub fn wait_store(&self) -> bool {
        self.get_bool(names::WAIT).unwrap_or(true)
    }

    /// The ordering key.
    pub fn sharding_key(&self) -> Option<&str> {
        self.get(names::SHARDING_KEY)
    }

    /// The topic of a retried message before its retries.
    pub fn retry_topic(&self) -> Option<&str> {
        self.get(names::RETRY_TOPIC)
    }

    /// Topic and queue of a message parked by a delay, timer or transaction; `None` unless both are there.
    pub fn real_destination(&self) -> Option<(&str, i32)> {
        Some((self.get(names::REAL_TOPIC)?, self.get_number(names::REAL_QID)?))
    }

    /// Whether this is a half message.
    pub fn is_transaction(&self) -> bool {
        self.get_bool(names::TRAN_MSG).unwrap_or(false)
    }

    /// The producer group that can decide the transaction.
    pub fn producer_group(&self) -> Option<&str> {
        self.get(names::PGROUP)
    }

    /// The receipt of a popped message.
    pub fn pop_receipt(&self) -> Option<&str> {
        self.get(names::POP_CK)
    }

    /// What pairs a reply with its request.
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

/// Whether a user's property can be written.
///
/// # Errors
/// An empty name or value, or one that holds a separator; the error names the property.
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

/// The pairs of a wire form, without allocating; duplicates are all there.
pub fn pairs(wire: &str) -> impl Iterator<Item = (&str, &str)> {
    wire.split(PROPERTY_SEPARATOR)
        .filter_map(|pair| pair.split_once(NAME_VALUE_SEPARATOR))
        .filter(|(name, value)| !name.is_empty() && !value.is_empty())
}

/// One value out of a wire form, without parsing the rest; of duplicates the last.
pub fn find<'a>(wire: &'a str, name: &str) -> Option<&'a str> {
    pairs(wire).filter(|(n, _)| *n == name).last().map(|(_, value)| value)
}

/// Adds one pair to a wire form, closing the pair before it when a 4.x writer left it open. Nothing is
/// checked: see [`check`].
pub fn append(wire: &mut String, name: &str, value: &str) {
    close(wire);
    wire.reserve(name.len() + value.len() + 2);
    wire.push_str(name);
    wire.push(NAME_VALUE_SEPARATOR);
    wire.push_str(value);
    wire.push(PROPERTY_SEPARATOR);
}

/// [`append`] for values that are not text yet.
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
    fn what_was_stored_is_written_again() {
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
