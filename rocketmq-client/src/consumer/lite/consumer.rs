//! [`LiteConsumer`]: hands out batches.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rocketmq_remoting::route::MessageQueue;

use super::batch::{Batch, Inbox};
use super::member::LiteMember;
use crate::consumer::member::Member;
use crate::consumer::pull::consumer::{Offset, resolve};
use crate::consumer::pull::pull_loop::{Begin, PullLoop};
use crate::consumer::pull::puller::PullOptions;
use crate::consumer::queue::owned::OwnedQueue;
use crate::consumer::subscriptions::{ByTopic, Filter, Subscriptions, invalid};
use crate::error::{CallError, CallErrorKind, StartError};
use crate::membership::{ConsumerMember as _, Membership};
use crate::messages::Delivery;
use crate::observe::trace::Tracer;
use crate::observe::trace::record::ConsumeEnd;

/// Hands out the messages of its queues, batch by batch.
///
/// Dropping it stops pulling at once; messages that were handed out and not committed are delivered again.
///
/// ```no_run
/// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let mut lite = client.lite_consumer("audit").subscribe("orders", "*").build().await?;
/// while let Some(batch) = lite.next_batch().await? {
///     for delivery in &batch {
///         println!("{}", delivery.message_id());
///     }
///     batch.commit().await?;
/// }
/// # Ok(())
/// # }
/// ```
pub struct LiteConsumer {
    pub(super) membership: Arc<Membership>,
    pub(super) group: Arc<Member>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) pull: PullOptions,
    /// The filters of topics whose queues are assigned by hand; `None` when the queues are shared out.
    pub(super) by_hand: Option<Subscriptions>,
    pub(super) auto_commit: bool,
    pub(super) tracer: Option<Arc<Tracer>>,
    pub(super) previous: Option<(Arc<OwnedQueue>, i64)>,
    pub(super) member: Arc<LiteMember>,
}

impl std::fmt::Debug for LiteConsumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiteConsumer").field("group", &self.group.name()).finish_non_exhaustive()
    }
}

impl LiteConsumer {
    /// Waits for the next batch, which is committed when the one after it is asked for, unless `auto_commit` is off.
    /// `None` after the client was shut down.
    ///
    /// ```no_run
    /// # async fn example(lite: &mut rocketmq_client::LiteConsumer) -> Result<(), Box<dyn std::error::Error>> {
    /// while let Some(batch) = lite.next_batch().await? {
    ///     println!("{} messages of {:?}", batch.len(), batch.queue());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// None at present: brokers that cannot be reached are tried again, and logged.
    ///
    /// # Cancel safety
    /// Cancel safe: a batch is returned, or stays for the next call.
    pub async fn next_batch(&mut self) -> Result<Option<Batch>, CallError> {
        self.commit_previous();
        loop {
            if let Some((queue, messages)) = self.inbox.take() {
                return Ok(Some(self.hand_out(queue, messages)));
            }
            tokio::select! {
                () = self.inbox.arrived.notified() => {}
                () = self.group.stopped.cancelled() => return Ok(None),
            }
        }
    }

    /// Does the same as [`next_batch`](Self::next_batch), and returns `None` after `limit`.
    ///
    /// ```no_run
    /// # async fn example(lite: &mut rocketmq_client::LiteConsumer) -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// if let Some(batch) = lite.poll(Duration::from_secs(1)).await? {
    ///     batch.commit().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`next_batch`](Self::next_batch).
    ///
    /// # Cancel safety
    /// Cancel safe, as [`next_batch`](Self::next_batch).
    pub async fn poll(&mut self, limit: Duration) -> Result<Option<Batch>, CallError> {
        tokio::time::timeout(limit, self.next_batch()).await.unwrap_or(Ok(None))
    }

    fn commit_previous(&mut self) {
        if let Some((queue, next)) = self.previous.take().filter(|_| self.auto_commit) {
            queue.advance(next);
        }
    }

