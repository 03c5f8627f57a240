//! Concurrent consumption: a fixed set of workers over one queue of pulled messages.
//!
//! A worker takes a run of messages under one lock, polls each handler once, and commits all that finished at once under
//! one more lock. As soon as a handler is not done at its first poll, or a message has to go back to the broker, the worker
//! hands the rest of its run back, so that a slow message or a slow broker holds up nobody; with quick handlers a message
//! costs no lock, no task and no timer of its own.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::engine::{Engine, Tally, Verdict};
use super::retry::Redelivery;
use super::send_back::SendBack;
use super::tasks::HandlerTasks;
use crate::clock::Clock;
use crate::consumer::queue::owned::OwnedQueue;
use crate::messages::Delivery;

/// The longest run one worker takes at a time.
const MAX_RUN: usize = 32;
/// The pause before a message is handled again that the broker did not take back.
const SEND_BACK_RETRY: Duration = Duration::from_secs(5);

/// Holds the workers and their backlog.
pub(crate) struct ConcurrentService {
    engine: Arc<Engine>,
    clock: Clock,
    send_back: Arc<dyn SendBack>,
    backlog: Mutex<Backlog>,
    /// Wakes one worker for each run that can be taken.
    ready: Notify,
    /// The number of workers; those above the engine's concurrency leave.
    workers: Mutex<usize>,
    tasks: HandlerTasks,
}

/// Holds pulled messages that wait for a worker, by pull.
#[derive(Default)]
struct Backlog {
    runs: VecDeque<Run>,
    messages: usize,
}

/// Consecutive messages of one queue.
struct Run {
    queue: Arc<OwnedQueue>,
    messages: Vec<Delivery>,
}

impl Backlog {
    fn push_back(&mut self, run: Run) {
        self.messages += run.messages.len();
        self.runs.push_back(run);
    }

    fn push_front(&mut self, run: Run) {
        self.messages += run.messages.len();
        self.runs.push_front(run);
    }

    /// Takes up to `max` messages of the oldest run.
    fn take(&mut self, max: usize) -> Option<Run> {
        let front = self.runs.front_mut()?;
        let run = if front.messages.len() > max {
            let rest = front.messages.split_off(max);
            Run { queue: front.queue.clone(), messages: std::mem::replace(&mut front.messages, rest) }
        } else {
            self.runs.pop_front()?
        };
        self.messages -= run.messages.len();
        Some(run)
    }
}

impl ConcurrentService {
    /// Starts as many workers as the engine may run handlers at once.
    pub(crate) fn start(engine: Arc<Engine>, clock: Clock, send_back: Arc<dyn SendBack>) -> Arc<Self> {
        let service = Arc::new(Self {
            engine,
            clock,
            send_back,
            backlog: Mutex::default(),
            ready: Notify::new(),
            workers: Mutex::new(0),
            tasks: HandlerTasks::default(),
        });
        service.adjust();
        service
    }

    /// Follows a change of the engine's concurrency: new workers begin, those above it finish what they handle and leave.
    pub(crate) fn adjust(self: &Arc<Self>) {
        let (mut workers, concurrency) = (self.workers.lock(), self.engine.concurrency());
        while *workers < concurrency && !self.tasks.is_stopped() {
            *workers += 1;
            let service = self.clone();
            self.tasks.spawn(async move { service.work().await });
        }
        drop(workers);
        self.ready.notify_waiters();
    }

    /// Hands over messages that are in the window of `queue`.
    pub(crate) fn submit(&self, queue: Arc<OwnedQueue>, messages: Vec<Delivery>) {
        if messages.is_empty() || self.tasks.is_stopped() {
            return;
        }
        self.backlog.lock().push_back(Run { queue, messages });
        self.ready.notify_one();
    }

    /// Lets no further handler start, and drops the backlog.
    pub(crate) fn stop(&self) {
        self.tasks.stop();
        *self.backlog.lock() = Backlog::default();
    }

