//! Sends a group back over messages it has handled, and then past its backlog.

use rocketmq_client::{Client, Delivery, FromWhere, Message, Offset, Outcome, Running};
use rocketmq_examples::{Cluster, Error};
use tokio::sync::mpsc;

/// Starts a consumer of the group, and returns it with the channel of its messages.
async fn accounts(client: &Client) -> Result<(Running, mpsc::UnboundedReceiver<String>), Error> {
    let (seen, received) = mpsc::unbounded_channel();
    let consumer = client.push_consumer("accounts").subscribe("receipts", "*");
    let running = consumer
        .from_where(FromWhere::FirstOffset)
        .listen(move |receipt: Delivery| {
            let sent = seen.send(receipt.text().unwrap_or_default().to_owned());
            async move { sent.map(|()| Outcome::Ack) }
        })
        .await?;
    Ok((running, received))
}

async fn print(
    what: &str,
    received: &mut mpsc::UnboundedReceiver<String>,
    count: usize,
) -> Result<(), Error> {
    for _ in 0..count {
        println!("{what}: {}", received.recv().await.ok_or("the consumer ended")?);
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cluster = Cluster::start().await?;
    let client = rocketmq_client::connect(cluster.name_server()).await?;
    let producer = client.producer("tills").build().await?;
    for receipt in ["receipt 1", "receipt 2", "receipt 3"] {
        producer.send(Message::new("receipts", receipt)).await?;
    }
    let (running, mut received) = accounts(&client).await?;
    print("first", &mut received, 3).await?;

    // `Offset::First` is the start. After a mistake, use `Offset::Time`: the time before the mistake.
    client.reset_offsets("accounts", "receipts", Offset::First).await?;
    print("again", &mut received, 3).await?;
    running.shutdown().await;

    for receipt in ["a test", "another test"] {
        producer.send(Message::new("receipts", receipt)).await?;
    }
    for (queue, offset) in client.skip_backlog("accounts", "receipts").await? {
        println!("queue {} goes on at {offset}", queue.queue_id);
    }
    producer.send(Message::new("receipts", "receipt 4")).await?;
    let (running, mut received) = accounts(&client).await?;
    print("next", &mut received, 1).await?;

    running.shutdown().await;
    client.shutdown().await;
    Ok(())
}
