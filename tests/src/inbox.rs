//! The deliveries that consumers received.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rocketmq_client::{Client, Delivery, FromWhere, Listen, Outcome};
use tokio::sync::{AcquireError, Semaphore};

use crate::wait::{PATIENCE, eventually};
use crate::{TestResult, unique_group};

/// Deliveries in the order of their arrival. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Inbox {
    seen: Arc<Mutex<Vec<Delivery>>>,
}

impl Inbox {
    /// Adds a delivery. Returns the new number of deliveries.
    pub fn keep(&self, delivery: Delivery) -> usize {
        let mut seen = self.seen.lock();
        seen.push(delivery);
        seen.len()
    }

    /// Returns a listener that keeps and acknowledges every delivery.
    pub fn accept(&self) -> impl Listen + use<> {
        self.decide(|_| Outcome::Ack)
    }

    /// Returns a listener that keeps every delivery and returns the outcome of `decide`.
    pub fn decide<D>(&self, decide: D) -> impl Listen + use<D>
    where
        D: Fn(&Delivery) -> Outcome + Send + Sync + 'static,
    {
        let inbox = self.clone();
        move |delivery: Delivery| {
            let outcome = decide(&delivery);
            inbox.keep(delivery);
            async move { Ok::<_, Infallible>(outcome) }
        }
    }

    /// Returns a listener that keeps every delivery, then waits for a permit of the gate, one for each.
    pub fn behind(&self, gate: &Arc<Semaphore>) -> impl Listen + use<> {
        let (inbox, gate) = (self.clone(), gate.clone());
        move |delivery: Delivery| {
            inbox.keep(delivery);
            let gate = gate.clone();
            async move {
                gate.acquire().await?.forget();
                Ok::<_, AcquireError>(Outcome::Ack)
            }
        }
    }

    /// Returns the number of deliveries.
    pub fn len(&self) -> usize {
        self.seen.lock().len()
    }

    /// Returns true if there is no delivery.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns all deliveries so far.
    pub fn all(&self) -> Vec<Delivery> {
        self.seen.lock().clone()
    }

    /// Returns the bodies as text, in the order of their arrival.
    pub fn texts(&self) -> Vec<String> {
        self.seen.lock().iter().map(text).collect()
    }

    /// Returns the bodies as text, sorted: for consumers that keep no order.
    pub fn sorted(&self) -> Vec<String> {
        let mut texts = self.texts();
        texts.sort();
        texts
    }

    /// Does the same as [`sorted`](Self::sorted) without the first `skip` deliveries.
    pub fn sorted_from(&self, skip: usize) -> Vec<String> {
        let mut texts = self.texts().split_off(skip);
        texts.sort();
        texts
    }

    /// Waits until there are `count` deliveries.
    pub async fn expect(&self, count: usize) {
        self.expect_within(PATIENCE, count).await;
    }

    /// Does the same as [`expect`](Self::expect) with another limit.
    pub async fn expect_within(&self, limit: Duration, count: usize) {
        let what = format!("{count} deliveries");
        eventually(&what, limit, async || self.len() >= count).await;
    }
}

/// Returns the body as text. A body that is no text stands out in a comparison.
fn text(delivery: &Delivery) -> String {
    delivery.text().unwrap_or("<no text>").to_owned()
}

/// Consumes a topic from its first message with a new group, until `count` messages have come.
pub async fn collect(client: &Client, topic: &str, count: usize) -> TestResult<Vec<Delivery>> {
    let inbox = Inbox::default();
    let running = client
        .push_consumer(unique_group())
        .subscribe(topic, "*")
        .from_where(FromWhere::FirstOffset)
        .listen(inbox.accept())
        .await?;
    inbox.expect(count).await;
    running.shutdown().await;
    Ok(inbox.all())
}
