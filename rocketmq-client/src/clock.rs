//! [`Clock`]: a client's source of the time of day.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rocketmq_remoting::net::LONGEST_WAIT;
pub(crate) use tokio::time::Instant;

/// Returns this moment by the runtime's clock, for deadlines and measurements. A test stops that clock and moves it by
/// hand.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// Converts a time of day for a request: ms since the epoch; 0 before it.
pub(crate) fn to_ms(time: SystemTime) -> i64 {
    let ms = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// Converts a duration for a request, in ms. It caps `Duration::MAX` below `i64::MAX` ms: brokers add the timeout to
/// the current time.
pub(crate) fn millis(duration: Duration) -> i64 {
    duration.min(LONGEST_WAIT).as_millis() as i64
}

/// Tells a client the time of day. Default: the machine's time.
///
/// The client stamps messages and traces with this time. It also decides by it when the lock of a queue expires, when a
/// popped message expires, and when a queue without pulls for two minutes has to start anew.
///
/// Timeouts, intervals and pauses do not use this clock; they use tokio's.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use std::sync::Arc;
/// use std::time::{Duration, UNIX_EPOCH};
///
/// use rocketmq_client::Clock;
///
/// let seconds = Arc::new(AtomicU64::new(1_700_000_000));
/// let told = seconds.clone();
/// let clock = Clock::new(move || UNIX_EPOCH + Duration::from_secs(told.load(Ordering::Relaxed)));
/// seconds.fetch_add(60, Ordering::Relaxed);
/// assert_eq!(clock.now(), UNIX_EPOCH + Duration::from_secs(1_700_000_060));
/// ```
#[derive(Clone, Default)]
pub struct Clock(Option<Arc<dyn Fn() -> SystemTime + Send + Sync>>);

impl Clock {
    /// Makes a clock that calls `now` for the time.
    ///
    /// ```
    /// use std::time::{Duration, UNIX_EPOCH};
    ///
    /// let clock = rocketmq_client::Clock::new(|| UNIX_EPOCH + Duration::from_secs(60));
    /// assert_eq!(clock.now(), UNIX_EPOCH + Duration::from_secs(60));
    /// ```
    pub fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(now)))
    }

    /// Returns the time of day.
    ///
    /// ```
    /// assert!(rocketmq_client::Clock::default().now() > std::time::UNIX_EPOCH);
    /// ```
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn now(&self) -> SystemTime {
        match &self.0 {
            None => SystemTime::now(),
            Some(now) => now(),
        }
    }

    /// Returns the time of day in ms since the epoch; 0 before it.
    pub(crate) fn now_ms(&self) -> i64 {
        self.now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_none() { "Clock(the machine's)" } else { "Clock(given)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_without_end_can_still_be_added_to_the_time_of_day() {
        assert_eq!(millis(Duration::from_secs(3)), 3_000);
        assert!(millis(Duration::MAX).checked_add(Clock::default().now_ms()).is_some());
    }
}
