//! Reads queues by hand: the program owns the offsets, for instance to replay a topic.

use rocketmq_client::Message;
use rocketmq_client::consumer::{Offset, Pulled};
use rocketmq_examples::{Cluster, Error};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cluster = Cluster::start().await?;
    let client = rocketmq_client::connect(cluster.name_server()).await?;
    let producer = client.producer("journal").build().await?;
    for n in 1..=20 {
        producer.send(Message::new("journal", format!("entry {n}"))).await?;
    }

    let pull = client.pull_consumer("replay").build().await?;
    let mut read = 0;
    for queue in pull.queues("journal").await? {
        let mut at = Offset::First;
        while let Pulled::Found { messages, next } = pull.pull(&queue, at).max(8).await? {
            for delivery in &messages {
                println!(
                    "queue {} offset {}: {}",
                    queue.queue_id,
                    delivery.queue_offset(),
                    delivery.text().unwrap_or("?")
                );
            }
            read += messages.len();
            at = Offset::At(next);
        }
    }
    println!("{read} entries replayed");

    client.shutdown().await;
    Ok(())
}
