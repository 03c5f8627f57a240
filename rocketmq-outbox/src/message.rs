//! The messages of an outbox, and their form in a table.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use rocketmq_client::Message;
use serde::{Deserialize, Serialize};

/// The property with the id of a message. It stays the same when the message is sent again.
pub const ID: &str = "OUTBOX_ID";

/// A message for an outbox.
///
/// ```
/// use rocketmq_outbox::OutboxMessage;
///
/// # fn main() -> Result<(), serde_json::Error> {
/// let message = OutboxMessage::json("orders", &[1, 2])?.tag("created").key("order-7").ordered_by("customer-9");
/// assert_eq!(message.topic(), "orders");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    head: Head,
    body: Bytes,
}

/// All of a message but its body.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Head {
    topic: String,
    #[serde(default)]
    tag: Option<String>,
    #[serde(default)]
    keys: Vec<String>,
    #[serde(default)]
    properties: BTreeMap<String, String>,
    #[serde(default)]
    ordering_key: Option<String>,
    /// Milliseconds of the UNIX epoch.
    #[serde(default)]
    deliver_at: Option<u64>,
}

/// A message as a table holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The id, new for each row.
    pub id: String,
    /// All of the message but its body, in JSON.
    pub head: String,
    /// The body.
    pub body: Bytes,
}

/// Tells why a message cannot be in an outbox.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a message for the topic {topic:?} cannot be put into the outbox: {why}")]
pub struct InvalidMessage {
    topic: String,
    why: &'static str,
}

impl OutboxMessage {
    /// Makes a message with this body.
    pub fn new(topic: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self { head: Head { topic: topic.into(), ..Head::default() }, body: body.into() }
    }

    /// Makes a message whose body is the value in JSON.
    ///
    /// # Errors
    /// Fails for a value without a JSON form, such as a map whose keys are no text.
    pub fn json(topic: impl Into<String>, value: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self::new(topic, serde_json::to_vec(value)?))
    }

    /// Sets the tag.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.head.tag = Some(tag.into());
        self
    }

    /// Adds a key by which the message can be found.
    #[must_use]
    pub fn key(mut self, key: impl fmt::Display) -> Self {
        self.head.keys.push(key.to_string());
        self
    }

    /// Adds a property. The relay sets a message aside that has RocketMQ's own names here.
    #[must_use]
    pub fn property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.head.properties.insert(name.into(), value.into());
        self
    }

    /// Sends messages with equal keys to one queue, in the order in which they were written.
    #[must_use]
    pub fn ordered_by(mut self, key: impl fmt::Display) -> Self {
        self.head.ordering_key = Some(key.to_string());
        self
    }

    /// Delivers the message at this time, to the millisecond. It needs a 5.x broker; a time in the past means now.
    #[must_use]
    pub fn deliver_at(mut self, time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.head.deliver_at = Some(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// Returns the topic.
    pub fn topic(&self) -> &str {
        &self.head.topic
    }

    pub(crate) fn ordering_key(&self) -> Option<&str> {
        self.head.ordering_key.as_deref()
    }

    /// Returns the message as a table holds it, with a new id.
    ///
    /// # Errors
    /// Fails for a message without a topic or a body, which no broker would take.
    pub fn to_row(&self) -> Result<Row, InvalidMessage> {
        let invalid = |why| InvalidMessage { topic: self.head.topic.clone(), why };
        if self.head.topic.trim().is_empty() {
            return Err(invalid("it has no topic"));
        }
        if self.body.is_empty() {
            return Err(invalid("its body is empty, which brokers refuse"));
        }
        let head = serde_json::to_string(&self.head).map_err(|_| invalid("it has no JSON form"))?;
        Ok(Row { id: format!("{:032x}", rand::random::<u128>()), head, body: self.body.clone() })
    }

    /// Reads a message from a table.
    ///
    /// # Errors
    /// Fails if `head` is not what [`to_row`](Self::to_row) gave.
    pub fn from_row(head: &str, body: impl Into<Bytes>) -> Result<Self, serde_json::Error> {
        Ok(Self { head: serde_json::from_str(head)?, body: body.into() })
    }

    /// Returns the message for a producer.
    pub(crate) fn to_message(&self, id: &str) -> Message {
        let head = &self.head;
        let mut message =
            Message::new(&head.topic, self.body.clone()).keys(&head.keys).key(id).property(ID, id);
        if let Some(tag) = &head.tag {
            message = message.tag(tag);
        }
        if let Some(millis) = head.deliver_at {
            message = message.deliver_at(UNIX_EPOCH + Duration::from_millis(millis));
        }
        head.properties.iter().fold(message, |message, (name, value)| message.property(name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_holds_the_whole_message() {
        let message = OutboxMessage::new("orders", "x")
            .tag("created")
            .key("k1")
            .key("k2")
            .property("region", "Süd")
            .ordered_by(9)
            .deliver_at(UNIX_EPOCH + Duration::from_millis(7));
        let row = message.to_row().unwrap();
        assert_eq!(OutboxMessage::from_row(&row.head, row.body).unwrap(), message);
        assert_ne!(row.id, message.to_row().unwrap().id, "each row has an id of its own");
    }

    #[test]
    fn the_id_is_a_key_and_a_property() {
        let sent = OutboxMessage::new("orders", "x").key("k1").property("region", "north").to_message("7f");
        assert_eq!(sent.properties().keys().collect::<Vec<_>>(), ["k1", "7f"]);
        assert_eq!((sent.properties().get(ID), sent.properties().get("region")), (Some("7f"), Some("north")));
    }

    #[test]
    fn what_no_broker_takes_is_refused_at_once() {
        let error = OutboxMessage::new("orders", "").to_row().unwrap_err().to_string();
        assert!(error.contains("\"orders\"") && error.contains("body is empty"), "{error}");
        assert!(OutboxMessage::new(" ", "x").to_row().unwrap_err().to_string().contains("no topic"));
        assert!(OutboxMessage::from_row("{", "x").is_err());
    }
}
