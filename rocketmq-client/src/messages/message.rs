//! [`Message`]: what a producer sends.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use rocketmq_remoting::message::properties::{Properties, names};

/// Holds a message to send: topic, body, and options that are set by chaining.
///
/// Setters never fail. [`Producer::send`](crate::Producer::send) refuses a message that holds an illegal value, and its
/// error names the value.
///
/// ```
/// use std::time::Duration;
///
/// use rocketmq_client::Message;
///
/// let message = Message::new("orders", "42")
///     .tag("created")
///     .key("order-42")
///     .property("region", "eu")
///     .delay(Duration::from_secs(90));
/// assert_eq!((message.topic(), message.body().as_ref()), ("orders", b"42".as_slice()));
/// assert_eq!(message.properties().get("region"), Some("eu"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    pub(crate) topic: String,
    pub(crate) body: Bytes,
    pub(crate) flag: i32,
    pub(crate) properties: Properties,
    /// The first value that a setter refused.
    pub(crate) fault: Option<String>,
}

impl Message {
    /// Makes a message without tag, keys or properties. A topic has 1 to 127 characters of `A-Z a-z 0-9 % | _ -`; a
    /// body holds at least one byte, and at most
    /// [`max_message_size`](crate::producer::ProducerConfig::max_message_size) bytes (4 MiB by default).
    ///
    /// ```
    /// use rocketmq_client::Message;
    ///
    /// let text = Message::new("orders", "42");
    /// let bytes = Message::new("orders", vec![0x2a]);
    /// assert_eq!(text.topic(), bytes.topic());
    /// ```
    pub fn new(topic: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self { topic: topic.into(), body: body.into(), flag: 0, properties: Properties::new(), fault: None }
    }

    /// Sets the tag, which consumers filter by. A message has one tag at most.
    ///
    /// ```
    /// # use rocketmq_client::Message;
    /// assert_eq!(Message::new("orders", "42").tag("created").properties().tags(), Some("created"));
    /// ```
    pub fn tag(self, tag: impl Into<String>) -> Self {
        self.reserved(names::TAGS, tag.into())
    }

    /// Adds a key under which brokers index the message; [`Client::query_messages`](crate::Client::query_messages)
    /// finds it by that key. Keys are separated by spaces on the wire: a key that holds a space becomes two.
    ///
    /// ```
    /// # use rocketmq_client::Message;
    /// let message = Message::new("orders", "42").key("order-42").key(7);
    /// assert_eq!(message.properties().keys().collect::<Vec<_>>(), ["order-42", "7"]);
    /// ```
    pub fn key(self, key: impl fmt::Display) -> Self {
        let keys = match self.properties.get(names::KEYS) {
            Some(keys) => format!("{keys} {key}"),
            None => key.to_string(),
        };
        self.reserved(names::KEYS, keys)
    }

    /// Adds several [keys](Self::key).
    ///
    /// ```
    /// # use rocketmq_client::Message;
    /// let message = Message::new("orders", "42").keys(["order-42", "customer-7"]);
    /// assert_eq!(message.properties().keys().count(), 2);
    /// ```
    pub fn keys<K: fmt::Display>(self, keys: impl IntoIterator<Item = K>) -> Self {
        keys.into_iter().fold(self, Self::key)
    }

