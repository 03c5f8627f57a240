//! Tests a listener with a real broker inside the test: two hours pass in an instant.
//!
//! Run it with `cargo test -p rocketmq-examples --example embedded_test`, or as a program.

use rocketmq_examples::Error;
use rocketmq_starter::{App, DelayLevel, Json, State, rocketmq_listener};
use std::time::Duration;
use tokio::sync::mpsc;

#[rocketmq_listener(topic = "invoices", group = "dunning")]
async fn remind(
    Json(invoice): Json<u32>,
    State(reminded): State<mpsc::UnboundedSender<u32>>,
) -> Result<(), Error> {
    Ok(reminded.send(invoice)?)
}

async fn an_unpaid_invoice_is_reminded_of_after_two_hours() -> Result<(), Error> {
    let (reminded, mut reminders) = mpsc::unbounded_channel::<u32>();
    let app = App::new()
        .set("rocketmq.name-server", "embedded")
        .set("rocketmq.producer.group", "invoicing")
        .set("rocketmq.consumer.from", "first")
        .state(reminded)
        .listener(remind)
        .start()
        .await?;
    let template = app.template().ok_or("no producer is configured")?;

    template.send("invoices", 42).deliver_after(DelayLevel::H2).await?;
    assert!(reminders.try_recv().is_err());
    app.embedded().ok_or("no embedded broker")?.advance(Duration::from_secs(2 * 60 * 60));
    assert_eq!(reminders.recv().await, Some(42));

    app.shutdown().await;
    Ok(())
}

#[tokio::test]
async fn two_hours_pass_in_an_instant() -> Result<(), Error> {
    an_unpaid_invoice_is_reminded_of_after_two_hours().await
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    an_unpaid_invoice_is_reminded_of_after_two_hours().await?;
    println!("invoice 42 was reminded of two hours later, which took no time");
    Ok(())
}
