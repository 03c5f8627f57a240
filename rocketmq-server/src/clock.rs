//! Time as a value: everything that waits or stamps asks a [`Clock`], so that a test moves time instead of sleeping.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tokio::time::Instant;

/// The future of a clock's waits. Dropping it cancels the wait and nothing else.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send + 'static>>;

/// The time of day and the waits that follow it.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Milliseconds since 1970-01-01 UTC.
    fn now_ms(&self) -> i64;

    /// Milliseconds that have passed since some moment. Nobody sets this forward or back: leases are measured by it.
    fn passed_ms(&self) -> i64;

    /// Completes when `now_ms()` has reached `at_ms`; at once when it already has.
    fn sleep_until(&self, at_ms: i64) -> Sleep;

    /// Completes after `duration` of this clock's time (rounded up to a millisecond).
    fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(self.now_ms().saturating_add(millis(duration)))
    }
}

/// The machine's clock. Its waits need a tokio runtime with timers.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Clock for System {
    fn now_ms(&self) -> i64 {
        // A clock set before 1970 reads as 1970: nothing else is representable in the protocol either.
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis_floor)
    }

    fn passed_ms(&self) -> i64 {
        static BEGIN: OnceLock<Instant> = OnceLock::new();
        millis(BEGIN.get_or_init(Instant::now).elapsed())
    }

    /// Follows the time of day: when somebody sets it, this is noticed within a second.
    fn sleep_until(&self, at_ms: i64) -> Sleep {
        Box::pin(until(at_ms, || System.now_ms()))
    }

    /// Follows the monotonic clock: a jump of the time of day neither shortens nor prolongs it.
    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// The time for which a wait for a time of day trusts the monotonic clock, in milliseconds.
const LOOK_EVERY_MS: i64 = 1_000;

async fn until(at_ms: i64, now_ms: impl Fn() -> i64) {
    loop {
        let left = at_ms.saturating_sub(now_ms());
        if left <= 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(left.min(LOOK_EVERY_MS).unsigned_abs())).await;
    }
}

/// A clock that stands still until it is told to move. Clones share one time.
///
/// As on a machine, [`sleep`](Clock::sleep) takes the time that passes ([`advance`](Self::advance)) and does not mind that
/// the time of day is [`set`](Self::set).
///
/// ```
/// use std::time::Duration;
/// use rocketmq_server::clock::{Clock, Manual};
///
/// let clock = Manual::new(1_700_000_000_000);
/// clock.advance(Duration::from_secs(7200));
/// assert_eq!(clock.now_ms(), 1_700_007_200_000);
/// ```
#[derive(Debug, Clone)]
pub struct Manual {
    time: watch::Sender<Time>,
}

/// Milliseconds.
#[derive(Debug, Clone, Copy)]
struct Time {
    of_day: i64,
    passed: i64,
}

impl Manual {
    /// A clock that shows `now_ms` (milliseconds since 1970).
    pub fn new(now_ms: i64) -> Self {
        Self { time: watch::Sender::new(Time { of_day: now_ms, passed: 0 }) }
    }

    /// Moves forward and wakes every sleeper whose time has come.
    pub fn advance(&self, by: Duration) {
        self.time.send_modify(|time| {
            time.of_day = time.of_day.saturating_add(millis(by));
            time.passed = time.passed.saturating_add(millis(by));
        });
    }

    /// Sets the time of day, forwards or backwards, as an operator setting the machine's clock would.
    pub fn set(&self, now_ms: i64) {
        self.time.send_modify(|time| time.of_day = now_ms);
    }

    fn sleep_while(&self, waits: impl Fn(Time) -> bool + Send + Sync + 'static) -> Sleep {
        let mut time = self.time.subscribe();
        Box::pin(async move {
            if time.wait_for(|time| !waits(*time)).await.is_err() {
                // The clock is gone, so its time will never come.
                std::future::pending::<()>().await;
            }
        })
    }
}

impl Clock for Manual {
    fn now_ms(&self) -> i64 {
        self.time.borrow().of_day
    }

    fn passed_ms(&self) -> i64 {
        self.time.borrow().passed
    }

    fn sleep_until(&self, at_ms: i64) -> Sleep {
        self.sleep_while(move |time| time.of_day < at_ms)
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let end = self.time.borrow().passed.saturating_add(millis(duration));
        self.sleep_while(move |time| time.passed < end)
    }
}

/// A clock that runs as the machine's does and can be moved forward besides. Clones share one time.
///
/// ```
/// # use std::time::Duration;
/// use rocketmq_server::clock::{Clock, Shifted, System};
///
/// let clock = Shifted::default();
/// clock.advance(Duration::from_secs(7200));
/// assert!(clock.now_ms() >= System.now_ms() + 7_199_000);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Shifted {
    ahead_ms: watch::Sender<i64>,
}

impl Shifted {
    /// Jumps forward and wakes every sleeper whose time has come.
    pub fn advance(&self, by: Duration) {
        self.ahead_ms.send_modify(|ahead| *ahead = ahead.saturating_add(millis(by)));
    }
}

