//! Counts puts per topic and gets per group (315): sums and rates over the last minute, hour and day, sampled at
//! the times at which Apache samples them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use rocketmq_remoting::body::broker::{BrokerStatsData, BrokerStatsItem};

const TEN_SECONDS: i64 = 10_000;
const TEN_MINUTES: i64 = 600_000;
const HOUR: i64 = 3_600_000;

/// Messages and bytes of one topic, or of one group in one topic.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    messages: Counted,
    bytes: Counted,
}

impl Traffic {
    /// Counts one call's worth.
    pub(crate) fn add(&self, messages: u64, bytes: u64) {
        self.messages.add(messages);
        self.bytes.add(bytes);
    }

    fn sample(&self, now: i64) {
        self.messages.sample(now);
        self.bytes.sample(now);
    }
}

/// A sum and the number of calls that made it.
#[derive(Debug, Default)]
struct Counted {
    sum: AtomicU64,
    calls: AtomicU64,
    past: Mutex<Past>,
}

impl Counted {
    fn add(&self, by: u64) {
        self.sum.fetch_add(by, Ordering::Relaxed);
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    fn sample(&self, now: i64) {
        let (sum, calls) = (self.sum.load(Ordering::Relaxed), self.calls.load(Ordering::Relaxed));
        self.past.lock().take(Sample { at: now, sum, calls });
    }

    fn data(&self) -> BrokerStatsData {
        let past = self.past.lock();
        BrokerStatsData {
            stats_minute: past.minute.item(),
            stats_hour: past.hour.item(),
            stats_day: past.day.item(),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: i64,
    sum: u64,
    calls: u64,
}

/// Samples that reach back a minute, an hour and a day.
#[derive(Debug)]
struct Past {
    minute: Series,
    hour: Series,
    day: Series,
}

impl Default for Past {
    fn default() -> Self {
        Self {
            minute: Series::new(TEN_SECONDS, 7),
            hour: Series::new(TEN_MINUTES, 7),
            day: Series::new(HOUR, 25),
        }
    }
}

impl Past {
    fn take(&mut self, sample: Sample) {
        [&mut self.minute, &mut self.hour, &mut self.day].into_iter().for_each(|series| series.take(sample));
    }
}

#[derive(Debug)]
struct Series {
    every: i64,
    kept: usize,
    samples: VecDeque<Sample>,
}

impl Series {
    fn new(every: i64, kept: usize) -> Self {
        Self { every, kept, samples: VecDeque::new() }
    }

    fn take(&mut self, sample: Sample) {
        // Nothing had been counted one step before the first sample: it counts from there.
        let before = self.samples.back().copied().unwrap_or_else(|| {
            let before = Sample { at: sample.at - self.every, sum: 0, calls: 0 };
            self.samples.push_back(before);
            before
        });
        if sample.at - before.at < self.every {
            return;
        }
        self.samples.push_back(sample);
        if self.samples.len() > self.kept {
            self.samples.pop_front();
        }
    }

    fn item(&self) -> BrokerStatsItem {
        let (Some(first), Some(last)) = (self.samples.front(), self.samples.back()) else {
            return BrokerStatsItem::default();
        };
        let sum = last.sum - first.sum;
        let (elapsed, calls) = (last.at - first.at, last.calls - first.calls);
        let per = |whole: f64, part: f64| if part > 0.0 { whole / part } else { 0.0 };
        BrokerStatsItem {
            sum: i64::try_from(sum).unwrap_or(i64::MAX),
            tps: per(sum as f64 * 1000.0, elapsed as f64),
            avgpt: per(sum as f64, calls as f64),
        }
    }
}

/// ByKey by name; they are shared with whoever counts.
#[derive(Debug, Default)]
struct ByKey(RwLock<HashMap<String, Arc<Traffic>>>);

impl ByKey {
    fn of(&self, key: &str) -> Arc<Traffic> {
        if let Some(traffic) = self.get(key) {
            return traffic;
        }
        self.0.write().entry(key.to_owned()).or_default().clone()
    }

    fn get(&self, key: &str) -> Option<Arc<Traffic>> {
        self.0.read().get(key).cloned()
    }

    fn sample(&self, now: i64) {
        self.0.read().values().for_each(|traffic| traffic.sample(now));
    }
}

/// The traffic of all topics and groups of a broker.
#[derive(Debug, Default)]
pub(crate) struct TrafficTable {
    puts: ByKey,
    gets: ByKey,
    send_backs: ByKey,
    /// The traffic of all producers and all consumers.
    broker_puts: Traffic,
    broker_gets: Traffic,
    sampled: Mutex<Option<i64>>,
}

impl TrafficTable {
    /// Returns the traffic into `topic`.
    pub(crate) fn puts(&self, topic: &str) -> Arc<Traffic> {
        self.puts.of(topic)
    }

    /// Returns the messages of `topic` that `group` sends back.
    pub(crate) fn send_backs(&self, topic: &str, group: &str) -> Arc<Traffic> {
        self.send_backs.of(&in_group(topic, group))
    }

    /// Counts a message that was put into the topic of `traffic`.
    pub(crate) fn add_put(&self, traffic: &Traffic, bytes: u64) {
        traffic.add(1, bytes);
        self.broker_puts.add(1, bytes);
    }

    /// Counts what one request of a group found.
    pub(crate) fn add_get(&self, topic: &str, group: &str, messages: u64, bytes: u64) {
        self.gets.of(&in_group(topic, group)).add(messages, bytes);
        self.broker_gets.add(messages, bytes);
    }

    /// To be called at least every ten seconds.
    pub(crate) fn sample(&self, now: i64) {
        let mut sampled = self.sampled.lock();
        if sampled.is_some_and(|at| now - at < TEN_SECONDS) {
            return;
        }
        *sampled = Some(now);
        [&self.puts, &self.gets, &self.send_backs].into_iter().for_each(|flows| flows.sample(now));
        [&self.broker_puts, &self.broker_gets].into_iter().for_each(|traffic| traffic.sample(now));
    }

    /// One statistic under Apache's name; `None` when there is no such name, or nothing has been counted under `key`.
    pub(crate) fn data(&self, name: &str, key: &str) -> Option<BrokerStatsData> {
        let messages = |table: &ByKey| table.get(key).map(|traffic| traffic.messages.data());
        let bytes = |table: &ByKey| table.get(key).map(|traffic| traffic.bytes.data());
        match name {
            "TOPIC_PUT_NUMS" => messages(&self.puts),
            "TOPIC_PUT_SIZE" => bytes(&self.puts),
            "GROUP_GET_NUMS" => messages(&self.gets),
            "GROUP_GET_SIZE" => bytes(&self.gets),
            "SNDBCK_PUT_NUMS" => messages(&self.send_backs),
            // Tools ask for these under the cluster's name.
            "BROKER_PUT_NUMS" => Some(self.broker_puts.messages.data()),
            "BROKER_GET_NUMS" => Some(self.broker_gets.messages.data()),
            _ => None,
        }
    }

    /// Messages per second into `topic` in the last minute.
    pub(crate) fn put_tps(&self, topic: &str) -> f64 {
        self.puts.get(topic).map_or(0.0, |traffic| traffic.messages.data().stats_minute.tps)
    }

    /// Messages per second from `topic` to `group` in the last minute.
    pub(crate) fn get_tps(&self, topic: &str, group: &str) -> f64 {
        let traffic = self.gets.get(&in_group(topic, group));
        traffic.map_or(0.0, |traffic| traffic.messages.data().stats_minute.tps)
    }

    /// A topic that is no more has no figures.
    pub(crate) fn forget_topic(&self, topic: &str) {
        self.puts.0.write().remove(topic);
        let of_topic = |key: &str| key.rsplit_once('@').is_some_and(|(name, _)| name == topic);
        [&self.gets, &self.send_backs]
            .into_iter()
            .for_each(|flows| flows.0.write().retain(|key, _| !of_topic(key)));
    }
}

fn in_group(topic: &str, group: &str) -> String {
    format!("{topic}@{group}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_rates_cover_the_last_minute_hour_and_day() {
        let table = TrafficTable::default();
        let traffic = table.puts("T");
        for second in 0..=120 {
            table.sample(second * 1000);
            traffic.add(2, 100);
        }
        let data = table.data("TOPIC_PUT_NUMS", "T").unwrap();
        assert_eq!((data.stats_minute.sum, data.stats_minute.tps, data.stats_minute.avgpt), (120, 2.0, 2.0));
        assert_eq!(table.data("TOPIC_PUT_SIZE", "T").unwrap().stats_minute.sum, 6000);
        assert_eq!(table.put_tps("T"), 2.0);
        table.sample(HOUR + 1);
        let data = table.data("TOPIC_PUT_NUMS", "T").unwrap();
        assert_eq!((data.stats_hour.sum, data.stats_day.sum), (242, 242));
    }

    #[test]
    fn what_was_never_counted_has_no_figures() {
        let table = TrafficTable::default();
        table.add_get("T", "G", 1, 1);
        assert!(table.data("GROUP_GET_NUMS", "T@G").is_some());
        assert!(table.data("GROUP_GET_NUMS", "T@other").is_none());
        assert!(table.data("NO_SUCH_NUMS", "T").is_none());
        table.forget_topic("T");
        assert!(table.data("GROUP_GET_NUMS", "T@G").is_none());
    }
}
