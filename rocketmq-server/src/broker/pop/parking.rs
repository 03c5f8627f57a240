//! Parks empty pops and notifications: the tables of `polls`, and the channel through which they are woken.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc};

use super::calls::{NotificationCall, PopCall};
use super::polls::{Arrived, Polls, Waiter};
use super::settings::PopSettings;

/// A request whose wait is over: because something came, or because its time did.
#[derive(Debug)]
pub(crate) enum Woken {
    Pop(PopCall),
    Notification(NotificationCall),
}

/// The reason for which a request does not wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// Too many wait already.
    Full,
    /// It did not want to wait, or waited already.
    TimeOver,
}

/// This long before its deadline, in milliseconds, a request has waited long enough: its answer has to travel too.
const ANSWER_AHEAD: i64 = 50;

#[derive(Debug)]
struct Tables {
    pops: Polls<PopCall>,
    notifications: Polls<NotificationCall>,
}

impl Tables {
    fn len(&self) -> usize {
        self.pops.len() + self.notifications.len()
    }
}

/// Requests that wait. Appending asks it about every message, so with nobody waiting it costs one load.
#[derive(Debug)]
pub(crate) struct PopParking {
    tables: Mutex<Tables>,
    waiting: AtomicUsize,
    woken: mpsc::UnboundedSender<Woken>,
    /// An earlier deadline than before may have been set.
    pub deadlines: Notify,
}

impl PopParking {
    /// Returns the parking, and the end at which woken requests come out. A request in the channel waited before, so the limit
    /// on parked requests bounds the channel too.
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Woken>) {
        let (woken, receiver) = mpsc::unbounded_channel();
        let tables = Tables { pops: Polls::new(false), notifications: Polls::new(true) };
        let parking = Self {
            tables: Mutex::new(tables),
            waiting: AtomicUsize::new(0),
            woken,
            deadlines: Notify::new(),
        };
        (parking, receiver)
    }

    /// Returns the deadline of a request that wants to wait from `born` for `poll_time`, or the reason against it.
    pub(crate) fn room_for(
        &self,
        (topic, group, queue): (&str, &str, i32),
        (born, poll_time): (i64, i64),
        now: i64,
        limits: &PopSettings,
    ) -> Result<i64, NoRoom> {
        let deadline = born.saturating_add(poll_time).saturating_sub(ANSWER_AHEAD);
        if poll_time <= 0 {
            return Err(NoRoom::TimeOver);
        }
        let tables = self.tables.lock();
        if tables.len() >= limits.waiting {
            return Err(NoRoom::Full);
        }
        if now >= deadline {
            return Err(NoRoom::TimeOver);
        }
        let waiting =
            tables.pops.len_of(topic, group, queue) + tables.notifications.len_of(topic, group, queue);
        if waiting > limits.waiting_per_queue { Err(NoRoom::Full) } else { Ok(deadline) }
    }

    /// Lets a pop wait.
    pub(crate) fn park_pop(&self, call: PopCall, deadline: i64) {
        let request = &call.request;
        let (topic, group, queue) = (request.topic.clone(), request.consumer_group.clone(), request.queue_id);
        let waiter = Waiter { filter: call.filter.clone(), deadline, call };
        self.park(|tables| tables.pops.park(&topic, &group, queue, waiter));
    }

    /// Lets a notification wait.
    pub(crate) fn park_notification(&self, call: NotificationCall, deadline: i64) {
        let request = &call.request;
        let (topic, group, queue) = (request.topic.clone(), request.consumer_group.clone(), request.queue_id);
        let waiter = Waiter { filter: Default::default(), deadline, call };
        self.park(|tables| tables.notifications.park(&topic, &group, queue, waiter));
    }

    fn park(&self, park: impl FnOnce(&mut Tables)) {
        {
            let mut tables = self.tables.lock();
            park(&mut tables);
            self.waiting.store(tables.len(), Ordering::SeqCst);
        }
        self.deadlines.notify_one();
    }

    /// A message became readable.
    pub(crate) fn arrived(&self, arrived: Arrived<'_>) {
        self.wake(|tables| (tables.pops.arrived(arrived), tables.notifications.arrived(arrived)));
    }

    /// Wakes one of each kind that waits for a queue: it may have something for them.
    pub(crate) fn ready(&self, topic: &str, group: &str, queue: i32) {
        self.wake(|tables| {
            let pop = tables.pops.ready(topic, group, queue);
            let notification = tables.notifications.ready(topic, group, queue);
            (pop.into_iter().collect(), notification.into_iter().collect())
        });
    }

    /// Wakes everyone whose time is over.
    pub(crate) fn expire(&self, now: i64) {
        self.wake(|tables| (tables.pops.expired(now), tables.notifications.expired(now)));
    }

    /// When the next wait ends.
    pub(crate) fn next_deadline(&self) -> Option<i64> {
        if self.waiting.load(Ordering::SeqCst) == 0 {
            return None;
        }
        let tables = self.tables.lock();
        [tables.pops.next_deadline(), tables.notifications.next_deadline()].into_iter().flatten().min()
    }

    /// Pops that wait for exactly this.
    pub(crate) fn pops_of(&self, topic: &str, group: &str, queue: i32) -> usize {
        self.tables.lock().pops.len_of(topic, group, queue)
    }

    /// Forgets the requests of a closed connection: what they would be given would be hidden from others for nothing.
    pub(crate) fn forget(&self, connection: u64) {
        if self.waiting.load(Ordering::SeqCst) == 0 {
            return;
        }
        let gone = {
            let mut tables = self.tables.lock();
            let pops = tables.pops.take(|waiter| waiter.call.reply_to.connection.id() == connection);
            let notifications =
                tables.notifications.take(|waiter| waiter.call.reply_to.connection.id() == connection);
            self.waiting.store(tables.len(), Ordering::SeqCst);
            (pops, notifications)
        };
        drop(gone);
    }

    fn wake(&self, take: impl FnOnce(&mut Tables) -> (Vec<Waiter<PopCall>>, Vec<Waiter<NotificationCall>>)) {
        if self.waiting.load(Ordering::SeqCst) == 0 {
            return;
        }
        let (pops, notifications) = {
            let mut tables = self.tables.lock();
            let taken = take(&mut tables);
            self.waiting.store(tables.len(), Ordering::SeqCst);
            taken
        };
        let pops = pops.into_iter().map(|waiter| Woken::Pop(waiter.call));
        let notifications = notifications.into_iter().map(|waiter| Woken::Notification(waiter.call));
        for woken in pops.chain(notifications) {
            // The receiver is gone only when the broker is: nobody waits for an answer then.
            let _ = self.woken.send(woken);
        }
    }
}
