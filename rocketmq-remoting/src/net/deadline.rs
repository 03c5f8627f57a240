//! When a wait is over.

use std::ops::Add;
use std::time::Duration;

/// The longest wait, thirty years: what a longer one (`Duration::MAX`: without end) counts as, because clocks cannot be
/// moved on by more than they can count.
pub const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// `wait` after `begun`, an instant of any clock, and at most [`FAR`] after it.
///
/// ```
/// use std::time::{Duration, Instant};
/// use rocketmq_remoting::net::deadline;
///
/// let begun = Instant::now();
/// assert_eq!(deadline(begun, Duration::from_secs(3)), begun + Duration::from_secs(3));
/// assert!(deadline(begun, Duration::MAX) > begun);
/// ```
pub fn deadline<I: Add<Duration, Output = I>>(begun: I, wait: Duration) -> I {
    begun + wait.min(FAR)
}
