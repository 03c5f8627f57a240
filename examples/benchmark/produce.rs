//! Sending: one at a time per worker, many futures of one task, or batches of 32.

use std::time::Instant;

use rocketmq_client::{Client, Message, Producer, SendStatus};

use crate::Failure;
use crate::measure::{Load, Tally, Window};

/// Messages in one batch, as in the Java program.
const BATCH: usize = 32;

pub async fn run(name_server: &str, topic: &str, load: Load) -> Result<String, Failure> {
    let client = connect(name_server).await?;
    let producer =
        client.producer("bench_producer").configure(|config| config.compress_threshold = usize::MAX);
    let producer = producer.topics([topic]).build().await?;
    let window = load.window();
    let workers: Vec<_> = (0..load.concurrency)
        .map(|_| tokio::spawn(worker(producer.clone(), topic.to_owned(), load, window)))
        .collect();
    let mut tallies = Vec::new();
    for worker in workers {
        tallies.push(worker.await?);
    }
    let line = Tally::report(&load, tallies);
    producer.shutdown().await;
    client.shutdown().await;
    Ok(line)
}

pub async fn connect(name_server: &str) -> Result<Client, Failure> {
    Ok(rocketmq_client::connect(name_server).await?)
}

async fn worker(producer: Producer, topic: String, load: Load, window: Window) -> Tally {
    let mut tally = Tally::default();
    let body = bytes(load.body);
    while !window.is_over() {
        let begun = Instant::now();
        match send(&producer, &topic, &body, load.mode == "batch").await {
            Some(messages) => tally.ok(&window, begun, messages),
            None => tally.failed(),
        }
    }
    tally
}

/// How many messages were stored; `None` when not all of them were.
async fn send(producer: &Producer, topic: &str, body: &Body, batch: bool) -> Option<u64> {
    let message = || Message::new(topic, body.clone());
    let stored = if batch {
        let receipts = producer.send_batch((0..BATCH).map(|_| message()).collect()).await.ok()?;
        receipts.iter().all(|receipt| receipt.status() == SendStatus::Ok).then_some(BATCH)
    } else {
        let receipt = producer.send(message()).await.ok()?;
        (receipt.status() == SendStatus::Ok).then_some(1)
    };
    stored.map(|messages| messages as u64)
}

type Body = bytes::Bytes;

fn bytes(length: usize) -> Body {
    Body::from(vec![b'x'; length])
}
