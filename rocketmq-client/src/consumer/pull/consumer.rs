//! [`PullConsumer`]: the application keeps the queues and the offsets.

use std::collections::BTreeMap;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rocketmq_remoting::route::MessageQueue;

use super::puller::{PullOptions, Pulled as Answered, Puller};
use crate::clock::to_ms;
use crate::cluster::Cluster;
use crate::cluster::route::Purpose;
use crate::consumer::calls::Calls;
use crate::consumer::handling::retry::Redelivery;
use crate::consumer::handling::send_back::SendBack as _;
use crate::consumer::handling::send_back::ToBroker;
use crate::consumer::handling::tries::Tries;
use crate::consumer::health::HealthBook;
use crate::consumer::rebalance::allocate::queue_order;
use crate::consumer::subscriptions::{Filter, invalid};
use crate::error::{CallError, CallErrorKind, RouteError, StartError};
use crate::messages::validate;
use crate::messages::{Delivery, Outcome};

/// Limit of a pull that does not wait.
const PULL_TIMEOUT: Duration = Duration::from_secs(10);
/// The time that a waiting pull gets on top of its wait.
const MARGIN: Duration = Duration::from_secs(10);

/// Names a place in a queue.
///
/// ```no_run
/// # async fn example(pull: rocketmq_client::PullConsumer) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::{Duration, SystemTime};
///
/// use rocketmq_client::Offset;
///
/// let queue = &pull.queues("orders").await?[0];
/// let an_hour_ago = pull.offset(queue, Offset::Time(SystemTime::now() - Duration::from_secs(3600))).await?;
/// println!("{an_hour_ago} of {}", pull.offset(queue, Offset::Last).await?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offset {
    /// At this offset.
    At(i64),
    /// At the oldest message the broker has.
    First,
    /// Behind the newest message.
    Last,
    /// At the first message stored at or after this time.
    Time(SystemTime),
    /// At the group's offset; at the oldest message when the group has none.
    Committed,
}

/// Maps each queue of a reset to the offset of its next message.
///
/// ```no_run
/// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use rocketmq_client::Offset;
/// use rocketmq_client::consumer::ResetOffsets;
///
/// let moved: ResetOffsets = client.reset_offsets("billing", "orders", Offset::First).await?;
/// println!("{} queues", moved.len());
/// # Ok(())
/// # }
/// ```
pub type ResetOffsets = BTreeMap<MessageQueue, i64>;

/// Holds the result of a pull.
///
/// ```no_run
/// # async fn example(pull: rocketmq_client::PullConsumer) -> Result<(), Box<dyn std::error::Error>> {
/// use rocketmq_client::{Offset, Pulled};
///
/// let queue = &pull.queues("orders").await?[0];
/// let next = match pull.pull(queue, Offset::Committed).await? {
///     Pulled::Found { messages, next } => {
///         println!("{} messages", messages.len());
///         next
///     }
///     Pulled::Empty { next } => next,
///     Pulled::OffsetMoved { to } => to,
/// };
/// pull.commit(queue, next).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub enum Pulled {
    /// Messages; `next` is the offset to go on at.
    Found {
        /// The messages that match the filter; empty when all were skipped.
        messages: Vec<Delivery>,
        /// The offset to go on at.
        next: i64,
    },
    /// No message (for this filter) before `next`.
    Empty {
        /// The offset to go on at.
        next: i64,
    },
    /// The offset is not in the queue.
    OffsetMoved {
        /// The nearest offset of the queue.
        to: i64,
    },
}

/// Configures a [`PullConsumer`]; [`build`](Self::build) makes it.
///
/// ```no_run
/// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let pull = client.pull_consumer("replay").build().await?;
/// # drop(pull);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct PullConsumerBuilder {
    cluster: Arc<Cluster>,
    group: String,
}

impl std::fmt::Debug for PullConsumerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PullConsumerBuilder").field("group", &self.group).finish_non_exhaustive()
    }
}

/// Reads queues one pull at a time. Clones share everything.
///
/// It takes no part in the group's rebalancing. Pulls do not move the group's offsets; [`commit`](Self::commit) does.
///
/// ```no_run
/// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use rocketmq_client::{Offset, Pulled};
///
/// let pull = client.pull_consumer("replay").build().await?;
/// for queue in pull.queues("orders").await? {
///     let mut at = pull.offset(&queue, Offset::First).await?;
///     while let Pulled::Found { messages, next } = pull.pull(&queue, Offset::At(at)).await? {
///         println!("{} messages", messages.len());
///         at = next;
///     }
///     pull.commit(&queue, at).await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PullConsumer {
    calls: Calls,
}

impl std::fmt::Debug for PullConsumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PullConsumer").field("group", &self.calls.group).finish_non_exhaustive()
    }
}

impl PullConsumerBuilder {
    pub(crate) fn new(cluster: Arc<Cluster>, group: String) -> Self {
        Self { cluster, group }
    }