    pub(crate) async fn drained(&self, deadline: Duration) -> bool {
        self.tasks.drained(deadline).await
    }

    /// Cancels everything now.
    pub(crate) fn abort(&self) {
        self.stop();
        self.tasks.abort();
    }

    async fn work(self: &Arc<Self>) {
        while let Some(run) = self.next_run().await {
            self.handle(run).await;
        }
    }

    /// Waits for the next run; `None` when the worker should leave.
    async fn next_run(&self) -> Option<Run> {
        loop {
            let ready = self.ready.notified();
            tokio::pin!(ready);
            // Registered before looking, so that a change between the look and the wait is not missed.
            ready.as_mut().enable();
            if self.tasks.is_stopped() || self.retires() {
                return None;
            }
            if let Some(run) = self.take() {
                return Some(run);
            }
            tokio::select! {
                () = ready => {}
                () = self.tasks.until_stopped() => {}
            }
        }
    }

    fn retires(&self) -> bool {
        let mut workers = self.workers.lock();
        let surplus = *workers > self.engine.concurrency();
        *workers -= usize::from(surplus);
        drop(workers);
        if surplus {
            // This worker may have swallowed the bell for a run.
            self.ready.notify_one();
        }
        surplus
    }

    /// Takes a fair share of the backlog, so that one worker does not take messages that twenty could handle side by side.
    fn take(&self) -> Option<Run> {
        let mut backlog = self.backlog.lock();
        let calls = backlog.messages.div_ceil(self.engine.concurrency()).clamp(1, MAX_RUN);
        let batch = self.engine.batch();
        let run = backlog.take(calls.div_ceil(batch) * batch);
        if !backlog.runs.is_empty() {
            self.ready.notify_one();
        }
        run
    }

    /// Gives messages back to the other workers before this one waits.
    fn give_back(&self, queue: &Arc<OwnedQueue>, messages: &[Delivery]) {
        if messages.is_empty() || self.tasks.is_stopped() {
            return;
        }
        self.backlog.lock().push_front(Run { queue: queue.clone(), messages: messages.to_vec() });
        self.ready.notify_one();
    }

    async fn handle(self: &Arc<Self>, run: Run) {
        let Run { queue, messages } = &run;
        queue.touch_consume(self.clock.now_ms());
        let mut settled = Settled::new(&self.engine, queue);
        let mut rest = &messages[..];
        while !queue.is_dropped() && !self.tasks.is_stopped() && !rest.is_empty() {
            let (now, later) = rest.split_at(self.engine.batch().min(rest.len()));
            rest = later;
            let verdict = match self.engine.begin(now).at_once().await {
                Ok(verdict) => verdict,
                Err(call) => {
                    settled.commit();
                    self.give_back(queue, std::mem::take(&mut rest));
                    call.finish(Some(self.engine.consume_timeout)).await
                }
            };
            let failed = settled.settle(now, &verdict);
            if !failed.is_empty() {
                settled.commit();
                self.give_back(queue, std::mem::take(&mut rest));
                self.redeliver(queue, failed).await;
            }
        }
    }

    async fn redeliver(self: &Arc<Self>, queue: &Arc<OwnedQueue>, failed: Vec<(Delivery, Redelivery)>) {
        if queue.is_dropped() {
            return;
        }
        let offsets: Vec<i64> = failed.iter().map(|(delivery, _)| delivery.queue_offset()).collect();
        let kept: Vec<Delivery> = failed.iter().map(|(delivery, _)| delivery.clone()).collect();
        let sent = failed.into_iter().map(|(delivery, how)| self.send_back.send_back(delivery, how));
        let taken = join_all(sent).await;
        queue.finish(offsets.into_iter().zip(&taken).filter(|(_, taken)| **taken).map(|(offset, _)| offset));
        let kept: Vec<_> =
            kept.into_iter().zip(&taken).filter(|(_, taken)| !**taken).map(|(d, _)| d).collect();
        self.resubmit_later(queue.clone(), kept);
    }

