//! Runs hooks around every send and every call of a handler: they change, refuse, decide and measure.

use rocketmq_client::{BoxError, Client, Delivery, FromWhere, Interceptor, Message, Outcome};
use rocketmq_examples::{Cluster, Error};
use std::convert::Infallible;
use std::ops::ControlFlow;
use tokio::sync::mpsc;

/// Marks every message with its sender, and refuses messages without a body.
struct Sender(&'static str);

impl Interceptor for Sender {
    fn before_send(&self, message: &mut Message) -> Result<(), BoxError> {
        if message.body().is_empty() {
            return Err("the body is empty".into());
        }
        *message = message.clone().property("sender", self.0);
        Ok(())
    }
}

/// Keeps probes from the handlers, and reports the outcome of all other messages.
struct Gate(mpsc::UnboundedSender<String>);

impl Interceptor for Gate {
    fn before_consume(&self, _group: &str, deliveries: &[Delivery]) -> ControlFlow<Outcome> {
        let is_probe = |delivery: &Delivery| delivery.tag() == Some("probe");
        if deliveries.iter().all(is_probe) {
            ControlFlow::Break(Outcome::Ack)
        } else {
            ControlFlow::Continue(())
        }
    }

    fn after_consume(&self, group: &str, deliveries: &[Delivery], outcomes: &[Outcome]) {
        for (delivery, outcome) in deliveries.iter().zip(outcomes) {
            let (text, sender) = (delivery.text().unwrap_or("?"), delivery.property("sender").unwrap_or("?"));
            let _ = self.0.send(format!("{group}: \"{text}\" of {sender}: {outcome:?}"));
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cluster = Cluster::start().await?;
    let (told, mut lines) = mpsc::unbounded_channel();
    let client =
        Client::builder(cluster.name_server()).interceptor(Sender("the shop")).interceptor(Gate(told));
    let client = client.connect().await?;
    let producer = client.producer("shop").build().await?;
    producer.send(Message::new("visits", "is anybody there?").tag("probe")).await?;
    producer.send(Message::new("visits", "visit 1")).await?;
    if let Err(vetoed) = producer.send(Message::new("visits", "")).await {
        println!("not sent: {vetoed}");
    }

    let running = client
        .push_consumer("counter")
        .subscribe("visits", "*")
        .from_where(FromWhere::FirstOffset)
        .listen(|visit: Delivery| async move {
            println!("counted: {}", visit.text().unwrap_or("?"));
            Ok::<_, Infallible>(Outcome::Ack)
        })
        .await?;
    for _ in 0..2 {
        println!("{}", lines.recv().await.ok_or("the interceptor is gone")?);
    }

    running.shutdown().await;
    client.shutdown().await;
    Ok(())
}
