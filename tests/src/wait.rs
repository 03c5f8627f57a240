//! Waiting for conditions instead of for time.

use std::time::{Duration, Instant};

/// What takes longer than this on loopback does not happen at all; the margin is for a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How often a condition is looked at.
pub(crate) const POLL: Duration = Duration::from_millis(5);

/// Asks again and again until the answer is yes.
///
/// # Panics
/// When that has not come about within `limit`.
pub async fn eventually(what: &str, limit: Duration, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !is_so().await {
        assert!(Instant::now() < deadline, "within {limit:?} {what} did not come about");
        tokio::time::sleep(POLL).await;
    }
}
