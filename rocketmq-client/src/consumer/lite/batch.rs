//! What a lite consumer pulled: waiting to be handed out, and handed out.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use rocketmq_remoting::route::MessageQueue;
use tokio::sync::Notify;

use crate::consumer::member::{Group, Sink};
use crate::consumer::queue::owned::OwnedQueue;
use crate::error::CallError;
use crate::messages::Delivery;

/// Batches pulled and not handed out.
#[derive(Default)]
pub(super) struct Inbox {
    batches: Mutex<VecDeque<(Arc<OwnedQueue>, Vec<Delivery>)>>,
    pub(super) arrived: Notify,
}

impl Sink for Inbox {
    fn deliver(&self, queue: &Arc<OwnedQueue>, messages: Vec<Delivery>) {
        self.batches.lock().push_back((queue.clone(), messages));
        self.arrived.notify_one();
    }
}

impl Inbox {
    /// The oldest batch of a queue that is still owned.
    pub(super) fn take(&self) -> Option<(Arc<OwnedQueue>, Vec<Delivery>)> {
        let mut batches = self.batches.lock();
        while let Some((queue, messages)) = batches.pop_front() {
            if !queue.is_dropped() {
                return Some((queue, messages));
            }
        }
        None
    }
}

/// Messages of one queue, in order.
pub struct Batch {
    messages: Vec<Delivery>,
    next: i64,
    queue: Arc<OwnedQueue>,
    group: Arc<Group>,
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch")
            .field("queue", &self.queue.queue)
            .field("messages", &self.messages.len())
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl Batch {
    /// `next` follows the last of the messages.
    pub(super) fn new(messages: Vec<Delivery>, next: i64, queue: Arc<OwnedQueue>, group: Arc<Group>) -> Self {
        Self { messages, next, queue, group }
    }

    /// The queue they came from.
    pub fn queue(&self) -> &MessageQueue {
        &self.queue.queue
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether there is none; batches handed out hold at least one.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The messages.
    pub fn iter(&self) -> std::slice::Iter<'_, Delivery> {
        self.messages.iter()
    }

    /// Stores, on the broker or (broadcasting) in the file of offsets, that this batch was read.
    ///
    /// # Errors
    /// When the broker did not confirm it; it is then stored with the next periodic commit, within five seconds.
    pub async fn commit(&self) -> Result<(), CallError> {
        self.queue.advance(self.next);
        if self.queue.is_dropped() {
            return Ok(());
        }
        self.group.offsets.store_now(&self.queue.queue, self.next).await
    }
}

impl<'a> IntoIterator for &'a Batch {
    type Item = &'a Delivery;
    type IntoIter = std::slice::Iter<'a, Delivery>;

    fn into_iter(self) -> Self::IntoIter {
        self.messages.iter()
    }
}

impl IntoIterator for Batch {
    type Item = Delivery;
    type IntoIter = std::vec::IntoIter<Delivery>;

    fn into_iter(self) -> Self::IntoIter {
        self.messages.into_iter()
    }
}
