//! Push consumption of queues that the broker serves by POP: it hands messages out for a time, handlers run, and each
//! outcome becomes an acknowledgement or a later try. There are no offsets and no process queues.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rocketmq_remoting::body::PopProcessQueueInfo;
use rocketmq_remoting::route::MessageQueue;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::calls::{PopAnswer, PopOptions};
use super::popped::Popped;
use crate::clock::instant;
use crate::consumer::config::PopConfig;
use crate::consumer::handling::engine::{Engine, Verdict};
use crate::consumer::handling::retry::{Redelivery, pop_delay_ms, pop_delay_of_age};
use crate::consumer::handling::send_back::SendBack;
use crate::consumer::handling::tasks::HandlerTasks;
use crate::consumer::handling::tries::Tries;
use crate::consumer::health::Backlog;
use crate::consumer::member::Member;
use crate::consumer::queue::flow::Seldom;
use crate::consumer::start::FromWhere;
use crate::error::CallError;
use crate::messages::Delivery;

/// The time that the broker may wait for a message.
const WAIT: Duration = Duration::from_secs(15);
/// The pause between two looks while too many messages wait for their acknowledgement, unless one gets it before.
const FULL: Duration = Duration::from_millis(50);
const PAUSE: Duration = Duration::from_secs(1);

/// Pops the queues of one push consumer.
pub(crate) struct PopService {
    group: Arc<Member>,
    engine: Arc<Engine>,
    pop: PopConfig,
    tries: Tries,
    dead_letters: Arc<dyn SendBack>,
    queues: Mutex<HashMap<MessageQueue, Arc<PopQueue>>>,
    handlers: HandlerTasks,
}

/// One queue, or all queues of one broker, that is popped.
struct PopQueue {
    queue: MessageQueue,
    unacknowledged: AtomicUsize,
    /// The number of messages that waited behind the last pop.
    left: AtomicU64,
    /// Wakes the pop when a message needs no acknowledgement any more.
    room: Notify,
    last_pop: AtomicI64,
    throttled: Seldom,
    dropped: CancellationToken,
}

/// The parts of a [`PopService`] besides the group.
pub(crate) struct PopParts {
    pub(crate) engine: Arc<Engine>,
    pub(crate) pop: PopConfig,
    pub(crate) tries: Tries,
    pub(crate) dead_letters: Arc<dyn SendBack>,
}

impl PopService {
    pub(crate) fn new(group: Arc<Member>, parts: PopParts) -> Arc<Self> {
        Arc::new(Self {
            group,
            engine: parts.engine,
            pop: parts.pop,
            tries: parts.tries,
            dead_letters: parts.dead_letters,
            queues: Mutex::default(),
            handlers: HandlerTasks::default(),
        })
    }

    /// Pops exactly these queues of the topic from now on. Returns `true` when the queues change.
    pub(crate) fn assign(self: &Arc<Self>, topic: &str, mine: &[MessageQueue]) -> bool {
        let mut queues = self.queues.lock();
        let gone: Vec<MessageQueue> =
            queues.keys().filter(|queue| queue.topic == topic && !mine.contains(queue)).cloned().collect();
        for queue in gone.iter().filter_map(|queue| queues.remove(queue)) {
            queue.dropped.cancel();
        }
        let mut changed = !gone.is_empty();
        for queue in mine {
            if !queues.contains_key(queue) {
                queues.insert(queue.clone(), self.open(queue));
                changed = true;
            }
        }
        changed
    }

    /// Stops to pop all other topics.
    pub(crate) fn keep_topics(&self, topics: &[String]) {
        self.queues.lock().retain(|queue, popped| {
            let kept = topics.contains(&queue.topic);
            if !kept {
                popped.dropped.cancel();
            }
            kept
        });
    }

    /// Returns the queues of a topic that are popped.
    pub(crate) fn queues(&self, topic: &str) -> Vec<MessageQueue> {
        self.queues.lock().keys().filter(|queue| queue.topic == topic).cloned().collect()
    }

    /// Tells whether a topic is popped.
    pub(crate) fn pops(&self, topic: &str) -> bool {
        self.queues.lock().keys().any(|queue| queue.topic == topic)
    }

