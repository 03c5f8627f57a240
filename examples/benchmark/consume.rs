//! Consumes stored messages by push, from the first offset until COUNT are handled: queue by queue, in order, by POP,
//! through an SQL filter, or with a listener of the starter.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rocketmq_client::{Client, Delivery, FromWhere, Outcome, PushConsumerBuilder};
use rocketmq_starter::{App, Listener};
use tokio::sync::Notify;

use crate::measure::number;
use crate::produce::connect;
use crate::{Failure, pop};

/// Passes a tenth of the messages of `fill`.
const CONDITION: &str = "bucket = 7";

/// Says what to consume, with which group, and for how long at most.
pub struct Backlog<'a> {
    topic: &'a str,
    group: &'a str,
    count: u64,
    timeout: Duration,
}

impl<'a> Backlog<'a> {
    pub fn parse(topic: &'a str, group: &'a str, count: &str, timeout: &str) -> Result<Self, Failure> {
        let timeout = Duration::from_secs(number(timeout)? as u64);
        Ok(Self { topic, group, count: number(count)? as u64, timeout })
    }
}

/// Counts for the handler.
struct Progress {
    begun: Instant,
    /// Microseconds from `begun` to the first message, and to the last of COUNT; 0 before.
    first: AtomicU64,
    last: AtomicU64,
    received: AtomicU64,
    retried: AtomicU64,
    wanted: u64,
    done: Notify,
}

impl Progress {
    fn new(wanted: u64) -> Arc<Self> {
        Arc::new(Self {
            begun: Instant::now(),
            first: AtomicU64::new(0),
            last: AtomicU64::new(0),
            received: AtomicU64::new(0),
            retried: AtomicU64::new(0),
            wanted,
            done: Notify::new(),
        })
    }

    fn count(&self, delivery: &Delivery) {
        let now = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        let _ = self.first.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        self.retried.fetch_add(u64::from(delivery.reconsume_times() > 0), Ordering::Relaxed);
        if self.received.fetch_add(1, Ordering::Relaxed) + 1 == self.wanted {
            self.last.store(now, Ordering::Relaxed);
            self.done.notify_one();
        }
    }

    /// Waits until all messages are handled or `limit` is over. Reports what was done in either case.
    async fn wait(&self, mode: &str, limit: Duration) -> String {
        let _ = tokio::time::timeout(limit, self.done.notified()).await;
        self.report(mode)
    }

    fn report(&self, mode: &str) -> String {
        let end = match self.last.load(Ordering::Relaxed) {
            0 => self.begun.elapsed().as_micros() as u64,
            last => last,
        };
        let seconds = end.saturating_sub(self.first.load(Ordering::Relaxed)) as f64 / 1e6;
        let (received, retried) =
            (self.received.load(Ordering::Relaxed), self.retried.load(Ordering::Relaxed));
        let rate = received as f64 / seconds.max(1e-6);
        format!(
            r#"{{"client":"rust","mode":"{mode}","received":{received},"seconds":{seconds:.3},"msgs_per_s":{rate:.0},"retried":{retried}}}"#
        )
    }
}

pub async fn run(name_server: &str, mode: &str, backlog: Backlog<'_>) -> Result<String, Failure> {
    let client = connect(name_server).await?;
    let consumer = consumer(&client, mode, &backlog).await?;
    let progress = Progress::new(backlog.count);
    let counted = progress.clone();
    let handler = move |delivery: Delivery| {
        counted.count(&delivery);
        std::future::ready(Ok::<_, std::convert::Infallible>(Outcome::Ack))
    };
    let running = consumer.from_where(FromWhere::FirstOffset).listen(handler).await?;
    let line = progress.wait(mode, backlog.timeout).await;
    running.shutdown().await;
    client.shutdown().await;
    Ok(line)
}

/// Does the same with a listener of the starter.
pub async fn starter(name_server: &str, backlog: Backlog<'_>) -> Result<String, Failure> {
    let progress = Progress::new(backlog.count);
    let counted = progress.clone();
    let handler = move |delivery: Delivery| {
        counted.count(&delivery);
        std::future::ready(())
    };
    let (topic, group) = (backlog.topic.to_owned(), backlog.group.to_owned());
    let running = App::new()
        .set("rocketmq.name-server", name_server)
        .listener(Listener::new(topic, group, handler).option("from", "first"))
        .start()
        .await?;
    let line = progress.wait("starter", backlog.timeout).await;
    running.shutdown().await;
    Ok(line)
}

async fn consumer(
    client: &Client,
    mode: &str,
    backlog: &Backlog<'_>,
) -> Result<PushConsumerBuilder, Failure> {
    let consumer = client.push_consumer(backlog.group).subscribe(backlog.topic, "*");
    Ok(match mode {
        "orderly" => consumer.orderly(),
        "sql" => consumer.subscribe_sql(backlog.topic, CONDITION),
        "pop" => {
            pop::switch(client, backlog.topic, backlog.group).await?;
            consumer.configure(|config| config.broker_assignment = true)
        }
        _ => consumer,
    })
}
