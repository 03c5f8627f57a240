//! [`Delivery`]: a message as it arrives, and [`Outcome`]: what becomes of it.

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

/// One message, delivered. Clones share it.
#[derive(Clone)]
pub struct Delivery(Arc<Inner>);

struct Inner {
    queue: Arc<MessageQueue>,
    /// What the application calls the topic (without namespace, and that of the first try), where the
    /// record calls it otherwise.
    topic: Option<String>,
    record: MessageRecord,
    /// Tries since it came from the broker, which knows nothing of them.
    tries_here: u32,
    properties: OnceLock<Properties>,
    message_id: OnceLock<String>,
}

impl Delivery {
    /// A record as the application sees it: body decompressed, namespace off, and back under the topic
    /// of its first try. The queue keeps its name on the wire.
    ///
    /// # Errors
    /// When the body does not decompress.
    pub(crate) fn from_record(
        queue: Arc<MessageQueue>,
        mut record: MessageRecord,
        names: &Names,
    ) -> Result<Self, DecodeError> {
        inflate(&mut record)?;
        Ok(Self::from_plain_record(queue, record, names))
    }

    /// [`from_record`](Self::from_record) for a body that is plain already, or that could not be inflated.
    pub(crate) fn from_plain_record(queue: Arc<MessageQueue>, record: MessageRecord, names: &Names) -> Self {
        let properties = OnceLock::new();
        let topic = plain_topic(&record, names, &properties);
        Self(Arc::new(Inner { queue, topic, record, tries_here: 0, properties, message_id: OnceLock::new() }))
    }

    /// The same message, tried once more without going through the broker.
    pub(crate) fn retried(&self) -> Self {
        let mut record = self.0.record.clone();
        record.reconsume_times = record.reconsume_times.saturating_add(1);
        let (queue, topic) = (self.0.queue.clone(), self.0.topic.clone());
        let (properties, message_id) = (self.0.properties.clone(), self.0.message_id.clone());
        let tries_here = self.0.tries_here.saturating_add(1);
        Self(Arc::new(Inner { queue, topic, record, tries_here, properties, message_id }))
    }

    /// The topic it was sent to; for a retried message the one of its first try.
    pub fn topic(&self) -> &str {
        self.0.topic.as_deref().unwrap_or(&self.0.record.topic)
    }

    /// The body, decompressed.
    pub fn body(&self) -> &Bytes {
        &self.0.record.body
    }

    /// The body as text, when it is UTF-8.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(self.body()).ok()
    }

    /// The id its producer gave it, the same on every try; where the producer gave none, the
    /// [`offset_message_id`](Self::offset_message_id).
    pub fn message_id(&self) -> &str {
        let own = || self.properties().unique_key().map(str::to_owned);
        self.0.message_id.get_or_init(|| own().unwrap_or_else(|| self.offset_message_id()))
    }

    /// The id that says where this copy is stored: the broker's address and the commit log offset.
    pub fn offset_message_id(&self) -> String {
        OffsetMessageId { host: self.0.record.store_host, offset: self.0.record.physical_offset }.to_string()
    }

    /// The tag.
    pub fn tag(&self) -> Option<&str> {
        self.properties().tags()
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.properties().keys()
    }

    /// One property.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties().get(name)
    }

    /// Every property, RocketMQ's own among them. Parsed on first use.
    pub fn properties(&self) -> &Properties {
        self.0.properties.get_or_init(|| Properties::parse(&self.0.record.properties))
    }

    /// The queue it came from; for a retried message one of the group's retry topic.
    pub fn queue(&self) -> &Arc<MessageQueue> {
        &self.0.queue
    }

    /// Its place in the queue.
    pub fn queue_offset(&self) -> i64 {
        self.0.record.queue_offset
    }

    /// Its place in the broker's commit log.
    pub fn commit_log_offset(&self) -> i64 {
        self.0.record.physical_offset
    }

    /// How often it was handed back before: 0 on the first delivery.
    pub fn reconsume_times(&self) -> u32 {
        u32::try_from(self.0.record.reconsume_times).unwrap_or(0)
    }

    /// [`reconsume_times`](Self::reconsume_times) as the broker has stored them.
    pub(crate) fn stored_reconsume_times(&self) -> u32 {
        self.reconsume_times().saturating_sub(self.0.tries_here)
    }

    /// When its producer made it, by the producer's clock.
    pub fn born_at(&self) -> SystemTime {
        from_millis(self.0.record.born_timestamp)
    }

    /// The producer's address, as the broker saw it.
    pub fn born_host(&self) -> SocketAddr {
        self.0.record.born_host
    }

    /// When the broker stored it, by the broker's clock.
    pub fn stored_at(&self) -> SystemTime {
        from_millis(self.0.record.store_timestamp)
    }

    /// The broker's address.
    pub fn store_host(&self) -> SocketAddr {
        self.0.record.store_host
    }

    /// The number its producer attached.
    pub fn flag(&self) -> i32 {
        self.0.record.flag
    }

    /// Compression and transaction bits as the broker stored them.
    pub fn sys_flag(&self) -> SysFlag {
        self.0.record.sys_flag
    }

    /// The id of the transaction it was part of.
    pub fn transaction_id(&self) -> Option<&str> {
        self.property(names::TRANSACTION_ID)
    }

    /// A delivery that no broker made: `message` as a handler would receive it. For tests of handlers.
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
}

/// No message decompresses to more: a few kilobytes could otherwise claim all memory. What a broker takes is far below it.
const MAX_BODY: usize = 64 << 20;

/// Replaces a compressed body by what it decompresses to.
///
/// # Errors
/// It does not, or to more than 64 MiB; the record is as it was.
pub(crate) fn inflate(record: &mut MessageRecord) -> Result<(), DecodeError> {
    if let Some(kind) = Compression::of(record.sys_flag)? {
        record.body = decompress(kind, &record.body, MAX_BODY)?.into();
        record.sys_flag = record.sys_flag.without(SysFlag::COMPRESSED);
    }
    Ok(())
}

/// The topic the application knows, when the record has another.
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

/// A clock before 1970 or a damaged time is shown as 1970.
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

/// What a handler decides about a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done; it is not delivered to the group again.
    Ack,
    /// Not done: deliver again later, by the broker's ladder of delays; in orderly mode try again in
    /// place, before anything that follows in the queue.
    Retry,
    /// Not done: deliver again after this delay. In orderly mode try again in place after what the level
    /// means on Apache's ladder, 30 s at most: the handlers' side knows no ladder of the broker's own.
    RetryAfter(DelayLevel),
    /// Not done: in orderly mode the queue rests for so long, 10 ms to 30 s, and tries the message again in
    /// place; Java's `suspendCurrentQueueTimeMillis` of one call. In concurrent mode, where no queue waits
    /// for a message, as `Retry`.
    Suspend(Duration),
    /// It will never be done: move it to the group's dead letter queue, `%DLQ%<group>`.
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
