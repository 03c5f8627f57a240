//! Counts the calls of a listener.

use super::{LastError, ListenerHealth};
use crate::outcome::Verdict;
use rocketmq_client::{Clock, Outcome};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// Counts the results of a listener's calls.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    handled: AtomicU64,
    panicked: AtomicU64,
    in_flight: AtomicUsize,
    /// Calls without success since the last one with success.
    failing: AtomicU64,
    last_failure: Mutex<Option<LastError>>,
}

impl Counters {
    /// Counts messages as in flight until the guard is dropped, even when the call is cut.
    pub(crate) fn enter(&self, messages: usize) -> InFlight<'_> {
        self.in_flight.fetch_add(messages, Relaxed);
        InFlight { counters: self, messages }
    }

    /// Retries and dead letters are counted where a broker took them.
    pub(crate) fn concluded(&self, verdict: &Verdict, outcome: Outcome) {
        if matches!(verdict, Verdict::Panicked(_)) {
            self.panicked.fetch_add(1, Relaxed);
        }
        if outcome == Outcome::Ack {
            self.handled.fetch_add(1, Relaxed);
            self.failing.store(0, Relaxed);
        } else {
            self.failing.fetch_add(1, Relaxed);
            *self.last_failure() = Some(LastError::new(verdict.to_string(), Clock::default().now()));
        }
    }

    pub(crate) fn health(&self) -> ListenerHealth {
        ListenerHealth {
            handled: self.handled.load(Relaxed),
            panicked: self.panicked.load(Relaxed),
            in_flight: self.in_flight.load(Relaxed),
            failing: self.failing.load(Relaxed),
            last_failure: self.last_failure().clone(),
            ..ListenerHealth::default()
        }
    }

    fn last_failure(&self) -> std::sync::MutexGuard<'_, Option<LastError>> {
        self.last_failure.lock().unwrap_or_else(PoisonError::into_inner)
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