    fn hand_out(&mut self, queue: Arc<OwnedQueue>, messages: Vec<Delivery>) -> Batch {
        let next = messages.last().map_or(0, |last| last.queue_offset() + 1);
        queue.hand_out(messages.iter().map(Delivery::queue_offset), next);
        self.previous = Some((queue.clone(), next));
        if let Some(tracer) = &self.tracer {
            let call = tracer.consuming(&messages);
            tracer.consumed(&call, &messages, |_| ConsumeEnd::Success);
        }
        Batch::new(messages, next, queue, self.group.clone())
    }

    /// Reads exactly these queues from now on. Queues that it reads already go on where they are. Of the others the
    /// offsets are stored; messages that were handed out and not committed are delivered to the next reader of the
    /// queue.
    ///
    /// ```no_run
    /// # async fn example(lite: &mut rocketmq_client::LiteConsumer, pull: rocketmq_client::PullConsumer) -> Result<(), Box<dyn std::error::Error>> {
    /// lite.assign(pull.queues("orders").await?.into_iter().take(2)).await?;
    /// println!("{:?}", lite.assignment());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The consumer subscribes, so that its queues are shared out, a topic is illegal, or no name server can be
    /// reached. The assignment then stays as it was.
    ///
    /// # Cancel safety
    /// A cancelled call may have released some queues and not taken the new ones yet; the next call puts that right.
    pub async fn assign(&mut self, queues: impl IntoIterator<Item = MessageQueue>) -> Result<(), StartError> {
        let Some(filters) = &self.by_hand else {
            return Err(invalid(format!(
                "group \"{}\" subscribes, so that its queues are shared out: build the consumer with assign",
                self.member.name
            )));
        };
        let names = &self.membership.cluster.names;
        let wrapped =
            queues.into_iter().map(|queue| MessageQueue { topic: names.wrap(&queue.topic), ..queue });
        let wanted: BTreeSet<MessageQueue> = wrapped.collect();
        let subscriptions = self.subscriptions_of(&wanted, filters)?;
        self.group.calls.prepare(&subscriptions).await?;
        *self.group.subscriptions.write() = subscriptions;
        self.membership.heartbeat_in_full().await;
        // Asked anew each time: a queue may have been started anew meanwhile, or half released by a call that was cancelled.
        let unwanted = |owned: &Arc<OwnedQueue>| owned.is_dropped() || !wanted.contains(&owned.queue);
        while let Some(owned) = self.group.owned().into_iter().find(unwanted) {
            self.group.release(&owned).await;
        }
        for queue in wanted {
            let owned = OwnedQueue::new(queue, self.group.now_ms());
            if self.group.insert(owned.clone()) {
                PullLoop::spawn(&self.group, owned, self.pull.clone(), Begin::Lookup(Duration::ZERO));
            }
        }
        Ok(())
    }

    /// Makes the subscriptions of assigned queues. Topics without a filter are read whole.
    fn subscriptions_of(
        &self,
        queues: &BTreeSet<MessageQueue>,
        filters: &Subscriptions,
    ) -> Result<ByTopic, StartError> {
        let cluster = &self.membership.cluster;
        let mut all = Subscriptions::default();
        for queue in queues {
            all.put(&queue.topic, Filter::Tags("*".to_owned()));
        }
        let mut subscriptions = all.parse(cluster)?;
        let filtered = filters.parse(cluster)?.into_iter();
        subscriptions.extend(filtered.filter(|(topic, _)| queues.iter().any(|queue| queue.topic == *topic)));
        Ok(subscriptions)
    }

    /// Returns the queues that it reads now, sorted. Topics are named as on the wire.
    ///
    /// ```no_run
    /// # async fn example(lite: rocketmq_client::LiteConsumer) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{:?}", lite.assignment());
    /// # Ok(())
    /// # }
    /// ```
    pub fn assignment(&self) -> Vec<MessageQueue> {
        let mut queues: Vec<_> = self.group.owned().iter().map(|owned| owned.queue.clone()).collect();
        queues.sort();
        queues
    }

