//! A producer and a consumer that go on while servers come and go.

use std::collections::BTreeSet;
use std::time::Duration;

use rocketmq_client::{Client, FromWhere, Message, Producer, PushConsumerBuilder, Receipt, Running};

use crate::wait::{PATIENCE, eventually};
use crate::{Inbox, TestResult};

/// How long one attempt waits for a server that does not answer: long for loopback, short for a test.
const ATTEMPT: Duration = Duration::from_millis(500);
/// Messages of one key keep their order, where that is asked for.
const KEYS: usize = 3;
/// The first message, which goes to any queue.
const UNKEYED: usize = 0;

/// A producer that goes on through outages, and a consumer that keeps what comes.
#[derive(Debug)]
pub struct Load {
    /// Both belong to it.
    pub client: Client,
    /// What the consumer got.
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
    /// Starts on a topic, which the first message makes if need be.
    pub async fn start(name_server: String, topic: &str) -> TestResult<Self> {
        Self::shaped(name_server, topic, |consumer| consumer).await
    }

    /// [`start`](Self::start) with messages of three keys, consumed in order. What has a key goes to no other broker.
    pub async fn ordered(name_server: String, topic: &str) -> TestResult<Self> {
        let load = Self::shaped(name_server, topic, PushConsumerBuilder::orderly).await?;
        Ok(Self { ordered: true, ..load })
    }

    /// [`start`](Self::start) with another kind of consumer.
    pub async fn shaped(
        name_server: String,
        topic: &str,
        shape: impl FnOnce(PushConsumerBuilder) -> PushConsumerBuilder,
    ) -> TestResult<Self> {
        // Outages are noticed at the next look at the routes; for a test that has to be soon.
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

    /// Where it sends.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Sends once; what failed may be stored all the same, so the next try has another body.
    async fn try_to_send(&mut self) -> bool {
        self.tried += 1;
        let sending = self.producer.send(Message::new(&*self.topic, body(self.tried)));
        let sending = if self.ordered { sending.ordered_by(self.tried % KEYS) } else { sending };
        let Ok(receipt) = sending.await else { return false };
        self.acknowledged.push(receipt);
        self.sent.push(body(self.tried));
        true
    }

    /// Sends until so many were acknowledged, whatever happens in between.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn send(&mut self, count: usize) {
        let goal = self.sent.len() + count;
        eventually("every message acknowledged", 2 * PATIENCE, async || {
            self.try_to_send().await;
            self.sent.len() >= goal
        })
        .await;
    }

    /// Sends so many, each of which has to be acknowledged.
    ///
    /// # Panics
    /// When one is not.
    pub async fn send_all(&mut self, count: usize) {
        for _ in 0..count {
            assert!(self.try_to_send().await, "message {} was not acknowledged", self.tried);
        }
    }

    /// Sends until this broker has taken a message.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn send_until_taken_by(&mut self, broker: &str) {
        let what = format!("a message for {broker}");
        eventually(&what, PATIENCE, async || {
            self.try_to_send().await;
            self.acknowledged.last().is_some_and(|receipt| receipt.broker() == broker)
        })
        .await;
    }

    /// The brokers that acknowledged the last `count` messages.
    pub fn last_brokers(&self, count: usize) -> BTreeSet<&str> {
        self.acknowledged.iter().rev().take(count).map(Receipt::broker).collect()
    }

    /// Every acknowledged message arrives.
    ///
    /// # Panics
    /// When one does not.
    pub async fn assert_all_arrive(&self) {
        eventually("every acknowledged message handled", 2 * PATIENCE, async || {
            let seen: BTreeSet<_> = self.inbox.texts().into_iter().collect();
            self.sent.iter().all(|body| seen.contains(body))
        })
        .await;
    }

    /// Every acknowledged message arrives, and the consumer ends.
    ///
    /// # Panics
    /// When one does not arrive.
    pub async fn finish(self) {
        self.assert_all_arrive().await;
        self.running.shutdown().await;
    }

    /// Messages of one key were first handled in the order they were sent in. The one that made the topic has no key.
    ///
    /// # Panics
    /// When one was not.
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

/// Takes as long as a server needs that has only just started.
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
