//! Sends: single messages, batches and replies. Also sending a message back, and recalling one.

#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{exchange, exchanges, headers, parse_field};
use crate::command::Command;
use crate::error::{DecodeError, EncodeError};
use crate::ext::ExtFields;
use crate::payload::Header;
use crate::request::Request;

/// Sends one message, or a batch if `batch` is set, whatever the code. The body holds the message.
///
/// On the wire the fields have the names `a` to `n`, in this order.
///
/// ```
/// use bytes::Bytes;
/// use rocketmq_remoting::Request;
/// use rocketmq_remoting::requests::send::SendMessageRequest;
///
/// let header = SendMessageRequest {
///     producer_group: "shop".into(),
///     topic: "orders".into(),
///     queue_id: -1, // the broker chooses
///     ..SendMessageRequest::default()
/// };
/// let command = header.command(&Bytes::from("42"))?;
/// assert_eq!(command.ext.get("b"), Some("orders"));
/// # Ok::<(), rocketmq_remoting::EncodeError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendMessageRequest {
    #[serde(rename = "a", default)]
    pub producer_group: String,
    #[serde(rename = "b")]
    pub topic: String,
    /// Template of a topic that does not exist yet.
    #[serde(rename = "c", default)]
    pub default_topic: String,
    /// Number of queues of such a topic.
    #[serde(rename = "d", default)]
    pub default_topic_queue_nums: i32,
    /// The queue; below 0 the broker chooses.
    #[serde(rename = "e")]
    pub queue_id: i32,
    #[serde(rename = "f")]
    pub sys_flag: i32,
    /// In ms since the epoch.
    #[serde(rename = "g")]
    pub born_timestamp: i64,
    #[serde(rename = "h")]
    pub flag: i32,
    /// The properties in their wire form.
    #[serde(rename = "i")]
    pub properties: Option<String>,
    /// Number of retries, for a message to a retry topic.
    #[serde(rename = "j")]
    pub reconsume_times: Option<i32>,
    #[serde(rename = "k")]
    pub unit_mode: Option<bool>,
    /// Largest number of retries, for a message to a retry topic. Brokers read it from request version 121 on.
    #[serde(rename = "l")]
    pub max_reconsume_times: Option<i32>,
    #[serde(rename = "m")]
    pub batch: Option<bool>,
    #[serde(rename = "n")]
    pub broker_name: Option<String>,
}

impl SendMessageRequest {
    /// Returns true if the body is a batch.
    pub fn is_batch(&self) -> bool {
        self.batch.unwrap_or(false)
    }

    fn fields(&self) -> SendFields<'_> {
        SendFields {
            producer_group: &self.producer_group,
            topic: &self.topic,
            default_topic: &self.default_topic,
            default_topic_queue_nums: self.default_topic_queue_nums,
            queue_id: self.queue_id,
            sys_flag: self.sys_flag,
            born_timestamp: self.born_timestamp,
            flag: self.flag,
            properties: self.properties.as_deref(),
            reconsume_times: self.reconsume_times,
            unit_mode: self.unit_mode,
            max_reconsume_times: self.max_reconsume_times,
            batch: self.batch,
            broker_name: self.broker_name.as_deref(),
        }
    }

    fn read_fields(ext: &ExtFields) -> Result<Self, DecodeError> {
        let mut seen = Seen::default();
        let mut header = Self::default();
        for (name, value) in ext.iter() {
            let [letter] = name.as_bytes() else { continue };
            seen.note(*letter);
            header.take(*letter, name, value)?;
        }
        seen.require(b'b', "b")?;
        for (letter, name) in [(b'e', "e"), (b'f', "f"), (b'g', "g"), (b'h', "h")] {
            seen.require(letter, name)?;
        }
        Ok(header)
    }

    fn take(&mut self, letter: u8, name: &str, value: &str) -> Result<(), DecodeError> {
        match letter {
            b'a' => value.clone_into(&mut self.producer_group),
            b'b' => value.clone_into(&mut self.topic),
            b'c' => value.clone_into(&mut self.default_topic),
            b'd' => self.default_topic_queue_nums = parse_field(name, value)?,
            b'e' => self.queue_id = parse_field(name, value)?,
            b'f' => self.sys_flag = parse_field(name, value)?,
            b'g' => self.born_timestamp = parse_field(name, value)?,
            b'h' => self.flag = parse_field(name, value)?,
            b'i' => self.properties = Some(value.to_owned()),
            b'j' => self.reconsume_times = Some(parse_field(name, value)?),
            b'k' => self.unit_mode = Some(value.eq_ignore_ascii_case("true")),
            b'l' => self.max_reconsume_times = Some(parse_field(name, value)?),
            b'm' => self.batch = Some(value.eq_ignore_ascii_case("true")),
            b'n' => self.broker_name = Some(value.to_owned()),
            _ => {}
        }
        Ok(())
    }
}