    fn open(self: &Arc<Self>, queue: &MessageQueue) -> Arc<PopQueue> {
        let popped = Arc::new(PopQueue {
            queue: queue.clone(),
            unacknowledged: AtomicUsize::new(0),
            left: AtomicU64::new(0),
            room: Notify::new(),
            last_pop: AtomicI64::new(self.group.now_ms()),
            throttled: Seldom::default(),
            dropped: CancellationToken::new(),
        });
        let (service, queue) = (self.clone(), popped.clone());
        self.group.tasks.spawn(async move {
            tokio::select! {
                () = service.pop_forever(&queue) => {}
                () = queue.dropped.cancelled() => {}
                () = service.group.stopped.cancelled() => {}
            }
            service.group.health.released(&queue.queue);
        });
        popped
    }

    /// Waits for running handlers, and cancels the rest at the deadline.
    pub(crate) async fn drained(&self, deadline: Duration) -> bool {
        self.handlers.stop();
        let finished = self.handlers.drained(deadline).await;
        self.abort();
        finished
    }

    /// Cancels every handler now.
    pub(crate) fn abort(&self) {
        self.handlers.abort();
        self.queues.lock().drain().for_each(|(_, queue)| queue.dropped.cancel());
    }

    /// Counts the popped queues of a topic, and their messages that are not acknowledged.
    pub(crate) fn backlog(&self, topic: &str) -> Backlog {
        let queues = self.queues.lock();
        let lag = |queue: &PopQueue| {
            let unacknowledged = queue.unacknowledged.load(Ordering::Relaxed) as u64;
            Some(queue.left.load(Ordering::Relaxed) + unacknowledged)
        };
        Backlog::of(queues.values().filter(|popped| popped.queue.topic == topic).map(|popped| lag(popped)))
    }

    /// Returns the queues and their state for the running info.
    pub(crate) fn info(&self) -> impl Iterator<Item = (MessageQueue, PopProcessQueueInfo)> {
        let queues: Vec<_> = self.queues.lock().values().cloned().collect();
        queues.into_iter().map(|queue| {
            let info = PopProcessQueueInfo {
                dropped: queue.dropped.is_cancelled(),
                last_pop_timestamp: queue.last_pop.load(Ordering::Relaxed),
                wait_ack_count: queue.unacknowledged.load(Ordering::Relaxed) as i32,
            };
            (queue.queue.clone(), info)
        })
    }

