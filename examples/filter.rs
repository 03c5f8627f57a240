//! Consumes a part of a topic: selects messages by tags, or by an SQL92 condition on their properties.

use rocketmq_client::consumer::FromWhere;
use rocketmq_client::{Client, Delivery, Message, Outcome};
use rocketmq_examples::{Cluster, Error};
use tokio::sync::mpsc;

async fn take(
    client: &Client,
    group: &str,
    tags: Option<&str>,
    condition: Option<&str>,
) -> Result<(), Error> {
    let (seen, mut found) = mpsc::unbounded_channel();
    let consumer = client.push_consumer(group).from_where(FromWhere::FirstOffset);
    let consumer = match condition {
        Some(condition) => consumer.subscribe_sql("sales", condition),
        None => consumer.subscribe("sales", tags.unwrap_or("*")),
    };
    let running = consumer
        .listen(move |delivery: Delivery| {
            let sent = seen.send(delivery.text().unwrap_or_default().to_owned());
            async move { sent.map(|()| Outcome::Ack) }
        })
        .await?;
    let mut texts = [found.recv().await, found.recv().await].map(Option::unwrap_or_default);
    texts.sort();
    println!("{group}: {}", texts.join(", "));
    running.shutdown().await;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cluster = Cluster::start().await?;
    let client = rocketmq_client::connect(cluster.name_server()).await?;
    let producer = client.producer("shop").build().await?;
    for (item, tag, amount) in
        [("book", "paper", 15), ("pen", "office", 2), ("desk", "office", 300), ("map", "paper", 9)]
    {
        producer.send(Message::new("sales", item).tag(tag).property("amount", amount.to_string())).await?;
    }

    take(&client, "office-sales", Some("office"), None).await?;
    take(&client, "large-sales", None, Some("amount > 10 AND TAGS IN ('paper', 'office')")).await?;

    client.shutdown().await;
    Ok(())
}
