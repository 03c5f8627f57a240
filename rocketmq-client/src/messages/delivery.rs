//! [`Delivery`]: a received message, and [`Outcome`]: a handler's decision about it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use rocketmq_remoting::DecodeError;
use rocketmq_remoting::compress::{Compression, decompress};
use rocketmq_remoting::message::{MessageRecord, OffsetMessageId, Properties, SysFlag, names};
use rocketmq_remoting::names::is_retry;
use rocketmq_remoting::route::MessageQueue;

use super::message::{DelayLevel, Message};
use super::names::Names;
use crate::clock::Clock;

/// Holds one received message. Clones share it and cost one reference count.
///
/// ```
/// use rocketmq_client::{Delivery, Message};
///
/// let delivery = Delivery::sample(Message::new("orders", "42").tag("created").key("order-42"), 0);
/// assert_eq!((delivery.topic(), delivery.text(), delivery.tag()), ("orders", Some("42"), Some("created")));
/// assert_eq!(delivery.keys().collect::<Vec<_>>(), ["order-42"]);
/// assert_eq!(delivery.reconsume_times(), 0);
/// println!("offset {} of queue {}", delivery.queue_offset(), delivery.queue().queue_id);
/// println!("made {:?} at {}, stored {:?} at {}", delivery.born_at(), delivery.born_host(), delivery.stored_at(), delivery.store_host());
/// # let _ = (delivery.commit_log_offset(), delivery.sys_flag(), delivery.transaction_id());
/// ```
#[derive(Clone)]
pub struct Delivery(Arc<Inner>);

struct Inner {
    queue: Arc<MessageQueue>,
    /// The topic without namespace and as of the first try, where the record has another name.
    topic: Option<String>,
    record: MessageRecord,
    /// Tries on this client, which the broker does not count.
    tries_here: u32,
    properties: OnceLock<Properties>,
    message_id: OnceLock<String>,
}

impl Delivery {
    /// Reads a record for the application: decompresses the body, and names the topic of the first try without its
    /// namespace. The queue keeps its name on the wire.
    ///
    /// # Errors
    /// The body does not decompress.
    pub(crate) fn from_record(
        queue: Arc<MessageQueue>,
        mut record: MessageRecord,
        names: &Names,
    ) -> Result<Self, DecodeError> {
        inflate(&mut record)?;
        Ok(Self::from_plain_record(queue, record, names))
    }

    /// Does the same for a body that is plain, or that could not be decompressed.
    pub(crate) fn from_plain_record(queue: Arc<MessageQueue>, record: MessageRecord, names: &Names) -> Self {
        let properties = OnceLock::new();
        let topic = plain_topic(&record, names, &properties);
        Self(Arc::new(Inner { queue, topic, record, tries_here: 0, properties, message_id: OnceLock::new() }))
    }

    /// Returns the message for another try on this client.
    pub(crate) fn retried(&self) -> Self {
        let mut record = self.0.record.clone();
        record.reconsume_times = record.reconsume_times.saturating_add(1);
        let (queue, topic) = (self.0.queue.clone(), self.0.topic.clone());
        let (properties, message_id) = (self.0.properties.clone(), self.0.message_id.clone());
        let tries_here = self.0.tries_here.saturating_add(1);
        Self(Arc::new(Inner { queue, topic, record, tries_here, properties, message_id }))
    }

    /// Returns the topic without namespace; of a retried message, the topic of its first try.
    ///
    /// ```
    /// # use rocketmq_client::{Delivery, Message};
    /// let delivery = Delivery::sample(Message::new("orders", "42").tag("created").key("a").flag(7), 0);
    /// assert_eq!(delivery.topic(), "orders");
    /// ```
    pub fn topic(&self) -> &str {
        self.0.topic.as_deref().unwrap_or(&self.0.record.topic)
    }

    /// Returns the body, decompressed.
    ///
    /// ```
    /// # use rocketmq_client::{Delivery, Message};
    /// let delivery = Delivery::sample(Message::new("orders", "42").tag("created").key("a").flag(7), 0);
    /// assert_eq!(delivery.body().as_ref(), b"42");
    /// ```
    pub fn body(&self) -> &Bytes {
        &self.0.record.body
    }

