//! Parks empty pulls and wakes them: the table of `long_poll`, and the channel through which woken pulls leave.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::long_poll::{Arrival, LongPolls, Parked};
use super::waiting::Pull;

/// Pulls that wait. Appending asks it about every message, so with nothing parked it costs one load.
#[derive(Debug)]
pub(crate) struct PullParking {
    polls: Mutex<LongPolls<Pull>>,
    parked: AtomicUsize,
    woken: mpsc::UnboundedSender<Pull>,
}

impl PullParking {
    /// Returns the parking, and the end at which woken pulls come out. A pull in the channel was parked before, so the
    /// limit on parked pulls bounds the channel too.
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Pull>) {
        let (woken, receiver) = mpsc::unbounded_channel();
        let parking = Self { polls: Mutex::default(), parked: AtomicUsize::new(0), woken };
        (parking, receiver)
    }

    pub(crate) fn len(&self) -> usize {
        self.parked.load(Ordering::Relaxed)
    }

    /// Parks a pull until `deadline`.
    pub(crate) fn park(&self, pull: Pull, deadline: i64) {
        let parked =
            Parked { wanted: pull.request.queue_offset, filter: pull.filter.clone(), deadline, pull };
        let (topic, queue) = (parked.pull.request.topic.clone(), parked.pull.request.queue_id);
        let mut polls = self.polls.lock();
        polls.park(&topic, queue, parked);
        self.parked.store(polls.len(), Ordering::SeqCst);
    }

    /// A message became readable.
    pub(crate) fn arrived(&self, arrival: Arrival<'_>) {
        if self.parked.load(Ordering::SeqCst) == 0 {
            return;
        }
        self.change(|polls| polls.arrived(arrival));
    }

    /// Wakes every pull whose queue has grown beyond the offset it wants, also if its filter refuses the new messages. So a pull
    /// with a filter that refuses everything still moves on.
    pub(crate) fn recheck(&self, max_offset: impl Fn(&str, i32) -> i64) {
        self.change(|polls| polls.take(|topic, queue, parked| max_offset(topic, queue) > parked.wanted));
    }

    /// Wakes what waits for less than `max_offset` in one queue.
    pub(crate) fn recheck_queue(&self, topic: &str, queue: i32, max_offset: i64) {
        self.change(|polls| polls.take_queue(topic, queue, max_offset));
    }

    /// Wakes the pulls whose time is over.
    pub(crate) fn expire(&self, now: i64) {
        if self.len() > 0 {
            self.change(|polls| polls.expired(now));
        }
    }

    /// Wakes every pull of a topic.
    pub(crate) fn wake_topic(&self, topic: &str) {
        self.change(|polls| polls.take(|parked_topic, _, _| parked_topic == topic));
    }

    /// Forgets the pulls of a closed connection.
    pub(crate) fn forget(&self, connection: u64) {
        if self.len() == 0 {
            return;
        }
        let mut polls = self.polls.lock();
        let gone = polls.take(|_, _, parked| parked.pull.reply_to.connection.id() == connection);
        self.parked.store(polls.len(), Ordering::SeqCst);
        drop(polls);
        drop(gone);
    }

    fn change(&self, take: impl FnOnce(&mut LongPolls<Pull>) -> Vec<Parked<Pull>>) {
        let woken = {
            let mut polls = self.polls.lock();
            let woken = take(&mut polls);
            self.parked.store(polls.len(), Ordering::SeqCst);
            woken
        };
        for parked in woken {
            // The receiver is gone only when the broker is: nobody waits for an answer then.
            let _ = self.woken.send(parked.pull);
        }
    }
}
