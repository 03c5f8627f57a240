//! Sends several kinds of transactions with one producer. Each kind has a checker, which answers for undecided
//! transactions.

use rocketmq_examples::{Cluster, Error};
use rocketmq_starter::{
    App, Json, State, TransactionState, rocketmq_listener, rocketmq_transaction_listener,
};
use std::time::Duration;
use tokio::sync::mpsc;

type Ledger = mpsc::UnboundedSender<i64>;

/// Commits: the order is in the database.
#[rocketmq_transaction_listener(name = "orders")]
async fn check_order(Json(amount): Json<i64>) -> TransactionState {
    println!("was the order over {amount} saved? yes: commit");
    TransactionState::Commit
}

/// Rolls back: the refund is not in the database.
#[rocketmq_transaction_listener(name = "refunds")]
async fn check_refund(Json(amount): Json<i64>) -> TransactionState {
    println!("was the refund of {amount} saved? no: roll back");
    TransactionState::Rollback
}

#[rocketmq_listener(topic = "bookings", group = "ledger", from = "first")]
async fn book(Json(amount): Json<i64>, State(ledger): State<Ledger>) {
    let _ = ledger.send(amount);
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cluster = Cluster::start().await?;
    let (ledger, mut booked) = mpsc::unbounded_channel();
    let app = App::new()
        .set("rocketmq.name-server", cluster.name_server())
        .set("rocketmq.producer.group", "till")
        .state::<Ledger>(ledger)
        .discover()
        .start()
        .await?;
    let template = app.template().ok_or("no producer is configured")?;

    template.begin("bookings", 10).checked_by("orders").await?.commit().await?;
    // Leaves the transaction undecided, as if this program had died.
    drop(template.begin("bookings", 20).checked_by("orders").await?);
    drop(template.begin("bookings", -5).checked_by("refunds").await?);
    if let Some(embedded) = cluster.embedded() {
        // Brokers check after six seconds at the earliest; the embedded broker's clock can be moved.
        embedded.advance(Duration::from_secs(60));
    }
    for _ in 0..2 {
        println!("booked: {}", booked.recv().await.ok_or("the application ended")?);
    }

    app.shutdown().await;
    Ok(())
}
