//! [`Running`]: the handle to a running push consumer.

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

/// Controls a push consumer that runs.
///
/// Dropping it aborts the consumer: pulling stops, running handlers are cancelled, and their messages are delivered
/// again later.
///
/// ```no_run
/// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
/// println!("{} reads {:?}", running.group(), running.queues());
/// let in_time = running.shutdown().await;
/// println!("all handlers finished: {in_time}");
/// # Ok(())
/// # }
/// ```
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

    /// Returns the group, without namespace.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{}", running.group());
    /// # Ok(())
    /// # }
    /// ```
    pub fn group(&self) -> &str {
        &self.member.name
    }

    /// Returns the queues that this member reads now. Topics are named as on the wire.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{} queues", running.queues().len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn queues(&self) -> Vec<MessageQueue> {
        let mut queues: Vec<_> = self.member.group.owned().iter().map(|owned| owned.queue.clone()).collect();
        queues.sort();
        queues
    }

    /// Returns a handle to the state, queues, lag and newest error of each topic. It reads them anew at each call.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
    /// for topic in running.health().topics() {
    ///     println!("{} is {}, {:?} behind", topic.topic, topic.state, topic.lag);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn health(&self) -> ConsumerHealth {
        ConsumerHealth::of(&self.member)
    }

    /// Adds a topic, or replaces the tags of one. Messages that were pulled before are still handled. All members of
    /// the group must do the same.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
    /// running.subscribe("refunds", "*").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The topic or expression is illegal, or no name server can be reached; the subscriptions then stay as they were.
    ///
    /// # Cancel safety
    /// A cancelled call may have told only some of the brokers; the others learn it with the next heartbeat.
    pub async fn subscribe(&self, topic: &str, tags: impl Into<String>) -> Result<(), StartError> {
        self.subscribe_by(topic, &Filter::Tags(tags.into())).await
    }

    /// Does the same as [`subscribe`](Self::subscribe) with an SQL92 condition over message properties.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
    /// running.subscribe_sql("orders", "amount > 100").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe); also when a broker refuses the condition.
    ///
    /// # Cancel safety
    /// As [`subscribe`](Self::subscribe).
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

    /// Stops reading a topic. The group's offsets are stored; messages that were pulled and not handled are delivered
    /// again when the topic is subscribed to again.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
    /// running.unsubscribe("refunds").await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// As [`subscribe`](Self::subscribe).
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

    /// Tells the brokers before it shares the queues out: they refuse pulls of topics that the group does not subscribe to.
    async fn subscriptions_changed(&self) {
        self.membership.heartbeat_in_full().await;
        self.member.group.rebalance.notify_one();
    }

    /// Changes the number of handlers that run at once, 1 to 1000; other numbers become the nearest of these. Running
    /// handlers are not cancelled.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
    /// running.set_concurrency(64);
    /// assert_eq!(running.concurrency(), 64);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_concurrency(&self, handlers: usize) {
        let handlers = handlers.clamp(*CONCURRENCY.start(), *CONCURRENCY.end());
        self.member.engine.permits.set(handlers);
        self.member.service.adjust();
    }

    /// Returns the number of handlers that may run at once.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{} handlers", running.concurrency());
    /// # Ok(())
    /// # }
    /// ```
    pub fn concurrency(&self) -> usize {
        self.member.engine.concurrency()
    }

    /// Changes the tries after the first, from the next failure of a message on; `None` sets the default: 16, or no limit in
    /// orderly mode. All members of the group should do the same.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
    /// running.set_max_reconsume_times(Some(3));
    /// assert_eq!(running.max_reconsume_times(), Some(3));
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_max_reconsume_times(&self, times: Option<u32>) {
        self.member.tries.set(times);
    }

    /// Returns the tries after the first, or `None` for the default.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{:?} tries", running.max_reconsume_times());
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_reconsume_times(&self) -> Option<u32> {
        self.member.tries.limit()
    }

    /// Stops pulling within about a second. Messages that were pulled are still handled.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
    /// running.pause();
    /// // ...
    /// running.resume();
    /// # Ok(())
    /// # }
    /// ```
    pub fn pause(&self) {
        self.member.group.set_paused(true);
    }

    /// Pulls again after [`pause`](Self::pause).
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
    /// running.resume();
    /// # Ok(())
    /// # }
    /// ```
    pub fn resume(&self) {
        self.member.group.set_paused(false);
    }

    /// Counts the records of the message trace that were lost: the buffer was full, or no broker stored them.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{} traces lost", running.dropped_traces());
    /// # Ok(())
    /// # }
    /// ```
    pub fn dropped_traces(&self) -> u64 {
        self.member.engine.tracer.as_ref().map_or(0, |tracer| tracer.dropped())
    }

    /// Returns queues, offsets, rates and settings, as administration tools see them.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
    /// for (topic, status) in &running.info().status_table {
    ///     println!("{topic}: {} messages a second", status.consume_ok_tps);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn info(&self) -> ConsumerRunningInfo {
        self.member.running_info()
    }

    /// Ends the consumer in order: pulling stops, running handlers finish for up to
    /// [`shutdown_timeout`](crate::consumer::ConsumerConfig::shutdown_timeout) (10 s) and are then cancelled, offsets
    /// are stored, queues unlocked, and the group is left. Messages that were pulled and not started are delivered to
    /// the next owner of their queue.
    ///
    /// Returns `true` when every running handler finished in time.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
    /// if !running.shutdown().await {
    ///     println!("some handlers were cancelled");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// A cancelled shutdown aborts the consumer, as dropping it does; offsets may be stored late or not at all.
    pub async fn shutdown(self) -> bool {
        let deadline = self.member.config.shutdown_timeout;
        self.shutdown_within(deadline).await
    }

    /// Does the same as [`shutdown`](Self::shutdown) with another limit for running handlers.
    ///
    /// ```no_run
    /// # async fn example(running: rocketmq_client::Running) -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// running.shutdown_within(Duration::from_secs(25)).await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// As [`shutdown`](Self::shutdown).
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
