//! Orderly consumption: handles one message of a queue after another, under a broker's lock when members share the queues.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::engine::{Engine, Verdict};
use super::permits::Permit;
use super::retry::Redelivery;
use super::send_back::SendBack;
use super::tasks::HandlerTasks;
use super::tries::Tries;
use crate::clock::Clock;
use crate::consumer::health::HealthBook;
use crate::consumer::queue::owned::OwnedQueue;
use crate::messages::{Delivery, Outcome};

/// The time that a rebalance waits for the handler of a queue that it takes away; a busy queue stays for another round.
pub(crate) const RELEASE_WAIT: Duration = Duration::from_millis(500);
/// The pause between two looks at a queue whose lock is lost.
const UNLOCKED: Duration = Duration::from_millis(100);
/// The bounds of the pause before a message is tried again.
const SUSPEND: std::ops::RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(30);

/// Runs one worker per queue; permits bound how many handlers run at once.
pub(crate) struct OrderlyService {
    engine: Arc<Engine>,
    clock: Clock,
    health: HealthBook,
    send_back: Arc<dyn SendBack>,
    suspend: Duration,
    /// The tries after which a message leaves the queue.
    tries: Tries,
    /// Makes a lost lock stop the queue.
    locked: bool,
    tasks: HandlerTasks,
    this: Weak<OrderlyService>,
}

/// The parts of an [`OrderlyService`] besides the engine.
pub(crate) struct OrderlyParts {
    pub(crate) clock: Clock,
    pub(crate) health: HealthBook,
    pub(crate) send_back: Arc<dyn SendBack>,
    pub(crate) suspend: Duration,
    pub(crate) tries: Tries,
    pub(crate) locked: bool,
}

