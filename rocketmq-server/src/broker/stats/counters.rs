//! Counts the broker's messages: totals, and rates over the last ten seconds, minute and ten minutes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::traffic::TrafficTable;

const DAY_MS: i64 = 86_400_000;
/// Seconds of samples kept: the longest rate, and the sample before it.
const KEPT: usize = 601;
/// The rates Apache publishes, in seconds.
const WINDOWS: [usize; 3] = [10, 60, 600];

/// Running totals; each is only ever added to.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub put_messages: AtomicU64,
    pub put_bytes: AtomicU64,
    pub put_failed: AtomicU64,
    pub get_found: AtomicU64,
    pub get_miss: AtomicU64,
    /// Messages handed to consumers.
    pub get_messages: AtomicU64,
    /// Messages that could not be delivered, or were gone before they could.
    pub set_aside: AtomicU64,
    /// Messages that were deleted before a group read them; each counts once for every such group.
    pub deleted_unread: AtomicU64,
}

/// The totals at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub put_messages: u64,
    pub put_bytes: u64,
    pub put_failed: u64,
    pub get_found: u64,
    pub get_miss: u64,
    pub get_messages: u64,
    pub set_aside: u64,
    pub deleted_unread: u64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, by: u64) {
        counter.fetch_add(by, Ordering::Relaxed);
    }

    pub(crate) fn totals(&self) -> Totals {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Totals {
            put_messages: read(&self.put_messages),
            put_bytes: read(&self.put_bytes),
            put_failed: read(&self.put_failed),
            get_found: read(&self.get_found),
            get_miss: read(&self.get_miss),
            get_messages: read(&self.get_messages),
            set_aside: read(&self.set_aside),
            deleted_unread: read(&self.deleted_unread),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: i64,
    totals: Totals,
}

/// Counters, their recent past, and where the days began.
#[derive(Debug)]
pub(crate) struct Stats {
    pub counters: Counters,
    /// Per topic and group.
    pub traffic: TrafficTable,
    history: Mutex<History>,
}

#[derive(Debug)]
struct History {
    samples: VecDeque<Sample>,
    day: i64,
    /// Totals when yesterday and today began (UTC).
    yesterday: Totals,
    today: Totals,
}

impl Stats {
    pub(crate) fn new(now: i64) -> Self {
        let history = History {
            samples: VecDeque::new(),
            day: now.div_euclid(DAY_MS),
            yesterday: Totals::default(),
            today: Totals::default(),
        };
        Self { counters: Counters::default(), traffic: TrafficTable::default(), history: Mutex::new(history) }
    }

    /// Takes a sample; to be called every second.
    pub(crate) fn sample(&self, now: i64) {
        self.traffic.sample(now);
        let totals = self.counters.totals();
        let mut history = self.history.lock();
        let day = now.div_euclid(DAY_MS);
        if day != history.day {
            history.day = day;
            history.yesterday = std::mem::replace(&mut history.today, totals);
        }
        if history.samples.len() == KEPT {
            history.samples.pop_front();
        }
        history.samples.push_back(Sample { at: now, totals });
    }

    /// Per second over 10 s, 1 min and 10 min, as far as samples reach back.
    pub(crate) fn rates(&self, of: impl Fn(&Totals) -> u64) -> [f64; 3] {
        let history = self.history.lock();
        WINDOWS.map(|seconds| history.rate(seconds, &of))
    }

    /// The totals at yesterday's and today's beginning.
    pub(crate) fn mornings(&self) -> (Totals, Totals) {
        let history = self.history.lock();
        (history.yesterday, history.today)
    }
}

impl History {
    fn rate(&self, seconds: usize, of: &impl Fn(&Totals) -> u64) -> f64 {
        let Some(last) = self.samples.back() else {
            return 0.0;
        };
        let first = &self.samples[self.samples.len().saturating_sub(seconds + 1)];
        let elapsed = last.at - first.at;
        if elapsed <= 0 {
            return 0.0;
        }
        (of(&last.totals) - of(&first.totals)) as f64 * 1000.0 / elapsed as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_reach_back_as_far_as_there_are_samples() {
        let stats = Stats::new(0);
        assert_eq!(stats.rates(|totals| totals.put_messages), [0.0; 3]);
        for second in 0..=20 {
            stats.sample(second * 1000);
            Counters::add(&stats.counters.put_messages, if second < 10 { 0 } else { 7 });
        }
        let rates = stats.rates(|totals| totals.put_messages);
        assert_eq!(rates[0], 7.0);
        assert_eq!(rates[1], 3.5);
    }

    #[test]
    fn a_new_day_moves_the_mornings() {
        let stats = Stats::new(0);
        Counters::add(&stats.counters.put_messages, 5);
        stats.sample(DAY_MS);
        Counters::add(&stats.counters.put_messages, 1);
        stats.sample(2 * DAY_MS);
        let (yesterday, today) = stats.mornings();
        assert_eq!((yesterday.put_messages, today.put_messages), (5, 6));
    }
}