    /// Handles messages once more that could not be sent back. They stay in the window.
    fn resubmit_later(self: &Arc<Self>, queue: Arc<OwnedQueue>, messages: Vec<Delivery>) {
        if messages.is_empty() {
            return;
        }
        let service = self.clone();
        let messages = messages.into_iter().map(|d| d.retried()).collect();
        self.tasks.spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(SEND_BACK_RETRY) => {}
                () = queue.until_dropped() => return,
                () = service.tasks.until_stopped() => return,
            }
            service.submit(queue, messages);
        });
    }
}

/// Collects the finished messages of one run, and commits them together.
struct Settled<'a> {
    queue: &'a OwnedQueue,
    offsets: Vec<i64>,
    tally: Tally<'a>,
}

impl<'a> Settled<'a> {
    fn new(engine: &'a Engine, queue: &'a OwnedQueue) -> Self {
        Self { queue, offsets: Vec::new(), tally: engine.tally(&queue.queue.topic) }
    }

    /// Collects the messages that are done, and returns those that go back to the broker.
    fn settle(&mut self, messages: &[Delivery], verdict: &Verdict) -> Vec<(Delivery, Redelivery)> {
        self.tally.add(verdict);
        let mut failed = Vec::new();
        for (index, delivery) in messages.iter().enumerate() {
            match Redelivery::of(verdict.of(index), verdict.timed_out()) {
                None => self.offsets.push(delivery.queue_offset()),
                Some(redelivery) => failed.push((delivery.clone(), redelivery)),
            }
        }
        failed
    }

    fn commit(&mut self) {
        if !self.offsets.is_empty() {
            self.queue.finish(self.offsets.drain(..));
        }
        self.tally.pass_on();
    }
}

