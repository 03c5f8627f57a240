//! Keeps one owned queue filled: a long poll after another, as long as flow control allows.

use std::sync::Arc;
use std::time::Duration;

use rocketmq_remoting::ResponseCode;
use rocketmq_remoting::body::MessageModel;

use super::puller::{PullOptions, Pulled, Puller};
use crate::clock::instant;
use crate::cluster::calls::is_refusal;
use crate::consumer::member::Member;
use crate::consumer::queue::owned::OwnedQueue;
use crate::error::CallError;
use crate::messages::Delivery;

/// Between two looks at a full queue, unless messages finish before.
const FULL: Duration = Duration::from_millis(50);
/// After the broker asked to slow down.
const THROTTLED: Duration = Duration::from_millis(20);
/// After an error, and between looks at a paused or unlocked queue.
const PAUSE: Duration = Duration::from_secs(1);
/// The time that a queue's previous owner gets to store its offset.
pub(crate) const HAND_OVER: Duration = Duration::from_millis(500);

/// The begin of a loop.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Begin {
    /// By stored offset and the consumer's wish, after this pause.
    Lookup(Duration),
    /// At this offset.
    At(i64),
}

/// Pulls one queue until it is dropped or the consumer stops.
pub(crate) struct PullLoop {
    group: Arc<Member>,
    queue: Arc<OwnedQueue>,
    puller: Puller,
    options: PullOptions,
}

impl PullLoop {
    /// Starts the loop as a task of the group.
    pub(crate) fn spawn(group: &Arc<Member>, queue: Arc<OwnedQueue>, options: PullOptions, begin: Begin) {
        let puller = Puller::new(group.calls.clone(), Arc::new(queue.queue.clone()), options.clone());
        let this = Self { group: group.clone(), queue, puller, options };
        group.sink.opened(&this.queue);
        group.tasks.spawn(async move {
            tokio::select! {
                () = this.run(begin) => {}
                () = this.queue.until_dropped() => {}
                () = this.group.stopped.cancelled() => {}
            }
            this.group.health.released(&this.queue.queue);
        });
    }

    async fn run(&self, begin: Begin) {
        let mut offset = self.begin(begin).await;
        while let Some(next) = self.step(offset).await {
            offset = next;
        }
    }

