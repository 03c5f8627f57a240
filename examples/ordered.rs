//! Keeps messages with the same key in order: they share a queue, and an orderly consumer handles a queue one by one.

use rocketmq_client::consumer::FromWhere;
use rocketmq_client::{Delivery, Message, Outcome};
use rocketmq_examples::{Cluster, Error};
use tokio::sync::mpsc;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cluster = Cluster::start().await?;
    let client = rocketmq_client::connect(cluster.name_server()).await?;

    let producer = client.producer("order-service").build().await?;
    for step in ["created", "paid", "shipped"] {
        for customer in ["ada", "ben"] {
            let message = Message::new("steps", format!("{customer}: {step}"));
            producer.send(message).ordered_by(customer).await?;
        }
    }

    let (seen, mut steps) = mpsc::unbounded_channel();
    let running = client
        .push_consumer("follow-up")
        .subscribe("steps", "*")
        .from_where(FromWhere::FirstOffset)
        .orderly()
        .listen(move |delivery: Delivery| {
            let sent = seen.send(delivery.text().unwrap_or_default().to_owned());
            async move { sent.map(|()| Outcome::Ack) }
        })
        .await?;
    for _ in 0..6 {
        println!("{}", steps.recv().await.ok_or("the consumer ended")?);
    }

    running.shutdown().await;
    producer.shutdown().await;
    client.shutdown().await;
    Ok(())
}
