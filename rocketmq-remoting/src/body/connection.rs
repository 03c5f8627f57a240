//! Connections of clients: those of consumer groups and of producer groups.

#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::heartbeat::{ConsumeFromWhere, ConsumeType, MessageModel, SubscriptionTable};

/// The connection of one client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Connection {
    /// `host:port`.
    pub client_addr: String,
    pub client_id: String,
    /// Name of the language; `None` if the broker does not know it.
    pub language: Option<String>,
    /// Ordinal of the version, see [`version`](crate::version).
    pub version: i32,
}

/// The members of a consumer group and its subscriptions.
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

/// All producers of a broker, by group.
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
