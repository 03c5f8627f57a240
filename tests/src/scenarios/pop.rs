//! POP: the broker gives messages out for a time, to every consumer that asks.

use std::sync::Arc;
use std::time::Duration;

use rocketmq_client::consumer::{Popped, SimpleConsumer};
use rocketmq_client::{Client, DelayLevel, FromWhere, Message, Outcome, PushConsumerBuilder};
use tokio::sync::Semaphore;

use crate::cluster::{Feature, serve_by_pop};
use crate::wait::{PATIENCE, eventually};
use crate::{Cluster, Inbox, TestResult, unique_group};

const SECOND: Duration = Duration::from_secs(1);
/// Invisible time of messages.
const HIDDEN: Duration = Duration::from_secs(8);
/// Time in which Apache's broker has noticed that the invisible time is over.
const NOTICED: Duration = Duration::from_secs(12);
/// Time to wait for messages that are already there.
const GLANCE: Duration = Duration::from_millis(200);

struct Stage {
    client: Client,
    topic: String,
    group: String,
}

impl Stage {
    async fn set(cluster: &Cluster, queues: i32, bodies: &[&str]) -> TestResult<Self> {
        let client = cluster.client().await?;
        let topic = cluster.topic(&client, queues).await?;
        let stage = Self { client, topic, group: unique_group() };
        stage.send(bodies).await?;
        Ok(stage)
    }

    async fn send(&self, bodies: &[&str]) -> TestResult {
        let producer = self.client.producer(unique_group()).build().await?;
        for body in bodies {
            producer.send(Message::new(&self.topic, (*body).to_owned()).tag("t")).await?;
        }
        producer.shutdown().await;
        Ok(())
    }

    async fn consumer(&self, client: &Client) -> TestResult<SimpleConsumer> {
        Ok(client.simple_consumer(&self.group).subscribe(&self.topic, "t").from_first().build().await?)
    }

    /// Returns the builder of a push consumer whose queues the broker serves by POP.
    async fn push_consumer(&self) -> TestResult<PushConsumerBuilder> {
        serve_by_pop(&self.client, &self.topic, &self.group).await?;
        let consumer = self.client.push_consumer(&self.group).subscribe(&self.topic, "t");
        Ok(consumer.from_where(FromWhere::FirstOffset).configure(|it| it.broker_assignment = true))
    }

    async fn ordered(&self, client: &Client) -> TestResult<SimpleConsumer> {
        let consumer = client.simple_consumer(&self.group).subscribe(&self.topic, "t");
        Ok(consumer.from_first().ordered().build().await?)
    }
}

/// Receives the messages that are there, at most `max`.
async fn look(consumer: &SimpleConsumer, max: u8) -> TestResult<Vec<Popped>> {
    Ok(consumer.receive(max).invisible(HIDDEN).wait(GLANCE).await?)
}

/// Receives until `count` messages have come, while `span` passes on the cluster.
async fn take(cluster: &Cluster, span: Duration, consumer: &SimpleConsumer, count: usize) -> Vec<Popped> {
    let mut taken = Vec::new();
    let what = format!("{count} messages to take");
    cluster
        .later(span, &what, async || {
            taken.extend(look(consumer, 32).await.unwrap_or_default());
            taken.len() >= count
        })
        .await;
    taken
}

fn sorted(messages: &[Popped]) -> Vec<&str> {
    let mut texts: Vec<_> = messages.iter().filter_map(|message| message.text()).collect();
    texts.sort_unstable();
    texts
}

/// A consumer receives only messages that meet its condition.
pub async fn by_sql(cluster: &Cluster) -> TestResult {
    if !cluster.has(Feature::Pop) {
        return Ok(());
    }
    let stage = Stage::set(cluster, 1, &["one"]).await?;
    let producer = stage.client.producer(unique_group()).build().await?;
    producer.send(Message::new(&stage.topic, "two").property("amount", "200")).await?;
    let consumer = stage.client.simple_consumer(&stage.group).subscribe_sql(&stage.topic, "amount > 100");
    let consumer = consumer.from_first().build().await?;
    let taken = take(cluster, SECOND, &consumer, 1).await;
    assert_eq!(sorted(&taken), ["two"]);
    consumer.ack_all(&taken).await?;
    consumer.shutdown().await;
    Ok(())
}

/// The messages that a dead consumer did not acknowledge come to another one, as retries; the acknowledged ones do not.
pub async fn a_consumer_that_dies(cluster: &Cluster) -> TestResult {
    if !cluster.has(Feature::Pop) {
        return Ok(());
    }
    let stage = Stage::set(cluster, 2, &["0", "1", "2", "3", "4", "5", "6", "7"]).await?;
    let (mortal, other) = (cluster.client().await?, cluster.client().await?);
    let dying = stage.consumer(&mortal).await?;
    let taken = take(cluster, Duration::ZERO, &dying, 8).await;
    assert!(taken.iter().all(|message| message.reconsume_times() == 0));
    for message in &taken[..2] {
        dying.ack(message).await?;
    }
    dying.ack_all(&taken[2..4]).await?;
    drop(dying);
    mortal.shutdown().await;

    let heir = stage.consumer(&other).await?;
    assert_eq!(sorted(&look(&heir, 32).await?), Vec::<&str>::new(), "still hidden");
    let again = take(cluster, NOTICED, &heir, 4).await;
    assert_eq!(sorted(&again), sorted(&taken[4..]));
    for message in &again {
        assert_eq!((message.topic(), message.reconsume_times()), (stage.topic.as_str(), 1));
    }
    heir.ack_all(&again).await?;
    cluster.pass(NOTICED).await;
    assert_eq!(sorted(&look(&heir, 32).await?), Vec::<&str>::new(), "acknowledged as retries, too");
    heir.shutdown().await;
    Ok(())
}