    /// Goes on at another place of a queue. Cached messages of the queue are dropped; the group's offset moves with the
    /// next commit.
    ///
    /// ```no_run
    /// # async fn example(lite: &mut rocketmq_client::LiteConsumer) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::Offset;
    ///
    /// for queue in lite.assignment() {
    ///     lite.seek(&queue, Offset::First).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The queue is not assigned to this consumer, the offset is not in the queue, or the broker cannot be asked.
    ///
    /// # Cancel safety
    /// A cancelled call leaves the place as it was.
    pub async fn seek(&mut self, queue: &MessageQueue, to: Offset) -> Result<(), CallError> {
        let refused = |text: String| CallError::new(CallErrorKind::InvalidRequest, text);
        let offset = resolve(&self.group.calls, queue, to).await?;
        let (min, max) =
            (self.group.calls.min_offset(queue).await?, self.group.calls.max_offset(queue).await?);
        if !(min..=max).contains(&offset) {
            return Err(refused(format!("offset {offset} is not in the queue, which holds {min} to {max}")));
        }
        let owned = self.group.find(queue);
        let owned = owned.ok_or_else(|| refused(format!("{queue:?} is not assigned to this consumer")))?;
        if self.previous.as_ref().is_some_and(|(previous, _)| Arc::ptr_eq(previous, &owned)) {
            self.previous = None;
        }
        self.group.start_anew(&owned, offset, &self.pull);
        Ok(())
    }

    /// Stops pulling these queues. Cached messages are still handed out.
    ///
    /// ```no_run
    /// # async fn example(lite: rocketmq_client::LiteConsumer) -> Result<(), Box<dyn std::error::Error>> {
    /// let queues = lite.assignment();
    /// lite.pause(&queues);
    /// lite.resume(&queues);
    /// # Ok(())
    /// # }
    /// ```
    pub fn pause(&self, queues: &[MessageQueue]) {
        self.set_paused(queues, true);
    }

    /// Pulls these queues again after [`pause`](Self::pause).
    ///
    /// ```no_run
    /// # async fn example(lite: rocketmq_client::LiteConsumer) -> Result<(), Box<dyn std::error::Error>> {
    /// lite.resume(&lite.assignment());
    /// # Ok(())
    /// # }
    /// ```
    pub fn resume(&self, queues: &[MessageQueue]) {
        self.set_paused(queues, false);
    }

    fn set_paused(&self, queues: &[MessageQueue], paused: bool) {
        for owned in queues.iter().filter_map(|queue| self.group.find(queue)) {
            owned.set_paused(paused);
        }
    }

    /// Returns the committed offset of a queue: of the group, or of this member when it broadcasts. `None` when there
    /// is none.
    ///
    /// ```no_run
    /// # async fn example(lite: rocketmq_client::LiteConsumer) -> Result<(), Box<dyn std::error::Error>> {
    /// for queue in lite.assignment() {
    ///     println!("{:?}", lite.committed(&queue).await?);
    /// }
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
        self.group.offsets.load(queue).await
    }

    /// Stores the committed offsets now, instead of within five seconds.
    ///
    /// ```no_run
    /// # async fn example(lite: &mut rocketmq_client::LiteConsumer) -> Result<(), Box<dyn std::error::Error>> {
    /// lite.commit().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// A cancelled call may have stored some of the offsets; the others follow within five seconds.
    pub async fn commit(&mut self) {
        self.commit_previous();
        self.group.persist().await;
    }

    /// Stops pulling, stores the committed offsets, and leaves the group.
    ///
    /// ```no_run
    /// # async fn example(lite: rocketmq_client::LiteConsumer) -> Result<(), Box<dyn std::error::Error>> {
    /// lite.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// A cancelled shutdown stops the consumer, as dropping it does; offsets may not be stored.
    pub async fn shutdown(self) {
        self.group.stop_pulling().await;
        self.group.persist_last().await;
        self.group.remove_all();
        self.membership.leave_as_consumer(self.member.wire_group()).await;
        if let Some(tracer) = &self.tracer {
            tracer.shutdown().await;
        }
    }
}

impl Drop for LiteConsumer {
    fn drop(&mut self) {
        self.group.stopped.cancel();
        self.group.remove_all();
        self.membership.forget_consumer(self.member.wire_group());
    }
}
