//! [`Clock`]: where a client takes the time of day from.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rocketmq_remoting::net::LONGEST_WAIT;

/// A time as requests say it, in ms since the epoch.
pub(crate) fn to_ms(time: SystemTime) -> i64 {
    let ms = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// As requests say it, in ms. What is meant to be without end stays so far from the largest number that a broker can add it
/// to the time of day.
pub(crate) fn millis(duration: Duration) -> i64 {
    duration.min(LONGEST_WAIT).as_millis() as i64
}

/// The time of day as a client sees it: it stamps messages and traces with it, and knows by it that the lock of a queue or
/// the time of a popped message is over, and that nothing pulled a queue for two minutes, which is then begun anew. Default:
/// the machine's.
///
/// Waits (timeouts, intervals, pauses) do not ask it, they are tokio's.
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
    /// A clock that says what `now` returns.
    pub fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(now)))
    }

    /// What it says.
    pub fn now(&self) -> SystemTime {
        match &self.0 {
            None => SystemTime::now(),
            Some(now) => now(),
        }
    }

    /// In ms since the epoch; before it, 0.
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
