//! Orderly consumption.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rocketmq_client::{
    Client, DelayLevel, Delivery, FromWhere, Message, MessageQueue, Outcome, PushConsumerBuilder,
};

use crate::{Cluster, Inbox, PATIENCE, TestResult, eventually, unique_group};

fn orderly(client: &Client, group: &str, topic: &str) -> PushConsumerBuilder {
    let consumer = client.push_consumer(group).subscribe(topic, "*").orderly();
    // Rests as short as allowed, so that retries in place take no time.
    consumer.from_where(FromWhere::FirstOffset).configure(|config| config.suspend = Duration::from_millis(10))
}

/// Sends bodies `key:number`; the numbers of a key ascend.
async fn send_numbered(client: &Client, topic: &str, numbers: std::ops::Range<u32>) -> TestResult {
    let producer = client.producer(unique_group()).build().await?;
    for number in numbers {
        for key in 0..6 {
            let message = Message::new(topic, format!("{key}:{number}"));
            producer.send(message).ordered_by(key).await?;
        }
    }
    Ok(())
}

/// Returns the numbers by key, in the order of their first handling.
fn by_key(inbox: &Inbox) -> TestResult<BTreeMap<String, Vec<u32>>> {
    let mut keys = BTreeMap::<String, Vec<u32>>::new();
    for text in inbox.texts() {
        let (key, number) = text.split_once(':').ok_or("not a numbered body")?;
        let (numbers, number) = (keys.entry(key.to_owned()).or_default(), number.parse()?);
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    Ok(keys)
}

fn assert_in_order(inbox: &Inbox, count: u32) -> TestResult {
    let keys = by_key(inbox)?;
    assert_eq!(keys.len(), 6);
    for (key, numbers) in keys {
        assert_eq!(numbers, (0..count).collect::<Vec<_>>(), "numbers of key {key}");
    }
    Ok(())
}

/// Messages of one key come in order, whatever happens to other keys.
pub async fn per_key(cluster: &Cluster) -> TestResult {
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 4).await?;
    let inbox = Inbox::default();
    let running = orderly(&client, &unique_group(), &topic).listen(inbox.accept()).await?;
    send_numbered(&client, &topic, 0..20).await?;
    inbox.expect(120).await;
    running.shutdown().await;
    assert_eq!(inbox.len(), 120);
    assert_in_order(&inbox, 20)
}

/// A failed message is retried before the messages behind it.
pub async fn retry_in_place(cluster: &Cluster) -> TestResult {
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 1).await?;
    let producer = client.producer(unique_group()).build().await?;
    for body in ["a", "b", "c"] {
        producer.send(Message::new(&topic, body)).await?;
    }
    let inbox = Inbox::default();
    let stubborn = inbox.decide(|delivery| match (delivery.text(), delivery.reconsume_times()) {
        (Some("b"), 0 | 1) => Outcome::Retry,
        _ => Outcome::Ack,
    });
    let running = orderly(&client, &unique_group(), &topic).listen(stubborn).await?;
    inbox.expect(5).await;
    running.shutdown().await;
    let tries: Vec<_> =
        inbox.all().iter().map(|d| (d.text().unwrap_or("").to_owned(), d.reconsume_times())).collect();
    let expected = [("a", 0), ("b", 0), ("b", 1), ("b", 2), ("c", 0)];
    assert_eq!(tries, expected.map(|(text, tries)| (text.to_owned(), tries)));
    Ok(())
}

