//! The simple consumer: take messages for a time, acknowledge them one by one.

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

/// How long to wait before looking again for a topic that does not exist.
const NO_TOPIC: Duration = Duration::from_secs(1);
/// Any queue of a broker.
pub(crate) const ANY_QUEUE: i32 = -1;

/// Configures a [`SimpleConsumer`].
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

    /// Subscribes to a topic by tags, `"created || paid"`; `"*"` takes every message.
    pub fn subscribe(mut self, topic: impl Into<String>, tags: impl Into<String>) -> Self {
        self.subscriptions.put(topic, Filter::Tags(tags.into()));
        self
    }

    /// Subscribes to a topic by an SQL92 condition over message properties, `"amount > 100"`. Needs a broker with
    /// `enablePropertyFilter=true`.
    pub fn subscribe_sql(mut self, topic: impl Into<String>, condition: impl Into<String>) -> Self {
        self.subscriptions.put(topic, Filter::Sql(condition.into()));
        self
    }

    /// A new group begins at the oldest message instead of the end.
    pub fn from_first(mut self) -> Self {
        self.from_first = true;
        self
    }

    /// Hands out the messages of each queue in order: those behind a message wait until it is acknowledged, and where its
    /// time runs out they come again together. All consumers of the group have to agree on this.
    pub fn ordered(mut self) -> Self {
        self.ordered = true;
        self
    }

    /// The consumer, known to the brokers.
    ///
    /// # Errors
    /// An illegal name or expression, no subscription, a second consumer of the group on this client, no reachable name
    /// server, or a filter the broker refuses.
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

    /// Brokers hand out messages; there are no queues to share out.
    fn rebalance_soon(&self) {}

    fn on_request(&self, request: Command) -> Answer {
        info::serve(&request, || self.info(), "simple")
    }
}

impl SimpleMember {
    /// Settings and subscriptions: it owns no queues, and the application itself is the handler.
    fn info(&self) -> ConsumerRunningInfo {
        let (cluster, group) = (&self.calls.cluster, &self.calls.group);
        ConsumerRunningInfo {
            properties: info::properties(cluster, group, ConsumeType::Pop, self.started_at),
            subscription_set: self.heartbeat().subscription_data_set,
            ..ConsumerRunningInfo::default()
        }
    }
}

/// Takes messages for a time; those not acknowledged in that time are handed out again.
///
/// Any number of consumers can share a queue. Clones are handles to the same consumer.
#[derive(Clone)]
pub struct SimpleConsumer {
    shared: Arc<Shared>,
}

struct Shared {
    membership: Arc<Membership>,
    member: Arc<SimpleMember>,
    /// Which topic and broker to ask next.
    turn: AtomicUsize,
}

impl std::fmt::Debug for SimpleConsumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimpleConsumer").field("group", &self.shared.member.name).finish_non_exhaustive()
    }
}

impl SimpleConsumer {
    /// Takes up to `max` (at most 32) messages; awaiting the returned value asks for them.
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
    /// # Errors
    /// When the broker did not confirm it, for instance because the time was over.
    pub async fn ack(&self, message: &Popped) -> Result<(), CallError> {
        self.shared.member.calls.ack(message.wire_topic(), message.receipt()).await
    }

    /// Acknowledges many messages with one request per broker.
    ///
    /// # Errors
    /// As [`ack`](Self::ack); some may be acknowledged all the same.
    pub async fn ack_all(&self, messages: &[Popped]) -> Result<(), CallError> {
        self.shared.member.calls.ack_all(messages).await
    }

    /// Hides a message for `invisible` from now on, to have more time for it or to let it be tried sooner.
    ///
    /// # Errors
    /// When the broker did not confirm it; `message` keeps its receipt then.
    pub async fn renew(&self, message: &mut Popped, invisible: Duration) -> Result<(), CallError> {
        message.receipt =
            self.shared.member.calls.hide(message.wire_topic(), message.receipt(), invisible).await?;
        Ok(())
    }

    /// Leaves the group. Messages not acknowledged are handed out again when their time is over.
    pub async fn shutdown(self) {
        self.shared.membership.leave_as_consumer(self.shared.member.wire_group()).await;
    }
}

impl Shared {
    /// A name no other request has.
    fn attempt(&self, turn: usize) -> String {
        format!("{}#{turn}", self.membership.cluster.client_id)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.membership.forget_consumer(self.member.wire_group());
    }
}

/// A request for messages with its options; a future once awaited.
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
    /// How long the messages are hidden from others, default 60 s.
    pub fn invisible(mut self, time: Duration) -> Self {
        self.options.invisible = time;
        self
    }

    /// How long to wait for a message, default 15 s.
    pub fn wait(mut self, limit: Duration) -> Self {
        self.options.wait = limit;
        self
    }

    /// Every broker is asked once without waiting; then each in turn may wait for its share of the time.
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

    /// Messages whose tag only shares its hash with one subscribed to are nobody's: they are acknowledged.
    async fn wanted(&self, popped: Vec<Popped>) -> Vec<Popped> {
        let (wanted, others): (Vec<_>, Vec<_>) = popped.into_iter().partition(Popped::is_wanted);
        if let Err(error) = self.shared.member.calls.ack_all(&others).await {
            tracing::debug!("messages of other tags not acknowledged: {error}");
        }
        wanted
    }

    /// Every broker of every topic; a topic that does not exist yet is looked for again.
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
