//! Push consumption: sharing, filtering, and the first offset.

use std::convert::Infallible;
use std::future::IntoFuture as _;
use std::sync::Arc;
use std::time::Duration;

use rocketmq_client::error::StartErrorKind;
use rocketmq_client::{
    Client, DelayLevel, Delivery, FromWhere, Message, Offset, Outcome, Producer, Pulled, PushConsumerBuilder,
    Running,
};
use tokio::sync::{Barrier, Semaphore};

use crate::cluster::Feature;
use crate::{Cluster, Inbox, PATIENCE, TestResult, eventually, unique_group, unique_topic};

struct Stage {
    client: Client,
    producer: Producer,
    topic: String,
    group: String,
}

impl Stage {
    async fn set(cluster: &Cluster) -> TestResult<Self> {
        let client = cluster.client().await?;
        let producer = client.producer(unique_group()).build().await?;
        let topic = cluster.topic(&client, 4).await?;
        Ok(Self { client, producer, topic, group: unique_group() })
    }

    async fn send(&self, bodies: impl IntoIterator<Item = &str>) -> TestResult {
        for body in bodies {
            self.producer.send(Message::new(&self.topic, body.to_owned())).await?;
        }
        Ok(())
    }

    fn consumer(&self) -> PushConsumerBuilder {
        let consumer = self.client.push_consumer(&self.group).subscribe(&self.topic, "*");
        consumer.from_where(FromWhere::FirstOffset)
    }
}

/// Every message of every queue comes once.
pub async fn each_message_once(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let (inbox, group) = (Inbox::default(), stage.group.clone());
    let running = stage.consumer().listen(inbox.accept()).await?;
    let bodies: Vec<String> = (100..300).map(|number| number.to_string()).collect();
    stage.send(bodies.iter().map(String::as_str)).await?;
    inbox.expect(bodies.len()).await;
    assert!(running.shutdown().await, "no handler had to be cut");
    assert_eq!(inbox.sorted(), bodies);
    assert!(inbox.all().iter().all(|delivery| delivery.reconsume_times() == 0));
    let lag = lag(&stage, &group).await?;
    // Apache's threads process the offset of a last pull and that of the shutdown in either order.
    let allowed = if matches!(cluster, Cluster::Embedded { .. }) { 0 } else { 4 * 32 };
    assert!(lag <= allowed, "a lag of {lag} after everything was handled");
    Ok(())
}

/// Returns the group's lag, by its offsets on the broker.
async fn lag(stage: &Stage, group: &str) -> TestResult<i64> {
    let reader = stage.client.pull_consumer(group).build().await?;
    let mut lag = 0;
    for queue in reader.queues(&stage.topic).await? {
        let end = reader.offset(&queue, rocketmq_client::Offset::Last).await?;
        lag += end - reader.committed(&queue).await?.unwrap_or(0);
    }
    Ok(lag)
}

/// Handlers wait for one another, so the test would hang if they ran one at a time.
pub async fn several_at_once(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let (inbox, barrier) = (Inbox::default(), std::sync::Arc::new(Barrier::new(8)));
    let kept = inbox.clone();
    let listener = move |delivery: Delivery| {
        let (barrier, kept) = (barrier.clone(), kept.clone());
        async move {
            barrier.wait().await;
            kept.keep(delivery);
            Ok::<_, Infallible>(Outcome::Ack)
        }
    };
    let running = stage.consumer().concurrency(8).listen(listener).await?;
    stage.send(["a", "b", "c", "d", "e", "f", "g", "h"]).await?;
    inbox.expect(8).await;
    running.shutdown().await;
    Ok(())
}

/// The number of concurrent handlers can change while they run.
pub async fn concurrency_changed(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let (inbox, gate) = (Inbox::default(), Arc::new(Semaphore::new(0)));
    let running = stage.consumer().concurrency(1).listen(inbox.behind(&gate)).await?;
    stage.send(["a", "b", "c", "d", "e", "f", "g", "h"]).await?;
    inbox.expect(1).await;
    gate.add_permits(1);
    inbox.expect(2).await;
    running.set_concurrency(4);
    // The waiting handler and three more. The gate is shut, so no fifth can start.
    inbox.expect(5).await;
    assert_eq!((inbox.len(), running.concurrency()), (5, 4));
    gate.add_permits(100);
    inbox.expect(8).await;
    running.shutdown().await;
    Ok(())
}

