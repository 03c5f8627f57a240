//! Pops and notifications that found nothing and wait: who waits for which queue, and who is woken.
//!
//! The table decides; it neither reads the store nor answers anybody.

use std::collections::{BTreeMap, HashMap};

use rocketmq_remoting::receipt::Origin;

use super::retry_topic::normal_topic;
use crate::filter::Filter;

/// After so many messages of a queue, one request is woken although its filter refuses the message, so that the group
/// moves past messages that nobody wants.
const FORCED_EVERY: i64 = 800;

/// Stands for all queues of a topic.
pub(crate) const ANY_QUEUE: i32 = -1;

/// A request that waits.
#[derive(Debug)]
pub(crate) struct Waiter<T> {
    pub call: T,
    pub filter: Filter,
    /// When it is answered even if nothing came, in milliseconds of the broker's clock.
    pub deadline: i64,
}

/// A message that became readable.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrived<'a> {
    pub topic: &'a str,
    pub queue: i32,
    pub offset: i64,
    pub tags_code: i64,
}

/// The waiters of one queue, by deadline and then by when they came.
type Line<T> = BTreeMap<(i64, u64), Waiter<T>>;
type Lines<T> = BTreeMap<i32, Line<T>>;

/// Waiting requests by topic, group and queue.
#[derive(Debug)]
pub(crate) struct Polls<T> {
    topics: HashMap<String, HashMap<String, Lines<T>>>,
    /// Retry topics of groups that wait, with the topic and group they belong to.
    retries: HashMap<String, (String, String)>,
    newest_first: bool,
    waiting: usize,
    arrivals: u64,
}