/// A new invisible time counts from the change: a shorter one brings the message sooner, a longer one keeps it hidden.
pub async fn renewed(cluster: &Cluster) -> TestResult {
    if !cluster.has(Feature::Pop) {
        return Ok(());
    }
    let stage = Stage::set(cluster, 1, &["kept", "soon"]).await?;
    let consumer = stage.consumer(&stage.client).await?;
    let mut taken = take(cluster, Duration::ZERO, &consumer, 2).await;
    taken.sort_by_key(|message| message.text().map(str::to_owned));
    consumer.renew(&mut taken[0], 60 * SECOND).await?;
    consumer.renew(&mut taken[1], SECOND).await?;
    // Acknowledged before its own new time is over.
    let soon = take(cluster, NOTICED / 2, &consumer, 1).await;
    assert_eq!(sorted(&soon), ["soon"]);
    consumer.ack(&soon[0]).await?;
    cluster.pass(NOTICED).await;
    assert_eq!(sorted(&look(&consumer, 32).await?), Vec::<&str>::new(), "the other one is kept");
    consumer.ack(&taken[0]).await?;
    consumer.shutdown().await;
    Ok(())
}

/// In order, a queue gives its next messages only after those before, and after a failure the failed one first.
pub async fn in_order(cluster: &Cluster) -> TestResult {
    if !cluster.has(Feature::Pop) {
        return Ok(());
    }
    let stage = Stage::set(cluster, 1, &["a", "b", "c"]).await?;
    let client = cluster.client().await?;
    let (one, two) = (stage.ordered(&stage.client).await?, stage.ordered(&client).await?);
    let mut first = look(&one, 2).await?;
    assert_eq!(texts(&first), ["a", "b"]);
    assert_eq!(texts(&look(&two, 2).await?), Vec::<&str>::new(), "nobody overtakes");
    one.ack(&first[0]).await?;
    assert_eq!(texts(&look(&two, 2).await?), Vec::<&str>::new(), "one of them is still out");
    one.renew(&mut first[1], SECOND).await?;

    let mut again = Vec::new();
    cluster
        .later(NOTICED, "the queue's next messages", async || {
            again = look(&two, 2).await.unwrap_or_default();
            !again.is_empty()
        })
        .await;
    assert_eq!(texts(&again), ["b", "c"]);
    assert_eq!(again.iter().map(|message| message.reconsume_times()).collect::<Vec<_>>(), [1, 0]);
    two.ack_all(&again).await?;
    stage.send(&["d"]).await?;
    eventually("what comes after them", PATIENCE, async || {
        look(&one, 2).await.is_ok_and(|messages| texts(&messages) == ["d"])
    })
    .await;
    Ok(())
}

fn texts(messages: &[Popped]) -> Vec<&str> {
    messages.iter().filter_map(|message| message.text()).collect()
}

/// A push consumer by POP: a retry after the delay that the handler asks for, and a dead letter.
pub async fn pushed(cluster: &Cluster) -> TestResult {
    if !cluster.has(Feature::Pop) {
        return Ok(());
    }
    let stage = Stage::set(cluster, 2, &["bad", "good", "later"]).await?;
    let inbox = Inbox::default();
    let handler = inbox.decide(|delivery| match (delivery.text(), delivery.reconsume_times()) {
        (Some("bad"), _) => Outcome::DeadLetter,
        (Some("later"), 0) => Outcome::RetryAfter(DelayLevel::S1),
        _ => Outcome::Ack,
    });
    let running = stage.push_consumer().await?.listen(handler).await?;
    cluster.later(NOTICED, "a second try", async || inbox.len() >= 4).await;
    assert!(inbox.all().iter().all(|delivery| delivery.property("POP_CK").is_some()));
    assert_eq!(inbox.sorted(), ["bad", "good", "later", "later"]);
    assert!(running.info().mq_pop_table.keys().any(|queue| queue.topic == stage.topic));
    running.shutdown().await;
    let letters = crate::collect(&stage.client, &format!("%DLQ%{}", stage.group), 1).await?;
    assert_eq!(letters[0].text(), Some("bad"));
    Ok(())
}

/// Like [`concurrency_changed`](super::consume::concurrency_changed) by POP, and back to fewer handlers: those above
/// the new number get no successor.
pub async fn concurrency_changed(cluster: &Cluster) -> TestResult {
    if !cluster.has(Feature::Pop) {
        return Ok(());
    }
    let stage = Stage::set(cluster, 1, &["a", "b", "c", "d", "e", "f", "g", "h"]).await?;
    let (inbox, gate) = (Inbox::default(), Arc::new(Semaphore::new(0)));
    let running = stage.push_consumer().await?.concurrency(1).listen(inbox.behind(&gate)).await?;
    inbox.expect(1).await;
    gate.add_permits(1);
    inbox.expect(2).await;
    running.set_concurrency(4);
    inbox.expect(5).await;
    assert_eq!((inbox.len(), running.concurrency()), (5, 4));
    running.set_concurrency(2);
    gate.add_permits(3);
    inbox.expect(6).await;
    assert_eq!((inbox.len(), running.concurrency()), (6, 2));
    gate.add_permits(100);
    inbox.expect(8).await;
    running.set_concurrency(0);
    assert_eq!(running.concurrency(), 1, "of 1 to 1000");
    running.shutdown().await;
    Ok(())
}