/// Only the failed messages of a batch come again.
pub async fn part_of_a_batch_again(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let messages = ["a", "b", "c", "d"].map(|body| Message::new(&stage.topic, body));
    stage.producer.send_batch(messages.into()).await?;
    let inbox = Inbox::default();
    let kept = inbox.clone();
    let listener = move |deliveries: Vec<Delivery>| {
        let outcomes: Vec<_> = deliveries
            .iter()
            .map(|delivery| match (delivery.text(), delivery.reconsume_times()) {
                (Some("b" | "d"), 0) => Outcome::RetryAfter(DelayLevel::S1),
                _ => Outcome::Ack,
            })
            .collect();
        for delivery in deliveries {
            kept.keep(delivery);
        }
        async move { Ok::<_, Infallible>(outcomes) }
    };
    let running = stage.consumer().batch(4).listen_batch(listener).await?;
    let second = Duration::from_secs(1);
    cluster.later(second, "the two again", async || inbox.len() >= 6).await;
    running.shutdown().await;
    assert_eq!(inbox.sorted(), ["a", "b", "b", "c", "d", "d"]);
    Ok(())
}

/// In batches of the largest size each message has its own outcome, and none is lost or handled twice.
pub async fn in_batches_of_a_thousand(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let numbers: Vec<String> = (1000..2100).map(|number| number.to_string()).collect();
    for bodies in numbers.chunks(550) {
        let messages = bodies.iter().map(|body| Message::new(&stage.topic, body.clone()));
        stage.producer.send_batch(messages.collect()).await?;
    }
    let again = |delivery: &Delivery| delivery.text().is_some_and(|text| text.ends_with("07"));
    let inbox = Inbox::default();
    let kept = inbox.clone();
    let listener = move |deliveries: Vec<Delivery>| {
        assert!(deliveries.len() <= 1024);
        let outcome = |delivery: &Delivery| match again(delivery) && delivery.reconsume_times() == 0 {
            true => Outcome::RetryAfter(DelayLevel::S1),
            false => Outcome::Ack,
        };
        let outcomes: Vec<_> = deliveries.iter().map(outcome).collect();
        for delivery in deliveries {
            kept.keep(delivery);
        }
        async move { Ok::<_, Infallible>(outcomes) }
    };
    let running = stage.consumer().batch(1024).configure(|config| config.pull_batch = 1024);
    let running = running.listen_batch(listener).await?;
    let second = Duration::from_secs(1);
    cluster.later(second, "every message, and eleven again", async || inbox.len() >= 1111).await;
    running.shutdown().await;
    let mut expected = numbers.clone();
    expected.extend(numbers.into_iter().filter(|number| number.ends_with("07")));
    expected.sort();
    assert_eq!(inbox.sorted(), expected);
    assert!(inbox.all().iter().all(|delivery| again(delivery) || delivery.reconsume_times() == 0));
    let refused = stage.consumer().batch(1025).listen_batch(|_| async { Ok::<_, Infallible>(vec![]) }).await;
    let refused = refused.expect_err("too large").to_string();
    assert!(refused.contains("batch is 1025, allowed are 1 to 1024"), "{refused}");
    Ok(())
}

