//! What POP does by the clock and on arrival, each as a loop that ends with the broker.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::parking::Woken;
use super::{notification, popping, revive};
use crate::broker::core::Core;
use crate::broker::services::sleep_until;

/// Starts every loop.
pub fn start(core: &Arc<Core>, tasks: &TaskTracker, stop: &CancellationToken) {
    if let Some(woken) = core.pop.take_woken() {
        tasks.spawn(until(stop.clone(), resume_woken(core.clone(), woken)));
    }
    tasks.spawn(until(stop.clone(), end_waits(core.clone())));
    if core.settings.timers {
        tasks.spawn(until(stop.clone(), revive_due(core.clone())));
    }
}

async fn until(stop: CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}

async fn resume_woken(core: Arc<Core>, mut woken: mpsc::UnboundedReceiver<Woken>) {
    while let Some(woken) = woken.recv().await {
        match woken {
            Woken::Pop(call) => popping::resume(&core, call),
            Woken::Notification(call) => notification::resume(&core, call),
        }
        // A pop that looks past a long stretch of unwanted messages comes back at once, again and again.
        tokio::task::yield_now().await;
    }
}

/// Ends waits whose time is over, and tells waiters of queues that an ordered pop no longer blocks.
async fn end_waits(core: Arc<Core>) {
    let mut seen = core.now();
    loop {
        let deadline = core.pop.parking.next_deadline();
        let next = [deadline, core.pop.orders.next_free(seen)].into_iter().flatten().min();
        tokio::select! {
            () = sleep_until(&core, next) => {}
            () = core.pop.parking.deadlines.notified() => {}
        }
        let now = core.now();
        for (topic, group, queue) in core.pop.orders.freed(seen, now) {
            core.pop.parking.ready(&topic, &group, queue);
        }
        seen = seen.max(now);
        core.pop.parking.expire(now);
    }
}

async fn revive_due(core: Arc<Core>) {
    loop {
        let next = revive::run(&core);
        tokio::select! {
            () = sleep_until(&core, next) => {}
            () = core.pop.revival.woken() => {}
        }
    }
}
