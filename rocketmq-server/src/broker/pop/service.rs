//! The loops of POP, which end with the broker: they follow the clock and new messages.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::parking::Woken;
use super::parts::Parts;
use super::{notification, popping, revive};
use crate::broker::background::{rounds, until};
use crate::clock;

/// Starts every loop.
pub(crate) fn start(parts: &Arc<Parts>, tasks: &TaskTracker, stop: &CancellationToken) {
    if let Some(woken) = parts.state.take_woken() {
        tasks.spawn(until(stop.clone(), resume_woken(parts.clone(), woken, tasks.clone())));
    }
    tasks.spawn(until(stop.clone(), end_waits(parts.clone())));
    // Without timers nothing new is popped, but messages popped before they were switched off come again.
    tasks.spawn(until(stop.clone(), revive_due(parts.clone(), tasks.clone())));
}

async fn resume_woken(parts: Arc<Parts>, mut woken: mpsc::UnboundedReceiver<Woken>, tasks: TaskTracker) {
    while let Some(woken) = woken.recv().await {
        match woken {
            Woken::Pop(call) => popping::resume(&parts, call, &tasks),
            Woken::Notification(call) => notification::resume(&parts, call),
        }
        // A pop that looks past a long stretch of unwanted messages comes back at once, again and again.
        tokio::task::yield_now().await;
    }
}

/// Ends waits whose time is over, and tells waiters of queues that an ordered pop no longer blocks.
async fn end_waits(parts: Arc<Parts>) {
    let mut seen = parts.log.now();
    loop {
        let deadline = parts.state.parking.next_deadline();
        let next = [deadline, parts.state.orders.next_free(seen)].into_iter().flatten().min();
        tokio::select! {
            () = clock::wait_until(&*parts.log.clock, next) => {}
            () = parts.state.parking.deadlines.notified() => {}
        }
        let now = parts.log.now();
        for (topic, group, queue) in parts.state.orders.freed(seen, now) {
            parts.state.parking.ready(&topic, &group, queue);
        }
        seen = now;
        parts.state.parking.expire(now);
    }
}

async fn revive_due(parts: Arc<Parts>, tasks: TaskTracker) {
    let reviving = parts.clone();
    let revive = move || revive::run(&reviving);
    let is_at_hand = || revive::is_at_hand(&parts);
    rounds(&tasks, &*parts.log.clock, is_at_hand, revive, || parts.state.revival.woken()).await;
}
