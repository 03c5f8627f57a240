//! [`Batch`]: messages of a lite consumer, before and after they are handed out.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use rocketmq_remoting::route::MessageQueue;
use tokio::sync::Notify;

use crate::consumer::member::{Member, Sink};
use crate::consumer::queue::owned::OwnedQueue;
use crate::error::CallError;
use crate::messages::Delivery;

/// Holds the batches that were pulled and not handed out.
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
    /// Takes the oldest batch of a queue that is still owned.
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

/// Holds messages of one queue, in order.
///
/// ```no_run
/// # async fn example(batch: rocketmq_client::consumer::Batch) -> Result<(), Box<dyn std::error::Error>> {
/// println!("{} messages of {:?}", batch.len(), batch.queue());
/// for delivery in batch.iter() {
///     println!("{}", delivery.message_id());
/// }
/// batch.commit().await?;
/// # Ok(())
/// # }
/// ```
pub struct Batch {
    messages: Vec<Delivery>,
    next: i64,
    queue: Arc<OwnedQueue>,
    group: Arc<Member>,
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
    /// Makes a batch; `next` is the offset after its last message.
    pub(super) fn new(
        messages: Vec<Delivery>,
        next: i64,
        queue: Arc<OwnedQueue>,
        group: Arc<Member>,
    ) -> Self {
        Self { messages, next, queue, group }
    }

    /// Returns the queue that the messages came from. The topic is named as on the wire.
    ///
    /// ```no_run
    /// # async fn example(batch: rocketmq_client::consumer::Batch) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("from queue {}", batch.queue().queue_id);
    /// # Ok(())
    /// # }
    /// ```
    pub fn queue(&self) -> &MessageQueue {
        &self.queue.queue
    }

    /// Counts the messages.
    ///
    /// ```no_run
    /// # async fn example(batch: rocketmq_client::consumer::Batch) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{} messages", batch.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Tells whether there is no message. Batches that are handed out hold at least one.
    ///
    /// ```no_run
    /// # async fn example(batch: rocketmq_client::consumer::Batch) -> Result<(), Box<dyn std::error::Error>> {
    /// assert!(!batch.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Returns the messages in order.
    ///
    /// ```no_run
    /// # async fn example(batch: rocketmq_client::consumer::Batch) -> Result<(), Box<dyn std::error::Error>> {
    /// for delivery in batch.iter() {
    ///     println!("{}", delivery.message_id());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn iter(&self) -> std::slice::Iter<'_, Delivery> {
        self.messages.iter()
    }

    /// Stores that this batch was read: on the broker, or in the file of offsets when the consumer broadcasts.
    ///
    /// ```no_run
    /// # async fn example(batch: rocketmq_client::consumer::Batch) -> Result<(), Box<dyn std::error::Error>> {
    /// batch.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The broker did not confirm it; it is then stored with the next periodic commit, within five seconds.
    ///
    /// # Cancel safety
    /// A cancelled commit is stored within five seconds.
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