    /// Sets a property of the application. Neither name nor value may be empty or hold U+0001 or U+0002, and RocketMQ's
    /// own names are refused; the send reports it.
    ///
    /// ```
    /// # use rocketmq_client::Message;
    /// let message = Message::new("orders", "42").property("region", "eu");
    /// assert_eq!(message.properties().get("region"), Some("eu"));
    /// ```
    pub fn property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        if let Some(fault) = property_fault(&name, &value) {
            self.fault.get_or_insert(fault);
            return self;
        }
        self.properties.set(name, value);
        self
    }

    /// Sets a number that the broker stores and hands on unread. Default: 0. Consumers read it with
    /// [`Delivery::flag`](crate::Delivery::flag).
    ///
    /// ```
    /// # use rocketmq_client::Message;
    /// let message = Message::new("orders", "42").flag(7);
    /// # drop(message);
    /// ```
    pub fn flag(mut self, flag: i32) -> Self {
        self.flag = flag;
        self
    }

    /// Makes the broker answer only after flush and replication, where it is configured for them. Default: true.
    ///
    /// ```
    /// # use rocketmq_client::Message;
    /// let quick = Message::new("metrics", "1").wait_store(false);
    /// assert_eq!(quick.properties().get("WAIT"), Some("false"));
    /// ```
    pub fn wait_store(self, wait: bool) -> Self {
        self.reserved(names::WAIT, wait.to_string())
    }

    /// Delivers the message after one of the broker's 18 delay levels. The last delay set on a message counts.
    ///
    /// ```
    /// use rocketmq_client::{DelayLevel, Message};
    ///
    /// let later = Message::new("orders", "42").deliver_after(DelayLevel::M5);
    /// # drop(later);
    /// ```
    pub fn deliver_after(self, level: DelayLevel) -> Self {
        self.without_delay().reserved(names::DELAY, level.0.to_string())
    }

    /// Delivers the message at this time, to the millisecond. Needs a 5.x broker. A time in the past delivers at once;
    /// a broker refuses a time further ahead than its `timerMaxDelaySec`, three days by default.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    ///
    /// use rocketmq_client::Message;
    ///
    /// let tomorrow = SystemTime::now() + Duration::from_secs(24 * 3600);
    /// let reminder = Message::new("reminders", "pay").deliver_at(tomorrow);
    /// # drop(reminder);
    /// ```
    pub fn deliver_at(self, time: SystemTime) -> Self {
        let millis = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        self.without_delay().reserved(names::TIMER_DELIVER_MS, millis.to_string())
    }

    /// Delivers the message after this long, to the millisecond. Needs a 5.x broker, with the limit of
    /// [`deliver_at`](Self::deliver_at).
    ///
    /// ```
    /// # use rocketmq_client::Message;
    /// use std::time::Duration;
    ///
    /// let soon = Message::new("reminders", "pay").delay(Duration::from_millis(1_500));
    /// # drop(soon);
    /// ```
    pub fn delay(self, delay: Duration) -> Self {
        self.without_delay().reserved(names::TIMER_DELAY_MS, delay.as_millis().to_string())
    }

    /// Removes every delay: with several on one message the broker would choose among them.
    fn without_delay(mut self) -> Self {
        for name in DELAYS {
            self.properties.remove(name);
        }
        self
    }

    pub(crate) fn reserved(mut self, name: &'static str, value: String) -> Self {
        match separator_fault(name, &value) {
            Some(fault) => drop(self.fault.get_or_insert(fault)),
            None => drop(self.properties.set(name, value)),
        }
        self
    }

    /// Returns the topic, without namespace.
    ///
    /// ```
    /// # use rocketmq_client::Message;
    /// assert_eq!(Message::new("orders", "42").topic(), "orders");
    /// ```
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Returns the body as it was given: compression happens later.
    ///
    /// ```
    /// # use rocketmq_client::Message;
    /// assert_eq!(Message::new("orders", "42").body().as_ref(), b"42");
    /// ```
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns all properties, with tag and keys among them.
    ///
    /// ```
    /// # use rocketmq_client::Message;
    /// assert_eq!(Message::new("orders", "42").tag("created").properties().get("TAGS"), Some("created"));
    /// ```
    pub fn properties(&self) -> &Properties {
        &self.properties
    }

    /// Tells whether a delay level or a timer delays the message.
    pub(crate) fn is_delayed(&self) -> bool {
        DELAYS.iter().any(|name| self.properties.get(name).is_some())
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("topic", &self.topic)
            .field("body_bytes", &self.body.len())
            .field("properties", &self.properties)
            .finish_non_exhaustive()
    }
}

/// The properties that delay a message.
pub(crate) const DELAYS: [&str; 4] =
    [names::DELAY, names::TIMER_DELIVER_MS, names::TIMER_DELAY_MS, names::TIMER_DELAY_SEC];

fn property_fault(name: &str, value: &str) -> Option<String> {
    if name.trim().is_empty() {
        return Some(format!("a property without a name (value \"{value}\"); give it one"));
    }
    if names::is_reserved(name) {
        return Some(format!("property \"{name}\" belongs to RocketMQ itself; choose another name"));
    }
    separator_fault(name, value)
}

/// Refuses an empty value, which readers drop, and separators, which cannot be escaped on the wire.
fn separator_fault(name: &str, value: &str) -> Option<String> {
    if value.trim().is_empty() {
        return Some(format!("property \"{name}\" has an empty value; leave it out or give it one"));
    }
    let separators = ['\u{1}', '\u{2}'];
    (name.contains(separators) || value.contains(separators)).then(|| {
        format!(
            "property {name:?} holds U+0001 or U+0002, which separate properties on the wire; take them out"
        )
    })
}

