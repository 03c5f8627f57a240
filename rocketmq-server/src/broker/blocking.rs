//! Work that waits for the disk, away from the threads that serve connections.

use tokio_util::task::TaskTracker;

/// Runs work that reads or writes files; `None` when it was interrupted. A broker that stops waits for its end.
pub(crate) async fn blocking<T: Send + 'static>(
    tasks: &TaskTracker,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let done = tasks.spawn_blocking(work).await;
    done.inspect_err(|error| tracing::error!(%error, "work in the background was interrupted")).ok()
}
