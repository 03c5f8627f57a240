//! [`SimpleConsumer`]: takes messages for a time and acknowledges them one by one.

use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rocketmq_remoting::Command;
use rocketmq_remoting::body::{
    ConsumeFromWhere, ConsumeType, ConsumerData, ConsumerRunningInfo, MessageModel,
};
use rocketmq_remoting::net::Answer;
use rocketmq_remoting::route::MessageQueue;
use rocketmq_remoting::subscription::SubscriptionData;

use super::calls::PopOptions;
use super::popped::Popped;
use crate::cluster::route::Purpose;
use crate::consumer::calls::Calls;
use crate::consumer::subscriptions::{ByTopic, Filter, Subscriptions, invalid};
use crate::consumer::tools::info;
use crate::error::{CallError, StartError};
use crate::membership::ConsumerMember;
use crate::membership::Membership;
use crate::messages::validate;

/// The pause before the next look for a topic that does not exist.
const NO_TOPIC: Duration = Duration::from_secs(1);
/// Stands for any queue of a broker.
pub(crate) const ANY_QUEUE: i32 = -1;

/// Configures a [`SimpleConsumer`]; [`build`](Self::build) starts it.
///
/// ```no_run
/// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let simple = client.simple_consumer("shipping").subscribe("orders", "paid").from_first().build().await?;
/// # drop(simple);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct SimpleConsumerBuilder {
    membership: Arc<Membership>,
    group: String,
    subscriptions: Subscriptions,
    from_first: bool,
    ordered: bool,
}

impl std::fmt::Debug for SimpleConsumerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimpleConsumerBuilder").field("group", &self.group).finish_non_exhaustive()
    }
}

impl SimpleConsumerBuilder {
    pub(crate) fn new(membership: Arc<Membership>, group: String) -> Self {
        let subscriptions = Subscriptions::default();
        Self { membership, group, subscriptions, from_first: false, ordered: false }
    }

    /// Subscribes to a topic by tags, such as `"created || paid"`; `"*"` takes every message.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let simple = client.simple_consumer("shipping").subscribe("orders", "created || paid").build().await?;
    /// # drop(simple);
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe(mut self, topic: impl Into<String>, tags: impl Into<String>) -> Self {
        self.subscriptions.put(topic, Filter::Tags(tags.into()));
        self
    }

    /// Subscribes to a topic by an SQL92 condition over message properties. Needs a broker with
    /// `enablePropertyFilter=true`.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let simple = client.simple_consumer("shipping").subscribe_sql("orders", "amount > 100").build().await?;
    /// # drop(simple);
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe_sql(mut self, topic: impl Into<String>, condition: impl Into<String>) -> Self {
        self.subscriptions.put(topic, Filter::Sql(condition.into()));
        self
    }

    /// Lets a new group begin at the oldest message. Default: at the end of each queue.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let simple = client.simple_consumer("shipping").subscribe("orders", "*").from_first().build().await?;
    /// # drop(simple);
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_first(mut self) -> Self {
        self.from_first = true;
        self
    }

    /// Hands out the messages of each queue in order: those behind a message wait until it is acknowledged, and when
    /// its time runs out they come again together. All consumers of the group must agree on this. Default: without
    /// order.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let simple = client.simple_consumer("shipping").subscribe("orders", "*").ordered().build().await?;
    /// # drop(simple);
    /// # Ok(())
    /// # }
    /// ```
    pub fn ordered(mut self) -> Self {
        self.ordered = true;
        self
    }

    /// Starts the consumer: brokers know it from then on.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let simple = client.simple_consumer("shipping").subscribe("orders", "*").build().await?;
    /// simple.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// A name or expression is illegal, there is no subscription, this client has a consumer of the group already, no
    /// name server can be reached, or a broker refuses a filter.
    ///
    /// # Cancel safety
    /// A cancelled call leaves no consumer behind.
    pub async fn build(self) -> Result<SimpleConsumer, StartError> {
        validate::group(&self.group).map_err(invalid)?;
        let subscriptions = self.subscriptions.parse_some(&self.membership.cluster, &self.group)?;
        let member = Arc::new(SimpleMember {
            calls: Calls::new(self.membership.cluster.clone(), &self.group),
            name: self.group,
            subscriptions,
            from_first: self.from_first,
            ordered: self.ordered,
            started_at: self.membership.cluster.now_ms(),
        });
        let registered: Arc<dyn ConsumerMember> = member.clone();
        self.membership.join_as_consumer(&registered)?;
        let start = self.membership.cluster.config.chance.below(u32::MAX);
        let consumer = SimpleConsumer {
            // Not from 0: a consumer that is built anew would repeat attempts which the broker still remembers.
            shared: Arc::new(Shared {
                membership: self.membership,
                member,
                turn: AtomicUsize::new(start as usize),
            }),
        };
        let member = &consumer.shared.member;
        member.calls.prepare(&member.subscriptions).await?;
        consumer.shared.membership.heartbeat().await;
        Ok(consumer)
    }
}

