//! Pulls: the most frequent request of consumers, and its response.

#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::send::push_some;
use super::{exchange, parse_field};
use crate::error::{DecodeError, EncodeError};
use crate::ext::ExtFields;
use crate::payload::Header;

/// Asks for messages of one queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PullMessageRequest {
    pub consumer_group: String,
    pub topic: String,
    pub queue_id: i32,
    /// The first wanted offset.
    pub queue_offset: i64,
    pub max_msg_nums: i32,
    /// See [`PullFlag`](crate::message::PullFlag).
    pub sys_flag: i32,
    /// Offset that the broker stores if the flag says so.
    #[serde(default)]
    pub commit_offset: i64,
    /// Longest time for which the broker parks the request, in ms.
    #[serde(default)]
    pub suspend_timeout_millis: i64,
    /// Version of the subscription. A broker that knows only an older one refuses.
    #[serde(default)]
    pub sub_version: i64,
    /// The expression, if the flag says that the request carries it.
    pub subscription: Option<String>,
    /// `TAG` (also if absent) or `SQL92`.
    pub expression_type: Option<String>,
    pub max_msg_bytes: Option<i32>,
    /// -1 for an SDK; 0, 1 or 2 for a proxy with ordered, broadcasting or streaming consumers.
    pub request_source: Option<i32>,
    /// Spelt as on the wire: `proxyFrowardClientId`.
    #[serde(rename = "proxyFrowardClientId")]
    pub proxy_forward_client_id: Option<String>,
    pub bname: Option<String>,
}

impl PullMessageRequest {
    /// Bytes to reserve for the fields besides topic, group and expression.
    const FIXED: usize = 288;
}

impl Header for PullMessageRequest {
    fn to_fields(&self) -> Result<ExtFields, EncodeError> {
        let expression = self.subscription.as_deref().unwrap_or_default();
        let text = self.topic.len() + self.consumer_group.len() + expression.len();
        let mut ext = ExtFields::with_capacity(15, Self::FIXED + text);
        ext.push("consumerGroup", &self.consumer_group);
        ext.push("topic", &self.topic);
        ext.push_int("queueId", self.queue_id);
        ext.push_int("queueOffset", self.queue_offset);
        ext.push_int("maxMsgNums", self.max_msg_nums);
        ext.push_int("sysFlag", self.sys_flag);
        ext.push_int("commitOffset", self.commit_offset);
        ext.push_int("suspendTimeoutMillis", self.suspend_timeout_millis);
        ext.push_int("subVersion", self.sub_version);
        ext.push_some("subscription", self.subscription.as_deref());
        ext.push_some("expressionType", self.expression_type.as_deref());
        push_some(&mut ext, "maxMsgBytes", self.max_msg_bytes);
        push_some(&mut ext, "requestSource", self.request_source);
        ext.push_some("proxyFrowardClientId", self.proxy_forward_client_id.as_deref());
        ext.push_some("bname", self.bname.as_deref());
        Ok(ext)
    }

    fn from_fields(ext: &ExtFields) -> Result<Self, DecodeError> {
        let mut request = Self {
            consumer_group: require(ext, "consumerGroup")?.to_owned(),
            topic: require(ext, "topic")?.to_owned(),
            ..Self::default()
        };
        let [mut queue_id, mut max_msg_nums, mut sys_flag] = [None; 3];
        let mut queue_offset = None;
        for (name, value) in ext.iter() {
            match name {
                "queueId" => queue_id = Some(parse_field(name, value)?),
                "queueOffset" => queue_offset = Some(parse_field(name, value)?),
                "maxMsgNums" => max_msg_nums = Some(parse_field(name, value)?),
                "sysFlag" => sys_flag = Some(parse_field(name, value)?),
                _ => request.take(name, value)?,
            }
        }
        request.queue_id = queue_id.ok_or(DecodeError::MissingField("queueId"))?;
        request.queue_offset = queue_offset.ok_or(DecodeError::MissingField("queueOffset"))?;
        request.max_msg_nums = max_msg_nums.ok_or(DecodeError::MissingField("maxMsgNums"))?;
        request.sys_flag = sys_flag.ok_or(DecodeError::MissingField("sysFlag"))?;
        Ok(request)
    }
}

