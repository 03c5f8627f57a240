//! Work in the background: it ends with the broker, and waits for the disk away from the threads that serve connections.

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::{self, Clock};

/// Runs `work` until it is done or the broker stops.
pub(crate) async fn until(stop: CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}

/// Runs work that reads or writes files; `None` when it was interrupted. A broker that stops waits for its end.
pub(crate) async fn blocking<T: Send + 'static>(
    tasks: &TaskTracker,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let done = tasks.spawn_blocking(work).await;
    done.inspect_err(|error| tracing::error!(%error, "work in the background was interrupted")).ok()
}

/// Runs work that reads or writes files, and does not wait for its end: others need not wait for the disk. A broker that
/// stops waits for it.
pub(crate) fn beside(tasks: &TaskTracker, work: impl FnOnce() + Send + 'static) {
    drop(tasks.spawn_blocking(work));
}

/// Runs `work` for ever: again at the time that it returns, and as soon as `woken` completes. It runs [`blocking`] unless
/// `is_at_hand` says that the next round finds everything in memory: a change of threads for each new message would cost more
/// than the round.
pub(crate) async fn rounds<W: Future<Output = ()>>(
    tasks: &TaskTracker,
    clock: &dyn Clock,
    is_at_hand: impl Fn() -> bool,
    work: impl Fn() -> Option<i64> + Clone + Send + 'static,
    woken: impl Fn() -> W,
) {
    loop {
        let next = if is_at_hand() {
            tokio::task::yield_now().await;
            work()
        } else {
            blocking(tasks, work.clone()).await.flatten()
        };
        tokio::select! {
            () = clock::wait_until(clock, next) => {}
            () = woken() => {}
        }
    }
}
