//! Sends many messages in one request, and handles many messages in one call.

use rocketmq_client::consumer::FromWhere;
use rocketmq_client::{Delivery, Message, Outcome};
use rocketmq_examples::{Cluster, Error};
use tokio::sync::mpsc;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cluster = Cluster::start().await?;
    let client = rocketmq_client::connect(cluster.name_server()).await?;
    let producer = client.producer("metering").build().await?;

    let readings = (0..100).map(|n| Message::new("readings", format!("{n}"))).collect();
    let receipts = producer.send_batch(readings).await?;
    println!("stored {} messages, the first at offset {}", receipts.len(), receipts[0].queue_offset());

    let (seen, mut calls) = mpsc::unbounded_channel();
    let running = client
        .push_consumer("statistics")
        .subscribe("readings", "*")
        .from_where(FromWhere::FirstOffset)
        .batch(32)
        .listen_batch(move |deliveries: Vec<Delivery>| {
            let sent = seen.send(deliveries.len());
            // One outcome for each message: the broker delivers a failed message again, and that one alone.
            async move { sent.map(|()| vec![Outcome::Ack; deliveries.len()]) }
        })
        .await?;
    let mut handled = 0;
    while handled < 100 {
        let messages = calls.recv().await.ok_or("the consumer ended")?;
        handled += messages;
        println!("one call with {messages} messages, {handled} in all");
    }

    running.shutdown().await;
    client.shutdown().await;
    Ok(())
}
