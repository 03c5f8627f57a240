//! What listeners did so far, for readiness and liveness probes.

use crate::outcome::Verdict;
use rocketmq_client::Outcome;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// The state of an application at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Every listener's consumer runs, and no shutdown has begun.
    pub ready: bool,
    /// One entry for each listener that is enabled.
    pub listeners: Vec<ListenerHealth>,
}

/// What one listener did since the application started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenerHealth {
    /// Its name: that of the function, unless the attribute gives another.
    pub name: String,
    /// Its group.
    pub group: String,
    /// Its topic.
    pub topic: String,
    /// Messages that are done.
    pub handled: u64,
    /// Messages that were handed back for another try.
    pub retried: u64,
    /// Messages that were sent to the dead letter queue.
    pub dead_lettered: u64,
    /// Calls that panicked; counted under `retried` too.
    pub panicked: u64,
    /// Messages its handler holds now.
    pub in_flight: usize,
}

/// The counters behind [`ListenerHealth`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    handled: AtomicU64,
    retried: AtomicU64,
    dead_lettered: AtomicU64,
    panicked: AtomicU64,
    in_flight: AtomicUsize,
}

impl Counters {
    /// Counts messages as in flight until the guard is dropped, even when the call is cut.
    pub(crate) fn enter(&self, messages: usize) -> InFlight<'_> {
        self.in_flight.fetch_add(messages, Relaxed);
        InFlight { counters: self, messages }
    }

    pub(crate) fn concluded(&self, verdict: &Verdict, outcome: Outcome) {
        if matches!(verdict, Verdict::Panicked(_)) {
            self.panicked.fetch_add(1, Relaxed);
        }
        let counter = match outcome {
            Outcome::Ack => &self.handled,
            Outcome::Retry | Outcome::RetryAfter(_) | Outcome::Suspend(_) => &self.retried,
            Outcome::DeadLetter => &self.dead_lettered,
        };
        counter.fetch_add(1, Relaxed);
    }

    pub(crate) fn health(&self) -> ListenerHealth {
        ListenerHealth {
            handled: self.handled.load(Relaxed),
            retried: self.retried.load(Relaxed),
            dead_lettered: self.dead_lettered.load(Relaxed),
            panicked: self.panicked.load(Relaxed),
            in_flight: self.in_flight.load(Relaxed),
            ..ListenerHealth::default()
        }
    }
}

/// See [`Counters::enter`].
#[derive(Debug)]
pub(crate) struct InFlight<'a> {
    counters: &'a Counters,
    messages: usize,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.counters.in_flight.fetch_sub(self.messages, Relaxed);
    }
}
