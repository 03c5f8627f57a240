//! Who is connected.

#![allow(missing_docs)] // The fields have the protocol's own names; where a name does not say it all, the field has a comment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::heartbeat::{ConsumeFromWhere, ConsumeType, MessageModel, SubscriptionTable};

/// One client's connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Connection {
    /// `host:port`.
    pub client_addr: String,
    pub client_id: String,
    /// The language's name; missing when the broker does not know it.
    pub language: Option<String>,
    /// The version's ordinal.
    pub version: i32,
}

/// The members of a consumer group and what it wants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConsumerConnection {
    pub connection_set: Vec<Connection>,
    pub consume_from_where: ConsumeFromWhere,
    pub consume_type: ConsumeType,
    pub message_model: MessageModel,
    pub subscription_table: SubscriptionTable,
}

/// The members of a producer group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProducerConnection {
    pub connection_set: Vec<Connection>,
}

/// All producers by group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProducerTableInfo {
    pub data: BTreeMap<String, Vec<ProducerInfo>>,
}

/// One producer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProducerInfo {
    pub client_id: String,
    pub language: Option<String>,
    /// ms since the epoch.
    pub last_update_timestamp: i64,
    #[serde(rename = "remoteIP")]
    pub remote_ip: String,
    pub version: i32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fastjson;

    #[test]
    fn an_unknown_language_is_missing() {
        let text = r#"{"connectionSet":[{"clientAddr":"127.0.0.1:48620","clientId":"zn","version":407}]}"#;
        let read: ProducerConnection = fastjson::from_slice(text.as_bytes()).unwrap();
        assert_eq!(read.connection_set[0].language, None);
        assert_eq!(fastjson::to_vec(&read).unwrap(), text.as_bytes());
    }
}