    /// Makes the consumer. It asks no broker yet.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let pull = client.pull_consumer("replay").build().await?;
    /// # drop(pull);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The group's name is illegal.
    ///
    /// # Cancel safety
    /// Cancel safe: it does not wait.
    pub async fn build(self) -> Result<PullConsumer, StartError> {
        validate::group(&self.group).map_err(invalid)?;
        Ok(PullConsumer { calls: Calls::new(self.cluster, &self.group) })
    }
}

impl PullConsumer {
    /// Lists the readable queues of a topic, in Java's order.
    ///
    /// ```no_run
    /// # async fn example(pull: rocketmq_client::PullConsumer) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{} queues", pull.queues("orders").await?.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The route cannot be looked up, or the topic does not exist.
    ///
    /// # Cancel safety
    /// Cancel safe: it reads only.
    pub async fn queues(&self, topic: &str) -> Result<Vec<MessageQueue>, RouteError> {
        let cluster = &self.calls.cluster;
        let info = cluster.topic(&cluster.names.wrap(topic), Purpose::Read, None).await?;
        let mut queues: Vec<MessageQueue> = info.subscribe.iter().map(|queue| (**queue).clone()).collect();
        queues.sort_by(queue_order);
        Ok(queues)
    }

    /// Pulls once from a queue; awaiting the returned value sends the pull. [`Pulled`] has an example.
    ///
    /// ```no_run
    /// # async fn example(pull: rocketmq_client::PullConsumer, queue: rocketmq_client::MessageQueue) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// use rocketmq_client::Offset;
    ///
    /// let pulled = pull.pull(&queue, Offset::Committed).max(64).wait(Duration::from_secs(5)).await?;
    /// println!("{pulled:?}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn pull(&self, queue: &MessageQueue, at: Offset) -> Pulling {
        Pulling {
            calls: self.calls.clone(),
            queue: Arc::new(queue.clone()),
            at,
            max: 32,
            max_bytes: i32::MAX,
            filter: Filter::Tags("*".to_owned()),
            wait: Duration::ZERO,
        }
    }

    /// Turns a place into a number.
    ///
    /// ```no_run
    /// # async fn example(pull: rocketmq_client::PullConsumer, queue: rocketmq_client::MessageQueue) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::Offset;
    ///
    /// println!("{} messages were stored", pull.offset(&queue, Offset::Last).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The broker cannot be asked.
    ///
    /// # Cancel safety
    /// Cancel safe: it reads only.
    pub async fn offset(&self, queue: &MessageQueue, at: Offset) -> Result<i64, CallError> {
        resolve(&self.calls, queue, at).await
    }

    /// Returns the group's offset of a queue; `None` when it has none.
    ///
    /// ```no_run
    /// # async fn example(pull: rocketmq_client::PullConsumer, queue: rocketmq_client::MessageQueue) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{:?}", pull.committed(&queue).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The broker cannot be asked.
    ///
    /// # Cancel safety
    /// Cancel safe: it reads only.
    pub async fn committed(&self, queue: &MessageQueue) -> Result<Option<i64>, CallError> {
        self.calls.stored_offset(queue).await
    }

    /// Stores the group's offset of a queue: `offset` is the next one to read.
    ///
    /// ```no_run
    /// # async fn example(pull: rocketmq_client::PullConsumer, queue: rocketmq_client::MessageQueue) -> Result<(), Box<dyn std::error::Error>> {
    /// pull.commit(&queue, 1_000).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The broker did not confirm it.
    ///
    /// # Cancel safety
    /// A cancelled commit may be stored.
    pub async fn commit(&self, queue: &MessageQueue, offset: i64) -> Result<(), CallError> {
        self.calls.store_offset(queue, offset).await
    }

    /// Sends a message to the group's retry topic or its dead letter queue, as a push consumer does. Returns `false`
    /// when no broker took it.
    ///
    /// ```no_run
    /// # async fn example(pull: rocketmq_client::PullConsumer, delivery: rocketmq_client::Delivery) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::Outcome;
    ///
    /// if !pull.send_back(&delivery, Outcome::Retry).await {
    ///     println!("{} is still here", delivery.message_id());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// A cancelled call may have sent the message; called again, it sends a second copy.
    pub async fn send_back(&self, delivery: &Delivery, outcome: Outcome) -> bool {
        let Some(how) = Redelivery::of(outcome, false) else { return true };
        let back = ToBroker {
            calls: self.calls.clone(),
            health: HealthBook::new(&self.calls, [], None),
            tries: Tries::new(None, false),
            broadcasting: false,
            in_order: false,
        };
        back.send_back(delivery.clone(), how).await
    }
}

/// Turns a place into an offset.
pub(crate) async fn resolve(calls: &Calls, queue: &MessageQueue, at: Offset) -> Result<i64, CallError> {
    match at {
        Offset::At(offset) => Ok(offset),
        Offset::First => calls.min_offset(queue).await,
        Offset::Last => calls.max_offset(queue).await,
        Offset::Time(time) => calls.offset_at(queue, to_ms(time)).await,
        Offset::Committed => match calls.stored_offset(queue).await? {
            Some(offset) => Ok(offset),
            None => calls.min_offset(queue).await,
        },
    }
}

