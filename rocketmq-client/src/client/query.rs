//! Queries for stored messages: by place, by id, by key.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use rocketmq_remoting::message::{MessageRecord, OffsetMessageId};
use rocketmq_remoting::requests::query::{QueryMessageRequest, ViewMessageRequest};
use rocketmq_remoting::route::MessageQueue;
use rocketmq_remoting::{ResponseCode, version};

use super::admin::no_offset_id;
use super::handle::Client;
use crate::clock::to_ms;
use crate::cluster::calls::{Target, is_refusal, malformed};
use crate::consumer::calls::BOUND_TIMEOUT;
use crate::consumer::pull::incoming::inflate_or_leave;
use crate::error::CallError;
use crate::messages::Delivery;

/// The most messages that brokers answer with by default (`maxMsgsNumBatch`).
const MOST: usize = 64;
/// The index stores the second, not the millisecond.
const INDEX_STEP_MS: i64 = 1000;

impl Client {
    /// Reads the message at a place that [`Delivery::offset_message_id`] or
    /// [`Receipt::offset_message_id`](crate::Receipt::offset_message_id) names: Java's `viewMessage`. The id holds the
    /// address of the broker; `topic` is for its access control.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let message = client.view_message("orders", "C0A8010A00002A9F0000000000001000").await?;
    /// println!("{:?}", message.text());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The id is malformed (an [`InvalidRequest`](crate::CallErrorKind::InvalidRequest); for ids that producers give
    /// there is [`find_message`](Self::find_message)), the broker does not answer within 6 s, or no message begins
    /// there.
    ///
    /// # Cancel safety
    /// Cancel safe: it reads only.
    pub async fn view_message(&self, topic: &str, offset_message_id: &str) -> Result<Delivery, CallError> {
        let OffsetMessageId { host, offset } = offset_message_id.parse().map_err(no_offset_id)?;
        let (cluster, address) = (&self.membership.cluster, host.to_string());
        let request = ViewMessageRequest { offset, topic: Some(cluster.names.wrap(topic)) };
        let target = Target { address: &address, broker: &address, topic };
        let mut body = cluster.call(target, &request, (), BOUND_TIMEOUT).await?;
        let record = MessageRecord::decode(&mut body).map_err(malformed)?;
        let broker = cluster.broker_at(&address).unwrap_or_default();
        Ok(self.found(&broker, record))
    }

    /// Finds a message by the id that its producer gave it, [`Delivery::message_id`] or
    /// [`Receipt::message_id`](crate::Receipt::message_id): Java's `queryMessageByUniqKey`. It asks every broker of the
    /// topic and returns the oldest copy. `None` when no broker has it, or has it in its index yet, which takes a
    /// moment.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client, receipt: rocketmq_client::Receipt) -> Result<(), Box<dyn std::error::Error>> {
    /// if let Some(message) = client.find_message("orders", receipt.message_id()).await? {
    ///     println!("stored at {:?}", message.stored_at());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The topic has no route, or nothing was found and a broker failed.
    ///
    /// # Cancel safety
    /// Cancel safe: it reads only.
    pub async fn find_message(&self, topic: &str, message_id: &str) -> Result<Option<Delivery>, CallError> {
        let query = Querying { unique: true, ..Querying::new(self, topic, message_id) };
        Ok(query.await?.into_iter().next())
    }

    /// Finds the messages of a topic with a key that [`Message::key`](crate::Message::key) set: Java's `queryMessage`.
    /// Awaiting the returned value asks every broker of the topic.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::{Duration, SystemTime};
    ///
    /// let yesterday = SystemTime::now() - Duration::from_secs(24 * 3600);
    /// for message in client.query_messages("orders", "order-42").since(yesterday).max(10).await? {
    ///     println!("{} {:?}", message.message_id(), message.stored_at());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn query_messages(&self, topic: &str, key: &str) -> Querying {
        Querying::new(self, topic, key)
    }
}

/// Holds a query and its options; awaiting it sends it. It returns the newest messages that it found, in the order they
/// were stored. Brokers index a message a moment after they stored it. Messages that share only the key's hash are left
/// out.
///
/// ```no_run
/// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let found = client.query_messages("orders", "order-42").await?;
/// println!("{} messages", found.len());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The topic has no route, or nothing was found and a broker failed or did not answer within 6 s. A broker that fails
/// while another one finds something is a warning in the log, as in Java.
///
/// # Cancel safety
/// Cancel safe: it reads only.
#[derive(Debug, Clone)]
#[must_use = "a query is sent when it is awaited"]
pub struct Querying {
    client: Client,
    /// The name on the wire.
    topic: String,
    key: String,
    unique: bool,
    since: i64,
    until: i64,
    max: usize,
}