impl OrderlyService {
    pub(crate) fn new(engine: Arc<Engine>, parts: OrderlyParts) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            engine,
            clock: parts.clock,
            health: parts.health,
            send_back: parts.send_back,
            suspend: parts.suspend,
            tries: parts.tries,
            locked: parts.locked,
            tasks: HandlerTasks::default(),
            this: this.clone(),
        })
    }

    /// Starts the worker of a queue.
    pub(crate) fn open(&self, queue: &Arc<OwnedQueue>) {
        let Some(service) = self.this.upgrade() else { return };
        if self.tasks.is_stopped() {
            return;
        }
        let queue = queue.clone();
        self.tasks.spawn(async move { service.serve(&queue).await });
    }

    /// Lets no further handler start.
    pub(crate) fn stop(&self) {
        self.tasks.stop();
    }

    pub(crate) async fn drained(&self, deadline: Duration) -> bool {
        self.tasks.drained(deadline).await
    }

    /// Cancels everything now.
    pub(crate) fn abort(&self) {
        self.tasks.abort();
    }

    async fn serve(&self, queue: &OwnedQueue) {
        loop {
            let step = tokio::select! {
                () = queue.until_dropped() => return,
                () = self.tasks.until_stopped() => return,
                step = self.next(queue) => step,
            };
            let Some(permit) = step else { continue };
            let pause = self.handle(queue, permit).await;
            if pause.is_zero() {
                continue;
            }
            tokio::select! {
                () = queue.until_dropped() => return,
                () = self.tasks.until_stopped() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Waits for messages, the lock and a permit; `None` when the queue must be looked at again.
    async fn next(&self, queue: &OwnedQueue) -> Option<Permit> {
        if queue.is_idle() {
            queue.wait_for_messages().await;
            return None;
        }
        if self.locked && !queue.holds_lock(self.clock.now_ms()) {
            tokio::time::sleep(UNLOCKED).await;
            return None;
        }
        Some(self.engine.permit().await)
    }

    /// Handles the lowest messages, and returns the pause before the next ones.
    async fn handle(&self, queue: &OwnedQueue, _permit: Permit) -> Duration {
        let _busy = queue.enter().await;
        if queue.is_dropped() || (self.locked && !queue.holds_lock(self.clock.now_ms())) {
            return Duration::ZERO;
        }
        let messages = queue.with_window(|window| window.take(self.engine.batch()));
        if messages.is_empty() {
            return Duration::ZERO;
        }
        queue.touch_consume(self.clock.now_ms());
        let verdict = self.engine.run(&messages, None).await;
        self.engine.tally(&queue.queue.topic).add(&verdict);
        let done = self.settle(queue, &messages, &verdict).await;
        if done == messages.len() { Duration::ZERO } else { self.rest(verdict.of(done)) }
    }

    /// Returns the pause before the queue tries a message with this outcome again.
    fn rest(&self, outcome: Outcome) -> Duration {
        let wish = match outcome {
            Outcome::Suspend(rest) => rest,
            Outcome::RetryAfter(level) => level.on_default_ladder(),
            // Also one that should have gone to the dead letters, and the broker did not take it.
            Outcome::Ack | Outcome::Retry | Outcome::DeadLetter => self.suspend,
        };
        wish.clamp(*SUSPEND.start(), *SUSPEND.end())
    }

    /// Commits up to the first message that must be tried again, and counts the committed ones.
    async fn settle(&self, queue: &OwnedQueue, messages: &[Delivery], verdict: &Verdict) -> usize {
        let mut done = 0;
        for (index, delivery) in messages.iter().enumerate() {
            if !self.is_done(delivery, verdict.of(index)).await {
                break;
            }
            done += 1;
        }
        if let Some(again) = messages.get(done) {
            self.health.given_back(again.topic(), false);
        }
        let offset = queue.with_window(|window| {
            let offset = window.settle(done);
            if let Some(again) = messages.get(done) {
                window.replace_first(again.retried());
            }
            offset
        });
        if let Some(offset) = offset
            && !queue.is_dropped()
        {
            queue.set_offset(offset);
        }
        done
    }

    /// Tells whether the next message may be handled: this one was handled, or the broker took it.
    async fn is_done(&self, delivery: &Delivery, outcome: Outcome) -> bool {
        let exhausted = self.tries.limit().is_some_and(|max| delivery.reconsume_times() >= max);
        let redelivery = match outcome {
            Outcome::Ack => return true,
            Outcome::DeadLetter => Redelivery::DeadLetter,
            _ if exhausted => Redelivery::DeadLetter,
            Outcome::Retry | Outcome::RetryAfter(_) | Outcome::Suspend(_) => return false,
        };
        self.send_back.send_back(delivery.clone(), redelivery).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::handling::call::Handler;
    use crate::consumer::testing::{delivery, owned_queue};
    use crate::error::BoxError;
    use crate::messages::DelayLevel;
    use futures_util::future::BoxFuture;
    use parking_lot::Mutex;
    use std::future::Future;
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
    use std::time::UNIX_EPOCH;

    #[derive(Default)]
    struct Broker(Mutex<Vec<(i64, u32, Redelivery)>>);

    impl SendBack for Broker {
        fn send_back(&self, delivery: Delivery, how: Redelivery) -> BoxFuture<'static, bool> {
            self.0.lock().push((delivery.queue_offset(), delivery.reconsume_times(), how));
            Box::pin(async { true })
        }
    }

    fn service<F, Fut>(handler: F, max: Option<u32>, concurrency: usize) -> (Arc<OrderlyService>, Arc<Broker>)
    where
        F: Fn(Delivery) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Outcome, BoxError>> + Send + 'static,
    {
        let broker = Arc::new(Broker::default());
        let engine = Engine::sample(Handler::Each(Arc::new(handler)), concurrency);
        let parts = OrderlyParts {
            clock: Clock::default(),
            health: HealthBook::default(),
            send_back: broker.clone(),
            suspend: Duration::from_secs(1),
            tries: Tries::new(max, true),
            locked: false,
        };
        (OrderlyService::new(Arc::new(engine), parts), broker)
    }

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
    async fn a_failed_message_is_tried_in_place_before_those_behind_it() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        let (service, _) = service(
            move |d: Delivery| {
                log.lock().push((d.queue_offset(), d.reconsume_times()));
                let fails = d.queue_offset() == 1 && d.reconsume_times() < 2;
                async move { Ok(if fails { Outcome::Retry } else { Outcome::Ack }) }
            },
            None,
            4,
        );
        let queue = owned_queue("t");
        service.open(&queue);
        queue.put((0..3).map(|offset| delivery("t", offset)).collect());
        let since = tokio::time::Instant::now();
        until(|| queue.offset() == Some(3)).await;
        assert_eq!(*seen.lock(), [(0, 0), (1, 0), (1, 1), (1, 2), (2, 0)]);
        assert!(since.elapsed() >= Duration::from_secs(2), "it waits before each new try");
    }

    #[tokio::test(start_paused = true)]
    async fn a_handler_says_how_long_its_queue_rests_within_javas_bounds() {
        let starts = Arc::new(Mutex::new(Vec::new()));
        let log = starts.clone();
        let wishes = [
            Outcome::Suspend(Duration::from_millis(250)),
            Outcome::Suspend(Duration::ZERO),
            Outcome::Suspend(Duration::from_secs(60)),
            Outcome::RetryAfter(DelayLevel::S5),
            Outcome::RetryAfter(DelayLevel::M1),
            Outcome::Retry,
        ];
        let (service, _) = service(
            move |d: Delivery| {
                log.lock().push(tokio::time::Instant::now());
                let outcome = wishes.get(d.reconsume_times() as usize).copied().unwrap_or(Outcome::Ack);
                async move { Ok(outcome) }
            },
            None,
            1,
        );
        let queue = owned_queue("t");
        service.open(&queue);
        queue.put(vec![delivery("t", 0)]);
        until(|| queue.offset() == Some(1)).await;
        let starts = starts.lock();
        let rests: Vec<_> = starts.windows(2).map(|two| (two[1] - two[0]).as_millis()).collect();
        assert_eq!(rests, [250, 10, 30_000, 5_000, 30_000, 1_000]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_tried_too_often_goes_to_the_dead_letters_and_lets_others_pass() {
        let (service, broker) = service(
            |d: Delivery| async move { if d.queue_offset() == 0 { Err("no".into()) } else { Ok(Outcome::Ack) } },
            Some(2),
            1,
        );
        let queue = owned_queue("t");
        service.open(&queue);
        queue.put(vec![delivery("t", 0), delivery("t", 1)]);
        until(|| queue.offset() == Some(2)).await;
        assert_eq!(*broker.0.lock(), [(0, 2, Redelivery::DeadLetter)]);
    }

    #[tokio::test(start_paused = true)]
    async fn queues_do_not_wait_for_each_other_beyond_the_concurrency() {
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counter, peak) = (running.clone(), most.clone());
        let (service, _) = service(
            move |_| {
                let (counter, peak) = (counter.clone(), peak.clone());
                async move {
                    peak.fetch_max(counter.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    counter.fetch_sub(1, Ordering::SeqCst);
                    Ok(Outcome::Ack)
                }
            },
            None,
            2,
        );
        let queues: Vec<_> = (0..5).map(|_| owned_queue("t")).collect();
        for queue in &queues {
            service.open(queue);
            queue.put((0..4).map(|offset| delivery("t", offset)).collect());
        }
        until(|| queues.iter().all(|queue| queue.offset() == Some(4))).await;
        assert_eq!(most.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn without_its_lock_a_queue_rests() {
        let (handled, now) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(1_000)));
        let (counter, told) = (handled.clone(), now.clone());
        let handler = Handler::Each(Arc::new(move |_: Delivery| {
            counter.fetch_add(1, Ordering::SeqCst);
            async { Ok::<_, BoxError>(Outcome::Ack) }
        }));
        let parts = OrderlyParts {
            clock: Clock::new(move || UNIX_EPOCH + Duration::from_secs(told.load(Ordering::SeqCst))),
            health: HealthBook::default(),
            send_back: Arc::new(Broker::default()),
            suspend: Duration::ZERO,
            tries: Tries::new(None, true),
            locked: true,
        };
        let service = OrderlyService::new(Arc::new(Engine::sample(handler, 1)), parts);
        let queue = owned_queue("t");
        service.open(&queue);
        queue.put((0..2).map(|offset| delivery("t", offset)).collect());
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(handled.load(Ordering::SeqCst), 0, "it never had one");
        queue.set_locked(true, 1_000_000);
        until(|| queue.offset() == Some(2)).await;

        now.fetch_add(31, Ordering::SeqCst);
        queue.put(vec![delivery("t", 2)]);
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(handled.load(Ordering::SeqCst), 2, "it is over after 30 s");
        queue.set_locked(true, 1_031_000);
        until(|| queue.offset() == Some(3)).await;
    }
}
