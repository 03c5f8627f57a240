//! [`Message`]: what a producer sends.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use rocketmq_remoting::message::properties::{Properties, names};

/// A message to send: a topic, a body, and what goes with them. Setters take and return the value, so a
/// message reads as one expression; what they cannot accept is reported by the send.
///
/// ```
/// use rocketmq_client::{DelayLevel, Message};
///
/// let message = Message::new("orders", "42")
///     .tag("created")
///     .key("order-42")
///     .property("region", "north")
///     .deliver_after(DelayLevel::S10);
/// assert_eq!(message.topic(), "orders");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    pub(crate) topic: String,
    pub(crate) body: Bytes,
    pub(crate) flag: i32,
    pub(crate) properties: Properties,
    /// The first thing a setter could not accept.
    pub(crate) fault: Option<String>,
}

impl Message {
    /// A message without tag, keys or properties. The topic's characters are `A-Z a-z 0-9 % | _ -`, at
    /// most 127 of them; the body holds at least one byte.
    pub fn new(topic: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self { topic: topic.into(), body: body.into(), flag: 0, properties: Properties::new(), fault: None }
    }

    /// The tag consumers can filter by.
    pub fn tag(self, tag: impl Into<String>) -> Self {
        self.reserved(names::TAGS, tag.into())
    }

    /// Adds a key under which brokers index the message. Keys are separated by spaces on the wire, so a
    /// key that holds one becomes two.
    pub fn key(self, key: impl fmt::Display) -> Self {
        let keys = match self.properties.get(names::KEYS) {
            Some(keys) => format!("{keys} {key}"),
            None => key.to_string(),
        };
        self.reserved(names::KEYS, keys)
    }

    /// Adds several [keys](Self::key).
    pub fn keys<K: fmt::Display>(self, keys: impl IntoIterator<Item = K>) -> Self {
        keys.into_iter().fold(self, Self::key)
    }

    /// A property of the application's own. Neither name nor value may be empty or hold U+0001 or
    /// U+0002, and the name may not be one RocketMQ uses itself; the send refuses such a message.
    pub fn property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        if let Some(fault) = property_fault(&name, &value) {
            self.fault.get_or_insert(fault);
            return self;
        }
        self.properties.set(name, value);
        self
    }

    /// A number the broker stores and hands on without looking at it.
    pub fn flag(mut self, flag: i32) -> Self {
        self.flag = flag;
        self
    }

    /// Whether the broker answers only after flush and replication, where it is set up for them.
    /// Default: true.
    pub fn wait_store(self, wait: bool) -> Self {
        self.reserved(names::WAIT, wait.to_string())
    }

    /// Deliver after one of the broker's 18 delay levels.
    pub fn deliver_after(self, level: DelayLevel) -> Self {
        self.without_delay().reserved(names::DELAY, level.0.to_string())
    }

    /// Deliver at this time, to the millisecond. Needs a 5.x broker; a time in the past delivers now.
    pub fn deliver_at(self, time: SystemTime) -> Self {
        let millis = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        self.without_delay().reserved(names::TIMER_DELIVER_MS, millis.to_string())
    }

    /// Deliver after this long, to the millisecond. Needs a 5.x broker.
    pub fn delay(self, delay: Duration) -> Self {
        self.without_delay().reserved(names::TIMER_DELAY_MS, delay.as_millis().to_string())
    }

    /// Several delays on one message would leave it to the broker which of them counts: the last wins.
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

    /// Where it goes.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// What it carries.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Its properties, the tag and the keys among them.
    pub fn properties(&self) -> &Properties {
        &self.properties
    }

    /// Whether a delay level or a timer holds it back.
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

/// Every property that holds a message back.
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

/// There is no escaping on the wire, and a reader drops a pair without a value.
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

/// One of the broker's delay levels. Apache's default ladder is named here; a broker with a
/// `messageDelayLevel` of its own counts its levels the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DelayLevel(i32);

macro_rules! levels {
    ($($name:ident = $level:literal, $seconds:literal, $text:literal;)*) => {
        impl DelayLevel {
            $(#[doc = concat!("Level ", $level, ": ", $text, ".")] pub const $name: Self = Self($level);)*
        }

        /// What the levels of Apache's default ladder mean, in seconds.
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
    /// A level by its number, from 1; 0 becomes 1. A broker takes a level above its highest as its highest.
    pub const fn new(level: u16) -> Self {
        Self(if level == 0 { 1 } else { level as i32 })
    }

    /// Its number.
    pub const fn get(self) -> i32 {
        self.0
    }

    /// What it means on Apache's default ladder; a level above the highest, what the highest does.
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
