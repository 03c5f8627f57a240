//! Resets of a group's offsets, as administrators make them.

use rocketmq_remoting::ResponseCode;
use rocketmq_remoting::requests::offset::InvokeResetOffsetRequest;
use rocketmq_remoting::route::MessageQueue;

use super::handle::Client;
use crate::clock::to_ms;
use crate::cluster::calls::is_refusal;
use crate::cluster::route::Purpose;
use crate::consumer::calls::{BOUND_TIMEOUT, Calls};
use crate::consumer::pull::consumer::{Offset, ResetOffsets, resolve};
use crate::error::{CallError, CallErrorKind};

/// Brokers take a reset to this time as a reset to the end of the queue.
const END: i64 = -1;

impl Client {
    /// Moves a group to another place of a topic, on every queue. Members that run follow without a restart: at once,
    /// or on Apache's 5.x brokers with their next pull. Offsets that they still report from before do not count.
    ///
    /// [`Offset::Time`] is exact to the millisecond. [`Offset::At`] becomes the nearest offset that each queue has.
    /// Returns the new offset of each queue.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::{Duration, SystemTime};
    ///
    /// use rocketmq_client::Offset;
    ///
    /// let an_hour_ago = SystemTime::now() - Duration::from_secs(3600);
    /// for (queue, offset) in client.reset_offsets("billing", "orders", Offset::Time(an_hour_ago)).await? {
    ///     println!("{} {} goes on at {offset}", queue.broker_name, queue.queue_id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The topic has no route, or a broker cannot be asked or refuses: those of 5.x refuse a group that they have never
    /// seen, those of 4.x one with running members and no offsets. Brokers are asked one after the other; those before
    /// the one that failed have moved the group. [`Offset::Committed`] is an
    /// [`InvalidRequest`](CallErrorKind::InvalidRequest), and so is [`Offset::At`] for running members on a broker that
    /// resets by time only: before 5.0, or with `useServerSideResetOffset=false`.
    ///
    /// # Cancel safety
    /// A cancelled call may have moved the group on some queues; call it again.
    pub async fn reset_offsets(
        &self,
        group: &str,
        topic: &str,
        to: Offset,
    ) -> Result<ResetOffsets, CallError> {
        Reset { calls: Calls::new(self.membership.cluster.clone(), group), to }
            .topic(&self.membership.cluster.names.wrap(topic))
            .await
    }

    /// Does the same as [`reset_offsets`](Self::reset_offsets) for one queue, which
    /// [`PullConsumer::queues`](crate::PullConsumer::queues) names. Returns the new offset.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client, pull: rocketmq_client::PullConsumer) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::Offset;
    ///
    /// let queue = &pull.queues("orders").await?[0];
    /// println!("goes on at {}", client.reset_queue("billing", queue, Offset::At(1_000)).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`reset_offsets`](Self::reset_offsets). Brokers that reset by time only cannot move one queue of running members.
    ///
    /// # Cancel safety
    /// A cancelled call may have moved the group; call it again.
    pub async fn reset_queue(&self, group: &str, queue: &MessageQueue, to: Offset) -> Result<i64, CallError> {
        // Refuses `Committed` before any request.
        timestamp(to)?;
        let reset = Reset { calls: Calls::new(self.membership.cluster.clone(), group), to };
        let _ = reset.route(&queue.topic).await?;
        reset.queue(queue).await
    }

    /// Moves a group to the end of a topic, past the messages that it has not handled:
    /// [`reset_offsets`](Self::reset_offsets) to [`Offset::Last`]. Running handlers keep their messages.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// client.skip_backlog("billing", "orders").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`reset_offsets`](Self::reset_offsets).
    ///
    /// # Cancel safety
    /// As [`reset_offsets`](Self::reset_offsets).
    pub async fn skip_backlog(&self, group: &str, topic: &str) -> Result<ResetOffsets, CallError> {
        self.reset_offsets(group, topic, Offset::Last).await
    }
}

/// Moves one group.
struct Reset {
    calls: Calls,
    to: Offset,
}