impl Querying {
    fn new(client: &Client, topic: &str, key: &str) -> Self {
        let (client, topic, key) =
            (client.clone(), client.membership.cluster.names.wrap(topic), key.to_owned());
        Self { client, topic, key, unique: false, since: 0, until: i64::MAX, max: MOST }
    }

    /// Leaves out messages stored before this time, by their broker's clock, to the millisecond. Default: no limit.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client, begin: std::time::SystemTime, end: std::time::SystemTime) -> Result<(), Box<dyn std::error::Error>> {
    /// let found = client.query_messages("orders", "order-42").since(begin).until(end).await?;
    /// # drop(found);
    /// # Ok(())
    /// # }
    /// ```
    pub fn since(mut self, time: SystemTime) -> Self {
        self.since = to_ms(time);
        self
    }

    /// Leaves out messages stored after this time. Default: no limit. [`since`](Self::since) has an example.
    pub fn until(mut self, time: SystemTime) -> Self {
        self.until = to_ms(time);
        self
    }

    /// Limits the number of messages; the newest count. Default: 64, which is also the most that a broker answers with
    /// by default.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let newest = client.query_messages("orders", "order-42").max(1).await?;
    /// # drop(newest);
    /// # Ok(())
    /// # }
    /// ```
    pub fn max(mut self, messages: usize) -> Self {
        self.max = messages;
        self
    }

    async fn run(self) -> Result<Vec<Delivery>, CallError> {
        let brokers = self.client.brokers(&self.topic).await?;
        let asked = brokers.iter().map(|(broker, address)| self.ask(broker, address));
        let (mut found, mut failure) = (Vec::new(), None);
        for (answer, (broker, _)) in join_all(asked).await.into_iter().zip(&brokers) {
            match answer {
                Ok(messages) => found.extend(messages),
                Err(error) => {
                    tracing::warn!(topic = self.topic, key = self.key, broker, %error, "a query left a broker out");
                    failure = Some(error);
                }
            }
        }
        match failure {
            Some(error) if found.is_empty() => Err(error),
            _ => Ok(newest(found, self.max)),
        }
    }

    async fn ask(&self, broker: &str, address: &str) -> Result<Vec<Delivery>, CallError> {
        let client = &self.client;
        let (request, cluster) = (self.request(address).await, &client.membership.cluster);
        let target = Target { address, broker, topic: &self.topic };
        let body = match cluster.call(target, &request, (), BOUND_TIMEOUT).await {
            Err(error) if is_refusal(&error, ResponseCode::QUERY_NOT_FOUND) => return Ok(Vec::new()),
            answer => answer?.1,
        };
        let found = MessageRecord::decode_all(body).map(|record| client.found(broker, record));
        Ok(found.filter(|message| self.wants(message)).collect())
    }

    async fn request(&self, address: &str) -> QueryMessageRequest {
        QueryMessageRequest {
            topic: self.topic.clone(),
            key: self.key.clone(),
            // Not fewer: the broker counts messages that share only the hash or the second.
            max_num: i32::try_from(self.max.max(MOST)).unwrap_or(i32::MAX),
            begin_timestamp: self.since.saturating_sub(INDEX_STEP_MS),
            end_timestamp: self.until,
            unique_key_query: (self.unique && self.signs_the_flag(address).await).then_some(true),
            index_type: (!self.unique).then(|| "K".to_owned()),
        }
    }

    /// Tells whether the broker knows the flag of a query by id. Those of 4.x need none, and with access control they
    /// refuse it.
    async fn signs_the_flag(&self, address: &str) -> bool {
        let version = self.client.membership.broker_version(address).await;
        version.is_none_or(|version| version >= version::V5_0_0)
    }

    /// Checks topic, key and time: the index compares hashes and seconds only.
    fn wants(&self, message: &Delivery) -> bool {
        let is_it = match self.unique {
            true => message.message_id() == self.key,
            false => message.keys().any(|key| key == self.key) && message.queue().topic == self.topic,
        };
        is_it && (self.since..=self.until).contains(&to_ms(message.stored_at()))
    }
}

impl IntoFuture for Querying {
    type Output = Result<Vec<Delivery>, CallError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}

impl Client {
    /// Makes the delivery of a stored record.
    fn found(&self, broker: &str, mut record: MessageRecord) -> Delivery {
        inflate_or_leave(&mut record);
        let queue = MessageQueue::new(record.topic.as_str(), broker, record.queue_id);
        Delivery::from_plain_record(Arc::new(queue), record, &self.membership.cluster.names)
    }
}

/// Returns the newest `max` messages, oldest first.
fn newest(mut found: Vec<Delivery>, max: usize) -> Vec<Delivery> {
    found.sort_by_key(Delivery::stored_at);
    found.split_off(found.len().saturating_sub(max))
}
