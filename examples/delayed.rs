//! Delivers messages later: at one of the broker's delay levels, or to the millisecond. Recalls one before it is due.

use rocketmq_client::consumer::FromWhere;
use rocketmq_client::{DelayLevel, Delivery, Message, Outcome};
use rocketmq_examples::{Cluster, Error};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cluster = Cluster::start().await?;
    let client = rocketmq_client::connect(cluster.name_server()).await?;
    let producer = client.producer("reminders").build().await?;

    let start = Instant::now();
    producer.send(Message::new("reminders", "now")).await?;
    producer.send(Message::new("reminders", "after a second").deliver_after(DelayLevel::S1)).await?;
    producer.send(Message::new("reminders", "after 1.5 seconds").delay(Duration::from_millis(1500))).await?;

    let regretted = Message::new("reminders", "never").delay(Duration::from_millis(1200));
    if let Some(handle) = producer.send(regretted).await?.recall_handle() {
        println!("taken back: {}", producer.recall("reminders", handle).await?);
    }

    let (seen, mut arrivals) = mpsc::unbounded_channel();
    let running = client
        .push_consumer("reader")
        .subscribe("reminders", "*")
        .from_where(FromWhere::FirstOffset)
        .listen(move |delivery: Delivery| {
            let sent = seen.send(delivery.text().unwrap_or_default().to_owned());
            async move { sent.map(|()| Outcome::Ack) }
        })
        .await?;
    for _ in 0..3 {
        let text = arrivals.recv().await.ok_or("the consumer ended")?;
        println!("{:5} ms: {text}", start.elapsed().as_millis());
    }

    running.shutdown().await;
    client.shutdown().await;
    Ok(())
}
