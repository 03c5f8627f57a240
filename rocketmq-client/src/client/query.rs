//! Looking stored messages up: by place, by id, by key.

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

/// What brokers answer at most (`maxMsgsNumBatch`), unless they are configured otherwise.
const MOST: usize = 64;
/// The index knows the second a message was stored in, not the millisecond.
const INDEX_STEP_MS: i64 = 1000;

impl Client {
    /// The message that is stored at a place, as [`Delivery::offset_message_id`] and
    /// [`Receipt::offset_message_id`](crate::Receipt::offset_message_id) name it: Java's `viewMessage`. The broker is asked
    /// at the address in the id, `topic` is what its access control judges by.
    ///
    /// # Errors
    /// When `offset_message_id` is none (an [`InvalidRequest`](crate::CallErrorKind::InvalidRequest); ids that producers give are
    /// for [`find_message`](Self::find_message)), the broker does not answer within 6 s, or no message begins there.
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

    /// The message its producer gave an id, [`Delivery::message_id`] and
    /// [`Receipt::message_id`](crate::Receipt::message_id): Java's `queryMessageByUniqKey`. Every broker of the topic is
    /// asked; `None` when none has it, or has not indexed it yet, which takes a moment. Of several copies, as a send that
    /// was tried again leaves them, the oldest.
    ///
    /// # Errors
    /// When the topic has no route, or nothing was found and a broker failed.
    pub async fn find_message(&self, topic: &str, message_id: &str) -> Result<Option<Delivery>, CallError> {
        let query = Querying { unique: true, ..Querying::new(self, topic, message_id) };
        Ok(query.await?.into_iter().next())
    }

    /// The messages of a topic that bear a key, one of those of [`Message::key`](crate::Message::key): Java's
    /// `queryMessage`. Awaiting the returned value asks every broker of the topic.
    ///
    /// ```no_run
    /// use std::time::{Duration, SystemTime};
    ///
    /// # async fn look(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let yesterday = SystemTime::now() - Duration::from_secs(24 * 3600);
    /// for message in client.query_messages("orders", "order-42").since(yesterday).await? {
    ///     println!("{} {:?}", message.message_id(), message.stored_at());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn query_messages(&self, topic: &str, key: &str) -> Querying {
        Querying::new(self, topic, key)
    }
}

/// A query with its options; a future once awaited. It ends with the newest messages it found, in the order they were
/// stored; a message just sent is found a moment later, when it is indexed. What only shares the key's hash is left out.
///
/// # Errors
/// When the topic has no route, or nothing was found and a broker failed or did not answer within 6 s. A broker that fails
/// while another one finds something is a warning in the log, as in Java.
#[derive(Debug, Clone)]
#[must_use = "a query is sent when it is awaited"]
pub struct Querying {
    client: Client,
    /// As it is on the wire.
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

    /// Only messages stored at this time or later, by their broker's clock, to the millisecond. Default: all it still has.
    pub fn since(mut self, time: SystemTime) -> Self {
        self.since = to_ms(time);
        self
    }

    /// Only messages stored at this time or earlier. Default: all.
    pub fn until(mut self, time: SystemTime) -> Self {
        self.until = to_ms(time);
        self
    }

    /// So many messages at most; the newest count. Default 64, which is also what a broker answers at most.
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
            // Not fewer: what has only the hash or the second in common counts here, too.
            max_num: i32::try_from(self.max.max(MOST)).unwrap_or(i32::MAX),
            begin_timestamp: self.since.saturating_sub(INDEX_STEP_MS),
            end_timestamp: self.until,
            unique_key_query: (self.unique && self.signs_the_flag(address).await).then_some(true),
            index_type: (!self.unique).then(|| "K".to_owned()),
        }
    }

    /// Brokers of 4.x need no flag, and those with access control refuse it: their signature does not cover it.
    async fn signs_the_flag(&self, address: &str) -> bool {
        let version = self.client.membership.broker_version(address).await;
        version.is_none_or(|version| version >= version::V5_0_0)
    }

    /// The index compares hashes and seconds, of topic and key together.
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
    /// A stored record as the application sees it.
    fn found(&self, broker: &str, mut record: MessageRecord) -> Delivery {
        inflate_or_leave(&mut record);
        let queue = MessageQueue::new(record.topic.as_str(), broker, record.queue_id);
        Delivery::from_plain_record(Arc::new(queue), record, &self.membership.cluster.names)
    }
}

/// The last `max` stored, oldest first.
fn newest(mut found: Vec<Delivery>, max: usize) -> Vec<Delivery> {
    found.sort_by_key(Delivery::stored_at);
    found.split_off(found.len().saturating_sub(max))
}
