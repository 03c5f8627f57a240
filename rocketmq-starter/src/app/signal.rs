//! The signals that end an application.

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and Ctrl-C. They are kept from the moment of [`Signals::watch`] on, so that none is lost between two waits.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Option<Signal>,
    interrupt: Option<Signal>,
}

#[cfg(unix)]
impl Signals {
    /// Begins to watch. A signal that cannot be watched is logged, and never comes.
    pub(crate) fn watch() -> Self {
        let watched = |kind, name| {
            let signal = signal(kind);
            signal.inspect_err(|error| tracing::warn!(%error, "{name} cannot be watched")).ok()
        };
        Signals {
            terminate: watched(SignalKind::terminate(), "SIGTERM"),
            interrupt: watched(SignalKind::interrupt(), "Ctrl-C"),
        }
    }

    /// Waits for the next signal.
    ///
    /// Cancel safety: no signal is lost when the future is dropped.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            () = received(&mut self.terminate) => {}
            () = received(&mut self.interrupt) => {}
        }
    }
}

#[cfg(unix)]
async fn received(signal: &mut Option<Signal>) {
    if let Some(signal) = signal
        && signal.recv().await.is_some()
    {
        return;
    }
    std::future::pending().await
}

/// Ctrl-C.
#[cfg(not(unix))]
#[derive(Debug)]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Begins to watch.
    pub(crate) fn watch() -> Self {
        Signals
    }

    /// Waits for the next Ctrl-C, for ever where it cannot be watched.
    pub(crate) async fn next(&mut self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(%error, "Ctrl-C cannot be watched");
            std::future::pending::<()>().await;
        }
    }
}
