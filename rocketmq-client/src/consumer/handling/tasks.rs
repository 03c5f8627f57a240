//! The tasks in which handlers run: after a stop they end by themselves, or are cut at a deadline.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Holds the tasks of one consumer's handlers.
#[derive(Debug, Default)]
pub(crate) struct HandlerTasks {
    /// Cancelled when no further handler may start.
    stopped: CancellationToken,
    /// Cancelled when the handlers that run are cut.
    aborted: CancellationToken,
    running: TaskTracker,
}

impl HandlerTasks {
    /// Runs `work` in a task until it is done or cut.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let aborted = self.aborted.clone();
        self.running.spawn(async move {
            tokio::select! { () = work => {}, () = aborted.cancelled() => {} }
        });
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.is_cancelled()
    }

    /// Waits for [`stop`](Self::stop).
    pub(crate) async fn until_stopped(&self) {
        self.stopped.cancelled().await;
    }

    /// Lets no further handler start.
    pub(crate) fn stop(&self) {
        self.stopped.cancel();
        self.running.close();
    }

    /// Waits for running handlers after [`stop`](Self::stop), and cuts the rest at the deadline. Returns `true` when all
    /// finished by themselves.
    pub(crate) async fn drained(&self, deadline: Duration) -> bool {
        let finished = tokio::time::timeout(deadline, self.running.wait()).await.is_ok();
        self.aborted.cancel();
        finished
    }

    /// Stops, and cuts every handler now.
    pub(crate) fn abort(&self) {
        self.stop();
        self.aborted.cancel();
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn work_that_ends_by_itself_is_waited_for() {
        let tasks = HandlerTasks::default();
        tasks.spawn(async {});
        tasks.stop();
        assert!(tasks.is_stopped() && tasks.drained(Duration::from_secs(60)).await);
    }

    #[tokio::test]
    async fn work_without_an_end_is_cut_at_the_deadline() {
        let tasks = HandlerTasks::default();
        tasks.spawn(pending());
        tasks.stop();
        assert!(!tasks.drained(Duration::ZERO).await);
        assert!(tasks.drained(Duration::from_secs(60)).await, "the cut task is gone");
    }

    #[tokio::test]
    async fn abort_stops_and_cuts() {
        let tasks = HandlerTasks::default();
        tasks.spawn(pending());
        tasks.abort();
        assert!(tasks.is_stopped() && tasks.drained(Duration::from_secs(60)).await);
    }
}
