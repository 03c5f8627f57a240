//! The signals that end an application.

/// Waits for SIGTERM or Ctrl-C. Where signals cannot be watched it waits for ever.
pub(crate) async fn terminated() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => tokio::select! {
                _ = terminate.recv() => {}
                () = interrupted() => {}
            },
            Err(error) => {
                tracing::warn!(%error, "SIGTERM cannot be watched");
                interrupted().await;
            }
        }
    }
    #[cfg(not(unix))]
    interrupted().await;
}

async fn interrupted() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::warn!(%error, "Ctrl-C cannot be watched");
        std::future::pending::<()>().await;
    }
}