/// A 5.x topic stores a batch as one record. Its messages are delivered, retried and counted one by one, and reading
/// can start at any of them.
pub async fn batches_stored_as_one(cluster: &Cluster) -> TestResult {
    if !cluster.has(Feature::InnerBatches) {
        return Ok(());
    }
    let client = cluster.client().await?;
    let topic = unique_topic();
    cluster.topic_with(&client, &topic, 1, Some("+queue.type=BatchCQ")).await?;
    let producer = client.producer(unique_group()).build().await?;
    let mut sent = Vec::new();
    for bodies in [0..5, 5..8] {
        let batch = bodies.map(|body| Message::new(&topic, format!("{body}")).tag("t"));
        sent.extend(producer.send_batch(batch.collect()).await?);
    }
    let ids = sent.iter().map(|receipt| receipt.message_id().to_owned()).collect::<Vec<_>>();

    let inbox = Inbox::default();
    let fails_once = |delivery: &Delivery| match (delivery.text(), delivery.reconsume_times()) {
        (Some("3"), 0) => Outcome::RetryAfter(DelayLevel::S1),
        _ => Outcome::Ack,
    };
    let group = unique_group();
    let consumer = client.push_consumer(&group).subscribe(&topic, "*").from_where(FromWhere::FirstOffset);
    let running = consumer.listen(inbox.decide(fails_once)).await?;
    cluster.later(Duration::from_secs(10), "all of them, one twice", async || inbox.len() == 9).await;
    running.shutdown().await;
    let seen = inbox.all().into_iter().filter(|delivery| delivery.reconsume_times() == 0);
    let mut seen: Vec<_> =
        seen.map(|delivery| (delivery.queue_offset(), delivery.message_id().to_owned())).collect();
    seen.sort();
    assert_eq!(seen, (0..).zip(ids).collect::<Vec<_>>());
    assert_eq!(inbox.sorted(), ["0", "1", "2", "3", "3", "4", "5", "6", "7"]);
    assert!(inbox.all().iter().all(|delivery| delivery.tag() == Some("t")));

    let reader = client.pull_consumer(group).build().await?;
    let queue = &reader.queues(&topic).await?[0];
    assert_eq!(reader.committed(queue).await?, Some(8));
    let Pulled::Found { messages, next } = reader.pull(queue, Offset::At(2)).await? else {
        return Err("nothing at 2".into());
    };
    let texts: Vec<_> = messages.iter().filter_map(Delivery::text).collect();
    assert!(texts.starts_with(&["2", "3", "4"]) && next == 2 + texts.len() as i64, "{texts:?}, then {next}");
    Ok(())
}

/// A batch listener gets several messages of one queue at once, with an outcome for each.
pub async fn in_batches(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let numbers: Vec<String> = (100..164).map(|number| number.to_string()).collect();
    let messages = numbers.iter().map(|body| Message::new(&stage.topic, body.clone()));
    stage.producer.send_batch(messages.collect()).await?;
    let (inbox, largest) = (Inbox::default(), std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0)));
    let (kept, seen) = (inbox.clone(), largest.clone());
    let listener = move |deliveries: Vec<Delivery>| {
        seen.fetch_max(deliveries.len(), std::sync::atomic::Ordering::Relaxed);
        let outcomes = vec![Outcome::Ack; deliveries.len()];
        for delivery in deliveries {
            kept.keep(delivery);
        }
        async move { Ok::<_, Infallible>(outcomes) }
    };
    let running = stage.consumer().batch(16).listen_batch(listener).await?;
    inbox.expect(64).await;
    running.shutdown().await;
    assert_eq!(inbox.sorted(), numbers);
    assert_eq!(largest.load(std::sync::atomic::Ordering::Relaxed), 16);
    Ok(())
}

/// `*` selects every message, also with spaces around it and among tags.
pub async fn by_each_spelling_of_all(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    stage.producer.send(Message::new(&stage.topic, "a").tag("a")).await?;
    stage.producer.send(Message::new(&stage.topic, "b").tag("b")).await?;
    stage.send(["untagged"]).await?;
    for expression in ["* ", "* || a", "a || *", " "] {
        let inbox = Inbox::default();
        let consumer = stage.client.push_consumer(unique_group()).subscribe(&stage.topic, expression);
        let running = consumer.from_where(FromWhere::FirstOffset).listen(inbox.accept()).await?;
        inbox.expect(3).await;
        running.shutdown().await;
        assert_eq!(inbox.sorted(), ["a", "b", "untagged"], "{expression:?}");
    }
    Ok(())
}

