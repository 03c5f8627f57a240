//! Sends COUNT timer messages at once. They are due one after the other, over a span that begins later. Measures how
//! late each comes.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rocketmq_client::{Client, Delivery, FromWhere, Message, Outcome, Producer, Running};
use tokio::sync::Notify;

use crate::Failure;
use crate::measure::{Sorted, number};
use crate::produce::connect;

/// Number of concurrent sends.
const CONCURRENCY: usize = 64;
/// Time to wait for the last message after it is due.
const PATIENCE: Duration = Duration::from_secs(30);
/// Time to wait for second deliveries after all messages have come.
const AFTERWARDS: Duration = Duration::from_secs(2);

/// The number of messages, the time of the first, and the span of all.
#[derive(Clone, Copy)]
pub struct Plan {
    count: usize,
    after: Duration,
    over: Duration,
}

impl Plan {
    pub fn parse(count: &str, after: &str, over: &str) -> Result<Self, Failure> {
        let seconds = |word| number(word).map(|seconds| Duration::from_secs(seconds as u64));
        Ok(Self { count: number(count)?, after: seconds(after)?, over: seconds(over)? })
    }

    /// Returns the time at which message `number` is due, if the plan begins at `start`.
    fn due(&self, start: SystemTime, number: usize) -> SystemTime {
        start + self.after + self.over.mul_f64(number as f64 / self.count as f64)
    }
}

/// The messages that have come.
#[derive(Default)]
struct Arrivals {
    /// Delay of each message's first delivery, in ms; negative for an early one.
    late: Vec<Option<i64>>,
    received: usize,
    duplicates: usize,
}

impl Arrivals {
    /// Notes a message. Its body holds its number and the millisecond at which it is due.
    fn note(&mut self, body: &str) -> Option<()> {
        let (number, due) = body.split_once(' ')?;
        let (number, due): (usize, i64) = (number.parse().ok()?, due.parse().ok()?);
        let first = self.late.get_mut(number)?;
        let again = first.is_some();
        first.get_or_insert(millis(SystemTime::now()) - due);
        self.received += usize::from(!again);
        self.duplicates += usize::from(again);
        Some(())
    }

    fn report(&self, sending: Duration, failed: usize) -> String {
        let late: Vec<i64> = self.late.iter().copied().flatten().collect();
        let early = late.iter().filter(|late| **late < 0).count();
        let late = Sorted::new(late);
        format!(
            r#"{{"client":"rust","mode":"delay","count":{},"send_seconds":{:.3},"failed":{failed},"lost":{},"early":{early},"duplicates":{},"min_ms":{:.0},"p50_ms":{:.0},"p99_ms":{:.0},"max_ms":{:.0}}}"#,
            self.late.len(),
            sending.as_secs_f64(),
            self.late.len() - failed - self.received,
            self.duplicates,
            late.quantile(0.0),
            late.quantile(0.5),
            late.quantile(0.99),
            late.quantile(1.0),
        )
    }
}

fn millis(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |span| i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
}

pub async fn run(name_server: &str, topic: &str, plan: Plan) -> Result<String, Failure> {
    let client = connect(name_server).await?;
    let producer = client.producer("bench_timers").build().await?;
    // Creates the topic, so that the consumer finds its queues.
    producer.send(Message::new(topic, "none of them")).await?;
    let arrivals = Arc::new(Mutex::new(Arrivals { late: vec![None; plan.count], ..Arrivals::default() }));
    let complete = Arc::new(Notify::new());
    let running = consume(&client, topic, &arrivals, &complete).await?;

    let (start, begun) = (SystemTime::now(), Instant::now());
    let failed = send_all(&producer, topic, plan, start).await?;
    let sending = begun.elapsed();
    let end = (plan.after + plan.over + PATIENCE).saturating_sub(sending);
    if tokio::time::timeout(end, complete.notified()).await.is_ok() {
        tokio::time::sleep(AFTERWARDS).await;
    }
    running.shutdown().await;
    client.shutdown().await;
    let arrivals = arrivals.lock().map_err(|_| "a handler panicked")?;
    Ok(arrivals.report(sending, failed))
}

async fn consume(
    client: &Client,
    topic: &str,
    arrivals: &Arc<Mutex<Arrivals>>,
    complete: &Arc<Notify>,
) -> Result<Running, Failure> {
    let (arrivals, complete) = (arrivals.clone(), complete.clone());
    let consumer = client.push_consumer(format!("g-{topic}")).subscribe(topic, "*");
    let handler = move |delivery: Delivery| {
        if let Ok(mut arrivals) = arrivals.lock() {
            arrivals.note(delivery.text().unwrap_or_default());
            if arrivals.received == arrivals.late.len() {
                complete.notify_one();
            }
        }
        std::future::ready(Ok::<_, Infallible>(Outcome::Ack))
    };
    Ok(consumer.from_where(FromWhere::FirstOffset).listen(handler).await?)
}

/// Sends all messages. Returns the number of failures.
async fn send_all(producer: &Producer, topic: &str, plan: Plan, start: SystemTime) -> Result<usize, Failure> {
    let workers: Vec<_> = (0..CONCURRENCY)
        .map(|first| {
            let (producer, topic) = (producer.clone(), topic.to_owned());
            tokio::spawn(async move {
                let mut failed = 0;
                for number in (first..plan.count).step_by(CONCURRENCY) {
                    let due = plan.due(start, number);
                    let message = Message::new(&topic, format!("{number} {}", millis(due)));
                    failed += usize::from(producer.send(message.deliver_at(due)).await.is_err());
                }
                failed
            })
        })
        .collect();
    let mut failed = 0;
    for worker in workers {
        failed += worker.await?;
    }
    Ok(failed)
}
