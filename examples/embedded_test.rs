//! Tests an application on a broker inside each test: hours pass in an instant, and faults come when the test wants them.
//!
//! Run its tests with `cargo test -p rocketmq-examples --example embedded_test`, or the program, which shows one of them.
//! docs/testing.md is the guide.

use rocketmq_examples::Error;
use rocketmq_starter::testing::Cluster;
use rocketmq_starter::{
    App, DelayLevel, Json, Outcome, RocketmqTemplate, SendError, State, rocketmq_listener,
};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The invoices that a reminder was written for.
type Reminded = Arc<Mutex<BTreeSet<u32>>>;

const TWO_HOURS: Duration = Duration::from_secs(2 * 60 * 60);

/// Writes a reminder, once for each invoice: a message may come twice.
#[rocketmq_listener(topic = "invoices", group = "dunning")]
async fn remind(
    Json(invoice): Json<u32>,
    State(reminded): State<Reminded>,
    template: RocketmqTemplate,
) -> Result<Outcome, Error> {
    if invoice == 0 {
        return Err("there is no invoice 0".into());
    }
    if reminded.lock().unwrap_or_else(PoisonError::into_inner).insert(invoice) {
        template.send("letters:reminder", invoice).key(invoice).await?;
    }
    Ok(Outcome::Ack)
}

/// Lets the reminder come two hours later.
async fn invoice(template: &RocketmqTemplate, invoice: u32) -> Result<(), SendError> {
    template.send("invoices", invoice).deliver_after(DelayLevel::H2).await?;
    Ok(())
}

/// The settings of the application.
const CONFIGURATION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/embedded_test.toml");

/// The application, as its `main` would run it.
fn app() -> App {
    App::new().config_file(CONFIGURATION).state(Reminded::default()).listener(remind)
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cluster = Cluster::start().await?;
    let _app = app().start_on(&cluster).await?;
    invoice(cluster.template(), 42).await?;
    cluster.advance(TWO_HOURS);
    let letters = cluster.topic("letters").received(1).await;
    println!(
        "invoice {} was reminded of two hours later, which took no time",
        letters[0].text().unwrap_or("?")
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rocketmq_starter::Message;
    use rocketmq_starter::testing::{ResponseCode, TestListener, rocketmq_test};

    #[rocketmq_test]
    async fn an_invoice_is_reminded_of_after_two_hours(cluster: Cluster) -> Result<(), Error> {
        let _app = app().start_on(&cluster).await?;
        invoice(cluster.template(), 42).await?;
        cluster.advance(TWO_HOURS - Duration::from_secs(60));
        cluster.topic("invoices").received(0).await;
        cluster.advance(Duration::from_secs(60));
        cluster.group("dunning").handled(1).await;
        let letters = cluster.topic("letters").received(1).await;
        assert_eq!((letters[0].text(), letters[0].tag()), (Some("42"), Some("reminder")));
        Ok(())
    }

    #[rocketmq_test]
    async fn an_invoice_that_fails_twice_is_a_dead_letter(cluster: Cluster) -> Result<(), Error> {
        let _app = app().start_on(&cluster).await?;
        cluster.send("invoices", 0).await?;
        cluster.group("dunning").retried(1).await;
        cluster.advance(Duration::from_secs(10)); // the delay before the first retry
        let dead = cluster.group("dunning").dead_letters(1).await;
        assert_eq!(dead[0].text(), Some("0"));
        cluster.topic("letters").received(0).await;
        Ok(())
    }

    #[rocketmq_test]
    async fn a_message_that_comes_twice_makes_one_letter(cluster: Cluster) -> Result<(), Error> {
        let _app = app().start_on(&cluster).await?;
        let fault = cluster.lose_reply();
        invoice(cluster.template(), 42).await?;
        assert_eq!(fault.times(), 1);
        cluster.advance(TWO_HOURS);
        cluster.topic("invoices").received(2).await;
        cluster.group("dunning").handled(2).await;
        cluster.topic("letters").received(1).await;
        Ok(())
    }

    #[rocketmq_test]
    async fn a_busy_broker_and_a_crash_lose_no_invoice(cluster: Cluster) -> Result<(), Error> {
        let _app = app().start_on(&cluster).await?;
        let busy = cluster.refuse_next_send(ResponseCode::SYSTEM_BUSY);
        invoice(cluster.template(), 42).await?;
        assert_eq!(busy.times(), 1);
        cluster.kill().await;
        cluster.restart().await?;
        cluster.advance(TWO_HOURS);
        cluster.topic("letters").received(1).await;
        Ok(())
    }

    #[tokio::test]
    async fn the_listener_alone_sends_one_letter() -> Result<(), Error> {
        let listener = TestListener::new(remind).state(Reminded::default());
        for _ in 0..2 {
            assert_eq!(listener.deliver(Message::new("invoices", "7")).await?.outcome(), Outcome::Ack);
        }
        let sent = listener.sent();
        assert_eq!(sent.iter().map(Message::topic).collect::<Vec<_>>(), ["letters"]);
        Ok(())
    }
}
