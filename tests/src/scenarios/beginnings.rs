//! Groups that start while messages arrive: they miss no message that is stored after they asked for their queues.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rocketmq_client::{Client, LiteConsumer, Message, MessageQueue, Producer, PushConsumerBuilder};

use crate::cluster::{Feature, serve_by_pop};
use crate::wait::{PATIENCE, POLL, eventually};
use crate::{Cluster, Inbox, TestResult, unique_group};

/// Number of queues: enough that the client asks for some just before their first message, and for some just after.
const QUEUES: usize = 64;
const STARTS: u32 = 12;
/// Time in which every message must come. A popped message whose answer was lost on a busy machine comes again when its
/// invisible time, a minute, is over; what never comes is lost.
const LAST_CALL: Duration = Duration::from_secs(100);

/// A new topic, and a producer that sends one message to each of its queues.
struct Stage {
    client: Client,
    topic: String,
    queues: Vec<MessageQueue>,
    producer: Producer,
}

impl Stage {
    async fn set(cluster: &Cluster) -> TestResult<Self> {
        let client = cluster.client().await?;
        let topic = cluster.topic(&client, QUEUES as i32).await?;
        let (_, queues) = crate::queues(&client, &topic).await?;
        let producer = client.producer(unique_group()).build().await?;
        Ok(Self { client, topic, queues, producer })
    }

    fn push_consumer(&self) -> PushConsumerBuilder {
        self.client.push_consumer(unique_group()).subscribe(&self.topic, "*")
    }

    /// Sends one message to each queue, one after the other.
    async fn fill(&self, text: &str, begin: Duration) -> TestResult {
        tokio::time::sleep(begin).await;
        for queue in &self.queues {
            let message = Message::new(&self.topic, format!("{text} {}", queue.queue_id));
            self.producer.send(message).to_queue(queue).await?;
        }
        Ok(())
    }

    /// Returns the number of messages that do not come.
    async fn lost(&self, inbox: &Inbox) -> usize {
        let deadline = Instant::now() + LAST_CALL;
        while inbox.len() < QUEUES && Instant::now() < deadline {
            tokio::time::sleep(POLL).await;
        }
        QUEUES - inbox.texts().into_iter().collect::<BTreeSet<_>>().len()
    }
}

/// Returns the time from the start of a group to its first message. It grows with each start.
fn after(start: u32) -> Duration {
    start * Duration::from_millis(1)
}

/// Starts push consumers that ask for the end of empty queues. `shape` makes their builder.
async fn push_consumers(
    cluster: &Cluster,
    shape: impl AsyncFn(&Stage) -> TestResult<PushConsumerBuilder>,
) -> TestResult {
    for start in 0..STARTS {
        let (stage, inbox) = (Stage::set(cluster).await?, Inbox::default());
        let consumer = shape(&stage).await?;
        let (running, filled) =
            tokio::join!(consumer.listen(inbox.accept()), stage.fill("early", after(start)));
        filled?;
        assert_eq!(stage.lost(&inbox).await, 0, "of {QUEUES} messages at start {start}");
        running?.shutdown().await;
    }
    Ok(())
}

/// A push consumer that asks for the end of empty queues receives the messages sent during its start.
pub async fn pushed_while_a_group_starts(cluster: &Cluster) -> TestResult {
    push_consumers(cluster, async |stage| Ok(stage.push_consumer())).await
}

/// A push consumer whose queues the broker assigns and serves by POP receives them too.
pub async fn popped_while_a_group_starts(cluster: &Cluster) -> TestResult {
    if !cluster.has(Feature::Pop) {
        return Ok(());
    }
    push_consumers(cluster, async |stage| {
        let group = unique_group();
        serve_by_pop(&stage.client, &stage.topic, &group).await?;
        let consumer = stage.client.push_consumer(group).subscribe(&stage.topic, "*");
        Ok(consumer.configure(|config| config.broker_assignment = true))
    })
    .await
}

/// A lite consumer receives them too.
pub async fn polled_while_a_group_starts(cluster: &Cluster) -> TestResult {
    for start in 0..STARTS {
        let stage = Stage::set(cluster).await?;
        let builder = stage.client.lite_consumer(unique_group()).subscribe(&stage.topic, "*");
        let (consumer, filled) = tokio::join!(builder.build(), stage.fill("early", after(start)));
        filled?;
        assert_eq!(poll_all(consumer?).await?, QUEUES, "messages at start {start}");
    }
    Ok(())
}

/// Polls until no message comes for a while. Returns the number of messages.
async fn poll_all(mut consumer: LiteConsumer) -> TestResult<usize> {
    let mut given = BTreeSet::new();
    while given.len() < QUEUES
        && let Some(batch) = consumer.poll(LAST_CALL).await?
    {
        given.extend(batch.into_iter().filter_map(|delivery| delivery.text().map(str::to_owned)));
    }
    consumer.shutdown().await;
    Ok(given.len())
}

/// A broadcasting member starts at the end it finds, and misses nothing after that.
pub async fn broadcast_while_a_member_starts(cluster: &Cluster) -> TestResult {
    for start in 0..STARTS / 4 {
        let (stage, inbox) = (Stage::set(cluster).await?, Inbox::default());
        let folder = tempfile::tempdir()?;
        let consumer = stage.push_consumer().broadcasting().offset_folder(folder.path());
        let (running, filled) =
            tokio::join!(consumer.listen(inbox.accept()), stage.fill("early", after(start)));
        filled?;
        let running = running?;
        eventually("a place to begin on every queue", PATIENCE, async || {
            let places = running.info().mq_table;
            places.len() == QUEUES && places.values().all(|queue| queue.commit_offset >= 0)
        })
        .await;
        stage.fill("late", Duration::ZERO).await?;
        let late = || inbox.texts().iter().filter(|text| text.starts_with("late")).count();
        eventually("what was sent afterwards", PATIENCE, async || late() == QUEUES).await;
        running.shutdown().await;
    }
    Ok(())
}