impl Reset {
    async fn topic(&self, topic: &str) -> Result<ResetOffsets, CallError> {
        let queues = self.route(topic).await?;
        let Some(timestamp) = timestamp(self.to)? else { return self.each(&queues).await };
        let mut moved = ResetOffsets::new();
        for of_broker in queues.chunk_by(|a, b| a.broker_name == b.broker_name) {
            let by_time = self.invocation(&of_broker[0], timestamp);
            match self.ask(&of_broker[0], &by_time).await? {
                Some(offsets) => moved.extend(offsets),
                None => moved.extend(self.each(of_broker).await?),
            }
        }
        Ok(moved)
    }

    /// Finds the queues of the topic, by broker, from a route that is up to date.
    async fn route(&self, topic: &str) -> Result<Vec<MessageQueue>, CallError> {
        let cluster = &self.calls.cluster;
        let info = match cluster.refresh_topic(topic).await.map_err(CallError::no_route)? {
            Some(info) => info,
            None => cluster.topic(topic, Purpose::Read, None).await.map_err(CallError::no_route)?,
        };
        Ok(info.subscribe.iter().map(|queue| (**queue).clone()).collect())
    }

    async fn each(&self, queues: &[MessageQueue]) -> Result<ResetOffsets, CallError> {
        let mut moved = ResetOffsets::new();
        for queue in queues {
            moved.insert(queue.clone(), self.queue(queue).await?);
        }
        Ok(moved)
    }

    async fn queue(&self, queue: &MessageQueue) -> Result<i64, CallError> {
        let target = self.target(queue).await?;
        // A broker that knows resets by time only reads this as one that moves nothing.
        let mut request = self.invocation(queue, END);
        (request.queue_id, request.offset, request.is_force) = (Some(queue.queue_id), Some(target), false);
        match self.ask(queue, &request).await? {
            Some(moved) if moved.len() == 1 && moved.get(queue) == Some(&target) => {}
            Some(_) => return Err(by_time_only(queue, target)),
            None => self.calls.store_offset(queue, target).await?,
        }
        Ok(target)
    }

    /// Finds the nearest offset that the queue has.
    async fn target(&self, queue: &MessageQueue) -> Result<i64, CallError> {
        let Offset::At(wanted) = self.to else { return resolve(&self.calls, queue, self.to).await };
        let (min, max) = (self.calls.min_offset(queue).await?, self.calls.max_offset(queue).await?);
        Ok(wanted.clamp(min, max.max(min)))
    }

    fn invocation(&self, queue: &MessageQueue, timestamp: i64) -> InvokeResetOffsetRequest {
        let (group, topic) = (self.calls.group.clone(), queue.topic.clone());
        InvokeResetOffsetRequest { group, topic, queue_id: None, offset: None, timestamp, is_force: true }
    }

    /// Asks a broker to move the group. `None`: a 4.x broker has no member online, so the caller stores the offsets.
    async fn ask(
        &self,
        queue: &MessageQueue,
        request: &InvokeResetOffsetRequest,
    ) -> Result<Option<ResetOffsets>, CallError> {
        match self.calls.call(&queue.broker_name, &queue.topic, request, (), BOUND_TIMEOUT).await {
            Ok(answer) => Ok(Some(answer.into_table())),
            Err(error) if is_refusal(&error, ResponseCode::CONSUMER_NOT_ONLINE) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Translates the place for a reset by time; `None` for one that has only an offset.
fn timestamp(to: Offset) -> Result<Option<i64>, CallError> {
    match to {
        Offset::Time(time) => Ok(Some(to_ms(time))),
        Offset::First => Ok(Some(0)),
        Offset::Last => Ok(Some(END)),
        Offset::At(_) => Ok(None),
        Offset::Committed => Err(CallError::new(
            CallErrorKind::InvalidRequest,
            "Offset::Committed is where the group stands already; reset it to At, First, Last or Time",
        )),
    }
}

fn by_time_only(queue: &MessageQueue, target: i64) -> CallError {
    let MessageQueue { topic, broker_name, queue_id } = queue;
    CallError::new(
        CallErrorKind::InvalidRequest,
        format!(
            "{broker_name} moves running consumers by time only, not queue {queue_id} of \"{topic}\" to offset {target}: \
             stop the consumers first, reset to a time, or start the broker (5.x) with useServerSideResetOffset=true"
        ),
    )
}