/// Numbers one of the broker's delay levels. The constants name Apache's default ladder; a broker with a
/// `messageDelayLevel` of its own counts its levels in the same way.
///
/// ```
/// use rocketmq_client::DelayLevel;
///
/// assert_eq!(DelayLevel::M1, DelayLevel::new(5));
/// assert_eq!(DelayLevel::H2.get(), 18);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DelayLevel(i32);

macro_rules! levels {
    ($($name:ident = $level:literal, $seconds:literal, $text:literal;)*) => {
        impl DelayLevel {
            $(#[doc = concat!("Level ", $level, ": ", $text, ".")] pub const $name: Self = Self($level);)*
        }

        /// The delays of Apache's default ladder, in seconds.
        const LADDER: &[u64] = &[$($seconds),*];
    };
}

levels! {
    S1 = 1, 1, "1 second"; S5 = 2, 5, "5 seconds"; S10 = 3, 10, "10 seconds"; S30 = 4, 30, "30 seconds";
    M1 = 5, 60, "1 minute"; M2 = 6, 120, "2 minutes"; M3 = 7, 180, "3 minutes"; M4 = 8, 240, "4 minutes";
    M5 = 9, 300, "5 minutes"; M6 = 10, 360, "6 minutes"; M7 = 11, 420, "7 minutes"; M8 = 12, 480, "8 minutes";
    M9 = 13, 540, "9 minutes"; M10 = 14, 600, "10 minutes"; M20 = 15, 1200, "20 minutes";
    M30 = 16, 1800, "30 minutes"; H1 = 17, 3600, "1 hour"; H2 = 18, 7200, "2 hours";
}

impl DelayLevel {
    /// Makes a level of its number, from 1; 0 becomes 1. A broker takes a level above its highest as its highest.
    ///
    /// ```
    /// # use rocketmq_client::DelayLevel;
    /// assert_eq!(DelayLevel::new(0), DelayLevel::S1);
    /// ```
    pub const fn new(level: u16) -> Self {
        Self(if level == 0 { 1 } else { level as i32 })
    }

    /// Returns the level's number.
    ///
    /// ```
    /// # use rocketmq_client::DelayLevel;
    /// assert_eq!(DelayLevel::S10.get(), 3);
    /// ```
    pub const fn get(self) -> i32 {
        self.0
    }

    /// Returns the delay on Apache's default ladder; a level above the highest counts as the highest.
    pub(crate) fn on_default_ladder(self) -> Duration {
        let step = usize::try_from(self.0).unwrap_or(1).clamp(1, LADDER.len()) - 1;
        Duration::from_secs(LADDER[step])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_joined_by_spaces() {
        let message = Message::new("t", "b").key("a").keys([1, 2]);
        assert_eq!(message.properties().get("KEYS"), Some("a 1 2"));
    }

    #[test]
    fn the_last_delay_wins() {
        let message = Message::new("t", "b").delay(Duration::from_millis(1500)).deliver_after(DelayLevel::M1);
        assert_eq!(message.properties().get("DELAY"), Some("5"));
        assert_eq!(message.properties().get("TIMER_DELAY_MS"), None);
        assert!(message.is_delayed());
    }

    #[test]
    fn what_a_property_may_not_hold_is_kept_for_the_send_to_report() {
        let fault = |name: &str, value: &str| Message::new("t", "b").property(name, value).fault;
        assert!(fault("TAGS", "x").is_some_and(|f| f.contains("TAGS")));
        assert!(fault("a", "").is_some_and(|f| f.contains("\"a\"")));
        assert!(fault("", "v").is_some());
        assert!(fault("a\u{1}", "v").is_some());
        assert!(fault("a", "\u{2}").is_some());
        assert_eq!(fault("a", "标签 ∑"), None);
        assert!(Message::new("t", "b").tag("a\u{1}b").fault.is_some());
    }

    #[test]
    fn level_zero_is_level_one() {
        assert_eq!(DelayLevel::new(0), DelayLevel::S1);
        assert_eq!(DelayLevel::new(40).get(), 40);
    }

    #[test]
    fn levels_mean_what_apaches_ladder_says() {
        let seconds = |level| DelayLevel::new(level).on_default_ladder().as_secs();
        assert_eq!([1, 4, 5, 18, 40].map(seconds), [1, 30, 60, 7200, 7200]);
    }
}
