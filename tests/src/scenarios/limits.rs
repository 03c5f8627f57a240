//! Messages that fill the room a broker has for them: none stops what is behind it.

use std::time::Duration;

use rocketmq_client::{Client, FromWhere, Message, MessageQueue, Outcome, Receipt};

use crate::cluster::serve_by_pop;
use crate::{Cluster, Inbox, TestResult, collect, unique_group};

/// Number of messages behind the large one: more than a consumer holds in advance.
const BEHIND: usize = 2_500;
/// Length of the properties of a message that no broker stores.
const TOO_LONG: usize = 32_767;
/// Time after which a popped message is given out again, and more.
const NOTICED: Duration = Duration::from_secs(90);

/// A way in which a consumer gets its messages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Pulled,
    InOrder,
    Popped,
}

/// A retry adds properties. A message without room for them becomes a dead letter at its first retry.
pub async fn retried(cluster: &Cluster) -> TestResult {
    one_large(cluster, Way::Pulled, Outcome::Retry).await
}

/// A dead letter keeps its own properties where there is no room for more.
pub async fn dead_lettered(cluster: &Cluster) -> TestResult {
    one_large(cluster, Way::Pulled, Outcome::DeadLetter).await
}

/// In order, the messages behind a dead letter come at once too.
pub async fn dead_lettered_in_order(cluster: &Cluster) -> TestResult {
    one_large(cluster, Way::InOrder, Outcome::DeadLetter).await
}

/// POP adds a receipt to a message that it gives out again. Without room for it the message becomes a dead letter.
pub async fn popped(cluster: &Cluster) -> TestResult {
    one_large(cluster, Way::Popped, Outcome::Retry).await
}

/// Sends a large message and many small ones, returns `of_large` for the large one, and finds it among the dead letters.
async fn one_large(cluster: &Cluster, way: Way, of_large: Outcome) -> TestResult {
    if let Cluster::Apache { version, .. } = cluster {
        println!("skipped: Apache RocketMQ {version} never takes such a message back");
        return Ok(());
    }
    let client = cluster.client().await?;
    let (topic, group, inbox) = (cluster.topic(&client, 1).await?, unique_group(), Inbox::default());
    let large = send_with_small_ones(&client, &topic).await?;
    if way == Way::Popped {
        serve_by_pop(&client, &topic, &group).await?;
    }
    let consumer = client.push_consumer(&group).subscribe(&topic, "*").from_where(FromWhere::FirstOffset);
    let consumer = match way {
        Way::Pulled => consumer,
        Way::InOrder => consumer.orderly(),
        Way::Popped => consumer.configure(|it| it.broker_assignment = true),
    };
    let handler = inbox.decide(move |delivery| match delivery.text() {
        Some("large") => of_large,
        _ => Outcome::Ack,
    });
    let running = consumer.listen(handler).await?;
    inbox.expect(BEHIND + 1).await;
    let letters = format!("%DLQ%{group}");
    let reader = client.pull_consumer(&group).build().await?;
    let queue = MessageQueue::new(&topic, large.broker(), large.queue());
    cluster
        .later(NOTICED, "a dead letter and a committed offset", async || {
            let committed = reader.committed(&queue).await.ok().flatten();
            committed == Some(BEHIND as i64 + 1) && client.route(&letters).await.is_ok()
        })
        .await;
    running.shutdown().await;
    assert_eq!(collect(&client, &letters, 1).await?[0].message_id(), large.message_id());
    assert_eq!(inbox.len(), BEHIND + 1);
    Ok(())
}

async fn send_with_small_ones(client: &Client, topic: &str) -> TestResult<Receipt> {
    let producer = client.producer(unique_group()).build().await?;
    let mut room = TOO_LONG;
    let large = loop {
        room -= 1;
        let message = Message::new(topic, "large").property("pad", "x".repeat(room));
        match producer.send(message).await {
            Ok(receipt) => break receipt,
            Err(error) => assert!(room > TOO_LONG - 500, "{error}"),
        }
    };
    for _ in 0..BEHIND / 100 {
        producer.send_batch((0..100).map(|number| Message::new(topic, number.to_string())).collect()).await?;
    }
    Ok(large)
}
