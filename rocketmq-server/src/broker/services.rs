//! What the broker does by the clock, each as a loop that ends with the broker.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::clients::heartbeat;
use super::core::Core;
use super::persist::tables::persist;
use super::pull::message::{Pull, resume};
use super::settings::millis;
use super::transaction::CheckRound;
use super::{delay, pop, timer};

/// How often parked pulls are held against the clock.
const EXPIRY_STEP: Duration = Duration::from_millis(500);
/// How often they are held against the ends of their queues.
const RECHECK: i64 = 5_000;
const SAMPLE: Duration = Duration::from_secs(1);
const MEMBER_SCAN: Duration = Duration::from_secs(10);
/// How often the files of access rules are looked at, as in Apache.
const RULES_SCAN: Duration = Duration::from_secs(5);

/// Starts every loop.
pub fn start(
    core: &Arc<Core>,
    woken: mpsc::UnboundedReceiver<Pull>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    tasks.spawn(until(stop.clone(), resume_pulls(core.clone(), woken)));
    tasks.spawn(until(stop.clone(), watch_pulls(core.clone())));
    tasks.spawn(until(stop.clone(), every(core.clone(), MEMBER_SCAN, heartbeat::expire_members)));
    tasks.spawn(until(stop.clone(), every(core.clone(), SAMPLE, |core| core.stats.sample(core.now()))));
    tasks.spawn(until(stop.clone(), save_tables(core.clone())));
    tasks.spawn(until(stop.clone(), check_transactions(core.clone())));
    tasks.spawn(until(stop.clone(), deliver_delayed(core.clone())));
    if core.acl.has_files() {
        tasks.spawn(until(stop.clone(), every(core.clone(), RULES_SCAN, |core| core.acl.reload())));
    }
    pop::start(core, tasks, stop);
    if core.settings.timers {
        tasks.spawn(until(stop.clone(), deliver_timers(core.clone())));
    }
}

async fn until(stop: CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}

async fn every(core: Arc<Core>, interval: Duration, work: fn(&Core)) {
    let mut at = core.now();
    loop {
        at = next_time(&core, at, interval).await;
        work(&core);
    }
}

/// Waits until `interval` after `last` and returns the time then. However long the work took, a clock that was moved
/// meanwhile counts; rounds missed are not made up for. A clock that is set back delays no round.
async fn next_time(core: &Core, last: i64, interval: Duration) -> i64 {
    tokio::select! {
        () = core.clock.sleep_until(last.saturating_add(millis(interval))) => {}
        () = core.clock.sleep(interval) => {}
    }
    core.now()
}

async fn save_tables(core: Arc<Core>) {
    let mut at = core.now();
    loop {
        at = next_time(&core, at, core.tuned().persist_interval).await;
        save(&core).await;
    }
}

/// Writing waits for the disk, which requests must not.
async fn save(core: &Arc<Core>) {
    let core = core.clone();
    if let Err(error) = tokio::task::spawn_blocking(move || persist(&core)).await {
        tracing::error!(%error, "saving the tables was interrupted");
    }
}

async fn check_transactions(core: Arc<Core>) {
    let mut at = core.now();
    loop {
        at = next_time(&core, at, core.tuned().transaction_check_interval).await;
        let round = CheckRound::begin(&core);
        while round.step(&core) {
            tokio::task::yield_now().await;
        }
        // A half that was appended again must not be asked about twice after a crash.
        save(&core).await;
    }
}

async fn resume_pulls(core: Arc<Core>, mut woken: mpsc::UnboundedReceiver<Pull>) {
    while let Some(pull) = woken.recv().await {
        resume(&core, &pull);
    }
}

async fn watch_pulls(core: Arc<Core>) {
    let mut next_recheck = core.now().saturating_add(RECHECK);
    loop {
        core.clock.sleep(EXPIRY_STEP).await;
        let now = core.now();
        core.parking.expire(now);
        let set_back = now.saturating_add(RECHECK) < next_recheck;
        if now >= next_recheck || set_back {
            next_recheck = now.saturating_add(RECHECK);
            core.parking.recheck(|topic, queue| core.store.max_offset(topic, queue));
        }
    }
}

async fn deliver_delayed(core: Arc<Core>) {
    loop {
        let next = delay::deliver_due(&core);
        tokio::select! {
            () = sleep_until(&core, next) => {}
            () = core.delay.woken() => {}
        }
    }
}

async fn deliver_timers(core: Arc<Core>) {
    loop {
        let next = timer::deliver_due(&core);
        tokio::select! {
            () = sleep_until(&core, next) => {}
            () = core.timer.woken() => {}
        }
    }
}

/// Waits for a time, or for good when there is none. A time that has come still lets other tasks run.
pub(super) async fn sleep_until(core: &Core, at: Option<i64>) {
    match at {
        Some(at) if at <= core.clock.now_ms() => tokio::task::yield_now().await,
        Some(at) => core.clock.sleep_until(at).await,
        None => std::future::pending().await,
    }
}
