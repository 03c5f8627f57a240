//! Heartbeats of clients, and the answers to questions about members.

#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::constant::java_enum;

use crate::subscription::SubscriptionData;

java_enum! {
    /// Tells how a consumer receives messages. An unknown name reads as push: the broker then keeps notifying the
    /// client.
    pub enum ConsumeType {
        /// The application pulls.
        Actively = "CONSUME_ACTIVELY",
        /// The client pulls and passes messages to a listener (push).
        #[default]
        Passively = "CONSUME_PASSIVELY",
        /// The client pops.
        Pop = "CONSUME_POP",
    }
}

java_enum! {
    /// Tells how a group shares messages. An unknown name reads as clustering.
    pub enum MessageModel {
        /// Every member receives every message.
        Broadcasting = "BROADCASTING",
        /// One member receives each message.
        #[default]
        Clustering = "CLUSTERING",
    }
}

java_enum! {
    /// Tells the start of a group without offsets. An unknown name reads as the end.
    pub enum ConsumeFromWhere {
        /// Starts at the end.
        #[default]
        LastOffset = "CONSUME_FROM_LAST_OFFSET",
        /// Retired by Apache.
        LastOffsetAndFromMinWhenBootFirst = "CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST",
        /// Retired by Apache.
        MinOffset = "CONSUME_FROM_MIN_OFFSET",
        /// Retired by Apache.
        MaxOffset = "CONSUME_FROM_MAX_OFFSET",
        /// Starts at the first message.
        FirstOffset = "CONSUME_FROM_FIRST_OFFSET",
        /// Starts at a point in time.
        Timestamp = "CONSUME_FROM_TIMESTAMP",
    }
}

/// The heartbeat of one client, with all its groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HeartbeatData {
    #[serde(rename = "clientID")]
    pub client_id: String,
    pub consumer_data_set: Vec<ConsumerData>,
    /// 0 in an ordinary heartbeat. Otherwise a number that is equal for members with equal subscriptions (5.x).
    pub heartbeat_fingerprint: i32,
    pub producer_data_set: Vec<ProducerData>,
    /// True if the subscriptions are left out, because the broker knows them by the fingerprint (5.x).
    pub without_sub: bool,
}

/// A producer group of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProducerData {
    pub group_name: String,
}

/// A consumer group of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConsumerData {
    pub consume_from_where: ConsumeFromWhere,
    pub consume_type: ConsumeType,
    pub group_name: String,
    pub message_model: MessageModel,
    pub subscription_data_set: Vec<SubscriptionData>,
    pub unit_mode: bool,
}

/// The client ids of a group's members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConsumerIdList {
    pub consumer_id_list: Vec<String>,
}

/// A subscription that the broker checks before the client uses it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CheckClientConfigBody {
    pub client_id: String,
    pub group: String,
    pub namespace: Option<String>,
    pub subscription_data: SubscriptionData,
}

/// Subscriptions by topic.
pub type SubscriptionTable = BTreeMap<String, SubscriptionData>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fastjson;

    /// Sent by a consumer of 5.4.0.
    const CAPTURED: &str = r#"{"clientID":"192.0.2.2@22105#6055775370581","consumerDataSet":[{"consumeFromWhere":"CONSUME_FROM_FIRST_OFFSET","consumeType":"CONSUME_PASSIVELY","groupName":"CG","messageModel":"CLUSTERING","subscriptionDataSet":[{"classFilterMode":false,"codeSet":[],"expressionType":"TAG","subString":"*","subVersion":1795408913732,"tagsSet":[],"topic":"%RETRY%CG"},{"classFilterMode":false,"codeSet":[2598919,2598920],"expressionType":"TAG","subString":"TagA || TagB","subVersion":1795408913719,"tagsSet":["TagA","TagB"],"topic":"TA"}],"unitMode":false}],"heartbeatFingerprint":0,"producerDataSet":[{"groupName":"CLIENT_INNER_PRODUCER"}],"withoutSub":false}"#;

    #[test]
    fn a_captured_heartbeat_reads_and_writes_unchanged() {
        let data: HeartbeatData = fastjson::from_slice(CAPTURED.as_bytes()).unwrap();
        assert_eq!(data.consumer_data_set[0].consume_from_where, ConsumeFromWhere::FirstOffset);
        assert_eq!(fastjson::to_vec(&data).unwrap(), CAPTURED.as_bytes());
    }

    #[test]
    fn enum_constants_by_name_ordinal_or_unknown() {
        let read = |text: &str| fastjson::from_slice::<ConsumerData>(text.as_bytes()).unwrap();
        assert_eq!(read(r#"{"messageModel":0}"#).message_model, MessageModel::Broadcasting);
        assert_eq!(read(r#"{"messageModel":"LATER"}"#).message_model, MessageModel::Clustering);
        assert_eq!(read(r#"{"consumeType":2,"messageModel":null}"#).consume_type, ConsumeType::Pop);
        assert_eq!(read(r#"{"consumeType":"CONSUME_ACTIVELY"}"#).consume_type, ConsumeType::Actively);
    }

    #[test]
    fn an_empty_heartbeat_is_valid() {
        assert_eq!(fastjson::from_slice::<HeartbeatData>(b"{}").unwrap(), HeartbeatData::default());
    }
}
