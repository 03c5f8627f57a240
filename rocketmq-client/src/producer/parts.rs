//! Splits a batch whose messages have ordering keys of their own: a request goes to one queue.

use std::collections::BTreeMap;
use std::sync::Arc;

use rocketmq_remoting::route::MessageQueue;

use super::outgoing::wire_topic;
use super::select::index_of_key;
use super::sender::Sender;
use super::target::Target;
use crate::clock::Instant;
use crate::error::{SendError, SendErrorKind};
use crate::messages::Message;

/// The ordering keys of the messages of a batch, in their order. A message without one may go to any queue.
pub(super) type Keys = Vec<Option<String>>;

/// The messages of a batch that go to the same queue, in their order, and their places in the batch.
pub(super) struct Part {
    pub(super) places: Vec<usize>,
    pub(super) messages: Vec<Message>,
    pub(super) target: Target,
}

impl Part {
    /// Makes one part of a whole batch.
    pub(super) fn whole(messages: Vec<Message>, target: Target) -> Self {
        Self { places: (0..messages.len()).collect(), messages, target }
    }
}

/// Makes a part for each queue that the keys choose, and one for the messages without a key.
pub(super) async fn by_queue(
    sender: &Sender,
    topic: &str,
    messages: Vec<Message>,
    keys: Keys,
    deadline: Instant,
) -> Result<Vec<Part>, SendError> {
    if keys.len() != messages.len() {
        let text = format!(
            "a batch of {} messages has {} ordering keys; give one for each message, or `None`",
            messages.len(),
            keys.len()
        );
        return Err(SendError::new(SendErrorKind::InvalidMessage, text));
    }
    let info = sender.publish_info(&wire_topic(sender, topic.to_owned()), deadline).await?;
    // Without queues there is nothing to divide by; the send reports it.
    Ok(split(messages, &keys, info.publish.len().max(1)))
}

fn split(messages: Vec<Message>, keys: &Keys, queues: usize) -> Vec<Part> {
    let mut parts: BTreeMap<Option<usize>, Part> = BTreeMap::new();
    for (place, (message, key)) in messages.into_iter().zip(keys).enumerate() {
        let queue = key.as_ref().map(|key| index_of_key(key, queues));
        let part = parts.entry(queue).or_insert_with(|| Part {
            places: Vec::new(),
            messages: Vec::new(),
            target: queue.map_or(Target::Any, at),
        });
        part.places.push(place);
        part.messages.push(message);
    }
    parts.into_values().collect()
}

/// Chooses a queue by its index.
fn at(index: usize) -> Target {
    Target::Selector(Box::new(move |_: &[Arc<MessageQueue>]| index))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(keys: &[Option<&str>], queues: usize) -> Vec<Vec<usize>> {
        let messages = keys.iter().map(|_| Message::new("t", "b")).collect();
        let keys = keys.iter().map(|key| key.map(str::to_owned)).collect();
        split(messages, &keys, queues).into_iter().map(|part| part.places).collect()
    }

    #[test]
    fn messages_with_one_queue_stay_together_in_their_order() {
        assert!(places(&[], 4).is_empty());
        assert_eq!(places(&[None, None], 4), [vec![0, 1]]);
        // "a" to "d" hash to 97 to 100.
        let keys = [Some("a"), None, Some("b"), Some("a"), Some("e"), None];
        assert_eq!(places(&keys, 4), [vec![1, 5], vec![0, 3, 4], vec![2]]);
        assert_eq!(places(&keys, 1), [vec![1, 5], vec![0, 2, 3, 4]]);
    }
}
