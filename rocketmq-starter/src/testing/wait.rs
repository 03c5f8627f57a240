//! Waits for a condition, and fails the test with what was seen instead.

use std::panic::Location;
use std::time::{Duration, Instant};

/// The interval between two looks.
const LOOK: Duration = Duration::from_millis(2);

/// The result of one look.
pub(super) enum Look<T> {
    Done(T),
    NotYet,
    /// Waiting does not help any more.
    Never,
}

/// Looks until the condition holds.
///
/// # Panics
/// Panics with `seen` when the condition cannot hold any more, or does not hold after `limit`.
pub(super) async fn until<T>(
    limit: Duration,
    place: &Location<'_>,
    mut look: impl FnMut() -> Look<T>,
    seen: impl Fn() -> String,
) -> T {
    // Real time, also in a test that stops tokio's: the cluster runs by it.
    let begun = Instant::now();
    loop {
        match look() {
            Look::Done(value) => return value,
            Look::NotYet if begun.elapsed() < limit => tokio::time::sleep(LOOK).await,
            Look::NotYet => panic!("{place}: after {limit:?} {}", seen()),
            Look::Never => panic!("{place}: {}", seen()),
        }
    }
}

/// Compares a number that only grows with the wanted one.
pub(super) fn compare(seen: u64, wanted: u64) -> Look<()> {
    match seen.cmp(&wanted) {
        std::cmp::Ordering::Less => Look::NotYet,
        std::cmp::Ordering::Equal => Look::Done(()),
        std::cmp::Ordering::Greater => Look::Never,
    }
}

/// `1 message`, `2 messages`.
pub(super) fn messages(count: u64) -> String {
    format!("{count} message{}", if count == 1 { "" } else { "s" })
}