/// Commits also when the worker is cancelled.
impl Drop for Settled<'_> {
    fn drop(&mut self) {
        self.commit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::handling::call::Handler;
    use crate::consumer::testing::{delivery, owned_queue};
    use crate::error::BoxError;
    use crate::messages::DelayLevel;
    use crate::messages::Outcome;
    use futures_util::future::BoxFuture;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::Semaphore;

    /// Remembers what went back; refuses as long as it is told to.
    #[derive(Default)]
    struct Broker {
        back: Mutex<Vec<(i64, u32, Redelivery)>>,
        refuse: AtomicUsize,
    }

    impl SendBack for Broker {
        fn send_back(&self, delivery: Delivery, how: Redelivery) -> BoxFuture<'static, bool> {
            self.back.lock().push((delivery.queue_offset(), delivery.reconsume_times(), how));
            let refused =
                self.refuse.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok();
            Box::pin(async move { !refused })
        }
    }

    /// Takes a message back once there is a permit for it.
    struct SlowBroker(Arc<Semaphore>);

    impl SendBack for SlowBroker {
        fn send_back(&self, _: Delivery, _: Redelivery) -> BoxFuture<'static, bool> {
            let gate = self.0.clone();
            Box::pin(async move { gate.acquire().await.map(|permit| permit.forget()).is_ok() })
        }
    }

    fn service(handler: Handler, batch: usize, concurrency: usize) -> (Arc<ConcurrentService>, Arc<Broker>) {
        let broker = Arc::new(Broker::default());
        (service_of(broker.clone(), handler, batch, concurrency), broker)
    }

    fn service_of(
        broker: Arc<dyn SendBack>,
        handler: Handler,
        batch: usize,
        concurrency: usize,
    ) -> Arc<ConcurrentService> {
        let engine = Engine { batch, ..Engine::sample(handler, concurrency) };
        ConcurrentService::start(Arc::new(engine), Clock::default(), broker)
    }

    fn each<F, Fut>(handler: F) -> Handler
    where
        F: Fn(Delivery) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Outcome, BoxError>> + Send + 'static,
    {
        Handler::Each(Arc::new(handler))
    }

    fn submit(service: &ConcurrentService, queue: &Arc<OwnedQueue>, offsets: std::ops::Range<i64>) {
        let fresh = queue.put(offsets.map(|offset| delivery("t", offset)).collect());
        service.submit(queue.clone(), fresh);
    }

    /// Paused time moves only when everything waits, so this waits for "nothing more happens before then".
    async fn until(mut holds: impl FnMut() -> bool) {
        for _ in 0..100_000 {
            if holds() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("it never held");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_acknowledged_is_committed_in_order() {
        let (service, broker) = service(each(|_| async { Ok(Outcome::Ack) }), 1, 4);
        let queue = owned_queue("t");
        submit(&service, &queue, 0..100);
        until(|| queue.offset() == Some(100)).await;
        assert!(broker.back.lock().is_empty());
        service.stop();
        assert!(service.drained(Duration::from_secs(1)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn each_outcome_takes_its_own_way_back() {
        let handler = each(|d: Delivery| async move {
            match d.queue_offset() {
                0 => Ok(Outcome::Retry),
                1 => Ok(Outcome::RetryAfter(DelayLevel::M1)),
                2 => Ok(Outcome::DeadLetter),
                3 => Err("broken".into()),
                4 => panic!("worse"),
                _ => Ok(Outcome::Ack),
            }
        });
        let (service, broker) = service(handler, 1, 1);
        let queue = owned_queue("t");
        submit(&service, &queue, 0..6);
        until(|| queue.offset() == Some(6)).await;
        let levels: Vec<i32> = broker.back.lock().iter().map(|(_, _, how)| how.level()).collect();
        assert_eq!(levels, [0, 5, -1, 0, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_message_holds_up_nobody_but_the_offset() {
        let gate = Arc::new(Semaphore::new(0));
        let held = gate.clone();
        let handler = each(move |d: Delivery| {
            let gate = held.clone();
            async move {
                if d.queue_offset() == 3 {
                    drop(gate.acquire().await?);
                }
                Ok(Outcome::Ack)
            }
        });
        let (service, _) = service(handler, 1, 2);
        let queue = owned_queue("t");
        submit(&service, &queue, 0..32);
        until(|| queue.usage().count == 1).await;
        assert_eq!(queue.offset(), Some(3));
        gate.add_permits(1);
        until(|| queue.offset() == Some(32)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_the_broker_is_slow_to_take_back_holds_up_nobody_but_the_offset() {
        let handler = each(|d: Delivery| async move {
            if d.queue_offset() == 3 { Err("at the first poll".into()) } else { Ok(Outcome::Ack) }
        });
        let gate = Arc::new(Semaphore::new(0));
        let service = service_of(Arc::new(SlowBroker(gate.clone())), handler, 1, 2);
        let queue = owned_queue("t");
        submit(&service, &queue, 0..32);
        until(|| queue.usage().count == 1).await;
        assert_eq!(queue.offset(), Some(3));
        gate.add_permits(1);
        until(|| queue.offset() == Some(32)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn never_more_calls_at_once_than_the_concurrency_says_and_it_can_change() {
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counter, peak) = (running.clone(), most.clone());
        let handler = each(move |_| {
            let (counter, peak) = (counter.clone(), peak.clone());
            async move {
                peak.fetch_max(counter.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(10)).await;
                counter.fetch_sub(1, Ordering::SeqCst);
                Ok(Outcome::Ack)
            }
        });
        let (service, _) = service(handler, 1, 3);
        let queue = owned_queue("t");
        for (concurrency, offsets) in [(3, 0..60), (8, 60..160), (2, 160..200)] {
            service.engine.permits.set(concurrency);
            service.adjust();
            until(|| running.load(Ordering::SeqCst) == 0).await;
            most.store(0, Ordering::SeqCst);
            let end = offsets.end;
            submit(&service, &queue, offsets);
            until(|| queue.offset() == Some(end)).await;
            assert_eq!(most.load(Ordering::SeqCst), concurrency);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_handler_past_its_time_is_cut_and_its_message_retried_after_ten_seconds() {
        let handler = each(|_| async {
            std::future::pending::<()>().await;
            Ok(Outcome::Ack)
        });
        let (service, broker) = service(handler, 1, 1);
        let queue = owned_queue("t");
        submit(&service, &queue, 0..1);
        tokio::time::sleep(Duration::from_secs(899)).await;
        assert!(broker.back.lock().is_empty());
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(broker.back.lock().iter().map(|b| b.2.level()).collect::<Vec<_>>(), [3]);
        assert_eq!(queue.offset(), Some(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_the_broker_did_not_take_back_is_handled_here_again() {
        let (service, broker) = service(each(|_| async { Ok(Outcome::Retry) }), 1, 1);
        broker.refuse.store(1, Ordering::SeqCst);
        let queue = owned_queue("t");
        submit(&service, &queue, 7..8);
        until(|| broker.back.lock().len() == 1).await;
        assert_eq!(queue.offset(), Some(7), "still open");
        until(|| queue.offset() == Some(8)).await;
        let tries: Vec<u32> = broker.back.lock().iter().map(|(_, tries, _)| *tries).collect();
        assert_eq!(tries, [0, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn batches_hold_consecutive_messages_of_one_queue_with_an_outcome_each() {
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let seen = sizes.clone();
        let handler = Handler::Batch(Arc::new(move |batch: Vec<Delivery>| {
            seen.lock().push(batch.len());
            let outcomes =
                batch.iter().map(|d| if d.queue_offset() % 2 == 0 { Outcome::Ack } else { Outcome::Retry });
            let outcomes = outcomes.collect();
            async move { Ok::<Vec<Outcome>, BoxError>(outcomes) }
        }));
        let (service, broker) = service(handler, 8, 2);
        let queue = owned_queue("t");
        submit(&service, &queue, 0..20);
        until(|| queue.offset() == Some(20)).await;
        assert_eq!(*sizes.lock(), [8, 8, 4]);
        assert_eq!(broker.back.lock().len(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn stopping_finishes_what_runs_and_starts_nothing_new() {
        let handler = each(|_| async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            Ok(Outcome::Ack)
        });
        let (service, _) = service(handler, 1, 1);
        let queue = owned_queue("t");
        submit(&service, &queue, 0..5);
        tokio::time::sleep(Duration::from_secs(1)).await;
        service.stop();
        assert!(service.drained(Duration::from_secs(10)).await);
        assert_eq!(queue.offset(), Some(1));
        assert_eq!(queue.usage().count, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_handler_still_running_at_the_deadline_is_cut_and_not_committed() {
        let handler = each(|_| async {
            tokio::time::sleep(Duration::from_secs(30)).await;
            Ok(Outcome::Ack)
        });
        let (service, _) = service(handler, 1, 1);
        let queue = owned_queue("t");
        submit(&service, &queue, 0..1);
        tokio::time::sleep(Duration::from_secs(1)).await;
        service.stop();
        assert!(!service.drained(Duration::from_secs(10)).await);
        assert_eq!(queue.offset(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn messages_of_a_queue_given_up_are_not_handled() {
        let handled = Arc::new(AtomicUsize::new(0));
        let counter = handled.clone();
        let handler = each(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            async { Ok(Outcome::Ack) }
        });
        let (service, _) = service(handler, 1, 1);
        let (gone, kept) = (owned_queue("t"), owned_queue("t"));
        gone.drop_it();
        submit(&service, &gone, 0..10);
        submit(&service, &kept, 0..1);
        until(|| kept.offset() == Some(1)).await;
        assert_eq!(handled.load(Ordering::SeqCst), 1);
    }
}
