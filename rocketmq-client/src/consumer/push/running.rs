//! The handle to a running push consumer.

use std::sync::Arc;
use std::time::Duration;

use rocketmq_remoting::body::ConsumerRunningInfo;
use rocketmq_remoting::route::MessageQueue;

use super::health::ConsumerHealth;
use super::member::PushMember;
use crate::consumer::config::CONCURRENCY;
use crate::consumer::pop::receipt::Origin;
use crate::consumer::subscriptions::{self, ByTopic, Filter};
use crate::error::StartError;
use crate::membership::ConsumerMember as _;
use crate::membership::Membership;

/// A push consumer at work.
///
/// Dropping it aborts: pulling stops, running handlers are cancelled, their messages are delivered again later.
#[must_use = "dropping it stops the consumer"]
pub struct Running {
    membership: Arc<Membership>,
    member: Arc<PushMember>,
    done: bool,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("group", &self.member.name).finish_non_exhaustive()
    }
}

impl Running {
    pub(crate) fn new(membership: Arc<Membership>, member: Arc<PushMember>) -> Self {
        Self { membership, member, done: false }
    }

    /// The group it consumes for.
    pub fn group(&self) -> &str {
        &self.member.name
    }

    /// The queues it reads now.
    pub fn queues(&self) -> Vec<MessageQueue> {
        let mut queues: Vec<_> = self.member.group.owned().iter().map(|owned| owned.queue.clone()).collect();
        queues.sort();
        queues
    }

    /// The state, queues, lag and newest error of each topic, now and whenever it is asked.
    pub fn health(&self) -> ConsumerHealth {
        ConsumerHealth::of(&self.member)
    }

    /// Takes in one more topic, or chooses among the messages of one of its topics by other tags. What was pulled before
    /// is still handled. All members of the group have to do the same.
    ///
    /// Cancelled, it may have told only some of the brokers; the others learn it with the next heartbeat.
    ///
    /// # Errors
    /// An illegal topic or expression, or no reachable name server; the subscriptions stay as they were then.
    pub async fn subscribe(&self, topic: &str, tags: impl Into<String>) -> Result<(), StartError> {
        self.subscribe_by(topic, &Filter::Tags(tags.into())).await
    }

    /// [`subscribe`](Self::subscribe) by an SQL92 condition over message properties.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe), or a condition that the broker refuses.
    pub async fn subscribe_sql(&self, topic: &str, condition: impl Into<String>) -> Result<(), StartError> {
        self.subscribe_by(topic, &Filter::Sql(condition.into())).await
    }

    async fn subscribe_by(&self, topic: &str, filter: &Filter) -> Result<(), StartError> {
        let group = &self.member.group;
        let data = Arc::new(subscriptions::parse(&self.membership.cluster, topic, filter)?);
        let added = ByTopic::from([(data.topic.clone(), data)]);
        group.calls.prepare(&added).await?;
        added.keys().for_each(|topic| group.health.follow(topic));
        group.subscriptions.write().extend(added);
        self.subscriptions_changed().await;
        Ok(())
    }

    /// Reads a topic no more. Where the group stands there is stored; what was pulled and not handled is delivered again if
    /// the topic is subscribed to again.
    pub async fn unsubscribe(&self, topic: &str) {
        let group = &self.member.group;
        let topic = self.membership.cluster.names.wrap(topic);
        {
            let mut subscriptions = group.subscriptions.write();
            subscriptions.remove(&topic);
            group.health.leave(&topic);
            subscriptions.remove(&Origin::RetryV1.topic(group.name(), &topic));
        }
        self.subscriptions_changed().await;
    }

    /// Brokers first: they refuse pulls of topics that they do not know the group reads.
    async fn subscriptions_changed(&self) {
        self.membership.heartbeat_in_full().await;
        self.member.group.rebalance.notify_one();
    }

    /// Changes how many handlers run at once, of 1 to 1000; what is beyond counts as the nearest of them. Running ones are
    /// not cut: of those above the new number none is followed by another.
    pub fn set_concurrency(&self, handlers: usize) {
        let handlers = handlers.clamp(*CONCURRENCY.start(), *CONCURRENCY.end());
        self.member.engine.permits.set(handlers);
        self.member.service.adjust();
    }

    /// How many handlers may run at once.
    pub fn concurrency(&self) -> usize {
        self.member.engine.concurrency()
    }

    /// Stops pulling within about a second; what was pulled is still handled.
    pub fn pause(&self) {
        self.member.group.set_paused(true);
    }

    /// Pulls again after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.member.group.set_paused(false);
    }

    /// How many records of the message trace were lost, because the buffer was full or a broker did not take them.
    pub fn dropped_traces(&self) -> u64 {
        self.member.engine.tracer.as_ref().map_or(0, |tracer| tracer.dropped())
    }

    /// Queues, offsets, rates and settings: what administration tools see of this consumer.
    pub fn info(&self) -> ConsumerRunningInfo {
        self.member.running_info()
    }

    /// Ends the consumer in order: pulling stops, running handlers finish (for up to `shutdown_timeout`, then they are
    /// cancelled), offsets are committed, queues unlocked, the group unregistered. Messages pulled but not started are
    /// delivered again to whoever owns their queue next.
    ///
    /// Returns whether every running handler finished in time.
    pub async fn shutdown(self) -> bool {
        let deadline = self.member.config.shutdown_timeout;
        self.shutdown_within(deadline).await
    }

    /// [`shutdown`](Self::shutdown) with another limit for running handlers.
    pub async fn shutdown_within(mut self, deadline: Duration) -> bool {
        self.done = true;
        let group = &self.member.group;
        group.stop_pulling().await;
        self.member.service.stop();
        let finished = self.member.drained(deadline).await;
        if !finished {
            tracing::warn!(
                group = self.member.name,
                "handlers were cancelled after {} ms, their messages will be delivered again",
                deadline.as_millis()
            );
        }
        group.persist_last().await;
        let queues = group.remove_all().iter().map(|owned| owned.queue.clone()).collect();
        if group.needs_locks() {
            group.unlock(queues).await;
        }
        self.membership.leave_as_consumer(self.member.wire_group()).await;
        if let Some(tracer) = &self.member.engine.tracer {
            tracer.shutdown().await;
        }
        finished
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        self.member.group.stopped.cancel();
        self.member.service.abort();
        if let Some(pop) = &self.member.pop {
            pop.abort();
        }
        self.member.group.remove_all();
        self.membership.forget_consumer(self.member.wire_group());
    }
}
