//! A producer and a consumer that work on while servers come and go.

use std::collections::BTreeSet;
use std::time::Duration;

use rocketmq_client::{Client, FromWhere, Message, Producer, PushConsumerBuilder, Receipt, Running};

use crate::wait::{PATIENCE, eventually};
use crate::{Inbox, TestResult};

/// Time that one attempt waits for a silent server: long for loopback, short for a test.
const ATTEMPT: Duration = Duration::from_millis(500);
/// Number of ordering keys.
const KEYS: usize = 3;
/// Number of the first message, which has no key.
const UNKEYED: usize = 0;

/// A producer that works through outages, and a consumer that keeps its deliveries.
#[derive(Debug)]
pub struct Load {
    /// The client of both.
    pub client: Client,
    /// The deliveries of the consumer.
    pub inbox: Inbox,
    /// The consumer.
    pub running: Running,
    producer: Producer,
    topic: String,
    ordered: bool,
    tried: usize,
    acknowledged: Vec<Receipt>,
    sent: Vec<String>,
}

impl Load {
    /// Starts both on a topic. The first message creates the topic if needed.
    pub async fn start(name_server: String, topic: &str) -> TestResult<Self> {
        Self::shaped(name_server, topic, |consumer| consumer).await
    }

    /// Does the same as [`start`](Self::start) with messages of three keys, consumed in order. A message with a key
    /// goes to no other broker.
    pub async fn ordered(name_server: String, topic: &str) -> TestResult<Self> {
        let load = Self::shaped(name_server, topic, PushConsumerBuilder::orderly).await?;
        Ok(Self { ordered: true, ..load })
    }

    /// Does the same as [`start`](Self::start) with another kind of consumer.
    pub async fn shaped(
        name_server: String,
        topic: &str,
        shape: impl FnOnce(PushConsumerBuilder) -> PushConsumerBuilder,
    ) -> TestResult<Self> {
        // The client notices an outage at the next refresh of its routes, so a test refreshes them often.
        let refresh = Duration::from_millis(100);
        let builder = Client::builder(name_server).configure(|config| config.route_refresh = refresh);
        let client = builder.connect().await?;
        let producer = client.producer("load").configure(|config| config.attempt_timeout = Some(ATTEMPT));
        let producer = producer.build().await?;
        let inbox = Inbox::default();
        let first = first(&producer, topic).await?;
        let consumer = client.push_consumer("g").subscribe(topic, "*").from_where(FromWhere::FirstOffset);
        let running = shape(consumer).listen(inbox.accept()).await?;
        let (topic, sent) = (topic.to_owned(), vec![body(UNKEYED)]);
        Ok(Self {
            client,
            inbox,
            running,
            producer,
            topic,
            ordered: false,
            tried: 0,
            acknowledged: vec![first],
            sent,
        })
    }

    /// Returns the topic.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Sends once. A failed message may be stored all the same, so the next one has another body.
    async fn try_to_send(&mut self) -> bool {
        self.tried += 1;
        let sending = self.producer.send(Message::new(&*self.topic, body(self.tried)));
        let sending = if self.ordered { sending.ordered_by(self.tried % KEYS) } else { sending };
        let Ok(receipt) = sending.await else { return false };
        self.acknowledged.push(receipt);
        self.sent.push(body(self.tried));
        true
    }

    /// Sends until `count` more messages are acknowledged, whatever happens meanwhile.
    ///
    /// # Panics
    /// Panics if that takes too long.
    pub async fn send(&mut self, count: usize) {
        let goal = self.sent.len() + count;
        eventually("every message acknowledged", 2 * PATIENCE, async || {
            self.try_to_send().await;
            self.sent.len() >= goal
        })
        .await;
    }

    /// Sends `count` messages; each must be acknowledged.
    ///
    /// # Panics
    /// Panics if one is not.
    pub async fn send_all(&mut self, count: usize) {
        for _ in 0..count {
            assert!(self.try_to_send().await, "message {} was not acknowledged", self.tried);
        }
    }

    /// Sends until this broker has acknowledged a message.
    ///
    /// # Panics
    /// Panics if that takes too long.
    pub async fn send_until_taken_by(&mut self, broker: &str) {
        let what = format!("a message for {broker}");
        eventually(&what, PATIENCE, async || {
            self.try_to_send().await;
            self.acknowledged.last().is_some_and(|receipt| receipt.broker() == broker)
        })
        .await;
    }

    /// Returns the brokers that acknowledged the last `count` messages.
    pub fn last_brokers(&self, count: usize) -> BTreeSet<&str> {
        self.acknowledged.iter().rev().take(count).map(Receipt::broker).collect()
    }

    /// Waits until every acknowledged message has arrived.
    ///
    /// # Panics
    /// Panics if one does not arrive.
    pub async fn assert_all_arrive(&self) {
        eventually("every acknowledged message handled", 2 * PATIENCE, async || {
            let seen: BTreeSet<_> = self.inbox.texts().into_iter().collect();
            self.sent.iter().all(|body| seen.contains(body))
        })
        .await;
    }

    /// Waits until every acknowledged message has arrived, then stops the consumer.
    ///
    /// # Panics
    /// Panics if one does not arrive.
    pub async fn finish(self) {
        self.assert_all_arrive().await;
        self.running.shutdown().await;
    }

    /// Asserts that messages of one key were first handled in the order of their sends. Leaves out the message that
    /// created the topic: it has no key.
    ///
    /// # Panics
    /// Panics if one was not.
    pub fn assert_order(&self) {
        let mut seen = BTreeSet::from([UNKEYED]);
        let mut last = [0; KEYS];
        for number in self.inbox.texts().iter().filter_map(|text| text.parse::<usize>().ok()) {
            if seen.insert(number) {
                assert!(number >= last[number % KEYS], "{number} came after {}", last[number % KEYS]);
                last[number % KEYS] = number;
            }
        }
    }
}

/// Sends the first message. Waits for a server that has only just started.
async fn first(producer: &Producer, topic: &str) -> TestResult<Receipt> {
    let mut receipt = None;
    eventually("the first message acknowledged", PATIENCE, async || {
        receipt = producer.send(Message::new(topic, body(UNKEYED))).await.ok();
        receipt.is_some()
    })
    .await;
    Ok(receipt.ok_or("no receipt")?)
}

fn body(number: usize) -> String {
    format!("{number:06}")
}
