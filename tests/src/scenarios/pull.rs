//! Consumers that poll: lite ones with shared or assigned queues, and classic ones with queues and offsets of their
//! own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rocketmq_client::error::StartErrorKind;
use rocketmq_client::{Client, Delivery, FromWhere, LiteConsumer, Message, MessageQueue, Offset, Pulled};

use crate::{Cluster, PATIENCE, TestResult, eventually, unique_group};

/// A topic with one queue that holds `a` to `j`.
struct Stage {
    client: Client,
    topic: String,
    queue: MessageQueue,
}

impl Stage {
    async fn set(cluster: &Cluster) -> TestResult<Self> {
        let client = cluster.client().await?;
        let topic = cluster.topic(&client, 1).await?;
        let producer = client.producer(unique_group()).build().await?;
        for body in "abcdefghij".chars() {
            let tag = if body < 'c' { "early" } else { "late" };
            producer.send(Message::new(&topic, body.to_string()).tag(tag)).await?;
        }
        let (_, queues) = crate::queues(&client, &topic).await?;
        let queue = queues.into_iter().next().ok_or("a topic without a queue")?;
        // Brokers fill their queues from their log a moment after the answer.
        let reader = client.pull_consumer(unique_group()).build().await?;
        eventually("all ten messages in the queue", PATIENCE, async || {
            reader.offset(&queue, Offset::Last).await.is_ok_and(|end| end == 10)
        })
        .await;
        Ok(Self { client, topic, queue })
    }
}

fn text(deliveries: &[Delivery]) -> String {
    deliveries.iter().filter_map(Delivery::text).collect()
}

/// Polls until there are `count` messages. Returns their bodies.
async fn read(consumer: &mut LiteConsumer, count: usize) -> TestResult<String> {
    let mut all = Vec::new();
    while all.len() < count {
        let batch = consumer.poll(PATIENCE).await?.ok_or("no batch came")?;
        all.extend(batch);
    }
    Ok(text(&all))
}

/// A subscribed lite consumer has its share of the queues, and its group continues where it stopped.
pub async fn lite_subscribe(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let group = unique_group();
    let start = |stage: &Stage| {
        let lite = stage.client.lite_consumer(&group).subscribe(&stage.topic, "late");
        lite.from_where(FromWhere::FirstOffset).pull_batch(4).build()
    };
    let mut first = start(&stage).await?;
    assert_eq!(read(&mut first, 8).await?, "cdefghij");
    assert_eq!(first.assignment(), std::slice::from_ref(&stage.queue));
    first.commit().await;
    first.shutdown().await;

    let producer = stage.client.producer(unique_group()).build().await?;
    producer.send(Message::new(&stage.topic, "k").tag("late")).await?;
    let mut second = start(&stage).await?;
    assert_eq!(read(&mut second, 1).await?, "k");
    second.shutdown().await;
    Ok(())
}

/// A lite consumer with assigned queues reads where it seeks to.
pub async fn lite_assign_and_seek(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let lite = stage.client.lite_consumer(unique_group()).assign([stage.queue.clone()]);
    let mut lite = lite.from_where(FromWhere::FirstOffset).pull_batch(10).build().await?;
    assert_eq!(read(&mut lite, 10).await?, "abcdefghij");
    lite.seek(&stage.queue, Offset::At(7)).await?;
    assert_eq!(read(&mut lite, 3).await?, "hij");
    lite.seek(&stage.queue, Offset::First).await?;
    assert_eq!(read(&mut lite, 10).await?, "abcdefghij");
    let beyond = lite.seek(&stage.queue, Offset::At(11)).await.expect_err("an offset behind the end");
    assert!(beyond.to_string().contains("11") && beyond.to_string().contains("0 to 10"), "{beyond}");
    lite.shutdown().await;
    Ok(())
}

/// Without automatic commits only the application's commits count.
pub async fn lite_commit_by_hand(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let group = unique_group();
    let start = |stage: &Stage| {
        let lite = stage.client.lite_consumer(&group).assign([stage.queue.clone()]).auto_commit(false);
        lite.from_where(FromWhere::FirstOffset).pull_batch(4).build()
    };
    let mut first = start(&stage).await?;
    let batch = first.poll(PATIENCE).await?.ok_or("no batch came")?;
    let committed = batch.len();
    batch.commit().await?;
    let rest = first.poll(PATIENCE).await?.ok_or("no second batch came")?;
    assert!(!rest.is_empty());
    first.shutdown().await;

    let mut second = start(&stage).await?;
    let again = second.poll(PATIENCE).await?.ok_or("no batch came")?;
    assert_eq!(again.iter().next().map(Delivery::queue_offset), Some(committed as i64));
    second.shutdown().await;
    Ok(())
}

/// A lite consumer receives the messages that meet a condition.
pub async fn lite_by_sql(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let lite = stage.client.lite_consumer(unique_group()).subscribe_sql(&stage.topic, "TAGS <> 'late'");
    let mut lite = lite.from_where(FromWhere::FirstOffset).build().await?;
    assert_eq!(read(&mut lite, 2).await?, "ab");
    lite.shutdown().await;

    let wrong = stage.client.lite_consumer(unique_group()).subscribe_sql(&stage.topic, "TAGS <>");
    let refused = wrong.build().await.expect_err("half a condition");
    assert_eq!(refused.kind(), StartErrorKind::Refused, "{refused}");
    Ok(())
}

