//! An administrator resets the offsets of groups, back or forward, while they run.

use std::sync::Arc;
use std::time::Duration;

use rocketmq_client::consumer::ResetOffsets;
use rocketmq_client::{
    CallErrorKind, Client, Delivery, FromWhere, Message, Offset, Outcome, Producer, PushConsumerBuilder,
    Running,
};
use tokio::sync::Semaphore;

use crate::cluster::{Feature, queues};
use crate::wait::{PATIENCE, eventually};
use crate::{Cluster, Inbox, TestResult, unique_group};

struct Stage {
    client: Client,
    producer: Producer,
    topic: String,
    group: String,
}

impl Stage {
    async fn set(cluster: &Cluster) -> TestResult<Self> {
        // A 4.x broker resets only groups that have committed something, so the client commits often.
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

    /// Sends twelve messages, the last six later than the first, and starts a consumer. Returns it after all are
    /// handled.
    async fn played(&self, cluster: &Cluster, inbox: &Inbox) -> TestResult<Running> {
        self.send(0..6).await?;
        cluster.pass(Duration::from_millis(40)).await;
        self.send(6..12).await?;
        let running = self.consumer().listen(inbox.accept()).await?;
        inbox.expect(12).await;
        Ok(running)
    }

    /// Resets the group. Tries again, because a broker may refuse at first for a group it has only just met.
    async fn reset(&self, to: Offset) -> ResetOffsets {
        let mut done = None;
        eventually("a reset", PATIENCE, async || {
            done = self.client.reset_offsets(&self.group, &self.topic, to).await.ok();
            done.is_some()
        })
        .await;
        done.unwrap_or_default()
    }

    /// Waits until the group has committed `offset`.
    async fn committed(&self, offset: i64) -> TestResult {
        let group = self.client.pull_consumer(&self.group).build().await?;
        let queue = &group.queues(&self.topic).await?[0];
        let stored = async || group.committed(queue).await.is_ok_and(|stored| stored == Some(offset));
        eventually("a commit", PATIENCE, stored).await;
        Ok(())
    }

    async fn refused(&self, to: Offset, why: &str) {
        let refused = self.client.reset_offsets(&self.group, &self.topic, to).await;
        let error = refused.expect_err(why);
        assert_eq!(error.kind(), CallErrorKind::InvalidRequest);
        assert!(error.to_string().contains(why), "{error}");
    }
}

fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|body| format!("{body:02}")).collect()
}

/// Time in which a running consumer learns of a reset. This project's broker tells it at once; Apache's 5.x broker does
/// at the end of a parked pull or at a message.
fn soon(cluster: &Cluster) -> Duration {
    match cluster {
        Cluster::Embedded(_) => Duration::from_secs(5),
        Cluster::Apache { .. } => PATIENCE,
    }
}

/// A reset to a time is exact to the millisecond: messages stored from then on come again, and no earlier one.
pub async fn by_time(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let inbox = Inbox::default();
    let running = stage.played(cluster, &inbox).await?;
    let mark = inbox.all().iter().find(|delivery| delivery.text() == Some("06")).map(Delivery::stored_at);
    let moved = stage.reset(Offset::Time(mark.ok_or("the seventh was delivered")?)).await;
    assert_eq!(moved.into_values().collect::<Vec<_>>(), [6]);
    inbox.expect_within(soon(cluster), 18).await;
    stage.send(12..13).await?;
    inbox.expect(19).await;
    running.shutdown().await;
    assert_eq!(inbox.sorted_from(12), numbers(6..13));
    Ok(())
}

/// A reset to an offset. A broker that cannot reset running consumers refuses, and resets nothing.
pub async fn by_offset(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let inbox = Inbox::default();
    let running = stage.played(cluster, &inbox).await?;
    if !cluster.has(Feature::ResetToOffset) {
        stage.committed(12).await?;
        stage.refused(Offset::At(9), "by time only").await;
        running.shutdown().await;
        assert_eq!(inbox.sorted(), numbers(0..12));
        return Ok(());
    }
    let moved = stage.reset(Offset::At(9)).await;
    assert_eq!(moved.into_values().collect::<Vec<_>>(), [9]);
    inbox.expect_within(soon(cluster), 15).await;
    stage.send(12..13).await?;
    inbox.expect(16).await;
    running.shutdown().await;
    assert_eq!(inbox.sorted_from(12), numbers(9..13));
    Ok(())
}

/// A skipped backlog is not delivered, not even its messages in the consumer's cache. Later messages are.
pub async fn backlog_skipped(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let (inbox, gate) = (Inbox::default(), Arc::new(Semaphore::new(0)));
    stage.send(0..1).await?;
    let (kept, opened) = (inbox.clone(), gate.clone());
    let handler = move |delivery: Delivery| {
        let waits = kept.keep(delivery) > 1;
        let gate = opened.clone();
        async move {
            // The first message is handled at once, so that the group has an offset to reset.
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
    eventually("a backlog", PATIENCE, async || cached() >= 39).await;
    stage.client.skip_backlog(&stage.group, &stage.topic).await?;
    eventually("the end of it", PATIENCE, async || cached() <= 1).await;

    gate.add_permits(100);
    stage.send(40..42).await?;
    eventually("what came later", PATIENCE, async || inbox.texts().contains(&"41".to_owned())).await;
    running.shutdown().await;
    let delivered = inbox.sorted();
    assert_eq!(delivered, ["00", "01", "40", "41"], "the first two had been handed over before");
    Ok(())
}

/// A group without running members continues at its reset offset when it comes back. An offset beyond a queue counts as
/// its end. The group is reset as a whole, then one of its queues.
pub async fn while_nobody_runs(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let inbox = Inbox::default();
    stage.played(cluster, &inbox).await?.shutdown().await;
    for (to, offset) in [(Offset::First, 0), (Offset::Last, 12), (Offset::At(40), 12), (Offset::At(3), 3)] {
        assert_eq!(stage.reset(to).await.into_values().collect::<Vec<_>>(), [offset], "{to:?}");
    }
    let (_, queues) = queues(&stage.client, &stage.topic).await?;
    assert_eq!(stage.client.reset_queue(&stage.group, &queues[0], Offset::At(10)).await?, 10);
    stage.refused(Offset::Committed, "where the group stands already").await;
    let refused = stage.client.reset_queue(&stage.group, &queues[0], Offset::Committed).await;
    assert_eq!(refused.map_err(|error| error.kind()), Err(CallErrorKind::InvalidRequest));

    let running = stage.consumer().listen(inbox.accept()).await?;
    stage.send(12..13).await?;
    inbox.expect(15).await;
    running.shutdown().await;
    assert_eq!(inbox.sorted_from(12), numbers(10..13));
    Ok(())
}
