//! Looks at what an embedded cluster holds, without a request: a test sees it also while the brokers are paused or cut off.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::cluster::Embedded;
use crate::broker::Broker;
use crate::store::{All, GetLimits, Store};

/// Messages read from a queue at once.
const READ: GetLimits = GetLimits { max_messages: 256, max_bytes: 4 << 20 };

/// A message in a queue of an embedded broker.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredMessage {
    /// The broker's name.
    pub broker: String,
    /// Its queue.
    pub queue_id: i32,
    /// The record, as the store and the answer of a pull hold it.
    pub record: Bytes,
}

impl Embedded {
    /// Counts the messages that consumers could ever read in a topic: delayed messages count once they are due, those of a
    /// transaction once it is committed. `None` while a broker does not run.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_server::EmbeddedError> {
    /// let cluster = rocketmq_server::Embedded::start().await?;
    /// assert_eq!(cluster.message_count("orders"), Some(0));
    /// cluster.broker().stop().await?;
    /// assert_eq!(cluster.message_count("orders"), None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn message_count(&self, topic: &str) -> Option<u64> {
        self.sum(|broker| queues(broker.store(), topic).map(|(_, (_, max))| max.unsigned_abs()).sum())
    }

    /// Counts the messages of a topic that a group has not committed. A queue without an offset of the group counts whole.
    /// `None` while a broker does not run.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_server::EmbeddedError> {
    /// let cluster = rocketmq_server::Embedded::start().await?;
    /// assert_eq!(cluster.lag("billing", "orders"), Some(0));
    /// # Ok(())
    /// # }
    /// ```
    pub fn lag(&self, group: &str, topic: &str) -> Option<u64> {
        self.sum(|broker| {
            let behind = |(queue, (min, max)): (i32, (i64, i64))| {
                let done = broker.committed_offset(group, topic, queue).unwrap_or(min);
                max.saturating_sub(done.max(min)).max(0).unsigned_abs()
            };
            queues(broker.store(), topic).map(behind).sum()
        })
    }

    /// Returns the messages of a topic that consumers can read, queue by queue. `None` while a broker does not run.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_server::EmbeddedError> {
    /// let cluster = rocketmq_server::Embedded::start().await?;
    /// assert_eq!(cluster.messages("orders"), Some(vec![]));
    /// # Ok(())
    /// # }
    /// ```
    pub fn messages(&self, topic: &str) -> Option<Vec<StoredMessage>> {
        Some(self.look(|broker| read(broker, topic, i64::MAX))?.concat())
    }

    /// Returns the newest messages of each queue of a topic, queue by queue. `None` while a broker does not run.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_server::EmbeddedError> {
    /// let cluster = rocketmq_server::Embedded::start().await?;
    /// assert_eq!(cluster.newest_messages("orders", 10), Some(vec![]));
    /// # Ok(())
    /// # }
    /// ```
    pub fn newest_messages(&self, topic: &str, of_a_queue: u32) -> Option<Vec<StoredMessage>> {
        Some(self.look(|broker| read(broker, topic, i64::from(of_a_queue)))?.concat())
    }

    /// Returns the topics that have queues in a store, those of the broker itself too. `None` while a broker does not run.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_server::EmbeddedError> {
    /// let cluster = rocketmq_server::Embedded::start().await?;
    /// assert!(cluster.topics().is_some_and(|topics| !topics.contains("orders")));
    /// # Ok(())
    /// # }
    /// ```
    pub fn topics(&self) -> Option<BTreeSet<String>> {
        let topics = self.look(|broker| broker.store().topics())?;
        Some(topics.into_iter().flatten().map(|topic| topic.to_string()).collect())
    }

    fn sum(&self, count: impl Fn(&Broker) -> u64) -> Option<u64> {
        Some(self.look(count)?.into_iter().sum())
    }

    /// Looks at each broker; `None` while one of them is stopped.
    fn look<T>(&self, at: impl Fn(&Broker) -> T) -> Option<Vec<T>> {
        self.brokers.iter().map(|broker| broker.look(&at)).collect()
    }
}

/// The queues of a topic, each with its first offset and the one after its last.
fn queues<'a>(store: &'a Store, topic: &'a str) -> impl Iterator<Item = (i32, (i64, i64))> + 'a {
    let range = |queue| (store.min_offset(topic, queue), store.max_offset(topic, queue));
    store.queues(topic).into_iter().map(move |queue| (queue, range(queue)))
}

/// Reads the newest `most` messages of each queue.
fn read(broker: &Broker, topic: &str, most: i64) -> Vec<StoredMessage> {
    let mut messages = Vec::new();
    for (queue_id, (min, max)) in queues(broker.store(), topic) {
        let mut next = min.max(max.saturating_sub(most));
        while next < max {
            let fetched = broker.store().get(topic, queue_id, next, READ, &All);
            let broker = &broker.settings().broker_name;
            messages.extend(fetched.records.into_iter().map(|record| StoredMessage {
                broker: broker.clone(),
                queue_id,
                record,
            }));
            // A damaged queue gives no progress.
            next = fetched.next_begin.max(next.saturating_add(1));
        }
    }
    messages
}
