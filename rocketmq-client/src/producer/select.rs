//! Chooses the queue of a message.

use std::sync::atomic::{AtomicUsize, Ordering};

use rocketmq_remoting::subscription::java_string_hash;

use super::latency::LatencyTable;
use crate::clock::Instant;
use crate::cluster::route::queue::SharedQueue;

/// Takes the queues in turn, from a random start so that many producers do not all begin with the first.
#[derive(Debug)]
pub(crate) struct RoundRobin {
    turn: AtomicUsize,
}

impl RoundRobin {
    pub(crate) fn starting_at(turn: usize) -> Self {
        Self { turn: AtomicUsize::new(turn) }
    }

    /// Picks the next queue of another broker than `avoid`; any queue when there is no other broker. `None` without queues.
    pub(crate) fn pick<'q>(&self, queues: &'q [SharedQueue], avoid: Option<&str>) -> Option<&'q SharedQueue> {
        let other = avoid.and_then(|avoid| self.one_turn(queues, |broker| broker != avoid));
        other.or_else(|| self.one_turn(queues, |_| true))
    }

    /// Does the same as [`pick`](Self::pick), but prefers brokers without a penalty, then reachable ones.
    pub(crate) fn pick_fit<'q>(
        &self,
        queues: &'q [SharedQueue],
        avoid: Option<&str>,
        latency: &LatencyTable,
        now: Instant,
    ) -> Option<&'q SharedQueue> {
        let wanted = |broker: &str| Some(broker) != avoid;
        self.one_turn(queues, |broker| wanted(broker) && latency.is_available(broker, now))
            .or_else(|| self.one_turn(queues, |broker| wanted(broker) && latency.is_reachable(broker)))
            .or_else(|| self.one_turn(queues, |_| true))
    }

    fn one_turn<'q>(
        &self,
        queues: &'q [SharedQueue],
        fits: impl Fn(&str) -> bool,
    ) -> Option<&'q SharedQueue> {
        (0..queues.len()).find_map(|_| {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            queues.get(turn % queues.len()).filter(|queue| fits(&queue.broker_name))
        })
    }
}

/// Returns the index of an ordering key among `count` queues, which is not 0. Like Java it takes the remainder of the
/// string's hash before it drops the sign, so that a Java producer picks the same queue for a key.
pub(crate) fn index_of_key(key: &str, count: usize) -> usize {
    let remainder = i64::from(java_string_hash(key)) % count as i64;
    remainder.unsigned_abs() as usize
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;
    use std::time::Duration;

    use rocketmq_remoting::route::MessageQueue;

    use super::*;
    use crate::producer::latency::ISOLATION;

    fn queues(brokers: &[(&str, i32)]) -> Vec<SharedQueue> {
        let queues = brokers.iter().map(|(broker, id)| Arc::new(MessageQueue::new("t", *broker, *id)));
        queues.collect()
    }

    #[test]
    fn every_queue_has_its_turn() {
        let queues = queues(&[("a", 0), ("a", 1), ("b", 0)]);
        let robin = RoundRobin::starting_at(usize::MAX - 1);
        let seen: BTreeSet<_> = (0..3).filter_map(|_| robin.pick(&queues, None)).collect();
        assert!(seen.len() >= 2);
        let seen: BTreeSet<_> = (0..9).filter_map(|_| robin.pick(&queues, None)).collect();
        assert_eq!(seen.len(), 3);
    }

    #[test]
    fn the_broker_that_failed_is_avoided_while_there_is_another() {
        let both = queues(&[("a", 0), ("a", 1), ("b", 0)]);
        let robin = RoundRobin::starting_at(0);
        for _ in 0..10 {
            assert_eq!(robin.pick(&both, Some("a")).map(|q| q.broker_name.as_str()), Some("b"));
        }
        let one = queues(&[("a", 0)]);
        assert_eq!(robin.pick(&one, Some("a")).map(|q| q.broker_name.as_str()), Some("a"));
        assert_eq!(robin.pick(&[], None), None);
    }

    #[test]
    fn a_spared_broker_waits_and_an_unreachable_one_waits_longer() {
        let (queues, now) = (queues(&[("a", 0), ("b", 0), ("c", 0)]), Instant::now());
        let (robin, latency) = (RoundRobin::starting_at(0), LatencyTable::default());
        let pick = |avoid| robin.pick_fit(&queues, avoid, &latency, now).map(|q| q.broker_name.clone());
        latency.record("a", Duration::from_secs(2), true, now);
        latency.record("b", ISOLATION, false, now);
        for _ in 0..6 {
            assert_eq!(pick(None).as_deref(), Some("c"));
            assert_eq!(pick(Some("c")).as_deref(), Some("a"));
        }
    }

    #[test]
    fn keys_fall_where_java_puts_them() {
        assert_eq!(index_of_key("TagA", 4), 2_598_919 % 4);
        // "polygenelubricants" hashes to i32::MIN, whose absolute value has no i32.
        assert_eq!(index_of_key("polygenelubricants", 8), 0);
        assert_eq!(index_of_key("polygenelubricants", 7), (2_147_483_648_u64 % 7) as usize);
        assert_eq!(index_of_key("标签", 10), 5);
    }
}