impl PullMessageRequest {
    fn take(&mut self, name: &str, value: &str) -> Result<(), DecodeError> {
        match name {
            "commitOffset" => self.commit_offset = parse_field(name, value)?,
            "suspendTimeoutMillis" => self.suspend_timeout_millis = parse_field(name, value)?,
            "subVersion" => self.sub_version = parse_field(name, value)?,
            "subscription" => self.subscription = Some(value.to_owned()),
            "expressionType" => self.expression_type = Some(value.to_owned()),
            "maxMsgBytes" => self.max_msg_bytes = Some(parse_field(name, value)?),
            "requestSource" => self.request_source = Some(parse_field(name, value)?),
            "proxyFrowardClientId" => self.proxy_forward_client_id = Some(value.to_owned()),
            "bname" => self.bname = Some(value.to_owned()),
            _ => {}
        }
        Ok(())
    }
}

fn require<'a>(ext: &'a ExtFields, name: &'static str) -> Result<&'a str, DecodeError> {
    ext.get(name).ok_or(DecodeError::MissingField(name))
}

/// The bounds of the queue, and the next offset to pull; the body holds the messages. Brokers send it with SUCCESS,
/// PULL_NOT_FOUND, PULL_RETRY_IMMEDIATELY and PULL_OFFSET_MOVED.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PullMessageResponse {
    /// Id of the broker to pull from next time.
    pub suggest_which_broker_id: i64,
    pub next_begin_offset: i64,
    pub min_offset: i64,
    pub max_offset: i64,
    /// Static topics: to be added to each message's queue offset.
    pub offset_delta: Option<i64>,
    pub topic_sys_flag: Option<i32>,
    pub group_sys_flag: Option<i32>,
    /// With NO_PERMISSION, see [`ForbiddenPull`].
    pub forbidden_type: Option<i32>,
}

impl Header for PullMessageResponse {
    fn to_fields(&self) -> Result<ExtFields, EncodeError> {
        let mut ext = ExtFields::with_capacity(8, 192);
        ext.push_int("suggestWhichBrokerId", self.suggest_which_broker_id);
        ext.push_int("nextBeginOffset", self.next_begin_offset);
        ext.push_int("minOffset", self.min_offset);
        ext.push_int("maxOffset", self.max_offset);
        push_some(&mut ext, "offsetDelta", self.offset_delta);
        push_some(&mut ext, "topicSysFlag", self.topic_sys_flag);
        push_some(&mut ext, "groupSysFlag", self.group_sys_flag);
        push_some(&mut ext, "forbiddenType", self.forbidden_type);
        Ok(ext)
    }

    fn from_fields(ext: &ExtFields) -> Result<Self, DecodeError> {
        let mut response = Self::default();
        let [mut broker_id, mut next, mut min, mut max] = [None; 4];
        for (name, value) in ext.iter() {
            match name {
                "suggestWhichBrokerId" => broker_id = Some(parse_field(name, value)?),
                "nextBeginOffset" => next = Some(parse_field(name, value)?),
                "minOffset" => min = Some(parse_field(name, value)?),
                "maxOffset" => max = Some(parse_field(name, value)?),
                "offsetDelta" => response.offset_delta = Some(parse_field(name, value)?),
                "topicSysFlag" => response.topic_sys_flag = Some(parse_field(name, value)?),
                "groupSysFlag" => response.group_sys_flag = Some(parse_field(name, value)?),
                "forbiddenType" => response.forbidden_type = Some(parse_field(name, value)?),
                _ => {}
            }
        }
        response.suggest_which_broker_id =
            broker_id.ok_or(DecodeError::MissingField("suggestWhichBrokerId"))?;
        response.next_begin_offset = next.ok_or(DecodeError::MissingField("nextBeginOffset"))?;
        response.min_offset = min.ok_or(DecodeError::MissingField("minOffset"))?;
        response.max_offset = max.ok_or(DecodeError::MissingField("maxOffset"))?;
        Ok(response)
    }
}

