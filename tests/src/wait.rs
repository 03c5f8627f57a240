//! Waits for conditions instead of for time.

use std::time::{Duration, Instant};

/// Longest wait. On loopback everything happens sooner or never; the margin is for a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Interval between two looks at a condition.
pub(crate) const POLL: Duration = Duration::from_millis(5);

/// Evaluates the condition repeatedly until it is true.
///
/// # Panics
/// Panics if it is still false after `limit`.
pub async fn eventually(what: &str, limit: Duration, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !is_so().await {
        assert!(Instant::now() < deadline, "within {limit:?} {what} did not come about");
        tokio::time::sleep(POLL).await;
    }
}