/// A [`SendMessageRequest`] with borrowed text. A producer writes it without copying the parts that all its sends
/// share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendFields<'a> {
    pub producer_group: &'a str,
    pub topic: &'a str,
    pub default_topic: &'a str,
    pub default_topic_queue_nums: i32,
    pub queue_id: i32,
    pub sys_flag: i32,
    pub born_timestamp: i64,
    pub flag: i32,
    pub properties: Option<&'a str>,
    pub reconsume_times: Option<i32>,
    pub unit_mode: Option<bool>,
    pub max_reconsume_times: Option<i32>,
    pub batch: Option<bool>,
    pub broker_name: Option<&'a str>,
}

impl SendFields<'_> {
    /// Bytes to reserve for the fields besides their text.
    const FIXED: usize = 96;

    /// Writes a request with this header.
    pub fn command<R: ShortNamed>(&self, body: Bytes) -> Command {
        Command::request(R::CODE).with_ext(self.write()).with_body(body)
    }

    fn write(&self) -> ExtFields {
        let optional = [self.properties, self.broker_name].into_iter().flatten().map(str::len).sum::<usize>();
        let text = self.topic.len() + self.producer_group.len() + self.default_topic.len() + optional;
        let mut ext = ExtFields::with_capacity(14, Self::FIXED + text);
        ext.push("a", self.producer_group);
        ext.push("b", self.topic);
        ext.push("c", self.default_topic);
        ext.push_int("d", self.default_topic_queue_nums);
        ext.push_int("e", self.queue_id);
        ext.push_int("f", self.sys_flag);
        ext.push_int("g", self.born_timestamp);
        ext.push_int("h", self.flag);
        ext.push_some("i", self.properties);
        push_some(&mut ext, "j", self.reconsume_times);
        push_some(&mut ext, "k", self.unit_mode);
        push_some(&mut ext, "l", self.max_reconsume_times);
        push_some(&mut ext, "m", self.batch);
        ext.push_some("n", self.broker_name);
        ext
    }
}

/// The set of one-letter fields that a header has.
#[derive(Default)]
struct Seen(u32);

impl Seen {
    fn note(&mut self, letter: u8) {
        self.0 |= Self::bit(letter);
    }

    fn require(&self, letter: u8, name: &'static str) -> Result<(), DecodeError> {
        if self.0 & Self::bit(letter) == 0 { Err(DecodeError::MissingField(name)) } else { Ok(()) }
    }

    fn bit(letter: u8) -> u32 {
        1 << (letter & 31)
    }
}

pub(super) fn push_some(ext: &mut ExtFields, name: &str, value: Option<impl std::fmt::Display>) {
    if let Some(value) = value {
        ext.push_display(name, value);
    }
}

/// An exchange whose request has the header with short names.
pub trait ShortNamed: Request<Body = Bytes, Response = SendMessageResponse> {}

impl ShortNamed for SendMessageRequest {}