    /// Returns the body as text; `None` when it is not UTF-8.
    ///
    /// ```
    /// # use rocketmq_client::{Delivery, Message};
    /// assert_eq!(Delivery::sample(Message::new("t", vec![0xff]), 0).text(), None);
    /// ```
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(self.body()).ok()
    }

    /// Returns the id that the producer gave the message; every try has the same. Without one, returns the
    /// [`offset_message_id`](Self::offset_message_id).
    ///
    /// ```
    /// # use rocketmq_client::{Delivery, Message};
    /// let delivery = Delivery::sample(Message::new("orders", "42").tag("created").key("a").flag(7), 0);
    /// println!("{}", delivery.message_id());
    /// ```
    pub fn message_id(&self) -> &str {
        let own = || self.properties().unique_key().map(str::to_owned);
        self.0.message_id.get_or_init(|| own().unwrap_or_else(|| self.offset_message_id()))
    }

    /// Returns the id that encodes the broker's address and the offset in its commit log. Each retry is stored anew and
    /// has another.
    ///
    /// ```
    /// # use rocketmq_client::{Delivery, Message};
    /// let delivery = Delivery::sample(Message::new("orders", "42").tag("created").key("a").flag(7), 0);
    /// assert_eq!(delivery.offset_message_id().len(), 32);
    /// ```
    pub fn offset_message_id(&self) -> String {
        OffsetMessageId { host: self.0.record.store_host, offset: self.0.record.physical_offset }.to_string()
    }

    /// Returns the tag.
    ///
    /// ```
    /// # use rocketmq_client::{Delivery, Message};
    /// let delivery = Delivery::sample(Message::new("orders", "42").tag("created").key("a").flag(7), 0);
    /// assert_eq!(delivery.tag(), Some("created"));
    /// ```
    pub fn tag(&self) -> Option<&str> {
        self.properties().tags()
    }

    /// Returns the keys.
    ///
    /// ```
    /// # use rocketmq_client::{Delivery, Message};
    /// let delivery = Delivery::sample(Message::new("orders", "42").tag("created").key("a").flag(7), 0);
    /// assert_eq!(delivery.keys().collect::<Vec<_>>(), ["a"]);
    /// ```
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.properties().keys()
    }

    /// Returns one property.
    ///
    /// ```
    /// # use rocketmq_client::{Delivery, Message};
    /// let delivery = Delivery::sample(Message::new("t", "b").property("region", "eu"), 0);
    /// assert_eq!((delivery.property("region"), delivery.property("colour")), (Some("eu"), None));
    /// ```
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties().get(name)
    }

    /// Returns every property, RocketMQ's own among them. The first call parses them.
    ///
    /// ```
    /// # use rocketmq_client::{Delivery, Message};
    /// let delivery = Delivery::sample(Message::new("orders", "42").tag("created").key("a").flag(7), 0);
    /// assert_eq!(delivery.properties().get("TAGS"), Some("created"));
    /// ```
    pub fn properties(&self) -> &Properties {
        self.0.properties.get_or_init(|| Properties::parse(&self.0.record.properties))
    }

    /// Returns the queue it was read from; of a retried message, a queue of the group's retry topic.
    ///
    /// ```
    /// # use rocketmq_client::{Delivery, Message};
    /// let delivery = Delivery::sample(Message::new("orders", "42").tag("created").key("a").flag(7), 0);
    /// assert_eq!(delivery.queue().topic, "orders");
    /// ```
    pub fn queue(&self) -> &Arc<MessageQueue> {
        &self.0.queue
    }

    /// Returns the offset in the queue.
    ///
    /// ```
    /// # use rocketmq_client::{Delivery, Message};
    /// let delivery = Delivery::sample(Message::new("orders", "42").tag("created").key("a").flag(7), 0);
    /// println!("offset {}", delivery.queue_offset());
    /// ```
    pub fn queue_offset(&self) -> i64 {
        self.0.record.queue_offset
    }

    /// Returns the offset in the broker's commit log, in bytes.
    ///
    /// ```
    /// # use rocketmq_client::{Delivery, Message};
    /// let delivery = Delivery::sample(Message::new("orders", "42").tag("created").key("a").flag(7), 0);
    /// println!("byte {}", delivery.commit_log_offset());
    /// ```
    pub fn commit_log_offset(&self) -> i64 {
        self.0.record.physical_offset
    }

    /// Counts the tries before this one: 0 on the first delivery.
    ///
    /// ```
    /// # use rocketmq_client::{Delivery, Message};
    /// assert_eq!(Delivery::sample(Message::new("t", "b"), 2).reconsume_times(), 2);
    /// ```
    pub fn reconsume_times(&self) -> u32 {
        u32::try_from(self.0.record.reconsume_times).unwrap_or(0)
    }

    /// Counts the tries that the broker stored.
    pub(crate) fn stored_reconsume_times(&self) -> u32 {
        self.reconsume_times().saturating_sub(self.0.tries_here)
    }

    /// Returns the time at which the producer made the message, by the producer's clock, to the millisecond.
    ///
    /// ```
    /// # use rocketmq_client::{Delivery, Message};
    /// let delivery = Delivery::sample(Message::new("orders", "42").tag("created").key("a").flag(7), 0);
    /// println!("{:?}", delivery.born_at().elapsed());
    /// ```
    pub fn born_at(&self) -> SystemTime {
        from_millis(self.0.record.born_timestamp)
    }

    /// Returns the producer's address, as the broker saw it.
    ///
    /// ```
    /// # use rocketmq_client::{Delivery, Message};
    /// let delivery = Delivery::sample(Message::new("orders", "42").tag("created").key("a").flag(7), 0);
    /// println!("{}", delivery.born_host());
    /// ```
    pub fn born_host(&self) -> SocketAddr {
        self.0.record.born_host
    }

    /// Returns the time at which the broker stored the message, by the broker's clock, to the millisecond.
    ///
    /// ```
    /// # use rocketmq_client::{Delivery, Message};
    /// let delivery = Delivery::sample(Message::new("orders", "42").tag("created").key("a").flag(7), 0);
    /// println!("{:?}", delivery.stored_at().elapsed());
    /// ```
    pub fn stored_at(&self) -> SystemTime {
        from_millis(self.0.record.store_timestamp)
    }

    /// Returns the broker's address.
    ///
    /// ```
    /// # use rocketmq_client::{Delivery, Message};
    /// let delivery = Delivery::sample(Message::new("orders", "42").tag("created").key("a").flag(7), 0);
    /// println!("{}", delivery.store_host());
    /// ```
    pub fn store_host(&self) -> SocketAddr {
        self.0.record.store_host
    }

    /// Returns the number that the producer attached with [`Message::flag`].
    ///
    /// ```
    /// # use rocketmq_client::{Delivery, Message};
    /// let delivery = Delivery::sample(Message::new("orders", "42").tag("created").key("a").flag(7), 0);
    /// assert_eq!(delivery.flag(), 7);
    /// ```
    pub fn flag(&self) -> i32 {
        self.0.record.flag
    }

    /// Returns the compression and transaction bits that the broker stored.
    ///
    /// ```
    /// # use rocketmq_client::{Delivery, Message};
    /// let delivery = Delivery::sample(Message::new("orders", "42").tag("created").key("a").flag(7), 0);
    /// assert_eq!(delivery.sys_flag().0, 0);
    /// ```
    pub fn sys_flag(&self) -> SysFlag {
        self.0.record.sys_flag
    }

    /// Returns the id of the message's transaction; `None` when it had none.
    ///
    /// ```
    /// # use rocketmq_client::{Delivery, Message};
    /// let delivery = Delivery::sample(Message::new("orders", "42").tag("created").key("a").flag(7), 0);
    /// assert_eq!(delivery.transaction_id(), None);
    /// ```
    pub fn transaction_id(&self) -> Option<&str> {
        self.property(names::TRANSACTION_ID)
    }

    /// Makes a delivery of `message` without a broker, for tests of handlers.
    ///
    /// ```
    /// use rocketmq_client::{Delivery, Message};
    ///
    /// let delivery = Delivery::sample(Message::new("orders", "42").tag("created"), 2);
    /// assert_eq!(delivery.text(), Some("42"));
    /// assert_eq!(delivery.reconsume_times(), 2);
    /// ```
    pub fn sample(message: Message, reconsume_times: u32) -> Self {
        let queue = Arc::new(MessageQueue::new(message.topic.as_str(), "sample", 0));
        let now = Clock::default().now_ms();
        let record = MessageRecord {
            topic: message.topic.clone(),
            body: message.body,
            flag: message.flag,
            properties: message.properties.encode_stored(),
            reconsume_times: reconsume_times.try_into().unwrap_or(i32::MAX),
            born_timestamp: now,
            store_timestamp: now,
            ..MessageRecord::default()
        };
        let (properties, message_id) = (OnceLock::new(), OnceLock::new());
        Self(Arc::new(Inner { queue, topic: None, record, tries_here: 0, properties, message_id }))
    }

    /// Reads a record as a broker stores it and answers pulls with, for tools that look into a queue. The topic of a message
    /// that was tried again is that of its first try.
    ///
    /// ```
    /// use rocketmq_client::remoting::message::MessageRecord;
    /// use rocketmq_client::{Delivery, MessageQueue};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let record = MessageRecord { topic: "orders".into(), body: "42".into(), ..MessageRecord::default() };
    /// let mut stored = bytes::BytesMut::new();
    /// record.encode(&mut stored)?;
    /// let delivery = Delivery::read(MessageQueue::new("orders", "broker-a", 0), stored.freeze())?;
    /// assert_eq!((delivery.topic(), delivery.text()), ("orders", Some("42")));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails if the record is damaged, or its body does not decompress.
    pub fn read(queue: MessageQueue, mut record: Bytes) -> Result<Self, DecodeError> {
        Self::from_record(Arc::new(queue), MessageRecord::decode(&mut record)?, &Names::default())
    }
}