impl<T> Polls<T> {
    /// A table that wakes whoever runs out of time first, or last.
    pub(crate) fn new(newest_first: bool) -> Self {
        Self { topics: HashMap::new(), retries: HashMap::new(), newest_first, waiting: 0, arrivals: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting
    }

    /// Counts the requests that wait for exactly this.
    pub(crate) fn len_of(&self, topic: &str, group: &str, queue: i32) -> usize {
        let lines = self.topics.get(topic).and_then(|groups| groups.get(group));
        lines.and_then(|lines| lines.get(&queue)).map_or(0, BTreeMap::len)
    }

    pub(crate) fn park(&mut self, topic: &str, group: &str, queue: i32, waiter: Waiter<T>) {
        let groups = self.topics.entry(topic.to_owned()).or_default();
        if !groups.contains_key(group) {
            for origin in [Origin::RetryV1, Origin::RetryV2] {
                self.retries.insert(origin.topic(group, topic), (topic.to_owned(), group.to_owned()));
            }
        }
        let line = groups.entry(group.to_owned()).or_default().entry(queue).or_default();
        line.insert((waiter.deadline, self.arrivals), waiter);
        self.arrivals += 1;
        self.waiting += 1;
    }

    /// Takes out the requests that the message wakes: of each group one that waits for any queue, and one that waits for this
    /// queue. A message that is handed out again wakes one request of its group.
    pub(crate) fn arrived(&mut self, arrived: Arrived<'_>) -> Vec<Waiter<T>> {
        let forced = arrived.offset % FORCED_EVERY == 0;
        let wants = |waiter: &Waiter<T>| forced || waiter.filter.may_match_tag(arrived.tags_code);
        if let Some((topic, group)) = self.retries.get(arrived.topic).cloned() {
            return self.take_any(&topic, &group, wants).into_iter().collect();
        }
        let Some(groups) = self.topics.get(arrived.topic) else { return Vec::new() };
        let groups: Vec<String> = groups.keys().cloned().collect();
        let queues = [ANY_QUEUE, arrived.queue];
        let lines = groups.iter().flat_map(|group| queues.map(|queue| (group, queue)));
        lines.filter_map(|(group, queue)| self.take_one(arrived.topic, group, queue, wants)).collect()
    }

    /// Takes out one that waits for a queue or for any, since the queue may have something for it.
    pub(crate) fn ready(&mut self, topic: &str, group: &str, queue: i32) -> Option<Waiter<T>> {
        let topic = normal_topic(topic, group);
        self.take_one(topic, group, ANY_QUEUE, |_| true)
            .or_else(|| self.take_one(topic, group, queue, |_| true))
    }

    fn take_any(
        &mut self,
        topic: &str,
        group: &str,
        wants: impl Fn(&Waiter<T>) -> bool,
    ) -> Option<Waiter<T>> {
        let queues: Vec<i32> = self.topics.get(topic)?.get(group)?.keys().copied().collect();
        queues.into_iter().find_map(|queue| self.take_one(topic, group, queue, &wants))
    }

    fn take_one(
        &mut self,
        topic: &str,
        group: &str,
        queue: i32,
        wants: impl Fn(&Waiter<T>) -> bool,
    ) -> Option<Waiter<T>> {
        let line = self.topics.get_mut(topic)?.get_mut(group)?.get_mut(&queue)?;
        let mut wanted = line.iter().filter(|(_, waiter)| wants(waiter)).map(|(place, _)| *place);
        let place = if self.newest_first { wanted.last() } else { wanted.next() }?;
        let taken = line.remove(&place);
        self.waiting -= usize::from(taken.is_some());
        taken
    }

    /// When the next wait ends.
    pub(crate) fn next_deadline(&self) -> Option<i64> {
        let lines = self.topics.values().flat_map(HashMap::values).flat_map(BTreeMap::values);
        lines.filter_map(|line| line.keys().next().map(|(deadline, _)| *deadline)).min()
    }

    /// Takes out those whose time is over.
    pub(crate) fn expired(&mut self, now: i64) -> Vec<Waiter<T>> {
        self.take(|waiter| waiter.deadline <= now)
    }

    /// Takes out every request for which `gone` returns true, and forgets groups that no longer wait.
    pub(crate) fn take(&mut self, gone: impl Fn(&Waiter<T>) -> bool) -> Vec<Waiter<T>> {
        let mut taken = Vec::new();
        let retries = &mut self.retries;
        self.topics.retain(|topic, groups| {
            groups.retain(|group, lines| {
                lines.retain(|_, line| {
                    let (out, stay) = std::mem::take(line).into_iter().partition(|(_, w)| gone(w));
                    let out: Line<T> = out;
                    taken.extend(out.into_values());
                    *line = stay;
                    !line.is_empty()
                });
                if lines.is_empty() {
                    retries.remove(&Origin::RetryV1.topic(group, topic));
                    retries.remove(&Origin::RetryV2.topic(group, topic));
                }
                !lines.is_empty()
            });
            !groups.is_empty()
        });
        self.waiting -= taken.len();
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polls(waiters: &[(&str, i32, Filter, i64)]) -> Polls<i64> {
        let mut polls = Polls::new(false);
        for (group, queue, filter, deadline) in waiters {
            let waiter = Waiter { call: *deadline, filter: filter.clone(), deadline: *deadline };
            polls.park("t", group, *queue, waiter);
        }
        polls
    }

    fn calls(waiters: Vec<Waiter<i64>>) -> Vec<i64> {
        let mut calls: Vec<i64> = waiters.into_iter().map(|waiter| waiter.call).collect();
        calls.sort_unstable();
        calls
    }

    fn message(topic: &str, offset: i64, tags_code: i64) -> Arrived<'_> {
        Arrived { topic, queue: 2, offset, tags_code }
    }

    #[test]
    fn a_message_wakes_one_of_each_kind_in_each_group_soonest_first() {
        let mut polls = polls(&[
            ("g", ANY_QUEUE, Filter::All, 200),
            ("g", ANY_QUEUE, Filter::All, 100),
            ("g", 2, Filter::All, 300),
            ("g", 3, Filter::All, 50),
            ("h", ANY_QUEUE, Filter::All, 400),
        ]);
        assert_eq!(calls(polls.arrived(message("t", 1, 0))), [100, 300, 400]);
        assert_eq!(polls.len(), 2);
        assert!(polls.arrived(message("u", 1, 0)).is_empty());
    }

    #[test]
    fn the_newest_comes_first_where_that_is_asked_for() {
        let mut polls = Polls::new(true);
        for deadline in [100, 200] {
            polls.park("t", "g", 0, Waiter { call: deadline, filter: Filter::All, deadline });
        }
        assert_eq!(polls.ready("t", "g", 0).unwrap().call, 200);
    }

    #[test]
    fn a_filter_that_refuses_the_message_waits_on_until_the_800th() {
        let mut polls = polls(&[("g", ANY_QUEUE, Filter::tags([7]), 100)]);
        assert!(polls.arrived(message("t", 799, 8)).is_empty());
        assert_eq!(polls.arrived(message("t", 800, 8)).len(), 1);
    }

    #[test]
    fn a_message_handed_out_again_wakes_one_of_its_group_only() {
        let mut polls = polls(&[("g", 5, Filter::All, 100), ("h", ANY_QUEUE, Filter::All, 200)]);
        assert_eq!(calls(polls.arrived(message("%RETRY%g_t", 1, 0))), [100]);
        assert_eq!(calls(polls.arrived(message("%RETRY%h+t", 1, 0))), [200]);
    }

    #[test]
    fn time_ends_every_wait_and_leaves_no_trace() {
        let mut polls = polls(&[("g", 5, Filter::All, 100), ("h", 6, Filter::All, 200)]);
        assert_eq!(polls.next_deadline(), Some(100));
        assert_eq!(calls(polls.expired(100)), [100]);
        assert_eq!(polls.len_of("t", "h", 6), 1);
        assert_eq!(calls(polls.take(|_| true)), [200]);
        assert!(polls.topics.is_empty() && polls.retries.is_empty());
    }
}