    async fn pop_forever(self: &Arc<Self>, queue: &Arc<PopQueue>) {
        loop {
            if self.group.is_paused() {
                tokio::time::sleep(PAUSE).await;
            } else if self.is_full(queue) {
                // Either way the next look decides.
                let _ = tokio::time::timeout(FULL, queue.room.notified()).await;
            } else if let Err(error) = self.pop_once(queue).await {
                // A change of the topic's health is logged once; this comes every second.
                tracing::debug!(group = self.group.name(), queue = ?queue.queue, "the pop failed, trying again: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    fn is_full(&self, queue: &PopQueue) -> bool {
        let (waiting, most) = (queue.unacknowledged.load(Ordering::Acquire), self.pop.threshold);
        if waiting <= most {
            return false;
        }
        let MessageQueue { topic, broker_name, queue_id } = &queue.queue;
        self.group.count_throttled(topic, "unacknowledged");
        if queue.throttled.is_worth_a_line() {
            tracing::warn!(
                group = self.group.name(),
                topic,
                broker = broker_name,
                queue_id,
                limit = "unacknowledged",
                "popping waits for the handlers: {waiting} messages are not acknowledged, more than {most}"
            );
        }
        true
    }

    async fn pop_once(self: &Arc<Self>, queue: &Arc<PopQueue>) -> Result<(), CallError> {
        let Some(subscription) = self.group.subscription(&queue.queue.topic) else {
            tokio::time::sleep(PAUSE).await;
            return Ok(());
        };
        queue.last_pop.store(self.group.now_ms(), Ordering::Relaxed);
        let since = instant();
        let options = PopOptions {
            max: self.pop.batch,
            invisible: self.pop.invisible,
            wait: WAIT,
            from_first: self.group.from_where == FromWhere::FirstOffset,
            attempt: None,
        };
        let popped = self.group.calls.pop(&queue.queue, &subscription, &options).await;
        let (outcome, count) = match &popped {
            Ok(popped) if popped.messages.is_empty() => ("empty", 0),
            Ok(popped) => ("found", popped.messages.len()),
            Err(_) => ("error", 0),
        };
        self.group.count_pull(&queue.queue.topic, outcome, count);
        self.group.health.queue(&queue.queue, popped.as_ref().map(drop));
        let PopAnswer { messages: popped, left } = popped?;
        queue.left.store(left, Ordering::Relaxed);
        self.group.stats.pulled(&queue.queue.topic, popped.len() as u64, since.elapsed());
        let (wanted, others): (Vec<_>, Vec<_>) = popped.into_iter().partition(Popped::is_wanted);
        self.acknowledge(&others).await;
        let batch = self.engine.batch();
        let mut wanted = wanted.into_iter().peekable();
        while wanted.peek().is_some() {
            self.spawn(queue, wanted.by_ref().take(batch).collect());
        }
        Ok(())
    }

    fn spawn(self: &Arc<Self>, queue: &Arc<PopQueue>, messages: Vec<Popped>) {
        queue.unacknowledged.fetch_add(messages.len(), Ordering::AcqRel);
        let (service, queue) = (self.clone(), queue.clone());
        let count = messages.len();
        self.handlers.spawn(async move {
            service.handle(messages).await;
            queue.unacknowledged.fetch_sub(count, Ordering::AcqRel);
            queue.room.notify_one();
        });
    }

    /// Handles messages and reports the outcomes. When their time is over before the call they are left alone, and when
    /// it is over after the call nothing is reported: the broker has handed them to another consumer.
    async fn handle(&self, messages: Vec<Popped>) {
        let _permit = self.engine.permit().await;
        if self.group.stopped.is_cancelled() || messages.iter().any(Popped::is_expired) {
            return;
        }
        let deliveries: Vec<Delivery> = messages.iter().map(|message| message.delivery().clone()).collect();
        let verdict = self.engine.run(&deliveries, Some(self.engine.consume_timeout)).await;
        self.engine.tally(messages[0].wire_topic()).add(&verdict);
        if !messages.iter().any(Popped::is_expired) {
            self.report(messages, &verdict).await;
        }
    }

    async fn report(&self, messages: Vec<Popped>, verdict: &Verdict) {
        let mut done = Vec::with_capacity(messages.len());
        for (index, message) in messages.into_iter().enumerate() {
            match Redelivery::of(verdict.of(index), false) {
                None => done.push(message),
                Some(Redelivery::DeadLetter) => {
                    if self.dead_letters.send_back(message.delivery().clone(), Redelivery::DeadLetter).await {
                        done.push(message);
                    }
                }
                Some(how) => self.retry(message, how, &mut done).await,
            }
        }
        self.acknowledge(&done).await;
    }

    /// Hides a message until its next try. A message that was tried too often is acknowledged once it is older than
    /// twice the longest delay, as in Java.
    async fn retry(&self, message: Popped, how: Redelivery, done: &mut Vec<Popped>) {
        let (tries, now) = (message.reconsume_times(), self.group.calls.cluster.config.clock.now());
        let delay = if i64::from(tries) < i64::from(self.tries.wire()) {
            Some(pop_delay_ms(tries, how))
        } else {
            pop_delay_of_age(now.duration_since(message.born_at()).unwrap_or_default())
        };
        let Some(delay) = delay else { return done.push(message) };
        self.group.health.given_back(message.topic(), false);
        let (topic, receipt) = (message.wire_topic(), message.receipt());
        if let Err(error) = self.group.calls.hide(topic, receipt, Duration::from_millis(delay)).await {
            tracing::warn!(group = self.engine.group, topic, "the retry delay was not set: {error}");
        }
    }

    async fn acknowledge(&self, messages: &[Popped]) {
        for message in messages {
            if let Err(error) = self.group.calls.ack(message.wire_topic(), message.receipt()).await {
                tracing::warn!(
                    group = self.engine.group,
                    message_id = message.message_id(),
                    "not acknowledged, it will be delivered again: {error}"
                );
            }
        }
    }
}