/// Declares the header with short names under another code, without serde.
macro_rules! short_named {
    ($($(#[$doc:meta])* $wrapper:ident = $code:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(transparent)]
            pub struct $wrapper(pub SendMessageRequest);

            impl Header for $wrapper {
                fn to_fields(&self) -> Result<ExtFields, EncodeError> {
                    self.0.to_fields()
                }

                fn from_fields(fields: &ExtFields) -> Result<Self, DecodeError> {
                    SendMessageRequest::from_fields(fields).map(Self)
                }
            }

            impl ShortNamed for $wrapper {}

            impl From<$wrapper> for SendMessageRequest {
                fn from(request: $wrapper) -> Self {
                    request.0
                }
            }

            exchange!($wrapper = $code, Bytes => SendMessageResponse,
                SUCCESS | FLUSH_DISK_TIMEOUT | FLUSH_SLAVE_TIMEOUT | SLAVE_NOT_AVAILABLE);
        )*
    };
}

impl Header for SendMessageRequest {
    fn to_fields(&self) -> Result<ExtFields, EncodeError> {
        Ok(self.fields().write())
    }

    fn from_fields(fields: &ExtFields) -> Result<Self, DecodeError> {
        Self::read_fields(fields)
    }
}

exchange!(SendMessageRequest = SEND_MESSAGE_V2, Bytes => SendMessageResponse,
    SUCCESS | FLUSH_DISK_TIMEOUT | FLUSH_SLAVE_TIMEOUT | SLAVE_NOT_AVAILABLE);

short_named! {
    /// Sends a batch. The header needs `batch` set in spite of the code.
    SendBatchRequest = SEND_BATCH_MESSAGE;
    /// Sends the reply to a request, to be pushed to the requester.
    SendReplyRequest = SEND_REPLY_MESSAGE_V2;
}

/// A [`SendMessageRequest`] with long names, as old producers send it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendMessageV1Request {
    #[serde(default)]
    pub producer_group: String,
    pub topic: String,
    #[serde(default)]
    pub default_topic: String,
    #[serde(default)]
    pub default_topic_queue_nums: i32,
    pub queue_id: i32,
    pub sys_flag: i32,
    /// ms since the epoch.
    pub born_timestamp: i64,
    pub flag: i32,
    pub properties: Option<String>,
    pub reconsume_times: Option<i32>,
    pub unit_mode: Option<bool>,
    pub max_reconsume_times: Option<i32>,
    pub batch: Option<bool>,
    pub bname: Option<String>,
}

impl From<SendReplyV1Request> for SendMessageRequest {
    fn from(reply: SendReplyV1Request) -> Self {
        reply.0.into()
    }
}

impl From<SendMessageV1Request> for SendMessageRequest {
    fn from(v1: SendMessageV1Request) -> Self {
        Self {
            producer_group: v1.producer_group,
            topic: v1.topic,
            default_topic: v1.default_topic,
            default_topic_queue_nums: v1.default_topic_queue_nums,
            queue_id: v1.queue_id,
            sys_flag: v1.sys_flag,
            born_timestamp: v1.born_timestamp,
            flag: v1.flag,
            properties: v1.properties,
            reconsume_times: v1.reconsume_times,
            unit_mode: v1.unit_mode,
            max_reconsume_times: v1.max_reconsume_times,
            batch: v1.batch,
            broker_name: v1.bname,
        }
    }
}

impl From<SendMessageRequest> for SendMessageV1Request {
    fn from(v2: SendMessageRequest) -> Self {
        Self {
            producer_group: v2.producer_group,
            topic: v2.topic,
            default_topic: v2.default_topic,
            default_topic_queue_nums: v2.default_topic_queue_nums,
            queue_id: v2.queue_id,
            sys_flag: v2.sys_flag,
            born_timestamp: v2.born_timestamp,
            flag: v2.flag,
            properties: v2.properties,
            reconsume_times: v2.reconsume_times,
            unit_mode: v2.unit_mode,
            max_reconsume_times: v2.max_reconsume_times,
            batch: v2.batch,
            bname: v2.broker_name,
        }
    }
}

/// The reply to a request, with long names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SendReplyV1Request(pub SendMessageV1Request);

/// The place of a stored message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendMessageResponse {
    /// Offset message id; for a batch all of them, separated by commas.
    pub msg_id: Option<String>,
    pub queue_id: i32,
    /// Offset in the queue; for a batch that of its first message.
    pub queue_offset: i64,
    /// The unique key. 4.9 does not send it.
    pub transaction_id: Option<String>,
    /// Present if the batch is stored as one message.
    pub batch_uniq_id: Option<String>,
    /// Handle to recall a timer message.
    pub recall_handle: Option<String>,
    #[serde(rename = "MSG_REGION")]
    pub msg_region: Option<String>,
    #[serde(rename = "TRACE_ON")]
    pub trace_on: Option<String>,
}

impl Header for SendMessageResponse {
    fn to_fields(&self) -> Result<ExtFields, EncodeError> {
        let mut ext = ExtFields::with_capacity(8, 256);
        ext.push_some("msgId", self.msg_id.as_deref());
        ext.push_int("queueId", self.queue_id);
        ext.push_int("queueOffset", self.queue_offset);
        ext.push_some("transactionId", self.transaction_id.as_deref());
        ext.push_some("batchUniqId", self.batch_uniq_id.as_deref());
        ext.push_some("recallHandle", self.recall_handle.as_deref());
        ext.push_some("MSG_REGION", self.msg_region.as_deref());
        ext.push_some("TRACE_ON", self.trace_on.as_deref());
        Ok(ext)
    }

