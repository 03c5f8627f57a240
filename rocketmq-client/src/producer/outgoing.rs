//! [`Outgoing`]: a message in its wire form, which is built once for all tries.

use bytes::Bytes;
use rocketmq_remoting::compress::compress;
use rocketmq_remoting::message::properties::MAX_ENCODED_LEN;
use rocketmq_remoting::message::{SysFlag, names};
use rocketmq_remoting::names::is_retry;
use rocketmq_remoting::route::MessageQueue;
use rocketmq_remoting::{Command, ExtFields, RequestCode};

use super::sender::Sender;
use crate::clock::Instant;
use crate::error::{SendError, SendErrorKind};
use crate::messages::Message;

/// The part of a send request that does not depend on the queue.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// The name on the wire.
    pub(crate) topic: String,
    pub(crate) message_id: String,
    pub(crate) code: RequestCode,
    pub(crate) body: Bytes,
    pub(crate) properties: String,
    pub(crate) sys_flag: SysFlag,
    pub(crate) flag: i32,
    pub(crate) batch: bool,
    /// The begin of the send.
    pub(crate) begun: Instant,
    /// The retry counters of a message that a consumer sends to its own retry topic.
    reconsume_times: Option<String>,
    max_reconsume_times: Option<String>,
}

impl Outgoing {
    /// Prepares one message: gives it an id, and compresses it when it is large.
    pub(super) fn message(sender: &Sender, mut message: Message, begun: Instant) -> Result<Self, SendError> {
        let (reconsume_times, max_reconsume_times) = take_retry_counters(&mut message);
        let is_reply = message.properties.get(names::MSG_TYPE) == Some("reply");
        let half = message.properties.is_transaction();
        let (message_id, properties) = stamp(sender, &message)?;
        let (body, flag) = shrink(sender, message.body);
        Ok(Self {
            topic: wire_topic(sender, message.topic),
            message_id,
            code: if is_reply { RequestCode::SEND_REPLY_MESSAGE_V2 } else { RequestCode::SEND_MESSAGE_V2 },
            body,
            properties,
            sys_flag: if half { flag.with(SysFlag::TRANSACTION_PREPARED) } else { flag },
            flag: message.flag,
            batch: false,
            begun,
            reconsume_times,
            max_reconsume_times,
        })
    }

    /// Prepares a batch whose messages are encoded in `body`. Its header holds no id of the batch itself until it is
    /// [`named`](Self::named).
    pub(super) fn batch(
        sender: &Sender,
        topic: String,
        body: Bytes,
        wait_store: bool,
        begun: Instant,
    ) -> Self {
        let message_id = sender.cluster.ids.next(sender.cluster.now_ms());
        let mut properties = String::with_capacity(16);
        append(&mut properties, names::WAIT, if wait_store { "true" } else { "false" });
        Self {
            topic: wire_topic(sender, topic),
            message_id,
            code: RequestCode::SEND_BATCH_MESSAGE,
            body,
            properties,
            sys_flag: SysFlag::default(),
            flag: 0,
            batch: true,
            begun,
            reconsume_times: None,
            max_reconsume_times: None,
        }
    }

    /// Makes the request for one queue. It writes the fields straight into the header text and allocates nothing else.
    pub(crate) fn command(&self, sender: &Sender, queue: &MessageQueue, broker: &str) -> Command {
        let text = self.topic.len() + sender.wire_group.len() + self.properties.len() + broker.len();
        let mut ext = ExtFields::with_capacity(16, 96 + text);
        ext.push("a", &sender.wire_group);
        ext.push("b", &self.topic);
        ext.push("c", &sender.config.create_topic_key);
        ext.push_int("d", sender.config.default_topic_queues);
        ext.push_int("e", queue.queue_id);
        ext.push_int("f", self.sys_flag.0);
        ext.push_int("g", sender.cluster.now_ms());
        ext.push_int("h", self.flag);
        ext.push("i", &self.properties);
        ext.push("j", self.reconsume_times.as_deref().unwrap_or("0"));
        ext.push("k", if sender.cluster.config.unit_mode { "true" } else { "false" });
        if let Some(most) = &self.max_reconsume_times {
            ext.push("l", most);
        }
        ext.push("m", if self.batch { "true" } else { "false" });
        ext.push("n", broker);
        Command::request(self.code).with_ext(ext).with_body(self.body.clone())
    }

    /// Adds the id of the batch itself to its request. Brokers of 5.x need it where they store a batch as one record;
    /// those of 4.x would overwrite the ids of the messages with it.
    pub(crate) fn named(&self, mut request: Command) -> Command {
        let mut properties = self.properties.clone();
        append(&mut properties, names::UNIQ_KEY, &self.message_id);
        request.ext.set("i", &properties);
        request
    }
}

/// Returns the topic's name on the wire, without a copy where there is no namespace. The topic of message traces is in
/// none.
pub(super) fn wire_topic(sender: &Sender, topic: String) -> String {
    let names = &sender.cluster.names;
    if names.namespace().is_none() || !sender.observed { topic } else { names.wrap(&topic) }
}

/// Takes the retry counters out of the properties: on the way to a retry topic they travel in the header.
fn take_retry_counters(message: &mut Message) -> (Option<String>, Option<String>) {
    if !is_retry(&message.topic) {
        return (None, None);
    }
    let properties = &mut message.properties;
    (properties.remove(names::RECONSUME_TIME), properties.remove(names::MAX_RECONSUME_TIMES))
}

/// Returns the message's id and its encoded properties. A message keeps an id that it has, so that a copy that is sent
/// after a failure is recognized.
pub(super) fn stamp(sender: &Sender, message: &Message) -> Result<(String, String), SendError> {
    let mut properties = message.properties.encode_stored();
    let message_id = match message.properties.unique_key() {
        Some(id) => id.to_owned(),
        None => {
            let id = sender.cluster.ids.next(sender.cluster.now_ms());
            append(&mut properties, names::UNIQ_KEY, &id);
            id
        }
    };
    if let Some(namespace) = sender.cluster.names.namespace() {
        append(&mut properties, names::INSTANCE_ID, namespace);
    }
    if properties.len() > MAX_ENCODED_LEN {
        let text = format!(
            "the properties of a message to {} take {} bytes, {MAX_ENCODED_LEN} is the most a broker stores; \
             put the rest into the body",
            message.topic,
            properties.len()
        );
        return Err(SendError::new(SendErrorKind::InvalidMessage, text));
    }
    Ok((message_id, properties))
}

fn append(properties: &mut String, name: &str, value: &str) {
    properties.push_str(name);
    properties.push('\u{1}');
    properties.push_str(value);
    properties.push('\u{2}');
}

/// Compresses a large body. A body that does not compress travels as it is.
fn shrink(sender: &Sender, body: Bytes) -> (Bytes, SysFlag) {
    let config = &sender.config;
    if body.len() < config.compress_threshold {
        return (body, SysFlag::default());
    }
    match compress(config.compression, config.compression_level, &body) {
        Ok(small) => (small.into(), config.compression.mark(SysFlag::default())),
        Err(error) => {
            tracing::warn!(%error, "a body is sent uncompressed");
            (body, SysFlag::default())
        }
    }
}