impl Clock for Shifted {
    fn now_ms(&self) -> i64 {
        System.now_ms().saturating_add(*self.ahead_ms.borrow())
    }

    fn passed_ms(&self) -> i64 {
        System.passed_ms().saturating_add(*self.ahead_ms.borrow())
    }

    fn sleep_until(&self, at_ms: i64) -> Sleep {
        let mut ahead = self.ahead_ms.subscribe();
        Box::pin(async move {
            loop {
                let due = at_ms.saturating_sub(*ahead.borrow_and_update());
                tokio::select! {
                    () = System.sleep_until(due) => return,
                    moved = ahead.changed() => {
                        if moved.is_err() {
                            // Nobody can move this clock any more; from here on it only runs.
                            return System.sleep_until(due).await;
                        }
                    }
                }
            }
        })
    }

    /// Follows the monotonic clock and the jumps of this one.
    fn sleep(&self, duration: Duration) -> Sleep {
        let mut ahead = self.ahead_ms.subscribe();
        let started = Instant::now();
        let end = millis(duration).saturating_add(*ahead.borrow());
        Box::pin(async move {
            loop {
                let left = end.saturating_sub(*ahead.borrow_and_update()).max(0);
                let rest = Duration::from_millis(left.unsigned_abs()).saturating_sub(started.elapsed());
                tokio::select! {
                    () = tokio::time::sleep(rest) => return,
                    moved = ahead.changed() => {
                        if moved.is_err() {
                            return tokio::time::sleep(rest).await;
                        }
                    }
                }
            }
        })
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX)
}

fn millis_floor(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Waits for a time, or for good when there is none. A time that has come still lets other tasks run.
pub async fn wait_until(clock: &dyn Clock, at: Option<i64>) {
    match at {
        Some(at) if at <= clock.now_ms() => tokio::task::yield_now().await,
        Some(at) => clock.sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn advancing_wakes_those_whose_time_has_come() {
        let clock = Manual::new(1_000);
        let soon = tokio::spawn(clock.sleep(Duration::from_millis(5)));
        let mut later = clock.sleep_until(2_000);

        clock.advance(Duration::from_millis(5));
        soon.await.unwrap();
        assert!((&mut later).now_or_never().is_none());

        clock.set(2_000);
        later.await;
    }

    #[tokio::test]
    async fn what_takes_its_time_does_not_mind_the_time_of_day() {
        let clock = Manual::new(10_000);
        let mut sleep = clock.sleep(Duration::from_secs(5));
        clock.set(20_000);
        assert!((&mut sleep).now_or_never().is_none());
        clock.set(0);
        clock.advance(Duration::from_secs(5));
        sleep.await;
    }

    #[tokio::test]
    async fn a_time_already_past_does_not_wait() {
        Manual::new(10).sleep_until(10).await;
        System.sleep_until(0).await;
    }

    #[tokio::test]
    async fn a_wait_outlives_the_handle_that_made_it() {
        let clock = Manual::new(0);
        let sleep = clock.clone().sleep(Duration::from_millis(1));
        clock.advance(Duration::from_millis(1));
        sleep.await;
    }

    #[tokio::test]
    async fn a_shifted_clock_runs_and_jumps() {
        let clock = Shifted::default();
        let mut far = clock.sleep(Duration::from_secs(3600));
        clock.sleep(Duration::from_millis(1)).await;
        assert!((&mut far).now_or_never().is_none());
        clock.advance(Duration::from_secs(3600));
        far.await;
    }

    /// A time of day that was set, as the system's can be: nobody is told.
    fn wall(started: Instant, set_to: &std::cell::Cell<i64>) -> i64 {
        set_to.get() + millis_floor(started.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_notices_within_a_second_that_the_time_was_set() {
        let (started, set_to) = (Instant::now(), std::cell::Cell::new(10_000_000));
        let mut wait = Box::pin(until(10_003_000, || wall(started, &set_to)));
        let after = |seconds| tokio::time::sleep_until(started + Duration::from_secs(seconds));
        for (second, set) in [(1, 10_000_000 - 3_600_000), (5, 10_000_000)] {
            tokio::select! { () = &mut wait => panic!("too early"), () = after(second) => set_to.set(set) }
        }
        wait.await;
        assert!(
            started.elapsed() <= Duration::from_secs(6),
            "its time had come when the clock was put right"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_to_the_millisecond() {
        let (started, set_to) = (Instant::now(), std::cell::Cell::new(0));
        until(2_345, || wall(started, &set_to)).await;
        assert_eq!(started.elapsed(), Duration::from_millis(2_345));
    }

    #[test]
    fn durations_round_up() {
        assert_eq!(millis(Duration::from_micros(1)), 1);
        assert_eq!(millis(Duration::MAX), i64::MAX);
    }

    #[test]
    fn the_system_clock_shows_this_century() {
        assert!(System.now_ms() > 1_700_000_000_000);
    }
}
