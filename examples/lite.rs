//! Polls for messages: the members of the group share the queues, as with a push consumer, but the program asks for
//! each batch.

use rocketmq_client::Message;
use rocketmq_client::consumer::FromWhere;
use rocketmq_examples::{Cluster, Error};
use std::time::Duration;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cluster = Cluster::start().await?;
    let client = rocketmq_client::connect(cluster.name_server()).await?;
    let producer = client.producer("imports").build().await?;
    for n in 1..=50 {
        producer.send(Message::new("rows", format!("row {n}"))).await?;
    }

    let builder = client.lite_consumer("importer").subscribe("rows", "*").from_where(FromWhere::FirstOffset);
    let mut lite = builder.auto_commit(false).build().await?;
    let mut imported = 0;
    while imported < 50 {
        let Some(batch) = lite.poll(Duration::from_secs(10)).await? else { break };
        imported += batch.len();
        println!("{} rows of queue {}, {imported} in all", batch.len(), batch.queue().queue_id);
        // Commits last: after a crash the broker delivers uncommitted messages again.
        batch.commit().await?;
    }

    lite.shutdown().await;
    client.shutdown().await;
    Ok(())
}
