//! Deadlines that no clock overflows at.

use std::ops::Add;
use std::time::Duration;

/// Longest wait: 30 years. It replaces every longer one, because `Duration::MAX` means a wait without end and no clock
/// can be moved on by that much.
pub const LONGEST_WAIT: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// Returns the time `wait` after `begun`, at most [`LONGEST_WAIT`] after it. Works with instants of any clock.
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
    begun + wait.min(LONGEST_WAIT)
}