/// Limits decompressed bodies, in bytes: a few kilobytes could otherwise claim all memory. Brokers take far less.
const MAX_BODY: usize = 64 << 20;

/// Decompresses the body of a record.
///
/// # Errors
/// The body is damaged, or it decompresses to more than 64 MiB; the record stays as it was.
pub(crate) fn inflate(record: &mut MessageRecord) -> Result<(), DecodeError> {
    if let Some(kind) = Compression::of(record.sys_flag)? {
        record.body = decompress(kind, &record.body, MAX_BODY)?.into();
        record.sys_flag = record.sys_flag.without(SysFlag::COMPRESSED);
    }
    Ok(())
}

/// Returns the topic without namespace and as of the first try, when the record has another.
fn plain_topic(record: &MessageRecord, names: &Names, parsed: &OnceLock<Properties>) -> Option<String> {
    let wire = if is_retry(&record.topic) {
        let properties = parsed.get_or_init(|| Properties::parse(&record.properties));
        properties.retry_topic().unwrap_or(&record.topic)
    } else {
        &record.topic
    };
    let plain = names.plain(wire);
    (plain != record.topic).then(|| plain.to_owned())
}

/// Shows a damaged time, or one before 1970, as 1970.
fn from_millis(millis: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("topic", &self.topic())
            .field("message_id", &self.message_id())
            .field("queue", &self.0.queue)
            .field("queue_offset", &self.queue_offset())
            .field("reconsume_times", &self.reconsume_times())
            .field("body_bytes", &self.body().len())
            .finish_non_exhaustive()
    }
}

