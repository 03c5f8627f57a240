//! [`OwnedQueue`]: the window of one queue, its progress, and its state for rebalancing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rocketmq_remoting::route::MessageQueue;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::flow::{QueueLimits, Seldom};
use super::window::{Usage, Window};
use crate::messages::Delivery;

/// A queue that was not pulled for this long is given up and started anew.
pub(crate) const PULL_EXPIRES: Duration = Duration::from_secs(120);
/// While a queue is not pulled, its end is asked for this often.
const END_EXPIRES: Duration = Duration::from_secs(5);
/// A broker lock not renewed for this long counts as lost.
pub(crate) const LOCK_EXPIRES: Duration = Duration::from_secs(30);

/// State of an assigned queue, shared by its pull loop, the workers and the rebalancer.
#[derive(Debug)]
pub(crate) struct OwnedQueue {
    pub(crate) queue: MessageQueue,
    window: Mutex<Window<Delivery>>,
    progress: Progress,
    dropped: CancellationToken,
    /// Rung when messages finish: a pull loop that was throttled looks again.
    room: Notify,
    /// Rung when messages arrive: an orderly worker looks again.
    arrived: Notify,
    /// Held while a handler works on the queue in order.
    busy: tokio::sync::Mutex<()>,
    paused: AtomicBool,
    /// The offset after the last message that was handed to an application that commits by itself.
    handed_out: AtomicI64,
    locked: AtomicBool,
    last_lock: AtomicI64,
    last_pull: AtomicI64,
    last_consume: AtomicI64,
    end: QueueEnd,
    pub(crate) throttled: Seldom,
}

/// The offset to commit.
#[derive(Debug)]
struct Progress {
    offset: AtomicI64,
    frozen: AtomicBool,
}

const UNKNOWN: i64 = -1;

/// The end of the queue, by the broker's newest answer.
#[derive(Debug)]
struct QueueEnd {
    offset: AtomicI64,
    known_at: AtomicI64,
}

impl OwnedQueue {
    /// Makes a queue that was just assigned.
    pub(crate) fn new(queue: MessageQueue, now_ms: i64) -> Arc<Self> {
        Arc::new(Self {
            queue,
            window: Mutex::default(),
            progress: Progress { offset: AtomicI64::new(UNKNOWN), frozen: AtomicBool::new(false) },
            dropped: CancellationToken::new(),
            room: Notify::new(),
            arrived: Notify::new(),
            busy: tokio::sync::Mutex::new(()),
            paused: AtomicBool::new(false),
            handed_out: AtomicI64::new(UNKNOWN),
            locked: AtomicBool::new(false),
            last_lock: AtomicI64::new(0),
            last_pull: AtomicI64::new(now_ms),
            last_consume: AtomicI64::new(now_ms),
            end: QueueEnd { offset: AtomicI64::new(UNKNOWN), known_at: AtomicI64::new(now_ms) },
            throttled: Seldom::default(),
        })
    }

    /// Adds pulled messages; those already in the window are skipped. Returns what is new.
    pub(crate) fn put(&self, messages: Vec<Delivery>) -> Vec<Delivery> {
        let mut window = self.window.lock();
        let mut fresh = messages;
        fresh.retain(|d| window.put(d.queue_offset(), d.body().len() as u32, d.clone()));
        drop(window);
        self.arrived.notify_one();
        fresh
    }

    /// Takes finished messages out and moves the commit offset forward.
    pub(crate) fn finish(&self, offsets: impl IntoIterator<Item = i64>) {
        let commit = self.window.lock().finish(offsets);
        if let Some(offset) = commit
            && !self.is_dropped()
        {
            self.advance(offset);
        }
        self.room.notify_one();
    }

    /// Takes messages out that the application will commit by itself; `next` follows the last of them.
    pub(crate) fn hand_out(&self, offsets: impl IntoIterator<Item = i64>, next: i64) {
        self.window.lock().finish(offsets);
        self.handed_out.fetch_max(next, Ordering::AcqRel);
        self.room.notify_one();
    }

    /// Moves the offset to `next`, before which no message is for this consumer, if everything before is committed.
    pub(crate) fn skip_to(&self, next: i64) {
        let committed = self.progress.offset.load(Ordering::Acquire);
        if self.is_idle() && committed >= self.handed_out.load(Ordering::Acquire) {
            self.advance(next);
        }
    }

    /// Stops or resumes pulling this queue.
    pub(crate) fn set_paused(&self, paused: bool) {
        self.paused.store(paused, Ordering::Release);
    }