    async fn begin(&self, begin: Begin) -> i64 {
        let delay = match begin {
            Begin::At(offset) => return offset,
            Begin::Lookup(delay) => delay,
        };
        tokio::time::sleep(delay).await;
        loop {
            match self.group.start_offset(&self.queue.queue).await {
                Ok(offset) => {
                    // Also when nothing was stored: where a new group begins is settled once, so that what arrives
                    // before its first commit is not skipped after a restart.
                    self.queue.advance(offset);
                    return offset;
                }
                Err(error) => {
                    self.group.health.queue(&self.queue.queue, Err(&error));
                    self.report("the first offset cannot be found", &error);
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Takes one turn: waits or pulls. Returns the offset of the next turn; `None` when another loop continues.
    async fn step(&self, offset: i64) -> Option<i64> {
        self.queue.touch_pull(self.group.now_ms());
        if !self.may_pull() {
            self.look_for_end().await;
            tokio::time::sleep(PAUSE).await;
            return Some(offset);
        }
        if self.is_full() {
            self.look_for_end().await;
            self.queue.wait_for_room(FULL).await;
            return Some(offset);
        }
        let Some(subscription) = self.group.subscription(&self.queue.queue.topic) else {
            tokio::time::sleep(PAUSE).await;
            return Some(offset);
        };
        let since = instant();
        let pull = self.puller.pull(offset, self.commit_offset(), &subscription);
        let (pulled, ()) = tokio::join!(pull, self.look_for_first_end());
        self.count(&pulled);
        self.note(&pulled);
        match pulled {
            Ok(Pulled::Found { messages, next }) => {
                self.found(messages, next, since.elapsed());
                self.rest().await;
                Some(next)
            }
            Ok(Pulled::Empty { next }) => {
                self.queue.skip_to(next);
                Some(next)
            }
            Ok(Pulled::Moved { to }) => self.moved(offset, to).await,
            Err(error) => {
                self.recover(&error).await;
                Some(offset)
            }
        }
    }

    fn count(&self, pulled: &Result<Pulled, CallError>) {
        let (outcome, messages) = match pulled {
            Ok(Pulled::Found { messages, .. }) => ("found", messages.len()),
            Ok(Pulled::Empty { .. }) => ("empty", 0),
            Ok(Pulled::Moved { .. }) => ("moved", 0),
            Err(_) => ("error", 0),
        };
        self.group.count_pull(&self.queue.queue.topic, outcome, messages);
    }

    fn note(&self, pulled: &Result<Pulled, CallError>) {
        self.group.health.queue(&self.queue.queue, pulled.as_ref().map(drop));
        if pulled.is_ok() {
            self.queue.set_end(self.puller.end(), self.group.now_ms());
        }
    }

    /// Asks for the end of the queue before the first pull, which the broker may hold for a while.
    async fn look_for_first_end(&self) {
        if self.queue.is_end_unknown()
            && let Ok(end) = self.group.calls.max_offset(&self.queue.queue).await
        {
            self.queue.set_first_end(end);
        }
    }

    /// Asks for the end of the queue while no pull tells it.
    async fn look_for_end(&self) {
        let now = self.group.now_ms();
        if self.queue.is_end_stale(now)
            && let Ok(end) = self.group.calls.max_offset(&self.queue.queue).await
        {
            self.queue.set_end(end, now);
        }
    }

    /// Pauses as configured. Without a pause it yields, so that other tasks of a single-threaded runtime get their turn.
    async fn rest(&self) {
        if !self.options.interval.is_zero() {
            tokio::time::sleep(self.options.interval).await;
        }
    }

    fn may_pull(&self) -> bool {
        let unlocked = self.group.needs_locks() && !self.queue.holds_lock(self.group.now_ms());
        !(unlocked || self.queue.is_paused() || self.group.is_paused())
    }

    fn is_full(&self) -> bool {
        let throttle = self.group.limits().check(self.queue.usage(), !self.group.orderly);
        if let Some(throttle) = throttle {
            self.group.count_throttled(&self.queue.queue.topic, throttle.kind());
        }
        if let Some(throttle) = throttle
            && self.queue.throttled.is_worth_a_line()
        {
            let queue = &self.queue.queue;
            tracing::warn!(
                group = self.group.name(),
                topic = queue.topic,
                broker = queue.broker_name,
                queue_id = queue.queue_id,
                limit = throttle.kind(),
                "pulling waits for the handlers: {throttle}"
            );
        }
        throttle.is_some()
    }

    /// Travels with the pull, so that the broker knows it before the next periodic commit.
    fn commit_offset(&self) -> Option<i64> {
        self.group.offsets.is_remote().then(|| self.queue.offset()).flatten().filter(|offset| *offset > 0)
    }

    fn found(&self, messages: Vec<Delivery>, next: i64, took: Duration) {
        self.group.stats.pulled(&self.queue.queue.topic, messages.len() as u64, took);
        if messages.is_empty() {
            return self.queue.skip_to(next);
        }
        let fresh = self.queue.put(messages);
        if !fresh.is_empty() {
            self.group.sink.deliver(&self.queue, fresh);
        }
    }

    /// Starts the queue anew: its offset was outside the queue, or an administrator reset it, so the cached messages
    /// are void.
    async fn moved(&self, from: i64, to: i64) -> Option<i64> {
        let queue = &self.queue.queue;
        tracing::warn!(
            group = self.group.name(),
            topic = queue.topic,
            broker = queue.broker_name,
            queue_id = queue.queue_id,
            from,
            to,
            "the offset does not exist on the broker or was reset, consumption goes on at the corrected one"
        );
        if from == to {
            // A broker that insists must not be asked in a tight loop.
            tokio::time::sleep(PAUSE).await;
        }
        if let Err(error) = self.group.restart(&self.queue, to, &self.options).await {
            self.report("the corrected offset cannot be stored", &error);
        }
        None
    }

    async fn recover(&self, error: &CallError) {
        if is_refusal(error, ResponseCode::FLOW_CONTROL) {
            self.group.count_throttled(&self.queue.queue.topic, "broker");
            return tokio::time::sleep(THROTTLED).await;
        }
        self.report("the pull failed", error);
        tokio::time::sleep(PAUSE).await;
    }

    fn report(&self, what: &str, error: &CallError) {
        let queue = &self.queue.queue;
        // A change of the topic's health is logged once; this comes every second.
        tracing::debug!(
            group = self.group.name(),
            topic = queue.topic,
            broker = queue.broker_name,
            queue_id = queue.queue_id,
            "{what}, trying again: {error}"
        );
    }
}

impl Member {
    /// Tells whether queues may be read only under a broker's lock.
    pub(crate) fn needs_locks(&self) -> bool {
        self.orderly && self.model == MessageModel::Clustering
    }

    /// Forgets what is cached of a queue and goes on at `offset`, which is stored first. Handlers that still run are
    /// not committed.
    pub(crate) async fn restart(
        self: &Arc<Self>,
        queue: &Arc<OwnedQueue>,
        offset: i64,
        options: &PullOptions,
    ) -> Result<(), CallError> {
        queue.freeze_offset(offset);
        let stored = self.offsets.store_now(&queue.queue, offset).await;
        self.start_anew(queue, offset, options);
        stored
    }

    /// Forgets what is cached of a queue and pulls on at `offset`, without storing it.
    pub(crate) fn start_anew(self: &Arc<Self>, queue: &Arc<OwnedQueue>, offset: i64, options: &PullOptions) {
        let fresh = OwnedQueue::new(queue.queue.clone(), self.now_ms());
        fresh.set_offset(offset);
        fresh.set_paused(queue.is_paused());
        fresh.inherit_lock(queue);
        if self.replace(queue, fresh.clone()) {
            PullLoop::spawn(self, fresh, options.clone(), Begin::At(offset));
        }
        queue.drop_it();
    }
}
