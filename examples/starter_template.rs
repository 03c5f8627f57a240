//! Sends in every way of the template: stored, one-way, ordered, delayed, in a batch, in a transaction.

use rocketmq_examples::{Cluster, Error};
use rocketmq_starter::{
    App, DelayLevel, Json, TransactionState, rocketmq_listener, rocketmq_transaction_listener,
};
use std::time::Duration;

#[rocketmq_listener(topic = "numbers", group = "printer", from = "first")]
async fn print(Json(n): Json<u32>) {
    println!("received {n}");
}

/// Answers the broker when this program died between the half message and its decision.
#[rocketmq_transaction_listener]
async fn check(Json(n): Json<u32>) -> TransactionState {
    if n < 100 { TransactionState::Commit } else { TransactionState::Rollback }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cluster = Cluster::start().await?;
    let app = App::new()
        .set("rocketmq.name-server", cluster.name_server())
        .set("rocketmq.producer.group", "numbers")
        .discover()
        .start()
        .await?;
    let template = app.template().ok_or("no producer is configured")?;

    template.send("numbers:odd", 1).key("one").property("source", "example").await?;
    template.send_oneway("numbers", 2).await?;
    template.send("numbers", 3).ordered_by("customer-7").await?;
    template.send("numbers", 4).deliver_after(DelayLevel::S1).await?;
    template.send_batch("numbers", [5, 6, 7]).await?;
    let half = template.begin("numbers", 8);
    template.send_in_transaction(half, async { Ok::<_, Error>(TransactionState::Commit) }).await?;

    while app.health().listeners.iter().map(|listener| listener.handled).sum::<u64>() < 8 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    app.shutdown().await;
    Ok(())
}