/// Decides about a delivery: the return value of a handler.
///
/// ```
/// use std::time::Duration;
///
/// use rocketmq_client::{DelayLevel, Delivery, Message, Outcome};
///
/// fn decide(delivery: &Delivery) -> Outcome {
///     match delivery.text().map(str::parse::<u64>) {
///         Some(Ok(_)) => Outcome::Ack,
///         _ if delivery.reconsume_times() < 3 => Outcome::RetryAfter(DelayLevel::S10),
///         _ => Outcome::DeadLetter,
///     }
/// }
/// assert_eq!(decide(&Delivery::sample(Message::new("t", "42"), 0)), Outcome::Ack);
/// assert_eq!(decide(&Delivery::sample(Message::new("t", "x"), 3)), Outcome::DeadLetter);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done; it is not delivered to the group again.
    Ack,
    /// Not done: the broker delivers it again, after a delay that grows with each try. In orderly mode the queue tries it
    /// again before the messages behind it.
    Retry,
    /// Not done: the broker delivers it again after this delay. In orderly mode the queue tries it again after the level's
    /// delay on Apache's default ladder, 30 s at most.
    RetryAfter(DelayLevel),
    /// Not done: in orderly mode the queue rests for 10 ms to 30 s and tries it again (Java's
    /// `suspendCurrentQueueTimeMillis`). Other consumers take it as `Retry`.
    Suspend(Duration),
    /// It can never be done: the broker moves it to the group's dead letter queue, `%DLQ%<group>`.
    DeadLetter,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(properties: &str) -> Delivery {
        let record = MessageRecord {
            properties: properties.into(),
            physical_offset: 0x1000,
            store_host: "192.168.1.10:10911".parse().expect("an address"),
            born_timestamp: -5,
            reconsume_times: -1,
            body: Bytes::from_static(b"\xff"),
            ..MessageRecord::default()
        };
        let queue = Arc::new(MessageQueue::new("t", "a", 1));
        Delivery::from_record(queue, record, &Names::default()).expect("a plain body")
    }

    #[test]
    fn the_producers_id_comes_before_the_brokers() {
        assert_eq!(delivery("UNIQ_KEY\u{1}7F01\u{2}").message_id(), "7F01");
        assert_eq!(delivery("").message_id(), "C0A8010A00002A9F0000000000001000");
    }

    #[test]
    fn odd_numbers_and_bytes_are_shown_not_feared() {
        let odd = delivery("TAGS\u{1}x\u{2}KEYS\u{1}a b\u{2}");
        assert_eq!((odd.reconsume_times(), odd.born_at(), odd.text()), (0, UNIX_EPOCH, None));
        assert_eq!((odd.tag(), odd.keys().collect::<Vec<_>>()), (Some("x"), vec!["a", "b"]));
    }
}
