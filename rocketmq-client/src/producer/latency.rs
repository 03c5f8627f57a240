//! [`LatencyTable`]: avoids brokers that were slow or failed, like Java's latency fault tolerance.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use rocketmq_remoting::net::deadline;

use crate::clock::Instant;

/// A broker that did not answer is avoided like one that took this long.
pub(crate) const ISOLATION: Duration = Duration::from_millis(10_000);

/// A latency of at least `.0` ms makes the producer avoid the broker for `.1` ms; the last row that fits counts.
const PENALTIES: [(u64, u64); 7] =
    [(50, 0), (100, 0), (550, 2_000), (1_800, 5_000), (3_000, 6_000), (5_000, 10_000), (15_000, 30_000)];

/// Brokers under penalty. `now` is an argument throughout.
#[derive(Debug, Default)]
pub(crate) struct LatencyTable {
    brokers: Mutex<HashMap<String, Fault>>,
}

#[derive(Debug)]
struct Fault {
    spared_until: Instant,
    reachable: bool,
    probe_at: Instant,
}

impl LatencyTable {
    /// Records one try. A new penalty never shortens one that runs.
    pub(crate) fn record(&self, broker: &str, latency: Duration, reachable: bool, now: Instant) {
        let until = now + penalty(latency);
        let mut brokers = self.brokers.lock();
        match brokers.get_mut(broker) {
            Some(fault) => {
                fault.spared_until = fault.spared_until.max(until);
                fault.reachable = reachable;
            }
            None => {
                let fault = Fault { spared_until: until, reachable, probe_at: now };
                brokers.insert(broker.to_owned(), fault);
            }
        }
    }

    /// Tells whether no penalty runs.
    pub(crate) fn is_available(&self, broker: &str, now: Instant) -> bool {
        self.brokers.lock().get(broker).is_none_or(|fault| now >= fault.spared_until)
    }

    /// Tells whether the broker is worth a try although its penalty runs.
    pub(crate) fn is_reachable(&self, broker: &str) -> bool {
        self.brokers.lock().get(broker).is_none_or(|fault| fault.reachable)
    }

    /// Returns the brokers to probe now; each is due again `interval` later.
    pub(crate) fn due_for_probe(&self, now: Instant, interval: Duration) -> Vec<String> {
        let mut brokers = self.brokers.lock();
        let due = brokers.iter_mut().filter(|(_, fault)| now >= fault.probe_at);
        due.map(|(name, fault)| {
            fault.probe_at = deadline(now, interval);
            name.clone()
        })
        .collect()
    }

    /// Records that a broker answered a probe.
    pub(crate) fn mark_reachable(&self, broker: &str) {
        if let Some(fault) = self.brokers.lock().get_mut(broker) {
            fault.reachable = true;
        }
    }

    /// Removes the broker.
    pub(crate) fn forget(&self, broker: &str) {
        self.brokers.lock().remove(broker);
    }
}

fn penalty(latency: Duration) -> Duration {
    let millis = latency.as_millis();
    let row = PENALTIES.iter().rev().find(|(at_least, _)| millis >= u128::from(*at_least));
    Duration::from_millis(row.map_or(0, |(_, spared)| *spared))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn penalties_follow_javas_table() {
        let expected =
            [(0, 0), (99, 0), (549, 0), (550, 2_000), (1_799, 2_000), (1_800, 5_000), (3_000, 6_000)];
        for (latency, spared) in expected {
            assert_eq!(penalty(latency * MS), spared * MS, "{latency} ms");
        }
        assert_eq!(penalty(ISOLATION), 10_000 * MS);
        assert_eq!(penalty(60_000 * MS), 30_000 * MS);
    }

    #[test]
    fn a_penalty_is_never_shortened() {
        let (table, now) = (LatencyTable::default(), Instant::now());
        table.record("a", 2_000 * MS, true, now);
        table.record("a", 1 * MS, true, now + MS);
        assert!(!table.is_available("a", now + 4_999 * MS));
        assert!(table.is_available("a", now + 5_000 * MS));
    }

    #[test]
    fn an_unknown_broker_is_fine() {
        let table = LatencyTable::default();
        assert!(table.is_available("a", Instant::now()) && table.is_reachable("a"));
    }

    #[test]
    fn probes_come_round_at_their_interval_and_bring_a_broker_back() {
        let (table, now) = (LatencyTable::default(), Instant::now());
        table.record("a", ISOLATION, false, now);
        assert!(!table.is_reachable("a"));
        assert_eq!(table.due_for_probe(now, 2_000 * MS), ["a"]);
        assert!(table.due_for_probe(now + 1_999 * MS, 2_000 * MS).is_empty());
        assert_eq!(table.due_for_probe(now + 2_000 * MS, 2_000 * MS), ["a"]);
        table.mark_reachable("a");
        assert!(table.is_reachable("a"));
        table.forget("a");
        assert!(table.due_for_probe(now + 9_000 * MS, 2_000 * MS).is_empty());
    }
}
