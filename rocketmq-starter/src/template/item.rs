//! The messages of a batch, each with options of its own.

use super::{Payload, message};
use rocketmq_client::{Message, SendError};
use std::fmt;

/// One message of [`RocketmqTemplate::send_batch`](crate::RocketmqTemplate::send_batch), with options of its own.
///
/// ```no_run
/// use rocketmq_starter::RocketmqTemplate;
/// use rocketmq_starter::template::Item;
///
/// # async fn run(template: &RocketmqTemplate) -> Result<(), Box<dyn std::error::Error>> {
/// let orders = [(1, "customer-7"), (2, "customer-9"), (3, "customer-7")];
/// let items = orders.map(|(id, customer)| Item::new(id).key(id).property("region", "north").ordered_by(customer));
/// let receipts = template.send_batch("orders:created", items).await?;
/// assert_eq!(receipts.len(), 3);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "an item is sent only by `send_batch`"]
pub struct Item<P> {
    payload: P,
    tag: Option<String>,
    keys: Vec<String>,
    properties: Vec<(String, String)>,
    ordering_key: Option<String>,
}

impl<P: Payload> Item<P> {
    /// Makes an item without options. [`Item`] shows a use.
    pub fn new(payload: P) -> Self {
        Item { payload, tag: None, keys: Vec::new(), properties: Vec::new(), ordering_key: None }
    }

    /// Sets the tag, in place of that of the destination.
    ///
    /// ```
    /// use rocketmq_starter::template::Item;
    ///
    /// let item = Item::new(7).tag("paid");
    /// # drop(item);
    /// ```
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Adds a key by which the message can be found. Call it again for more keys. [`Item`] shows a use.
    pub fn key(mut self, key: impl fmt::Display) -> Self {
        self.keys.push(key.to_string());
        self
    }

    /// Adds a property. The batch fails for RocketMQ's own names and for empty values. [`Item`] shows a use.
    pub fn property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.push((name.into(), value.into()));
        self
    }

    /// Sends the items with equal keys to one queue, in their order. The batch takes a request for each queue.
    /// [`Item`] shows a use.
    pub fn ordered_by(mut self, key: impl fmt::Display) -> Self {
        self.ordering_key = Some(key.to_string());
        self
    }

    /// Makes the message, and returns its ordering key beside it.
    pub(super) fn into_message(self, destination: &str) -> Result<(Message, Option<String>), SendError> {
        let mut message = message(destination, self.payload)?;
        if let Some(tag) = self.tag {
            message = message.tag(tag);
        }
        message = self.keys.into_iter().fold(message, Message::key);
        message =
            self.properties.into_iter().fold(message, |message, (name, value)| message.property(name, value));
        Ok((message, self.ordering_key))
    }
}

/// The member of a batch: an [`Item`], or a [`Payload`] without options.
///
/// It is implemented for them; nobody else implements it.
pub trait IntoItem {
    /// The payload of the item.
    type Payload: Payload;

    /// Makes the item.
    fn into_item(self) -> Item<Self::Payload>;
}

impl<P: Payload> IntoItem for P {
    type Payload = P;

    fn into_item(self) -> Item<P> {
        Item::new(self)
    }
}

impl<P: Payload> IntoItem for Item<P> {
    type Payload = P;

    fn into_item(self) -> Item<P> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_has_the_destinations_tag_unless_it_has_one_of_its_own() {
        let (plain, key) = 7.into_item().into_message("orders:created").unwrap();
        assert_eq!((plain.topic(), plain.properties().tags(), key), ("orders", Some("created"), None));
        let item = Item::new("x").tag("paid").key("a").key(7).property("region", "north").ordered_by(9);
        let (message, key) = item.into_message("orders:created").unwrap();
        assert_eq!((message.properties().tags(), key.as_deref()), (Some("paid"), Some("9")));
        assert_eq!(message.properties().get("KEYS"), Some("a 7"));
        assert_eq!((message.properties().get("region"), &message.body()[..]), (Some("north"), &b"x"[..]));
    }
}
