//! Messages that fail at the first try.

use std::time::Duration;

use rocketmq_client::{
    Client, DelayLevel, Delivery, FromWhere, Message, MessageQueue, Offset, Outcome, Pulled,
    PushConsumerBuilder,
};

use crate::{Cluster, Inbox, TestResult, unique_group};

const SECOND: Duration = Duration::from_secs(1);

/// A topic with one message, and a group for it.
struct Stage {
    client: Client,
    topic: String,
    group: String,
    message_id: String,
}

impl Stage {
    async fn set(cluster: &Cluster) -> TestResult<Self> {
        let client = cluster.client().await?;
        let topic = cluster.topic(&client, 1).await?;
        let producer = client.producer(unique_group()).build().await?;
        let message = Message::new(&topic, "order 42").tag("created").key("42").property("colour", "red");
        let message_id = producer.send(message).await?.message_id().to_owned();
        Ok(Self { client, topic, group: unique_group(), message_id })
    }

    fn consumer(&self) -> PushConsumerBuilder {
        let consumer = self.client.push_consumer(&self.group).subscribe(&self.topic, "created");
        consumer.from_where(FromWhere::FirstOffset)
    }

    async fn dead_letter(&self, cluster: &Cluster) -> TestResult<Delivery> {
        dead_letter(cluster, &self.client, &self.group, &self.topic).await
    }

    /// Asserts that a retried message looks to the handler as it did at first.
    fn assert_unchanged(&self, delivery: &Delivery) {
        let parts = (delivery.text(), delivery.tag(), delivery.property("colour"));
        assert_eq!(parts, (Some("order 42"), Some("created"), Some("red")));
        assert_eq!(delivery.message_id(), self.message_id);
    }
}

async fn several(cluster: &Cluster, span: Duration, inbox: &Inbox, count: usize) {
    let what = format!("{count} deliveries");
    cluster.later(span, &what, async || inbox.len() >= count).await;
}

fn tries(inbox: &Inbox) -> Vec<u32> {
    inbox.all().iter().map(Delivery::reconsume_times).collect()
}

/// A message is retried with the delay that the handler asks for and counted, until it succeeds.
pub async fn until_it_is_done(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let inbox = Inbox::default();
    let stubborn = inbox.decide(|delivery| match delivery.reconsume_times() {
        0 | 1 => Outcome::RetryAfter(DelayLevel::S1),
        _ => Outcome::Ack,
    });
    let running = stage.consumer().listen(stubborn).await?;
    several(cluster, SECOND, &inbox, 2).await;
    several(cluster, SECOND, &inbox, 3).await;
    running.shutdown().await;
    assert_eq!(tries(&inbox), [0, 1, 2]);
    for delivery in inbox.all() {
        stage.assert_unchanged(&delivery);
        assert_eq!(delivery.topic(), stage.topic);
    }
    let second = &inbox.all()[1];
    assert_eq!(second.queue().topic, format!("%RETRY%{}", stage.group));
    Ok(())
}

/// Without a delay of the handler the first retry comes after ten seconds, level 3 of the ladder, and not sooner.
pub async fn by_the_ladder(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let inbox = Inbox::default();
    let once = inbox.decide(|delivery| match delivery.reconsume_times() {
        0 => Outcome::Retry,
        _ => Outcome::Ack,
    });
    let running = stage.consumer().listen(once).await?;
    inbox.expect(1).await;
    several(cluster, 10 * SECOND, &inbox, 2).await;
    running.shutdown().await;
    let [first, second] = &inbox.all()[..] else { panic!("{:?}", inbox.all()) };
    let waited = second.stored_at().duration_since(first.stored_at())?;
    assert!(waited >= 10 * SECOND, "tried again after {waited:?}");
    Ok(())
}

/// A panic of a handler fails its own message only, which is retried.
pub async fn after_a_panic(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let inbox = Inbox::default();
    let clumsy = inbox.decide(|delivery| match delivery.reconsume_times() {
        0 => panic!("a handler's mistake, made on purpose"),
        _ => Outcome::Ack,
    });
    let running = stage.consumer().listen(clumsy).await?;
    several(cluster, 10 * SECOND, &inbox, 1).await;
    running.shutdown().await;
    assert_eq!(tries(&inbox), [1]);
    Ok(())
}

/// A handler beyond its time limit is cancelled, and its message is retried.
pub async fn after_a_timeout(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let inbox = Inbox::default();
    let kept = inbox.clone();
    let stuck = move |delivery: Delivery| {
        let first = delivery.reconsume_times() == 0;
        kept.keep(delivery);
        async move {
            if first {
                std::future::pending::<()>().await;
            }
            Ok::<_, std::convert::Infallible>(Outcome::Ack)
        }
    };
    let running = stage.consumer().consume_timeout(SECOND / 2).listen(stuck).await?;
    inbox.expect(1).await;
    several(cluster, 10 * SECOND, &inbox, 2).await;
    running.shutdown().await;
    assert_eq!(tries(&inbox), [0, 1]);
    Ok(())
}

/// After the maximum of tries the message is in the dead letter queue, as it was sent.
pub async fn dead_letter_after_the_maximum(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let inbox = Inbox::default();
    let never = inbox.decide(|_| Outcome::RetryAfter(DelayLevel::S1));
    let running = stage.consumer().max_reconsume_times(1).listen(never).await?;
    several(cluster, SECOND, &inbox, 2).await;
    stage.assert_unchanged(&stage.dead_letter(cluster).await?);
    running.shutdown().await;
    assert_eq!(tries(&inbox), [0, 1]);
    Ok(())
}

/// A handler can dead-letter a message at its first try.
pub async fn dead_letter_at_once(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let inbox = Inbox::default();
    let running = stage.consumer().listen(inbox.decide(|_| Outcome::DeadLetter)).await?;
    inbox.expect(1).await;
    stage.assert_unchanged(&stage.dead_letter(cluster).await?);
    running.shutdown().await;
    assert_eq!(tries(&inbox), [0]);
    Ok(())
}

/// Waits for the one message in the group's dead letter queue, and checks that it comes from `topic`.
pub(super) async fn dead_letter(
    cluster: &Cluster,
    client: &Client,
    group: &str,
    topic: &str,
) -> TestResult<Delivery> {
    let reader = client.pull_consumer(unique_group()).build().await?;
    let queue = MessageQueue::new(format!("%DLQ%{group}"), "broker-a", 0);
    let inbox = Inbox::default();
    cluster
        .later(SECOND, "a dead letter", async || {
            if let Ok(Pulled::Found { messages, .. }) = reader.pull(&queue, Offset::At(0)).await {
                for message in messages {
                    inbox.keep(message);
                }
            }
            !inbox.is_empty()
        })
        .await;
    let letter = inbox.all().remove(0);
    assert_eq!(letter.property("RETRY_TOPIC"), Some(topic), "where it came from");
    Ok(letter)
}
