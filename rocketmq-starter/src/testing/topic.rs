//! A topic in a test, and the assertion about it.

use super::Cluster;
use super::journal::{Shown, list};
use super::wait::{Look, compare, messages, until};
use rocketmq_client::{Delivery, MessageQueue};
use rocketmq_server::StoredMessage;
use std::panic::Location;
use std::time::Duration;

/// A topic of a [`Cluster`], returned by [`Cluster::topic`].
///
/// ```no_run
/// # async fn example(cluster: rocketmq_starter::testing::Cluster) {
/// let orders = cluster.topic("orders").received(3).await;
/// assert_eq!(orders.len(), 3);
/// # }
/// ```
#[derive(Debug)]
pub struct Topic<'c> {
    cluster: &'c Cluster,
    name: String,
    limit: Duration,
}

impl<'c> Topic<'c> {
    pub(super) fn new(cluster: &'c Cluster, name: String, limit: Duration) -> Self {
        Topic { cluster, name, limit }
    }

    /// Waits at most this long instead of 30 s.
    ///
    /// ```no_run
    /// # async fn example(cluster: rocketmq_starter::testing::Cluster) {
    /// cluster.topic("orders").within(std::time::Duration::from_secs(5)).received(3).await;
    /// # }
    /// ```
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Topic { limit, ..self }
    }

    /// Waits until the topic has received `count` messages since the cluster started, and returns them in the order in which
    /// they were stored. A message with a delay counts once it is due, a half message once it is committed.
    ///
    /// ```
    /// use rocketmq_starter::testing::Cluster;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_starter::BoxError> {
    /// let cluster = Cluster::start().await?;
    /// cluster.send("orders:created", 7).key("order-7").await?;
    /// let orders = cluster.topic("orders").received(1).await;
    /// assert_eq!((orders[0].text(), orders[0].tag()), (Some("7"), Some("created")));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// Panics with the messages that it has received when these are more, or still fewer at the deadline.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    #[track_caller]
    pub fn received(&self, count: usize) -> impl Future<Output = Vec<Delivery>> {
        let (place, wanted) = (Location::caller(), count as u64);
        async move { self.until_received(place, self.limit, wanted, || self.seen(wanted)).await }
    }

    pub(super) async fn until_received(
        &self,
        place: &Location<'_>,
        limit: Duration,
        wanted: u64,
        seen: impl Fn() -> String,
    ) -> Vec<Delivery> {
        let look = || self.count().map_or(Look::NotYet, |seen| compare(seen, wanted));
        until(limit, place, look, seen).await;
        self.messages().unwrap_or_default()
    }

    pub(super) fn count(&self) -> Option<u64> {
        self.cluster.embedded().message_count(&self.name)
    }

    fn seen(&self, wanted: u64) -> String {
        let Topic { name, .. } = self;
        match self.messages() {
            None => format!("the broker does not run, so nobody knows what topic `{name}` has received"),
            Some(seen) => {
                let count = messages(seen.len() as u64);
                format!("topic `{name}` has received {count}, not {wanted}{}", list(seen.iter().map(Shown)))
            }
        }
    }

    /// Returns all messages, the oldest first.
    fn messages(&self) -> Option<Vec<Delivery>> {
        let stored = self.cluster.embedded().messages(&self.name)?;
        let mut messages: Vec<_> = stored.into_iter().filter_map(|stored| self.read(stored)).collect();
        messages.sort_by_key(|message| (message.stored_at(), message.commit_log_offset()));
        Some(messages)
    }

    fn read(&self, stored: StoredMessage) -> Option<Delivery> {
        let queue = MessageQueue::new(&self.name, &stored.broker, stored.queue_id);
        let read = Delivery::read(queue, stored.record);
        read.inspect_err(|error| tracing::warn!(%error, "a stored message cannot be read")).ok()
    }
}
