//! What consumers received.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rocketmq_client::{Client, Delivery, FromWhere, Listen, Outcome};
use tokio::sync::{AcquireError, Semaphore};

use crate::wait::{PATIENCE, eventually};
use crate::{TestResult, unique_group};

/// Deliveries in the order they came. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Inbox {
    seen: Arc<Mutex<Vec<Delivery>>>,
}

impl Inbox {
    /// Keeps a delivery; how many there are then.
    pub fn keep(&self, delivery: Delivery) -> usize {
        let mut seen = self.seen.lock();
        seen.push(delivery);
        seen.len()
    }

    /// A listener that keeps every delivery and is content with it.
    pub fn accept(&self) -> impl Listen + use<> {
        self.decide(|_| Outcome::Ack)
    }

    /// A listener that keeps every delivery and decides about it.
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

    /// A listener that keeps every delivery and is done with it when the gate lets it through, one for each permit.
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

    /// How many came.
    pub fn len(&self) -> usize {
        self.seen.lock().len()
    }

    /// Whether none came.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them so far.
    pub fn all(&self) -> Vec<Delivery> {
        self.seen.lock().clone()
    }

    /// The bodies as text, in the order they came.
    pub fn texts(&self) -> Vec<String> {
        self.seen.lock().iter().map(text).collect()
    }

    /// The bodies as text, sorted: for consumers that keep no order.
    pub fn sorted(&self) -> Vec<String> {
        let mut texts = self.texts();
        texts.sort();
        texts
    }

    /// [`sorted`](Self::sorted) without the first `skip` that came.
    pub fn sorted_from(&self, skip: usize) -> Vec<String> {
        let mut texts = self.texts().split_off(skip);
        texts.sort();
        texts
    }

    /// Waits until `count` have come.
    pub async fn expect(&self, count: usize) {
        self.expect_within(PATIENCE, count).await;
    }

    /// [`expect`](Self::expect) with a limit of its own.
    pub async fn expect_within(&self, limit: Duration, count: usize) {
        let what = format!("{count} deliveries");
        eventually(&what, limit, async || self.len() >= count).await;
    }
}

/// A body that is no text stands out in a comparison.
fn text(delivery: &Delivery) -> String {
    delivery.text().unwrap_or("<no text>").to_owned()
}

/// Consumes a topic from its beginning until `count` messages have come, with a group of its own.
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