    fn from_fields(fields: &ExtFields) -> Result<Self, DecodeError> {
        let stored = StoredFields::read(fields.clone())?;
        let text = |value: Option<&str>| value.map(str::to_owned);
        Ok(Self {
            msg_id: text(stored.message_id()),
            queue_id: stored.queue_id,
            queue_offset: stored.queue_offset,
            transaction_id: text(stored.transaction_id()),
            batch_uniq_id: text(stored.batch_id()),
            recall_handle: text(stored.recall_handle()),
            msg_region: text(stored.region()),
            trace_on: text(stored.trace_on()),
        })
    }
}

/// The fields that a producer reads even from a refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedSend {
    #[serde(rename = "MSG_REGION")]
    pub msg_region: Option<String>,
    #[serde(rename = "TRACE_ON")]
    pub trace_on: Option<String>,
}

/// A [`SendMessageResponse`] whose texts stay in the fields of the response: a producer copies only the ones it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFields {
    queue_id: i32,
    queue_offset: i64,
    fields: ExtFields,
}

impl StoredFields {
    /// Takes the fields of a response.
    ///
    /// # Errors
    /// Fails if the queue or the offset is missing or no number.
    pub fn read(fields: ExtFields) -> Result<Self, DecodeError> {
        let number = |name| fields.get(name).ok_or(DecodeError::MissingField(name));
        Ok(Self {
            queue_id: parse_field("queueId", number("queueId")?)?,
            queue_offset: parse_field("queueOffset", number("queueOffset")?)?,
            fields,
        })
    }

    /// Returns the queue.
    pub fn queue_id(&self) -> i32 {
        self.queue_id
    }

    /// Returns the offset in the queue; for a batch that of its first message.
    pub fn queue_offset(&self) -> i64 {
        self.queue_offset
    }

    /// Returns the offset message id; for a batch all of them, separated by commas.
    pub fn message_id(&self) -> Option<&str> {
        self.fields.get("msgId")
    }

    /// Returns the unique key. 4.9 does not send it.
    pub fn transaction_id(&self) -> Option<&str> {
        self.fields.get("transactionId")
    }

    /// Returns the id of a batch that is stored as one message.
    pub fn batch_id(&self) -> Option<&str> {
        self.fields.get("batchUniqId")
    }

    /// Returns the handle to recall a timer message.
    pub fn recall_handle(&self) -> Option<&str> {
        self.fields.get("recallHandle")
    }

    /// Returns the broker's region.
    pub fn region(&self) -> Option<&str> {
        self.fields.get("MSG_REGION")
    }

    /// Returns `false` if the broker wants no trace of the message.
    pub fn trace_on(&self) -> Option<&str> {
        self.fields.get("TRACE_ON")
    }
}

/// Sends a message back to the broker for a later retry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsumerSendMsgBackRequest {
    /// Commit log offset of the message.
    pub offset: i64,
    pub group: String,
    /// Below 0 the message becomes a dead letter at once; 0 means the next level of the broker's ladder; above 0 it is
    /// the level.
    pub delay_level: i32,
    /// Offset message id of the message.
    pub origin_msg_id: Option<String>,
    pub origin_topic: Option<String>,
    pub unit_mode: Option<bool>,
    /// Largest number of retries, in place of the group's. Brokers read it from request version 121 on.
    pub max_reconsume_times: Option<i32>,
}

/// Recalls a timer message before it is due (5.x).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecallMessageRequest {
    pub producer_group: Option<String>,
    pub topic: String,
    pub recall_handle: String,
}

/// The recalled message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecallMessageResponse {
    /// Unique key of the message.
    pub msg_id: String,
    #[serde(rename = "MSG_REGION")]
    pub msg_region: Option<String>,
}

headers!(RecallMessageResponse, RefusedSend);