/// A consumer of `created || paid` receives no other tags.
pub async fn by_tags(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    for tag in ["created", "paid", "shipped", "created"] {
        stage.producer.send(Message::new(&stage.topic, tag).tag(tag)).await?;
    }
    stage.send(["untagged"]).await?;
    let inbox = Inbox::default();
    let running = stage.consumer().subscribe(&stage.topic, "created || paid").listen(inbox.accept()).await?;
    inbox.expect(3).await;
    // The marker is younger than the others; once it is here, they would be too.
    stage.producer.send(Message::new(&stage.topic, "paid").tag("paid")).await?;
    inbox.expect(4).await;
    running.shutdown().await;
    assert_eq!(inbox.sorted(), ["created", "created", "paid", "paid"]);
    Ok(())
}

/// A consumer with an SQL92 condition receives only messages whose properties match.
pub async fn by_sql(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    for (amount, region) in [(5, "eu"), (50, "eu"), (50, "us"), (500, "eu")] {
        let message = Message::new(&stage.topic, format!("{amount} {region}"));
        let message = message.property("amount", amount.to_string()).property("region", region);
        stage.producer.send(message).await?;
    }
    let inbox = Inbox::default();
    let condition = "amount BETWEEN 10 AND 1000 AND region = 'eu'";
    let running = stage.consumer().subscribe_sql(&stage.topic, condition).listen(inbox.accept()).await?;
    inbox.expect(2).await;
    running.shutdown().await;
    assert_eq!(inbox.sorted(), ["50 eu", "500 eu"]);
    Ok(())
}

/// Returns the number of messages of a topic that the consumer has committed.
fn progress(running: &Running, topic: &str) -> i64 {
    let table = running.info().mq_table;
    table.iter().filter(|(queue, _)| queue.topic == topic).map(|(_, state)| state.commit_offset).sum()
}

/// A running consumer subscribes to a topic, changes its filter, and leaves it.
pub async fn topics_come_and_go(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let other = cluster.topic(&stage.client, 2).await?;
    let send = |topic: &str, tag: &str, body: &str| {
        stage.producer.send(Message::new(topic, body.to_owned()).tag(tag)).into_future()
    };
    let inbox = Inbox::default();
    let running = stage.consumer().listen(inbox.accept()).await?;
    send(&other, "x", "1").await?;
    running.subscribe(&other, "x").await?;
    inbox.expect(1).await;

    running.subscribe(&other, "y").await?;
    // A parked pull still asks for the old tag. One message of that tag in each queue ends it before the new tag is
    // sent.
    for _ in 0..2 {
        send(&other, "x", "old").await?;
    }
    eventually("the end of the old pulls", PATIENCE, async || progress(&running, &other) == 3).await;
    send(&other, "y", "2").await?;
    eventually("the new tag", PATIENCE, async || inbox.texts().contains(&"2".to_owned())).await;

    let wrong = running.subscribe(&other, "||").await.expect_err("no tag");
    assert_eq!(wrong.kind(), StartErrorKind::InvalidConfig, "{wrong}");
    running.unsubscribe(&other).await;
    let reads = || running.queues().iter().any(|queue| queue.topic == other);
    eventually("the topic left", PATIENCE, async || !reads()).await;
    let before = inbox.len();
    send(&other, "y", "3").await?;
    stage.send(["4"]).await?;
    inbox.expect(before + 1).await;
    assert_eq!(inbox.texts().last().map(String::as_str), Some("4"));

    running.subscribe_sql(&other, "TAGS = 'y'").await?;
    inbox.expect(before + 2).await;
    assert_eq!(inbox.texts().last().map(String::as_str), Some("3"), "it goes on where it stopped");
    running.shutdown().await;
    Ok(())
}

/// A group continues at its committed offset, whatever start it asks for.
pub async fn from_the_committed_offset(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let first = Inbox::default();
    stage.send(["a", "b", "c", "d", "e"]).await?;
    let running = stage.consumer().listen(first.accept()).await?;
    first.expect(5).await;
    running.shutdown().await;

    stage.send(["f", "g"]).await?;
    let second = Inbox::default();
    let running = stage.consumer().listen(second.accept()).await?;
    second.expect(2).await;
    running.shutdown().await;
    assert_eq!(second.sorted(), ["f", "g"]);
    Ok(())
}

