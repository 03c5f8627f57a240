//! Parked pulls: they found nothing and wait for a message. The table finds those to wake.
//!
//! The table decides; it neither reads the store nor answers anybody.

use std::collections::HashMap;

use crate::filter::Filter;

/// A pull that waits.
#[derive(Debug)]
pub(crate) struct Parked<T> {
    /// The pull, to be run again.
    pub pull: T,
    /// The offset it wants; a queue that ends beyond it may have something.
    pub wanted: i64,
    pub filter: Filter,
    /// When it is answered even if nothing came, in milliseconds of the broker's clock.
    pub deadline: i64,
}

/// A message that just became readable.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub topic: &'a str,
    pub queue: i32,
    /// The queue's end, this message included.
    pub max_offset: i64,
    pub tags_code: i64,
}

type Queues<T> = HashMap<i32, Vec<Parked<T>>>;

/// All parked pulls by topic and queue.
#[derive(Debug)]
pub(crate) struct LongPolls<T> {
    topics: HashMap<String, Queues<T>>,
    parked: usize,
}

impl<T> Default for LongPolls<T> {
    fn default() -> Self {
        Self { topics: HashMap::new(), parked: 0 }
    }
}

impl<T> LongPolls<T> {
    pub(crate) fn len(&self) -> usize {
        self.parked
    }

    pub(crate) fn park(&mut self, topic: &str, queue: i32, pull: Parked<T>) {
        if !self.topics.contains_key(topic) {
            self.topics.insert(topic.to_owned(), Queues::new());
        }
        if let Some(queues) = self.topics.get_mut(topic) {
            queues.entry(queue).or_default().push(pull);
            self.parked += 1;
        }
    }

    /// Takes out the pulls that the message satisfies; a filter that refuses its tag leaves the pull parked.
    pub(crate) fn arrived(&mut self, arrival: Arrival<'_>) -> Vec<Parked<T>> {
        self.take_from(arrival.topic, arrival.queue, |pull| {
            arrival.max_offset > pull.wanted && pull.filter.may_match_tag(arrival.tags_code)
        })
    }

    /// Takes out the pulls of a queue that wait for less than `max_offset`.
    pub(crate) fn take_queue(&mut self, topic: &str, queue: i32, max_offset: i64) -> Vec<Parked<T>> {
        self.take_from(topic, queue, |pull| max_offset > pull.wanted)
    }

    fn take_from(&mut self, topic: &str, queue: i32, wakes: impl Fn(&Parked<T>) -> bool) -> Vec<Parked<T>> {
        let Some(waiting) = self.topics.get_mut(topic).and_then(|queues| queues.get_mut(&queue)) else {
            return Vec::new();
        };
        let woken: Vec<_> = waiting.extract_if(.., |pull| wakes(pull)).collect();
        self.parked -= woken.len();
        woken
    }

    /// Takes out every pull for which `due` says so. `due` gets topic, queue and the pull.
    pub(crate) fn take(&mut self, mut due: impl FnMut(&str, i32, &Parked<T>) -> bool) -> Vec<Parked<T>> {
        let mut taken = Vec::new();
        self.topics.retain(|topic, queues| {
            queues.retain(|queue, waiting| {
                taken.extend(waiting.extract_if(.., |pull| due(topic, *queue, pull)));
                !waiting.is_empty()
            });
            !queues.is_empty()
        });
        self.parked -= taken.len();
        taken
    }

    /// Takes out the pulls whose time is over.
    pub(crate) fn expired(&mut self, now: i64) -> Vec<Parked<T>> {
        self.take(|_, _, pull| pull.deadline <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parked(wanted: i64, filter: Filter, deadline: i64) -> Parked<&'static str> {
        Parked { pull: "pull", wanted, filter, deadline }
    }

    fn arrival(max_offset: i64, tags_code: i64) -> Arrival<'static> {
        Arrival { topic: "t", queue: 0, max_offset, tags_code }
    }

    #[test]
    fn a_message_wakes_the_pulls_whose_offset_and_tag_it_meets() {
        let mut polls = LongPolls::default();
        polls.park("t", 0, parked(5, Filter::All, 100));
        polls.park("t", 0, parked(9, Filter::All, 100));
        polls.park("t", 0, parked(5, Filter::tags([42]), 100));
        polls.park("t", 1, parked(0, Filter::All, 100));
        assert_eq!(polls.arrived(arrival(6, 7)).len(), 1);
        assert_eq!(polls.arrived(arrival(7, 42)).len(), 1);
        assert_eq!(polls.len(), 2);
        assert!(polls.arrived(arrival(8, 42)).is_empty());
    }

    #[test]
    fn time_ends_every_wait() {
        let mut polls = LongPolls::default();
        polls.park("t", 0, parked(5, Filter::All, 100));
        polls.park("u", 3, parked(5, Filter::All, 200));
        assert!(polls.expired(99).is_empty());
        assert_eq!(polls.expired(100).len(), 1);
        assert_eq!(polls.len(), 1);
        assert_eq!(polls.take(|topic, _, _| topic == "u").len(), 1);
        assert!(polls.topics.is_empty());
    }
}