/// Holds a pull and its options; awaiting it sends the pull.
///
/// ```no_run
/// # async fn example(pull: rocketmq_client::PullConsumer, queue: rocketmq_client::MessageQueue) -> Result<(), Box<dyn std::error::Error>> {
/// use rocketmq_client::Offset;
///
/// let pulled = pull.pull(&queue, Offset::First).tags("created || paid").max_bytes(64 << 10).await?;
/// println!("{pulled:?}");
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
/// Cancel safe: a pull moves no offset.
#[must_use = "a pull is sent when it is awaited"]
pub struct Pulling {
    calls: Calls,
    queue: Arc<MessageQueue>,
    at: Offset,
    max: i32,
    max_bytes: i32,
    filter: Filter,
    wait: Duration,
}

impl std::fmt::Debug for Pulling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pulling").field("queue", &self.queue).field("at", &self.at).finish_non_exhaustive()
    }
}

impl Pulling {
    /// Limits the messages, from 1; brokers have a limit of their own. Default: 32.
    ///
    /// ```no_run
    /// # async fn example(pull: rocketmq_client::PullConsumer, queue: rocketmq_client::MessageQueue) -> Result<(), Box<dyn std::error::Error>> {
    /// # use rocketmq_client::Offset;
    /// let pulled = pull.pull(&queue, Offset::First).max(64).await?;
    /// # drop(pulled);
    /// # Ok(())
    /// # }
    /// ```
    pub fn max(mut self, messages: u16) -> Self {
        self.max = i32::from(messages.max(1));
        self
    }

    /// Limits the bytes; brokers have a limit of their own. Default: no limit.
    ///
    /// ```no_run
    /// # async fn example(pull: rocketmq_client::PullConsumer, queue: rocketmq_client::MessageQueue) -> Result<(), Box<dyn std::error::Error>> {
    /// # use rocketmq_client::Offset;
    /// let pulled = pull.pull(&queue, Offset::First).max_bytes(1 << 20).await?;
    /// # drop(pulled);
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_bytes(mut self, bytes: u32) -> Self {
        self.max_bytes = i32::try_from(bytes).unwrap_or(i32::MAX);
        self
    }

    /// Takes only messages with these tags, such as `"a || b"`. Default: every message.
    ///
    /// ```no_run
    /// # async fn example(pull: rocketmq_client::PullConsumer, queue: rocketmq_client::MessageQueue) -> Result<(), Box<dyn std::error::Error>> {
    /// # use rocketmq_client::Offset;
    /// let pulled = pull.pull(&queue, Offset::First).tags("created || paid").await?;
    /// # drop(pulled);
    /// # Ok(())
    /// # }
    /// ```
    pub fn tags(mut self, expression: impl Into<String>) -> Self {
        self.filter = Filter::Tags(expression.into());
        self
    }

    /// Takes only messages that fulfil an SQL92 condition. Default: every message.
    ///
    /// ```no_run
    /// # async fn example(pull: rocketmq_client::PullConsumer, queue: rocketmq_client::MessageQueue) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::Offset;
    ///
    /// let pulled = pull.pull(&queue, Offset::First).sql("amount > 100").await?;
    /// # drop(pulled);
    /// # Ok(())
    /// # }
    /// ```
    pub fn sql(mut self, condition: impl Into<String>) -> Self {
        self.filter = Filter::Sql(condition.into());
        self
    }

    /// Lets the broker wait this long for a message. Default: no wait.
    ///
    /// ```no_run
    /// # async fn example(pull: rocketmq_client::PullConsumer, queue: rocketmq_client::MessageQueue) -> Result<(), Box<dyn std::error::Error>> {
    /// # use rocketmq_client::Offset;
    /// # use std::time::Duration;
    /// let pulled = pull.pull(&queue, Offset::Last).wait(Duration::from_secs(5)).await?;
    /// # drop(pulled);
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait(mut self, limit: Duration) -> Self {
        self.wait = limit;
        self
    }

    async fn run(self) -> Result<Pulled, CallError> {
        let subscription = self.filter.of(&self.queue.topic);
        let subscription =
            subscription.map_err(|error| CallError::new(CallErrorKind::InvalidRequest, error.to_string()))?;
        let offset = resolve(&self.calls, &self.queue, self.at).await?;
        let options = PullOptions {
            max_messages: self.max,
            max_bytes: self.max_bytes,
            suspend: self.wait,
            interval: Duration::ZERO,
            timeout: if self.wait.is_zero() { PULL_TIMEOUT } else { self.wait.saturating_add(MARGIN) },
            inline_subscription: true,
        };
        let puller = Puller::new(self.calls, self.queue, options);
        Ok(match puller.pull(offset, None, &subscription).await? {
            Answered::Found { messages, next, .. } => Pulled::Found { messages, next },
            Answered::Empty { next, .. } => Pulled::Empty { next },
            Answered::Moved { to, .. } => Pulled::OffsetMoved { to },
        })
    }
}

impl IntoFuture for Pulling {
    type Output = Result<Pulled, CallError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}
