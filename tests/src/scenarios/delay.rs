//! Delayed delivery: delay levels on every cluster, timers on clusters that have them.

use std::time::Duration;

use rocketmq_client::{Client, DelayLevel, Delivery, FromWhere, Message, Producer, Running};

use crate::{Cluster, Feature, Inbox, PATIENCE, TestResult, eventually, unique_group};

const SECOND: Duration = Duration::from_secs(1);

/// A topic, its producer, and a consumer that keeps its deliveries.
struct Stage {
    _client: Client,
    producer: Producer,
    topic: String,
    inbox: Inbox,
    running: Running,
}

impl Stage {
    async fn set(cluster: &Cluster) -> TestResult<Self> {
        let client = cluster.client().await?;
        let producer = client.producer(unique_group()).build().await?;
        let topic = cluster.topic(&client, 1).await?;
        let inbox = Inbox::default();
        let consumer = client.push_consumer(unique_group()).subscribe(&topic, "*");
        let running = consumer.from_where(FromWhere::FirstOffset).listen(inbox.accept()).await?;
        Ok(Self { _client: client, producer, topic, inbox, running })
    }

    fn message(&self, body: &str) -> Message {
        Message::new(&self.topic, body.to_owned())
    }

    async fn several(&self, cluster: &Cluster, span: Duration, count: usize) {
        let what = format!("{count} deliveries");
        cluster.later(span, &what, async || self.inbox.len() >= count).await;
    }
}

/// Returns the time from the message's birth to its storing in its topic.
fn delay(delivery: &Delivery) -> TestResult<Duration> {
    Ok(delivery.stored_at().duration_since(delivery.born_at())?)
}

/// A delayed message comes after the others, not too soon, and with its own topic and queue.
pub async fn by_level(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    stage.producer.send(stage.message("later").tag("t").deliver_after(DelayLevel::S5)).await?;
    stage.producer.send(stage.message("now")).await?;
    stage.inbox.expect(1).await;
    stage.several(cluster, 5 * SECOND, 2).await;
    stage.running.shutdown().await;
    assert_eq!(stage.inbox.texts(), ["now", "later"]);
    let later = &stage.inbox.all()[1];
    assert_eq!((later.topic(), later.tag(), later.reconsume_times()), (stage.topic.as_str(), Some("t"), 0));
    let waited = delay(later)?;
    // Apache's brokers round a delivery time to the tick of its level: never down by more than a second.
    assert!(waited >= 4 * SECOND, "delivered after {waited:?}");
    Ok(())
}

/// Timer messages come in the order of their delivery times, set to the millisecond.
pub async fn by_timer(cluster: &Cluster) -> TestResult {
    if !cluster.has(Feature::Timers) {
        return Ok(());
    }
    let stage = Stage::set(cluster).await?;
    stage.producer.send(stage.message("last").delay(Duration::from_millis(3300))).await?;
    stage.producer.send(stage.message("second").delay(Duration::from_millis(1600))).await?;
    stage.producer.send(stage.message("first")).await?;
    stage.inbox.expect(1).await;
    stage.several(cluster, 4 * SECOND, 3).await;
    stage.running.shutdown().await;
    assert_eq!(stage.inbox.texts(), ["first", "second", "last"]);
    let waited = delay(&stage.inbox.all()[2])?;
    // The wheel of Apache's broker turns in steps of a second.
    assert!(waited >= Duration::from_millis(2300), "delivered after {waited:?}");
    Ok(())
}

/// A recalled timer message never comes; the one behind it does.
pub async fn recalled(cluster: &Cluster) -> TestResult {
    if !cluster.has(Feature::Timers) {
        return Ok(());
    }
    let stage = Stage::set(cluster).await?;
    let unwanted = stage.producer.send(stage.message("unwanted").delay(8 * SECOND)).await?;
    let handle = unwanted.recall_handle().ok_or("a timer message without a recall handle")?;
    stage.producer.send(stage.message("wanted").delay(10 * SECOND)).await?;
    let recalled = stage.producer.recall(&stage.topic, handle).await?;
    assert_eq!(recalled, unwanted.message_id());
    stage.several(cluster, 11 * SECOND, 1).await;
    stage.running.shutdown().await;
    assert_eq!(stage.inbox.texts(), ["wanted"]);
    Ok(())
}

/// A handler that takes a minute runs once: neither client nor broker retries its message.
pub async fn a_handler_of_a_minute(cluster: &Cluster) -> TestResult {
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 1).await?;
    let (inbox, minute) = (Inbox::default(), std::sync::Arc::new(tokio::sync::Notify::new()));
    let (kept, over, group) = (inbox.clone(), minute.clone(), unique_group());
    let slow = move |delivery: Delivery| {
        kept.keep(delivery);
        let over = over.clone();
        async move {
            over.notified().await;
            Ok::<_, std::convert::Infallible>(rocketmq_client::Outcome::Ack)
        }
    };
    let consumer = client.push_consumer(&group).subscribe(&topic, "*");
    let running = consumer.from_where(FromWhere::FirstOffset).listen(slow).await?;
    client.producer(unique_group()).build().await?.send(Message::new(&topic, "slow")).await?;
    inbox.expect(1).await;
    cluster.pass(60 * SECOND).await;
    minute.notify_one();
    // Lets the delay of a possible retry pass as well, so that a retry would be here.
    cluster.pass(11 * SECOND).await;
    assert!(running.shutdown().await);
    assert_eq!(inbox.texts(), ["slow"]);
    let (reader, queues) = crate::queues(&client, &topic).await?;
    let owner = client.pull_consumer(&group).build().await?;
    eventually("the commit", PATIENCE, async || {
        owner.committed(&queues[0]).await.is_ok_and(|at| at == Some(1))
    })
    .await;
    drop(reader);
    Ok(())
}
