//! Time as a value: everything that waits or stamps asks a [`Clock`], so that a test moves time instead of sleeping.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// What a clock's waits return. Dropping it cancels the wait and nothing else.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send + 'static>>;

/// The time of day and the waits that follow it.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Milliseconds since 1970-01-01 UTC.
    fn now_ms(&self) -> i64;

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

    fn sleep_until(&self, at_ms: i64) -> Sleep {
        let wait = at_ms.saturating_sub(self.now_ms()).max(0);
        self.sleep(Duration::from_millis(wait.unsigned_abs()))
    }

    /// Follows the monotonic clock: a jump of the time of day neither shortens nor prolongs it.
    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A clock that stands still until it is told to move. Clones share one time.
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
    now: watch::Sender<i64>,
}

impl Manual {
    /// A clock that shows `now_ms` (milliseconds since 1970).
    pub fn new(now_ms: i64) -> Self {
        Self { now: watch::Sender::new(now_ms) }
    }

    /// Moves forward and wakes every sleeper whose time has come.
    pub fn advance(&self, by: Duration) {
        self.now.send_modify(|now| *now = now.saturating_add(millis(by)));
    }

    /// Sets the time, forwards or backwards, as an operator setting the machine's clock would.
    pub fn set(&self, now_ms: i64) {
        self.now.send_replace(now_ms);
    }
}

impl Clock for Manual {
    fn now_ms(&self) -> i64 {
        *self.now.borrow()
    }

    fn sleep_until(&self, at_ms: i64) -> Sleep {
        let mut now = self.now.subscribe();
        Box::pin(async move {
            if now.wait_for(|now| *now >= at_ms).await.is_err() {
                // The clock is gone, so its time will never come.
                std::future::pending::<()>().await;
            }
        })
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
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX)
}

fn millis_floor(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
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
