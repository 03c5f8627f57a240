//! Push consumption from the first offset, until so many messages were handled.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rocketmq_client::{Delivery, FromWhere, Outcome};
use tokio::sync::Notify;

use crate::Failure;
use crate::produce::connect;

/// What the handler counts.
struct Progress {
    begun: Instant,
    /// Microseconds after `begun` at which the first message came, 0 before; and the last one that was waited for.
    first: AtomicU64,
    last: AtomicU64,
    received: AtomicU64,
    retried: AtomicU64,
    wanted: u64,
    done: Notify,
}

impl Progress {
    fn count(&self, deliveries: &[Delivery]) {
        let now = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        let _ = self.first.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        let retried = deliveries.iter().filter(|delivery| delivery.reconsume_times() > 0).count();
        self.retried.fetch_add(retried as u64, Ordering::Relaxed);
        let before = self.received.fetch_add(deliveries.len() as u64, Ordering::Relaxed);
        if before < self.wanted && before + deliveries.len() as u64 >= self.wanted {
            self.last.store(now, Ordering::Relaxed);
            self.done.notify_one();
        }
    }
}

pub async fn run(
    name_server: &str,
    topic: &str,
    group: &str,
    wanted: u64,
    timeout: Duration,
) -> Result<String, Failure> {
    let client = connect(name_server).await?;
    let progress = Arc::new(Progress {
        begun: Instant::now(),
        first: AtomicU64::new(0),
        last: AtomicU64::new(0),
        received: AtomicU64::new(0),
        retried: AtomicU64::new(0),
        wanted,
        done: Notify::new(),
    });
    let counted = progress.clone();
    let running = client
        .push_consumer(group)
        .subscribe(topic, "*")
        .from_where(FromWhere::FirstOffset)
        .listen(move |delivery: Delivery| {
            counted.count(std::slice::from_ref(&delivery));
            std::future::ready(Ok::<_, std::convert::Infallible>(Outcome::Ack))
        })
        .await?;
    // A run that does not finish is reported with what it did.
    let _ = tokio::time::timeout(timeout, progress.done.notified()).await;
    let end = match progress.last.load(Ordering::Relaxed) {
        0 => progress.begun.elapsed().as_micros() as u64,
        last => last,
    };
    let (received, retried) =
        (progress.received.load(Ordering::Relaxed), progress.retried.load(Ordering::Relaxed));
    let seconds = end.saturating_sub(progress.first.load(Ordering::Relaxed)) as f64 / 1e6;
    running.shutdown().await;
    client.shutdown().await;
    Ok(format!(
        r#"{{"client":"rust","mode":"consume","received":{received},"seconds":{seconds:.3},"msgs_per_s":{:.0},"retried":{retried}}}"#,
        received as f64 / seconds.max(1e-6)
    ))
}
