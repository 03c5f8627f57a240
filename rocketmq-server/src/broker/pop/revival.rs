//! The progress of the loop that follows the revive topic, and its alarm.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::pending::Pending;

/// Pause after the store refused, or while timers are behind, in milliseconds.
pub(crate) const PAUSE: i64 = 100;
/// Turns given to the timer before a pause.
const TURNS: u32 = 64;

/// The state of each revive queue, and the alarm of the loop that follows them.
#[derive(Debug)]
pub(crate) struct Revival {
    pub topic: String,
    pub queues: Mutex<Vec<Pending>>,
    wake: Notify,
    /// True while the loop waits for the timer: then each message wakes it, whatever its topic.
    pub waits_for_timers: AtomicBool,
    /// Looks in a row that found the timer behind.
    looks: AtomicU32,
}

impl Revival {
    pub(crate) fn new(topic: String) -> Self {
        Self {
            topic,
            queues: Mutex::default(),
            wake: Notify::new(),
            waits_for_timers: AtomicBool::new(false),
            looks: AtomicU32::new(0),
        }
    }

    /// A message became readable.
    pub(crate) fn appended(&self, topic: &str) {
        if topic == self.topic || self.waits_for_timers.load(Ordering::SeqCst) {
            self.wake.notify_one();
        }
    }

    /// Returns the time of the next look while the timer is behind: at once, since it may only need its turn, with a pause now and
    /// then.
    pub(crate) fn look_again(&self, now: i64) -> i64 {
        let looks = self.looks.fetch_add(1, Ordering::Relaxed);
        if looks % TURNS == TURNS - 1 { now + PAUSE } else { now }
    }

    /// Completes when there may be something to do.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }
}