/// Each broadcasting lite consumer reads every message, and continues by its own file.
pub async fn lite_broadcasting(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let (folder, group) = (tempfile::tempdir()?, unique_group());
    let named = |name: &'static str| {
        let builder = Client::builder(cluster.name_server());
        builder.configure(move |config| config.instance_name = Some(name.into())).connect()
    };
    let start = |client: &Client| {
        let lite = client.lite_consumer(&group).subscribe(&stage.topic, "*").broadcasting();
        lite.offset_folder(folder.path()).from_where(FromWhere::FirstOffset).build()
    };
    let (one, two) = (named("one").await?, named("two").await?);
    let (mut first, mut second) = (start(&one).await?, start(&two).await?);
    assert_eq!(read(&mut first, 10).await?, "abcdefghij");
    assert_eq!(read(&mut second, 10).await?, "abcdefghij");
    first.commit().await;
    assert_eq!(first.committed(&stage.queue).await?, Some(10));
    first.shutdown().await;
    second.shutdown().await;

    let producer = stage.client.producer(unique_group()).build().await?;
    producer.send(Message::new(&stage.topic, "k")).await?;
    let mut first = start(&one).await?;
    assert_eq!(read(&mut first, 1).await?, "k");
    first.shutdown().await;
    let files = std::fs::read_dir(folder.path())?.count();
    assert_eq!(files, 2, "a folder for each client");
    Ok(())
}

/// A running lite consumer gets other queues, and reads only some of their tags.
pub async fn lite_assigned_anew(cluster: &Cluster) -> TestResult {
    let (one, two) = (Stage::set(cluster).await?, Stage::set(cluster).await?);
    let lite = one.client.lite_consumer(unique_group()).assign([one.queue.clone()]);
    let lite = lite.filter_assigned(&two.topic, "early").from_where(FromWhere::FirstOffset);
    let mut lite = lite.build().await?;
    assert_eq!(read(&mut lite, 10).await?, "abcdefghij");
    lite.commit().await;
    lite.assign([two.queue.clone()]).await?;
    assert_eq!(lite.assignment(), std::slice::from_ref(&two.queue));
    assert_eq!(read(&mut lite, 2).await?, "ab");

    let producer = one.client.producer(unique_group()).build().await?;
    producer.send(Message::new(&one.topic, "k")).await?;
    lite.assign([one.queue.clone(), two.queue.clone()]).await?;
    assert_eq!(read(&mut lite, 1).await?, "k");
    lite.shutdown().await;

    let mut shared = one.client.lite_consumer(unique_group()).subscribe(&one.topic, "*").build().await?;
    let refused = shared.assign([one.queue.clone()]).await.expect_err("its queues are shared out");
    assert!(refused.to_string().contains("assign"), "{refused}");
    shared.shutdown().await;
    Ok(())
}

/// Pulls with limits, with filters, and at the end of a queue.
pub async fn classic(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let pull = stage.client.pull_consumer(unique_group()).build().await?;
    let found = pull.pull(&stage.queue, Offset::At(2)).max(3).await?;
    let Pulled::Found { messages, next } = found else { panic!("{found:?}") };
    assert_eq!((text(&messages).as_str(), next), ("cde", 5));

    let found = pull.pull(&stage.queue, Offset::First).tags("early").await?;
    let Pulled::Found { messages, .. } = found else { panic!("{found:?}") };
    assert_eq!(text(&messages), "ab");

    let end = pull.pull(&stage.queue, Offset::Last).await?;
    assert!(matches!(end, Pulled::Empty { next: 10 }), "{end:?}");
    let beyond = pull.pull(&stage.queue, Offset::At(1000)).await?;
    assert!(matches!(beyond, Pulled::OffsetMoved { to: 10 }), "{beyond:?}");
    Ok(())
}

/// A pull at the end of a queue is answered when a message comes.
pub async fn long_poll(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let pull = stage.client.pull_consumer(unique_group()).build().await?;
    let waiting = tokio::spawn(pull.pull(&stage.queue, Offset::At(10)).wait(PATIENCE).into_future());
    let producer = stage.client.producer(unique_group()).build().await?;
    producer.send(Message::new(&stage.topic, "k")).await?;
    let found = waiting.await??;
    let Pulled::Found { messages, next } = found else { panic!("{found:?}") };
    assert_eq!((text(&messages).as_str(), next), ("k", 11));
    Ok(())
}

/// A queue has a first and a last offset, an offset for each time, and a committed offset of the group.
pub async fn offsets(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let pull = stage.client.pull_consumer(unique_group()).build().await?;
    let queue = &stage.queue;
    assert_eq!(pull.offset(queue, Offset::First).await?, 0);
    assert_eq!(pull.offset(queue, Offset::Last).await?, 10);
    assert_eq!(pull.offset(queue, Offset::Time(UNIX_EPOCH + Duration::from_secs(1))).await?, 0);
    let tomorrow = SystemTime::now() + Duration::from_secs(24 * 3600);
    // For a time after the last message 4.9 answers with that message, 5.x with the end of the queue.
    let end = if cluster.is_4x() { 9 } else { 10 };
    assert_eq!(pull.offset(queue, Offset::Time(tomorrow)).await?, end);

    // Brokers report offset 0 for a new group while the queue's first message is in memory.
    assert_eq!(pull.committed(queue).await?.unwrap_or(0), 0);
    // The pull makes the group known to the broker; an unknown group cannot commit.
    pull.pull(queue, Offset::First).await?;
    pull.commit(queue, 4).await?;
    assert_eq!(pull.committed(queue).await?, Some(4));
    assert_eq!(pull.offset(queue, Offset::Committed).await?, 4);
    Ok(())
}