    /// Tells whether pulling is paused.
    pub(crate) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }

    /// Works on the window under its lock; rings when that may have made room.
    pub(crate) fn with_window<R>(&self, work: impl FnOnce(&mut Window<Delivery>) -> R) -> R {
        let result = work(&mut self.window.lock());
        self.room.notify_one();
        result
    }

    /// Returns the fill of the window.
    pub(crate) fn usage(&self) -> Usage {
        self.window.lock().usage()
    }

    /// Waits until messages finish or `patience` ends, whichever is first.
    pub(crate) async fn wait_for_room(&self, patience: Duration) {
        let _ = tokio::time::timeout(patience, self.room.notified()).await;
    }

    /// Raises the commit offset; a lower one, or any while frozen, is ignored.
    pub(crate) fn advance(&self, offset: i64) {
        if !self.progress.frozen.load(Ordering::Acquire) {
            self.progress.offset.fetch_max(offset, Ordering::AcqRel);
        }
    }

    /// Sets the commit offset, also backwards.
    pub(crate) fn set_offset(&self, offset: i64) {
        if !self.progress.frozen.load(Ordering::Acquire) {
            self.progress.offset.store(offset, Ordering::Release);
        }
    }

    /// Sets the commit offset for good: late completions of a queue that is being repaired must not undo it.
    pub(crate) fn freeze_offset(&self, offset: i64) {
        self.progress.frozen.store(true, Ordering::Release);
        self.progress.offset.store(offset, Ordering::Release);
    }

    /// Returns the offset to commit; `None` before a message finished.
    pub(crate) fn offset(&self) -> Option<i64> {
        Some(self.progress.offset.load(Ordering::Acquire)).filter(|offset| *offset != UNKNOWN)
    }

    /// Notes the offset that the queue's next message will have.
    pub(crate) fn set_end(&self, offset: i64, now_ms: i64) {
        self.end.offset.store(offset, Ordering::Release);
        self.end.known_at.store(now_ms, Ordering::Relaxed);
    }

    /// Does the same, unless a pull was answered meanwhile.
    pub(crate) fn set_first_end(&self, offset: i64) {
        let _ = self.end.offset.compare_exchange(UNKNOWN, offset, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Tells whether the end of the queue is unknown.
    pub(crate) fn is_end_unknown(&self) -> bool {
        self.end.offset.load(Ordering::Acquire) == UNKNOWN
    }

    /// Tells whether the end of the queue is so old that it should be asked for.
    pub(crate) fn is_end_stale(&self, now_ms: i64) -> bool {
        now_ms - self.end.known_at.load(Ordering::Relaxed) >= END_EXPIRES.as_millis() as i64
    }

    /// Messages that are not committed; `None` before the first answer.
    pub(crate) fn lag(&self) -> Option<u64> {
        let end = Some(self.end.offset.load(Ordering::Acquire)).filter(|end| *end != UNKNOWN)?;
        Some(u64::try_from(end - self.offset()?).unwrap_or(0))
    }

    /// Gives the queue up: its pull loop ends, results of messages in progress are ignored.
    pub(crate) fn drop_it(&self) {
        self.dropped.cancel();
    }

    /// Tells whether the queue was given up.
    pub(crate) fn is_dropped(&self) -> bool {
        self.dropped.is_cancelled()
    }

    /// Ends when the queue is given up.
    pub(crate) async fn until_dropped(&self) {
        self.dropped.cancelled().await;
    }

    /// Notes a pull, so that the queue does not count as stuck.
    pub(crate) fn touch_pull(&self, now_ms: i64) {
        self.last_pull.store(now_ms, Ordering::Relaxed);
    }

    /// Tells whether no pull came for so long that the loop must be stuck.
    pub(crate) fn is_pull_expired(&self, now_ms: i64) -> bool {
        now_ms - self.last_pull.load(Ordering::Relaxed) > PULL_EXPIRES.as_millis() as i64
    }

    /// Notes that a handler was called.
    pub(crate) fn touch_consume(&self, now_ms: i64) {
        self.last_consume.store(now_ms, Ordering::Relaxed);
    }

    /// Notes whether the broker lock is held.
    pub(crate) fn set_locked(&self, locked: bool, now_ms: i64) {
        if locked {
            self.last_lock.store(now_ms, Ordering::Release);
        }
        self.locked.store(locked, Ordering::Release);
    }

    /// Tells whether the broker's lock is held, as far as this client can know.
    pub(crate) fn holds_lock(&self, now_ms: i64) -> bool {
        let age = now_ms - self.last_lock.load(Ordering::Acquire);
        self.locked.load(Ordering::Acquire) && age <= LOCK_EXPIRES.as_millis() as i64
    }

    /// Takes over the lock of the queue this one replaces.
    pub(crate) fn inherit_lock(&self, old: &OwnedQueue) {
        self.last_lock.store(old.last_lock.load(Ordering::Acquire), Ordering::Release);
        self.locked.store(old.locked.load(Ordering::Acquire), Ordering::Release);
    }

    /// Returns the moment at which the broker last granted the lock.
    pub(crate) fn last_lock(&self) -> i64 {
        self.last_lock.load(Ordering::Acquire)
    }

    /// Marks the queue as being handled in order until the guard is dropped.
    pub(crate) async fn enter(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.busy.lock().await
    }

    /// Waits until no handler works on the queue in order; `false` when that takes longer than `patience`.
    pub(crate) async fn wait_idle(&self, patience: Duration) -> bool {
        tokio::time::timeout(patience, self.busy.lock()).await.is_ok()
    }

    /// Waits for messages to arrive.
    pub(crate) async fn wait_for_messages(&self) {
        self.arrived.notified().await;
    }

    /// Tells whether every pulled message is finished.
    pub(crate) fn is_idle(&self) -> bool {
        self.window.lock().is_empty()
    }

    /// Returns the state for the running info.
    pub(crate) fn snapshot(&self, limits: &QueueLimits) -> Snapshot {
        let window = self.window.lock();
        let (min, max) = window.bounds().unwrap_or((0, 0));
        let usage = window.usage();
        Snapshot {
            usage,
            min_offset: min,
            max_offset: max,
            commit_offset: self.offset().unwrap_or(0),
            throttled: limits.check(usage, true).is_some(),
            locked: self.locked.load(Ordering::Acquire),
            last_lock: self.last_lock.load(Ordering::Relaxed),
            last_pull: self.last_pull.load(Ordering::Relaxed),
            last_consume: self.last_consume.load(Ordering::Relaxed),
            dropped: self.is_dropped(),
        }
    }
}

/// Returns the queue's part of the running info.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) usage: Usage,
    pub(crate) min_offset: i64,
    pub(crate) max_offset: i64,
    pub(crate) commit_offset: i64,
    pub(crate) throttled: bool,
    pub(crate) locked: bool,
    pub(crate) last_lock: i64,
    pub(crate) last_pull: i64,
    pub(crate) last_consume: i64,
    pub(crate) dropped: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::testing::delivery;

    fn owned() -> Arc<OwnedQueue> {
        OwnedQueue::new(MessageQueue::new("t", "b", 0), 0)
    }

    #[test]
    fn progress_only_rises_until_it_is_set_or_frozen() {
        let queue = owned();
        assert_eq!(queue.offset(), None);
        queue.advance(5);
        queue.advance(3);
        assert_eq!(queue.offset(), Some(5));
        queue.set_offset(2);
        assert_eq!(queue.offset(), Some(2));
        queue.freeze_offset(1);
        queue.advance(9);
        queue.set_offset(9);
        assert_eq!(queue.offset(), Some(1));
    }

    #[test]
    fn results_of_a_queue_given_up_are_not_committed() {
        let queue = owned();
        assert_eq!(queue.put(vec![delivery("t", 0), delivery("t", 1), delivery("t", 0)]).len(), 2);
        queue.finish([0]);
        assert_eq!(queue.offset(), Some(1));
        queue.drop_it();
        queue.finish([1]);
        assert_eq!(queue.offset(), Some(1));
    }

    #[test]
    fn an_idle_queue_moves_on_unless_something_handed_out_is_not_committed() {
        let queue = owned();
        queue.skip_to(5);
        assert_eq!(queue.offset(), Some(5));
        queue.put(vec![delivery("t", 5)]);
        queue.skip_to(9);
        assert_eq!(queue.offset(), Some(5), "a message is open");
        queue.hand_out([5], 6);
        queue.skip_to(9);
        assert_eq!(queue.offset(), Some(5), "a message is not committed");
        queue.advance(6);
        queue.skip_to(9);
        assert_eq!(queue.offset(), Some(9));
    }

    #[test]
    fn locks_and_pulls_expire() {
        let queue = owned();
        assert!(!queue.holds_lock(0));
        queue.set_locked(true, 1_000);
        assert!(queue.holds_lock(31_000));
        assert!(!queue.holds_lock(31_001));
        queue.touch_pull(1_000);
        assert!(!queue.is_pull_expired(121_000));
        assert!(queue.is_pull_expired(121_001));
    }

    #[test]
    fn the_lag_is_what_lies_between_the_commit_and_the_end() {
        let queue = owned();
        assert_eq!((queue.lag(), queue.is_end_unknown()), (None, true));
        queue.set_first_end(5);
        assert_eq!(queue.lag(), None, "where to begin is not known yet");
        queue.advance(3);
        queue.set_first_end(9);
        assert_eq!((queue.lag(), queue.is_end_unknown()), (Some(2), false));
        queue.set_end(2, 1_000);
        assert_eq!(queue.lag(), Some(0), "the broker's answer is older than the commit");
        assert!(!queue.is_end_stale(5_999) && queue.is_end_stale(6_000));
    }

    #[test]
    fn one_throttled_pull_in_a_thousand_is_logged() {
        let queue = owned();
        let logged = (0..2001).filter(|_| queue.throttled.is_worth_a_line()).count();
        assert_eq!(logged, 3);
    }
}
