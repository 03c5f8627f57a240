//! The recent work of a consumer, by topic: the figures of running info.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::{Instant, instant};

/// Figures are means over this long.
const WINDOW: Duration = Duration::from_secs(60);
/// Failed messages are counted over this long.
const FAILED_WINDOW: Duration = Duration::from_secs(3600);
/// The interval between two samples.
const SAMPLE: Duration = Duration::from_secs(10);

/// Counters of every topic a consumer reads.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    topics: Mutex<BTreeMap<String, Topic>>,
}

#[derive(Debug, Default)]
struct Topic {
    total: Counters,
    /// Totals at some past moments, oldest first.
    samples: VecDeque<(Instant, Counters)>,
}

/// Totals since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) pulls: u64,
    pub(crate) pulled: u64,
    pub(crate) pull_time: Duration,
    pub(crate) ok: u64,
    pub(crate) failed: u64,
    pub(crate) consume_time: Duration,
}

/// Means over the last minute, as running info shows them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Rates {
    /// Mean time of one pull, ms.
    pub(crate) pull_rt: f64,
    /// Messages pulled per second.
    pub(crate) pull_tps: f64,
    /// Mean time of one message in its handler, ms.
    pub(crate) consume_rt: f64,
    /// Messages handled per second.
    pub(crate) ok_tps: f64,
    /// Failed messages per second.
    pub(crate) failed_tps: f64,
    /// Failed messages over the last hour.
    pub(crate) failed_messages: i64,
}

impl Stats {
    /// Counts handled messages.
    pub(crate) fn consumed(&self, topic: &str, ok: u64, failed: u64, took: Duration) {
        self.count(topic, |c| {
            c.ok += ok;
            c.failed += failed;
            c.consume_time += took;
        });
    }

    /// Counts one pull.
    pub(crate) fn pulled(&self, topic: &str, messages: u64, took: Duration) {
        self.count(topic, |c| {
            c.pulls += 1;
            c.pulled += messages;
            c.pull_time += took;
        });
    }

    fn count(&self, topic: &str, change: impl FnOnce(&mut Counters)) {
        self.count_at(topic, instant(), change);
    }

    fn count_at(&self, topic: &str, now: Instant, change: impl FnOnce(&mut Counters)) {
        let mut topics = self.topics.lock();
        if let Some(found) = topics.get_mut(topic) {
            found.sample(now);
            change(&mut found.total);
        } else {
            let found = topics.entry(topic.to_owned()).or_default();
            found.sample(now);
            change(&mut found.total);
        }
    }

    /// Returns the figures of every topic seen.
    pub(crate) fn rates(&self) -> BTreeMap<String, Rates> {
        self.rates_at(instant())
    }

    fn rates_at(&self, now: Instant) -> BTreeMap<String, Rates> {
        let topics = self.topics.lock();
        topics.iter().map(|(name, topic)| (name.clone(), topic.rates(now))).collect()
    }
}

impl Topic {
    fn sample(&mut self, now: Instant) {
        if self.samples.back().is_none_or(|(at, _)| now.duration_since(*at) >= SAMPLE) {
            self.samples.push_back((now, self.total));
        }
        while self.samples.front().is_some_and(|(at, _)| now.duration_since(*at) > FAILED_WINDOW) {
            self.samples.pop_front();
        }
    }

    fn since(&self, now: Instant, window: Duration) -> Option<(Duration, Counters)> {
        let (at, then) = self.samples.iter().find(|(at, _)| now.duration_since(*at) <= window)?;
        let span = now.duration_since(*at).max(Duration::from_secs(1));
        Some((span, self.total.minus(then)))
    }

    fn rates(&self, now: Instant) -> Rates {
        let Some((span, lately)) = self.since(now, WINDOW) else { return Rates::default() };
        let seconds = span.as_secs_f64();
        let failed = self.since(now, FAILED_WINDOW).map_or(0, |(_, counters)| counters.failed);
        Rates {
            pull_rt: mean_ms(lately.pull_time, lately.pulls),
            pull_tps: lately.pulled as f64 / seconds,
            consume_rt: mean_ms(lately.consume_time, lately.ok + lately.failed),
            ok_tps: lately.ok as f64 / seconds,
            failed_tps: lately.failed as f64 / seconds,
            failed_messages: i64::try_from(failed).unwrap_or(i64::MAX),
        }
    }
}

impl Counters {
    fn minus(&self, then: &Counters) -> Counters {
        Counters {
            pulls: self.pulls - then.pulls,
            pulled: self.pulled - then.pulled,
            pull_time: self.pull_time - then.pull_time,
            ok: self.ok - then.ok,
            failed: self.failed - then.failed,
            consume_time: self.consume_time - then.consume_time,
        }
    }
}

fn mean_ms(total: Duration, count: u64) -> f64 {
    if count == 0 { 0.0 } else { total.as_secs_f64() * 1000.0 / count as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_the_last_minute_failures_of_the_last_hour() {
        let (stats, start) = (Stats::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        stats.count_at("t", at(0), |c| c.failed += 5);
        stats.count_at("t", at(600), |_| ());
        stats.count_at("t", at(601), |c| {
            c.ok += 90;
            c.failed += 10;
            c.consume_time += Duration::from_secs(1);
        });
        let rates = stats.rates_at(at(610))["t"];
        assert_eq!((rates.ok_tps, rates.failed_tps, rates.consume_rt), (9.0, 1.0, 10.0));
        assert_eq!(rates.failed_messages, 15);
        assert_eq!(stats.rates_at(at(700))["t"], Rates { failed_messages: 0, ..Rates::default() });
    }
}
