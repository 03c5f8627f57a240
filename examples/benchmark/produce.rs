//! Sends messages: one at a time by each worker, with or without an ordering key, or in batches of 32. Also stores a
//! backlog.

use std::time::Instant;

use bytes::Bytes;
use rocketmq_client::{Client, Message, Producer, Receipt, SendStatus};

use crate::Failure;
use crate::measure::Load;

/// Number of messages in a batch, as in the Java program.
const BATCH: usize = 32;
/// Property for the mode `sql`; its values are 0 to 9 in turn.
const BUCKET: &str = "bucket";

pub async fn run(name_server: &str, topic: &str, load: Load<'_>) -> Result<String, Failure> {
    let (client, producer) = start(name_server, topic).await?;
    let message = || Message::new(topic, load.bytes());
    let line = match load.mode {
        "batch" => load.drive(|_| sending(&producer, message(), batch)).await,
        "ordered" => load.drive(|worker| sending(&producer, message().key(worker), in_order)).await,
        _ => load.drive(|_| sending(&producer, message(), one)).await,
    };
    producer.shutdown().await;
    client.shutdown().await;
    line
}

/// Stores `count` messages.
pub async fn fill(name_server: &str, topic: &str, count: usize, body: usize) -> Result<String, Failure> {
    let (client, producer) = start(name_server, topic).await?;
    let (begun, body) = (Instant::now(), Bytes::from(vec![b'x'; body]));
    for first in (0..count).step_by(BATCH) {
        let numbers = first..count.min(first + BATCH);
        let message =
            |number: usize| Message::new(topic, body.clone()).property(BUCKET, (number % 10).to_string());
        producer.send_batch(numbers.map(message).collect()).await?;
    }
    producer.shutdown().await;
    client.shutdown().await;
    let seconds = begun.elapsed().as_secs_f64();
    Ok(format!(r#"{{"client":"rust","mode":"fill","stored":{count},"seconds":{seconds:.3}}}"#))
}

pub async fn connect(name_server: &str) -> Result<Client, Failure> {
    Ok(rocketmq_client::connect(name_server).await?)
}

async fn start(name_server: &str, topic: &str) -> Result<(Client, Producer), Failure> {
    let client = connect(name_server).await?;
    let producer =
        client.producer("bench_producer").configure(|config| config.compress_threshold = usize::MAX);
    let producer = producer.topics([topic]).build().await?;
    Ok((client, producer))
}

/// Returns the send that a worker repeats.
fn sending<F>(
    producer: &Producer,
    message: Message,
    send: fn(Producer, Message) -> F,
) -> impl FnMut() -> F + use<F> {
    let producer = producer.clone();
    move || send(producer.clone(), message.clone())
}

async fn one(producer: Producer, message: Message) -> Option<u64> {
    producer.send(message).await.ok().filter(is_stored).map(|_| 1)
}

async fn in_order(producer: Producer, message: Message) -> Option<u64> {
    let key = message.properties().get("KEYS").unwrap_or_default().to_owned();
    producer.send(message).ordered_by(key).await.ok().filter(is_stored).map(|_| 1)
}

async fn batch(producer: Producer, message: Message) -> Option<u64> {
    let receipts = producer.send_batch(vec![message; BATCH]).await.ok()?;
    receipts.iter().all(is_stored).then_some(BATCH as u64)
}

fn is_stored(receipt: &Receipt) -> bool {
    receipt.status() == SendStatus::Ok
}
