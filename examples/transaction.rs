//! Sends a message that becomes visible after local work. A checker decides when the program could not.

use rocketmq_client::consumer::FromWhere;
use rocketmq_client::{Delivery, Message, Outcome, TransactionState};
use rocketmq_examples::{Cluster, Error};
use std::time::Duration;
use tokio::sync::mpsc;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cluster = Cluster::start().await?;
    let client = rocketmq_client::connect(cluster.name_server()).await?;
    let producer = client
        .producer("order-service")
        .transaction_checker(|half: Delivery| async move {
            println!("the broker asks about \"{}\": commit", half.text().unwrap_or_default());
            TransactionState::Commit
        })
        .build()
        .await?;

    producer.begin(Message::new("bookings", "committed")).await?.commit().await?;
    producer.begin(Message::new("bookings", "rolled back")).await?.rollback().await?;
    drop(producer.begin(Message::new("bookings", "left undecided")).await?);
    if let Some(embedded) = cluster.embedded() {
        // Brokers check after six seconds at the earliest; the embedded broker's clock can be moved.
        embedded.advance(Duration::from_secs(60));
    }

    let (seen, mut bookings) = mpsc::unbounded_channel();
    let running = client
        .push_consumer("ledger")
        .subscribe("bookings", "*")
        .from_where(FromWhere::FirstOffset)
        .listen(move |delivery: Delivery| {
            let sent = seen.send(delivery.text().unwrap_or_default().to_owned());
            async move { sent.map(|()| Outcome::Ack) }
        })
        .await?;
    for _ in 0..2 {
        println!("delivered: {}", bookings.recv().await.ok_or("the consumer ended")?);
    }

    running.shutdown().await;
    producer.shutdown().await;
    client.shutdown().await;
    Ok(())
}
