//! The work that the broker does by the clock: loops that end with the broker.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::background::{blocking, rounds, until};
use super::clients::heartbeat::expire_members;
use super::persist::tables::persist;
use super::pull::message::resume;
use super::restart::{Domains, WokenPulls};
use super::settings::millis;
use super::transaction::CheckRound;
use super::{delay, persist, pop, pull, timer, transaction};
use crate::clock::Clock;

/// The interval in which parked pulls are compared with the clock.
const EXPIRY_STEP: Duration = Duration::from_millis(500);
/// The interval in which they are compared with the ends of their queues, in milliseconds.
const RECHECK: i64 = 5_000;
const SAMPLE: Duration = Duration::from_secs(1);
const MEMBER_SCAN: Duration = Duration::from_secs(10);
/// The interval in which the files of access rules are looked at, as in Apache.
const RULES_SCAN: Duration = Duration::from_secs(5);

/// Starts every loop.
pub(crate) fn start(domains: &Domains, woken: WokenPulls, tasks: &TaskTracker, stop: &CancellationToken) {
    let Domains { pull, clients, persist, transaction, delay, timer, pop, acl, .. } = domains;
    let log = &clients.log;
    tasks.spawn(until(stop.clone(), resume_pulls(pull.clone(), woken, tasks.clone())));
    tasks.spawn(until(stop.clone(), watch_pulls(pull.clone())));
    let clock = log.clock.clone();
    let members = clients.clone();
    tasks.spawn(until(stop.clone(), every(clock.clone(), MEMBER_SCAN, move || expire_members(&members))));
    let stats = log.clone();
    tasks.spawn(until(stop.clone(), every(clock.clone(), SAMPLE, move || stats.stats.sample(stats.now()))));
    tasks.spawn(until(stop.clone(), save_tables(persist.clone(), tasks.clone())));
    tasks.spawn(until(stop.clone(), check_transactions(transaction.clone(), persist.clone(), tasks.clone())));
    tasks.spawn(until(stop.clone(), deliver_delayed(delay.clone(), tasks.clone())));
    if acl.has_files() {
        let acl = acl.clone();
        tasks.spawn(until(stop.clone(), every(clock, RULES_SCAN, move || acl.reload())));
    }
    pop::start(pop, tasks, stop);
    // Also without timers: those that were accepted before they were switched off are delivered.
    tasks.spawn(until(stop.clone(), deliver_timers(timer.clone(), tasks.clone())));
}

async fn every(clock: Arc<dyn Clock>, interval: Duration, work: impl Fn()) {
    let mut at = clock.now_ms();
    loop {
        at = next_time(&*clock, at, interval).await;
        work();
    }
}

/// Waits until `interval` after `last` and returns the time then. However long the work took, a clock that was moved
/// meanwhile counts; rounds missed are not made up for. A clock that is set back delays no round.
async fn next_time(clock: &dyn Clock, last: i64, interval: Duration) -> i64 {
    tokio::select! {
        () = clock.sleep_until(last.saturating_add(millis(interval))) => {}
        () = clock.sleep(interval) => {}
    }
    clock.now_ms()
}

async fn save_tables(parts: Arc<persist::Parts>, tasks: TaskTracker) {
    let mut at = parts.log.now();
    loop {
        at = next_time(&*parts.log.clock, at, parts.log.settings.live().persist_interval).await;
        save(&parts, &tasks).await;
    }
}

/// Writing waits for the disk, which requests must not.
async fn save(parts: &Arc<persist::Parts>, tasks: &TaskTracker) {
    let parts = parts.clone();
    blocking(tasks, move || persist(&parts)).await;
}

async fn check_transactions(parts: Arc<transaction::Parts>, tables: Arc<persist::Parts>, tasks: TaskTracker) {
    let mut at = parts.log.now();
    loop {
        let interval = parts.settings.live().transaction_check_interval;
        at = next_time(&*parts.log.clock, at, interval).await;
        let round = CheckRound::begin(&parts);
        while check_some(&round, &parts, &tasks).await {}
        // A half that was appended again must not be asked about twice after a crash.
        save(&tables, &tasks).await;
    }
}

/// Makes a step of a round; true when there are more.
async fn check_some(round: &CheckRound, parts: &Arc<transaction::Parts>, tasks: &TaskTracker) -> bool {
    let (round, parts) = (round.clone(), parts.clone());
    blocking(tasks, move || round.step(&parts)).await.unwrap_or(false)
}

async fn resume_pulls(parts: Arc<pull::Parts>, mut woken: WokenPulls, tasks: TaskTracker) {
    while let Some(pull) = woken.recv().await {
        resume(&parts, pull, &tasks);
    }
}

async fn watch_pulls(parts: Arc<pull::Parts>) {
    let mut next_recheck = parts.log.now().saturating_add(RECHECK);
    loop {
        parts.log.clock.sleep(EXPIRY_STEP).await;
        let now = parts.log.now();
        parts.parking.expire(now);
        let set_back = now.saturating_add(RECHECK) < next_recheck;
        if now >= next_recheck || set_back {
            next_recheck = now.saturating_add(RECHECK);
            parts.parking.recheck(|topic, queue| parts.log.store.max_offset(topic, queue));
        }
    }
}

async fn deliver_delayed(parts: Arc<delay::Parts>, tasks: TaskTracker) {
    let delivering = parts.clone();
    let deliver = move || delay::deliver_due(&delivering);
    rounds(&tasks, &*parts.log.clock, || false, deliver, || parts.progress.woken()).await;
}

async fn deliver_timers(parts: Arc<timer::Parts>, tasks: TaskTracker) {
    let delivering = parts.clone();
    let deliver = move || timer::deliver_due(&delivering);
    let is_at_hand = || timer::is_at_hand(&parts);
    rounds(&tasks, &*parts.log.clock, is_at_hand, deliver, || parts.state.woken()).await;
}