/// The reason why a pull is forbidden; it comes with NO_PERMISSION.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForbiddenPull {
    pub forbidden_type: i32,
}

impl ForbiddenPull {
    /// The broker is not readable.
    pub const BROKER: Self = Self { forbidden_type: 1 };
    /// The group must not consume.
    pub const GROUP: Self = Self { forbidden_type: 2 };
    /// The topic is not readable.
    pub const TOPIC: Self = Self { forbidden_type: 3 };
    /// The group must not broadcast.
    pub const BROADCAST: Self = Self { forbidden_type: 4 };
    /// The group must not read this topic.
    pub const SUBSCRIPTION: Self = Self { forbidden_type: 5 };
}

impl Header for ForbiddenPull {}

impl From<LitePullMessageRequest> for PullMessageRequest {
    fn from(request: LitePullMessageRequest) -> Self {
        request.0
    }
}

/// A [`PullMessageRequest`] with the code of 5.x lite consumers. Unknown to 4.9.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LitePullMessageRequest(pub PullMessageRequest);

impl Header for LitePullMessageRequest {
    fn to_fields(&self) -> Result<ExtFields, EncodeError> {
        self.0.to_fields()
    }

    fn from_fields(fields: &ExtFields) -> Result<Self, DecodeError> {
        PullMessageRequest::from_fields(fields).map(Self)
    }
}

exchange!(PullMessageRequest = PULL_MESSAGE => (PullMessageResponse, Bytes),
    SUCCESS | PULL_NOT_FOUND | PULL_RETRY_IMMEDIATELY | PULL_OFFSET_MOVED);
exchange!(LitePullMessageRequest = LITE_PULL_MESSAGE => (PullMessageResponse, Bytes),
    SUCCESS | PULL_NOT_FOUND | PULL_RETRY_IMMEDIATELY | PULL_OFFSET_MOVED);

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> PullMessageRequest {
        PullMessageRequest {
            consumer_group: "CG".into(),
            topic: "TA".into(),
            queue_id: 1,
            queue_offset: 40,
            max_msg_nums: 32,
            sys_flag: 6,
            commit_offset: 7,
            suspend_timeout_millis: 15_000,
            sub_version: 1_795_408_914_791,
            subscription: Some("TagA || TagB".into()),
            expression_type: Some("TAG".into()),
            max_msg_bytes: Some(262_144),
            request_source: Some(-1),
            proxy_forward_client_id: None,
            bname: Some("broker-a".into()),
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
        assert_eq!(PullMessageRequest::from_fields(&by_hand).unwrap(), sample());
        assert_eq!(by_hand.header::<PullMessageRequest>().unwrap(), sample());
    }

    #[test]
    fn the_answer_needs_all_four_bounds() {
        let response = PullMessageResponse {
            next_begin_offset: 5,
            max_offset: 9,
            topic_sys_flag: Some(0),
            ..Default::default()
        };
        let ext = response.to_fields().unwrap();
        assert_eq!(PullMessageResponse::from_fields(&ext).unwrap(), response);
        assert_eq!(sorted(&ext), sorted(&ExtFields::from_header(&response).unwrap()));
        for name in ["suggestWhichBrokerId", "nextBeginOffset", "minOffset", "maxOffset"] {
            let mut less = ext.clone();
            less.remove(name);
            assert_eq!(PullMessageResponse::from_fields(&less), Err(DecodeError::MissingField(name)));
        }
    }

    #[test]
    fn a_request_may_leave_out_what_java_never_reads() {
        let mut ext = sample().to_fields().unwrap();
        for name in ["commitOffset", "suspendTimeoutMillis", "subVersion", "bname"] {
            ext.remove(name);
        }
        assert_eq!(PullMessageRequest::from_fields(&ext).unwrap().sub_version, 0);
        ext.set("queueOffset", "");
        assert_eq!(PullMessageRequest::from_fields(&ext).unwrap_err().at(), Some("queueOffset"));
        ext.remove("queueId");
        assert!(PullMessageRequest::from_fields(&ext).is_err());
    }
}