/// A simple consumer as brokers see it.
struct SimpleMember {
    calls: Calls,
    name: String,
    subscriptions: ByTopic,
    from_first: bool,
    ordered: bool,
    started_at: i64,
}

impl ConsumerMember for SimpleMember {
    fn wire_group(&self) -> &str {
        &self.calls.group
    }

    fn heartbeat(&self) -> ConsumerData {
        let first = self.from_first;
        ConsumerData {
            group_name: self.calls.group.clone(),
            consume_type: ConsumeType::Pop,
            message_model: MessageModel::Clustering,
            consume_from_where: if first {
                ConsumeFromWhere::FirstOffset
            } else {
                ConsumeFromWhere::LastOffset
            },
            subscription_data_set: self.subscriptions.values().map(|data| (**data).clone()).collect(),
            unit_mode: self.calls.cluster.config.unit_mode,
        }
    }

    fn topics(&self) -> Vec<String> {
        self.subscriptions.keys().cloned().collect()
    }

    /// Does nothing: brokers hand out messages, so there are no queues to share out.
    fn rebalance_soon(&self) {}

    fn on_request(&self, request: Command) -> Answer {
        info::serve(&request, || self.info(), "simple")
    }
}

impl SimpleMember {
    /// Returns settings and subscriptions. It owns no queues, and the application itself is the handler.
    fn info(&self) -> ConsumerRunningInfo {
        let (cluster, group) = (&self.calls.cluster, &self.calls.group);
        ConsumerRunningInfo {
            properties: info::properties(cluster, group, ConsumeType::Pop, self.started_at),
            subscription_set: self.heartbeat().subscription_data_set,
            ..ConsumerRunningInfo::default()
        }
    }
}

/// Takes messages for a time. Messages that are not acknowledged in that time are handed out again.
///
/// Any number of consumers can share a queue. Clones are handles to the same consumer.
///
/// ```no_run
/// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// let simple = client.simple_consumer("shipping").subscribe("orders", "paid").build().await?;
/// for mut message in simple.receive(16).invisible(Duration::from_secs(30)).await? {
///     if message.tag() == Some("heavy") {
///         simple.renew(&mut message, Duration::from_secs(300)).await?; // takes longer
///     }
///     println!("{:?}", message.text());
///     simple.ack(&message).await?;
/// }
/// simple.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SimpleConsumer {
    shared: Arc<Shared>,
}

struct Shared {
    membership: Arc<Membership>,
    member: Arc<SimpleMember>,
    /// The topic and broker to ask next.
    turn: AtomicUsize,
}

impl std::fmt::Debug for SimpleConsumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimpleConsumer").field("group", &self.shared.member.name).finish_non_exhaustive()
    }
}

impl SimpleConsumer {
    /// Takes 1 to 32 messages; other numbers become the nearest of these. Awaiting the returned value asks for them.
    ///
    /// ```no_run
    /// # async fn example(simple: rocketmq_client::SimpleConsumer) -> Result<(), Box<dyn std::error::Error>> {
    /// for message in simple.receive(16).await? {
    ///     simple.ack(&message).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn receive(&self, max: u8) -> Receiving {
        Receiving {
            shared: self.shared.clone(),
            options: PopOptions {
                max: i32::from(max.clamp(1, 32)),
                invisible: Duration::from_secs(60),
                wait: Duration::from_secs(15),
                from_first: self.shared.member.from_first,
                attempt: None,
            },
        }
    }

    /// Acknowledges a message: it is not handed out again.
    ///
    /// ```no_run
    /// # async fn example(simple: rocketmq_client::SimpleConsumer, message: rocketmq_client::consumer::Popped) -> Result<(), Box<dyn std::error::Error>> {
    /// simple.ack(&message).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The broker did not confirm it, for instance because the message's time is over.
    ///
    /// # Cancel safety
    /// A cancelled call may have acknowledged the message.
    pub async fn ack(&self, message: &Popped) -> Result<(), CallError> {
        self.shared.member.calls.ack(message.wire_topic(), message.receipt()).await
    }

    /// Acknowledges many messages with one request to each broker.
    ///
    /// ```no_run
    /// # async fn example(simple: rocketmq_client::SimpleConsumer) -> Result<(), Box<dyn std::error::Error>> {
    /// let messages = simple.receive(32).await?;
    /// simple.ack_all(&messages).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`ack`](Self::ack); some of the messages may be acknowledged.
    ///
    /// # Cancel safety
    /// A cancelled call may have acknowledged some of the messages.
    pub async fn ack_all(&self, messages: &[Popped]) -> Result<(), CallError> {
        self.shared.member.calls.ack_all(messages).await
    }

    /// Hides a message for `invisible` from now on: to have more time for it, or to let it be tried sooner.
    ///
    /// ```no_run
    /// # async fn example(simple: rocketmq_client::SimpleConsumer, mut message: rocketmq_client::consumer::Popped) -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// simple.renew(&mut message, Duration::from_secs(300)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The broker did not confirm it; `message` then keeps its receipt.
    ///
    /// # Cancel safety
    /// A cancelled call may have changed the time on the broker; `message` can then no longer be acknowledged.
    pub async fn renew(&self, message: &mut Popped, invisible: Duration) -> Result<(), CallError> {
        message.receipt =
            self.shared.member.calls.hide(message.wire_topic(), message.receipt(), invisible).await?;
        Ok(())
    }

    /// Leaves the group. Messages that are not acknowledged are handed out again when their time is over.
    ///
    /// ```no_run
    /// # async fn example(simple: rocketmq_client::SimpleConsumer) -> Result<(), Box<dyn std::error::Error>> {
    /// simple.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// A cancelled shutdown leaves it to the brokers to notice.
    pub async fn shutdown(self) {
        self.shared.membership.leave_as_consumer(self.shared.member.wire_group()).await;
    }
}

