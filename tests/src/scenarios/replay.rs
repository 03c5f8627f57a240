//! Groups that an administrator sends back, or forward, while they run.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rocketmq_client::remoting::requests::offset::InvokeResetOffsetRequest;
use rocketmq_client::{
    Client, Delivery, FromWhere, Message, Outcome, Producer, PushConsumerBuilder, Running,
};
use tokio::sync::Semaphore;

use crate::cluster::{Feature, ask};
use crate::wait::{PATIENCE, eventually};
use crate::{Cluster, Inbox, TestResult, unique_group};

/// A reset to this time is one to the end.
const END: i64 = -1;

struct Stage {
    client: Client,
    producer: Producer,
    topic: String,
    group: String,
}

impl Stage {
    async fn set(cluster: &Cluster) -> TestResult<Self> {
        // A 4.x broker moves only groups that have committed something.
        let soon = Duration::from_millis(200);
        let client = Client::builder(cluster.name_server());
        let client = client.configure(|config| config.persist_offset_interval = soon).connect().await?;
        let topic = cluster.topic(&client, 1).await?;
        let producer = client.producer(unique_group()).build().await?;
        Ok(Self { client, producer, topic, group: unique_group() })
    }

    async fn send(&self, bodies: std::ops::Range<u32>) -> TestResult {
        for body in bodies {
            self.producer.send(Message::new(&self.topic, format!("{body:02}"))).await?;
        }
        Ok(())
    }

    fn consumer(&self) -> PushConsumerBuilder {
        let consumer = self.client.push_consumer(&self.group).subscribe(&self.topic, "*");
        consumer.from_where(FromWhere::FirstOffset)
    }

    /// Twelve messages, of which the second half is younger; a consumer that has handled them all.
    async fn played(&self, cluster: &Cluster, inbox: &Inbox) -> TestResult<Running> {
        self.send(0..6).await?;
        cluster.pass(Duration::from_millis(40)).await;
        self.send(6..12).await?;
        let running = self.consumer().listen(inbox.accept()).await?;
        inbox.expect(12).await;
        Ok(running)
    }

    async fn reset(&self, timestamp: i64, offset: Option<i64>) {
        let request = InvokeResetOffsetRequest {
            group: self.group.clone(),
            topic: self.topic.clone(),
            queue_id: offset.map(|_| 0),
            offset,
            timestamp,
            is_force: true,
        };
        eventually("a reset", PATIENCE, async || ask(&self.client, &self.topic, &request).await.is_ok())
            .await;
    }
}

fn millis(time: SystemTime) -> TestResult<i64> {
    Ok(i64::try_from(time.duration_since(UNIX_EPOCH)?.as_millis())?)
}

fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|body| format!("{body:02}")).collect()
}

/// Our broker tells consumers at once; Apache's 5.x one when a pull that waits is over or a message comes.
fn soon(cluster: &Cluster) -> Duration {
    match cluster {
        Cluster::Embedded(_) => Duration::from_secs(5),
        Cluster::Apache { .. } => PATIENCE,
    }
}

/// To the millisecond: what was stored from then on comes again, in order, and nothing before it.
pub async fn by_time(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let inbox = Inbox::default();
    let running = stage.played(cluster, &inbox).await?;
    let mark = inbox.all().iter().find(|delivery| delivery.text() == Some("06")).map(Delivery::stored_at);
    stage.reset(millis(mark.ok_or("the seventh was delivered")?)?, None).await;
    inbox.expect_within(soon(cluster), 18).await;
    stage.send(12..13).await?;
    inbox.expect(19).await;
    running.shutdown().await;
    assert_eq!(inbox.sorted_from(12), numbers(6..13));
    Ok(())
}

/// One queue to an offset.
pub async fn by_offset(cluster: &Cluster) -> TestResult {
    if !cluster.has(Feature::ResetToOffset) {
        return Ok(());
    }
    let stage = Stage::set(cluster).await?;
    let inbox = Inbox::default();
    let running = stage.played(cluster, &inbox).await?;
    stage.reset(0, Some(9)).await;
    inbox.expect_within(soon(cluster), 15).await;
    stage.send(12..13).await?;
    inbox.expect(16).await;
    running.shutdown().await;
    assert_eq!(inbox.sorted_from(12), numbers(9..13));
    Ok(())
}

/// What waits is left out, also what the consumer has already fetched; what comes later is delivered.
pub async fn backlog_skipped(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let (inbox, gate) = (Inbox::default(), Arc::new(Semaphore::new(0)));
    stage.send(0..1).await?;
    let (kept, opened) = (inbox.clone(), gate.clone());
    let handler = move |delivery: Delivery| {
        let waits = kept.keep(delivery) > 1;
        let gate = opened.clone();
        async move {
            // The first one is handled at once, so that the group has an offset to be moved from.
            if waits {
                gate.acquire().await.map_err(|error| error.to_string())?.forget();
            }
            Ok::<_, String>(Outcome::Ack)
        }
    };
    let running = stage.consumer().concurrency(1).listen(handler).await?;
    inbox.expect(1).await;
    stage.send(1..40).await?;
    let cached = || running.info().mq_table.values().map(|queue| queue.cached_msg_count).sum::<i32>();
    eventually("a backlog", PATIENCE, async || cached() >= 30).await;
    stage.reset(END, None).await;
    eventually("the end of it", PATIENCE, async || cached() <= 1).await;

    gate.add_permits(100);
    stage.send(40..42).await?;
    eventually("what came later", PATIENCE, async || inbox.texts().contains(&"41".to_owned())).await;
    running.shutdown().await;
    let delivered = inbox.sorted();
    assert_eq!(delivered, ["00", "01", "40", "41"], "the first two had been handed over before");
    Ok(())
}