/// A shutdown waits for running handlers and commits their progress.
pub async fn a_shutdown_waits_for_handlers(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    stage.send(["slow"]).await?;
    let (first, gate) = (Inbox::default(), Arc::new(Semaphore::new(0)));
    let (seen, held) = (first.clone(), gate.clone());
    let handler = move |delivery: Delivery| {
        seen.keep(delivery);
        let gate = held.clone();
        async move { gate.acquire().await.map(|_| Outcome::Ack) }
    };
    let running = stage.consumer().listen(handler).await?;
    first.expect(1).await;
    let (finished, ()) = tokio::join!(running.shutdown(), async { gate.add_permits(1) });
    assert!(finished, "no handler was cut");

    stage.send(["next"]).await?;
    let second = Inbox::default();
    let running = stage.consumer().listen(second.accept()).await?;
    second.expect(1).await;
    running.shutdown().await;
    assert_eq!(second.texts(), ["next"]);
    Ok(())
}

/// A new group can start at the first message.
pub async fn from_first(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    stage.send(["a", "b"]).await?;
    let inbox = Inbox::default();
    let running = stage.consumer().from_where(FromWhere::FirstOffset).listen(inbox.accept()).await?;
    inbox.expect(2).await;
    running.shutdown().await;
    assert_eq!(inbox.sorted(), ["a", "b"]);
    Ok(())
}

/// A broadcasting member has no offset on the broker: it starts where it asks to.
pub async fn from_where(cluster: &Cluster) -> TestResult {
    let folder = tempfile::tempdir()?;
    begins_where_it_wishes(cluster, |consumer| consumer.broadcasting().offset_folder(folder.path())).await
}

/// New groups start at the end of a queue, at its beginning, and at a time.
pub async fn begins_where_it_wishes(
    cluster: &Cluster,
    shape: impl Fn(PushConsumerBuilder) -> PushConsumerBuilder,
) -> TestResult {
    let stage =
        Stage { topic: cluster.topic(&cluster.client().await?, 1).await?, ..Stage::set(cluster).await? };
    // 4.9 answers with any message of exactly this millisecond, so each part has a millisecond of its own.
    for part in [&["1", "2"][..], &["3"], &["4"]] {
        stage.send(part.iter().copied()).await?;
        cluster.pass(Duration::from_millis(40)).await;
    }
    let mut all = crate::collect(&stage.client, &stage.topic, 4).await?;
    let mark = all[2].stored_at();
    for from in [FromWhere::LastOffset, FromWhere::FirstOffset, FromWhere::Timestamp(mark)] {
        let inbox = Inbox::default();
        let consumer = stage.client.push_consumer(unique_group()).subscribe(&stage.topic, "*");
        let running = shape(consumer.from_where(from)).listen(inbox.accept()).await?;
        // The consumer knows its start, and has read to the end.
        let end = all.len() as i64;
        eventually("the end of the queue", PATIENCE, async || {
            running.info().mq_table.values().any(|queue| queue.commit_offset == end)
        })
        .await;
        stage.send(["new"]).await?;
        eventually("what came later", PATIENCE, async || {
            inbox.all().iter().any(|delivery| delivery.queue_offset() == end)
        })
        .await;
        running.shutdown().await;
        let wished = all.iter().filter(|delivery| match from {
            FromWhere::LastOffset => false,
            FromWhere::FirstOffset => true,
            FromWhere::Timestamp(since) => delivery.stored_at() >= since,
        });
        assert_eq!(inbox.len(), wished.count() + 1, "{from:?}: {:?}", inbox.texts());
        all.extend(inbox.all().into_iter().filter(|delivery| delivery.queue_offset() == end));
    }
    Ok(())
}

/// Brokers start a new group at the beginning of a queue whose first message is still in memory, even if it asks for
/// the end. By this rule Apache loses no message that is sent while a group starts.
pub async fn a_young_queue_from_its_beginning(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    stage.send(["a", "b"]).await?;
    let inbox = Inbox::default();
    let running = stage.consumer().from_where(FromWhere::LastOffset).listen(inbox.accept()).await?;
    inbox.expect(2).await;
    running.shutdown().await;
    assert_eq!(inbox.sorted(), ["a", "b"]);
    Ok(())
}
