//! The classic pull consumer: the application owns the queues and the offsets.

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
use crate::consumer::handling::retry::{DEFAULT_MAX_RECONSUME_TIMES, Redelivery};
use crate::consumer::handling::send_back::SendBack as _;
use crate::consumer::handling::send_back::ToBroker;
use crate::consumer::health::HealthBook;
use crate::consumer::rebalance::allocate::queue_order;
use crate::consumer::subscriptions::{Filter, invalid};
use crate::error::{CallError, CallErrorKind, RouteError, StartError};
use crate::messages::validate;
use crate::messages::{Delivery, Outcome};

/// Limit of a pull that does not wait.
const PULL_TIMEOUT: Duration = Duration::from_secs(10);
/// What a waiting pull gets on top of its wait.
const MARGIN: Duration = Duration::from_secs(10);

/// Where to read a queue.
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
    /// Where the group stands; at the oldest message when it has no offset.
    Committed,
}

/// Where the queues of a reset go on: the offset of the next message of each.
pub type ResetOffsets = BTreeMap<MessageQueue, i64>;

/// How a pull ended.
#[derive(Debug)]
pub enum Pulled {
    /// Messages; `next` is the offset to go on at.
    Found {
        /// The messages that match the filter; may be empty when others were skipped.
        messages: Vec<Delivery>,
        /// Where to go on.
        next: i64,
    },
    /// No message (for this filter) before `next`.
    Empty {
        /// Where to go on.
        next: i64,
    },
    /// The offset is not in the queue.
    OffsetMoved {
        /// The nearest offset that is.
        to: i64,
    },
}

/// Configures a [`PullConsumer`].
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
/// It takes no part in the group's rebalancing and its pulls do not move the group's offsets; [`commit`](Self::commit)
/// does.
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

    /// The consumer. Nothing is asked of any broker yet.
    ///
    /// # Errors
    /// An illegal group name.
    pub async fn build(self) -> Result<PullConsumer, StartError> {
        validate::group(&self.group).map_err(invalid)?;
        Ok(PullConsumer { calls: Calls::new(self.cluster, &self.group) })
    }
}

impl PullConsumer {
    /// The readable queues of a topic.
    ///
    /// # Errors
    /// When the route cannot be looked up or the topic does not exist.
    pub async fn queues(&self, topic: &str) -> Result<Vec<MessageQueue>, RouteError> {
        let cluster = &self.calls.cluster;
        let info = cluster.topic(&cluster.names.wrap(topic), Purpose::Read, None).await?;
        let mut queues: Vec<MessageQueue> = info.subscribe.iter().map(|queue| (**queue).clone()).collect();
        queues.sort_by(queue_order);
        Ok(queues)
    }

    /// One pull; awaiting the returned value sends it.
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

    /// Resolves an offset to a number.
    ///
    /// # Errors
    /// When the broker cannot be asked.
    pub async fn offset(&self, queue: &MessageQueue, at: Offset) -> Result<i64, CallError> {
        resolve(&self.calls, queue, at).await
    }

    /// Where the group stands on a queue.
    ///
    /// # Errors
    /// When the broker cannot be asked.
    pub async fn committed(&self, queue: &MessageQueue) -> Result<Option<i64>, CallError> {
        self.calls.stored_offset(queue).await
    }

    /// Stores where the group stands: `offset` is the next one to read.
    ///
    /// # Errors
    /// When the broker did not confirm it.
    pub async fn commit(&self, queue: &MessageQueue, offset: i64) -> Result<(), CallError> {
        self.calls.store_offset(queue, offset).await
    }

    /// Gives a message to the group's retry topic (or its dead letter queue) as a push consumer would. `false` when no
    /// broker took it.
    pub async fn send_back(&self, delivery: &Delivery, outcome: Outcome) -> bool {
        let Some(how) = Redelivery::of(outcome, false) else { return true };
        let back = ToBroker {
            calls: self.calls.clone(),
            health: HealthBook::new(&self.calls, [], None),
            max_reconsume_times: DEFAULT_MAX_RECONSUME_TIMES,
            broadcasting: false,
            in_order: false,
        };
        back.send_back(delivery.clone(), how).await
    }
}

/// Turns a wish into an offset.
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

/// A pull with its options; a future once awaited.
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
    /// Most messages, default 32; brokers have a limit of their own.
    pub fn max(mut self, messages: u16) -> Self {
        self.max = i32::from(messages.max(1));
        self
    }

    /// Most bytes, default unlimited; brokers have a limit of their own.
    pub fn max_bytes(mut self, bytes: u32) -> Self {
        self.max_bytes = i32::try_from(bytes).unwrap_or(i32::MAX);
        self
    }

    /// Only messages with these tags, `"a || b"`.
    pub fn tags(mut self, expression: impl Into<String>) -> Self {
        self.filter = Filter::Tags(expression.into());
        self
    }

    /// Only messages that fulfil an SQL92 condition.
    pub fn sql(mut self, condition: impl Into<String>) -> Self {
        self.filter = Filter::Sql(condition.into());
        self
    }

    /// Waits at the broker for a message for so long, default not at all.
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