/// A rest that the handler names overrides the setting of the consumer, which is half a minute here.
pub async fn a_queue_rests_as_told(cluster: &Cluster) -> TestResult {
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 1).await?;
    client.producer(unique_group()).build().await?.send(Message::new(&topic, "a")).await?;
    let (inbox, starts) = (Inbox::default(), Arc::<Mutex<Vec<Instant>>>::default());
    let log = starts.clone();
    let patient = inbox.decide(move |delivery| {
        log.lock().push(Instant::now());
        match delivery.reconsume_times() {
            0 => Outcome::Suspend(Duration::from_millis(20)),
            1 => Outcome::RetryAfter(DelayLevel::S1),
            _ => Outcome::Ack,
        }
    });
    let consumer = orderly(&client, &unique_group(), &topic);
    let running = consumer.configure(|config| config.suspend = PATIENCE).listen(patient).await?;
    inbox.expect(3).await;
    running.shutdown().await;
    let starts = starts.lock();
    assert!(starts[2] - starts[1] >= Duration::from_secs(1), "{starts:?}");
    Ok(())
}

/// After the maximum of tries in place the messages behind come, and the dead letter knows the number of tries.
pub async fn dead_letter_after_the_maximum(cluster: &Cluster) -> TestResult {
    let letter = dead_letter(cluster, Outcome::Retry, &[("a", 0), ("a", 1), ("a", 2), ("b", 0)]).await?;
    assert_eq!(letter.reconsume_times(), 2);
    Ok(())
}

/// A handler can dead-letter a message at its first try.
pub async fn dead_letter_at_once(cluster: &Cluster) -> TestResult {
    let letter = dead_letter(cluster, Outcome::DeadLetter, &[("a", 0), ("b", 0)]).await?;
    assert_eq!(letter.reconsume_times(), 0);
    Ok(())
}

/// Sends `a` and `b`, returns `of_a` for `a`, and asserts the tries. Returns the dead letter of `a`.
async fn dead_letter(cluster: &Cluster, of_a: Outcome, tries: &[(&str, u32)]) -> TestResult<Delivery> {
    let client = cluster.client().await?;
    let (topic, group, inbox) = (cluster.topic(&client, 1).await?, unique_group(), Inbox::default());
    let producer = client.producer(unique_group()).build().await?;
    let sent = producer.send(Message::new(&topic, "a").tag("t").key("k").property("colour", "red")).await?;
    producer.send(Message::new(&topic, "b")).await?;
    let stubborn =
        inbox.decide(move |delivery| if delivery.text() == Some("a") { of_a } else { Outcome::Ack });
    let running = orderly(&client, &group, &topic).max_reconsume_times(2).listen(stubborn).await?;
    inbox.expect(tries.len()).await;
    let letter = super::retry::dead_letter(cluster, &client, &group, &topic).await?;
    running.shutdown().await;
    let seen = inbox.all();
    let seen: Vec<_> = seen.iter().map(|d| (d.text().unwrap_or(""), d.reconsume_times())).collect();
    assert_eq!(seen, tries);
    let parts = (letter.text(), letter.tag(), letter.property("colour"), letter.message_id());
    assert_eq!(parts, (Some("a"), Some("t"), Some("red"), sent.message_id()));
    Ok(letter)
}

/// A second member joins and the first one leaves while messages come: every key keeps its order.
pub async fn while_members_change(cluster: &Cluster) -> TestResult {
    let (client, other) = (cluster.client().await?, cluster.client().await?);
    let topic = cluster.topic(&client, 4).await?;
    let (inbox, group) = (Inbox::default(), unique_group());
    let first = orderly(&client, &group, &topic).listen(inbox.accept()).await?;
    send_numbered(&client, &topic, 0..10).await?;
    inbox.expect(6 * 10).await;
    let second = orderly(&other, &group, &topic).listen(inbox.accept()).await?;
    send_numbered(&other, &topic, 10..20).await?;
    let half = |queues: Vec<MessageQueue>| queues.iter().filter(|queue| queue.topic == topic).count() == 2;
    eventually("half for the second member", PATIENCE, async || half(second.queues())).await;
    first.shutdown().await;
    send_numbered(&other, &topic, 20..30).await?;
    let all = |inbox: &Inbox| by_key(inbox).is_ok_and(|keys| keys.values().flatten().count() == 6 * 30);
    eventually("every message", 2 * PATIENCE, async || all(&inbox)).await;
    second.shutdown().await;
    assert_in_order(&inbox, 30)
}