exchanges! {
    SendMessageV1Request = SEND_MESSAGE, Bytes => SendMessageResponse,
        SUCCESS | FLUSH_DISK_TIMEOUT | FLUSH_SLAVE_TIMEOUT | SLAVE_NOT_AVAILABLE;
    SendReplyV1Request = SEND_REPLY_MESSAGE, Bytes => SendMessageResponse,
        SUCCESS | FLUSH_DISK_TIMEOUT | FLUSH_SLAVE_TIMEOUT | SLAVE_NOT_AVAILABLE;
    ConsumerSendMsgBackRequest = CONSUMER_SEND_MSG_BACK => ();
    RecallMessageRequest = RECALL_MESSAGE => RecallMessageResponse;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::RequestCode;

    fn sample() -> SendMessageRequest {
        SendMessageRequest {
            producer_group: "PG".into(),
            topic: "TA".into(),
            default_topic: "TBW102".into(),
            default_topic_queue_nums: 4,
            queue_id: -1,
            sys_flag: 0x301,
            born_timestamp: 1_795_408_912_550,
            flag: 7,
            properties: Some("TAGS\u{1}TagA\u{2}".into()),
            reconsume_times: Some(0),
            unit_mode: Some(false),
            max_reconsume_times: None,
            batch: Some(false),
            broker_name: Some("broker-a".into()),
        }
    }

    fn response() -> SendMessageResponse {
        SendMessageResponse {
            msg_id: Some("7F00000100003B070000000000000000".into()),
            queue_id: 1,
            queue_offset: 9,
            transaction_id: Some("FD00".into()),
            msg_region: Some("DefaultRegion".into()),
            trace_on: Some("true".into()),
            ..SendMessageResponse::default()
        }
    }

    fn sorted(ext: &ExtFields) -> Vec<(String, String)> {
        let mut fields: Vec<_> = ext.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        fields.sort();
        fields
    }

    #[test]
    fn by_hand_and_by_serde_agree() {
        let by_hand = sample().to_fields().unwrap();
        assert_eq!(sorted(&by_hand), sorted(&ExtFields::from_header(&sample()).unwrap()));
        assert_eq!(SendMessageRequest::from_fields(&by_hand).unwrap(), sample());
        assert_eq!(by_hand.header::<SendMessageRequest>().unwrap(), sample());
        let by_hand = response().to_fields().unwrap();
        assert_eq!(sorted(&by_hand), sorted(&ExtFields::from_header(&response()).unwrap()));
        assert_eq!(SendMessageResponse::from_fields(&by_hand).unwrap(), response());
    }

    #[test]
    fn other_codes_share_the_header() {
        let ext = SendBatchRequest(sample()).to_fields().unwrap();
        assert_eq!(SendReplyRequest::from_fields(&ext).unwrap().0, sample());
        assert_eq!(SendBatchRequest::CODE, RequestCode::SEND_BATCH_MESSAGE);
    }

    #[test]
    fn the_long_names() {
        let v1 = SendMessageV1Request::from(sample());
        let ext = v1.to_fields().unwrap();
        assert_eq!(ext.get("defaultTopicQueueNums"), Some("4"));
        assert_eq!(ext.get("bname"), Some("broker-a"));
        assert_eq!(SendMessageRequest::from(SendMessageV1Request::from_fields(&ext).unwrap()), sample());
    }

    #[test]
    fn a_missing_field_that_java_needs_is_named() {
        for name in ["b", "e", "f", "g", "h"] {
            let mut ext = sample().to_fields().unwrap();
            ext.remove(name);
            assert_eq!(SendMessageRequest::from_fields(&ext), Err(DecodeError::MissingField(name)));
        }
        let mut ext = sample().to_fields().unwrap();
        for name in ["a", "c", "d", "i", "j", "k", "l", "m", "n"] {
            ext.remove(name);
        }
        assert_eq!(SendMessageRequest::from_fields(&ext).unwrap().default_topic_queue_nums, 0);
        ext.set("e", "seven");
        assert_eq!(SendMessageRequest::from_fields(&ext).unwrap_err().at(), Some("e"));
        ext.set("e", "1");
        ext.set("zz", "unknown fields are no error");
        assert!(SendMessageRequest::from_fields(&ext).is_ok());
    }

    #[test]
    fn an_answer_without_a_queue_is_refused() {
        let mut ext = response().to_fields().unwrap();
        ext.remove("queueOffset");
        assert_eq!(SendMessageResponse::from_fields(&ext), Err(DecodeError::MissingField("queueOffset")));
    }
}