impl Shared {
    /// Makes a name that no other request has.
    fn attempt(&self, turn: usize) -> String {
        format!("{}#{turn}", self.membership.cluster.client_id)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.membership.forget_consumer(self.member.wire_group());
    }
}

/// Holds a request for messages and its options; awaiting it sends it.
///
/// ```no_run
/// # async fn example(simple: rocketmq_client::SimpleConsumer) -> Result<(), Box<dyn std::error::Error>> {
/// # use std::time::Duration;
/// let messages = simple.receive(16).invisible(Duration::from_secs(30)).wait(Duration::from_secs(5)).await?;
/// println!("{} messages", messages.len());
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
/// Messages of a cancelled request may be hidden for their time; they are then handed out again.
#[must_use = "messages are asked for when it is awaited"]
pub struct Receiving {
    shared: Arc<Shared>,
    options: PopOptions,
}

impl std::fmt::Debug for Receiving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiving").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Receiving {
    /// Hides the messages from others for this long. Default: 60 s.
    ///
    /// ```no_run
    /// # async fn example(simple: rocketmq_client::SimpleConsumer) -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// let messages = simple.receive(16).invisible(Duration::from_secs(30)).await?;
    /// # drop(messages);
    /// # Ok(())
    /// # }
    /// ```
    pub fn invisible(mut self, time: Duration) -> Self {
        self.options.invisible = time;
        self
    }

    /// Waits this long for a first message. Default: 15 s.
    ///
    /// ```no_run
    /// # async fn example(simple: rocketmq_client::SimpleConsumer) -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// let messages = simple.receive(16).wait(Duration::from_secs(1)).await?;
    /// # drop(messages);
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait(mut self, limit: Duration) -> Self {
        self.options.wait = limit;
        self
    }

    /// Asks every broker once without a wait; then each in turn may wait for its share of the time.
    async fn run(mut self) -> Result<Vec<Popped>, CallError> {
        let targets = self.targets().await;
        if targets.is_empty() {
            tokio::time::sleep(self.options.wait.min(NO_TOPIC)).await;
        }
        let start = self.shared.turn.fetch_add(1, Ordering::Relaxed);
        self.options.attempt = self.shared.member.ordered.then(|| self.shared.attempt(start));
        let share = self.options.wait / u32::try_from(targets.len().max(1)).unwrap_or(u32::MAX);
        let mut failed = None;
        for wait in [Duration::ZERO, share] {
            let options = PopOptions { wait, ..self.options.clone() };
            for turn in 0..targets.len() {
                let (queue, subscription) = &targets[(start + turn) % targets.len()];
                match self.shared.member.calls.pop(queue, subscription, &options).await {
                    Ok(popped) if popped.messages.is_empty() => {}
                    Ok(popped) => return Ok(self.wanted(popped.messages).await),
                    Err(error) => failed = Some(error),
                }
            }
        }
        failed.map_or(Ok(Vec::new()), Err)
    }

    /// Acknowledges, and leaves out, messages whose tag only shares its hash with a subscribed one.
    async fn wanted(&self, popped: Vec<Popped>) -> Vec<Popped> {
        let (wanted, others): (Vec<_>, Vec<_>) = popped.into_iter().partition(Popped::is_wanted);
        if let Err(error) = self.shared.member.calls.ack_all(&others).await {
            tracing::debug!("messages of other tags not acknowledged: {error}");
        }
        wanted
    }

    /// Returns every broker of every topic. A topic that does not exist yet is looked for at each call.
    async fn targets(&self) -> Vec<(MessageQueue, Arc<SubscriptionData>)> {
        let mut targets = Vec::new();
        for (topic, subscription) in &self.shared.member.subscriptions {
            let Ok(info) = self.shared.membership.cluster.topic(topic, Purpose::Read, None).await else {
                continue;
            };
            for broker in &info.route.broker_datas {
                targets
                    .push((MessageQueue::new(topic, &broker.broker_name, ANY_QUEUE), subscription.clone()));
            }
        }
        targets
    }
}

impl IntoFuture for Receiving {
    type Output = Result<Vec<Popped>, CallError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}
