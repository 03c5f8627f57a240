//! Settings of consumer groups.

#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::constant::java_enum;

use super::topic::DataVersion;

/// The settings of a consumer group on a broker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SubscriptionGroupConfig {
    /// Unknown to 4.9.
    pub attributes: BTreeMap<String, String>,
    /// Broker id that the broker suggests to consumers that keep up.
    pub broker_id: i64,
    pub consume_broadcast_enable: bool,
    pub consume_enable: bool,
    pub consume_from_min_enable: bool,
    pub consume_message_orderly: bool,
    /// In minutes. Unknown to 4.9.
    pub consume_timeout_minute: i32,
    pub group_name: String,
    /// Unknown to 4.9.
    pub group_retry_policy: GroupRetryPolicy,
    pub group_sys_flag: i32,
    pub notify_consumer_ids_changed_enable: bool,
    pub retry_max_times: i32,
    pub retry_queue_nums: i32,
    /// Subscriptions that an administrator fixed (5.x).
    pub subscription_data_set: Option<Vec<SimpleSubscriptionData>>,
    /// Broker id that the broker suggests to consumers that lag far behind.
    pub which_broker_when_consume_slowly: i64,
}

impl Default for SubscriptionGroupConfig {
    /// Has Java's defaults: everything allowed, sixteen retries.
    fn default() -> Self {
        Self {
            attributes: BTreeMap::new(),
            broker_id: 0,
            consume_broadcast_enable: true,
            consume_enable: true,
            consume_from_min_enable: true,
            consume_message_orderly: false,
            consume_timeout_minute: 15,
            group_name: String::new(),
            group_retry_policy: GroupRetryPolicy::default(),
            group_sys_flag: 0,
            notify_consumer_ids_changed_enable: true,
            retry_max_times: 16,
            retry_queue_nums: 1,
            subscription_data_set: None,
            which_broker_when_consume_slowly: 1,
        }
    }
}

/// A subscription that an administrator fixed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SimpleSubscriptionData {
    pub expression: String,
    pub expression_type: String,
    pub topic: String,
    pub version: i64,
}

/// The waiting times between the retries of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GroupRetryPolicy {
    pub customized_retry_policy: Option<CustomizedRetryPolicy>,
    pub exponential_retry_policy: Option<ExponentialRetryPolicy>,
    #[serde(rename = "type")]
    pub kind: GroupRetryPolicyType,
}

java_enum! {
    /// Selects the policy that counts. An unknown name reads as the customized one.
    pub enum GroupRetryPolicyType {
        /// Each wait is the one before it times a factor.
        Exponential = "EXPONENTIAL",
        /// The waits are listed. Without a list they are the broker's delay levels from the third on.
        #[default]
        Customized = "CUSTOMIZED",
    }
}

/// Retry policy with listed waits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CustomizedRetryPolicy {
    /// The waits, in ms.
    pub next: Vec<i64>,
}

/// Retry policy with growing waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExponentialRetryPolicy {
    /// First wait, in ms.
    pub initial: i64,
    /// Longest wait, in ms.
    pub max: i64,
    pub multiplier: i64,
}

impl Default for ExponentialRetryPolicy {
    /// Has Java's defaults: five seconds at first, then doubled, two hours at most.
    fn default() -> Self {
        Self { initial: 5_000, max: 7_200_000, multiplier: 2 }
    }
}

/// Groups to create.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SubscriptionGroupList {
    pub group_config_list: Vec<SubscriptionGroupConfig>,
}

/// All groups of a broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SubscriptionGroupWrapper {
    pub data_version: DataVersion,
    /// Forbidden actions as bits, by group and topic.
    pub forbidden_table: BTreeMap<String, BTreeMap<String, i32>>,
    pub subscription_group_table: BTreeMap<String, SubscriptionGroupConfig>,
}

/// Allows or forbids a group to read a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GroupForbidden {
    pub group: String,
    pub readable: Option<bool>,
    pub topic: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fastjson;

    #[test]
    fn absent_members_take_javas_defaults() {
        let read: SubscriptionGroupConfig =
            fastjson::from_slice(br#"{"groupName":"g","retryMaxTimes":3}"#).unwrap();
        let expected = SubscriptionGroupConfig {
            group_name: "g".into(),
            retry_max_times: 3,
            ..SubscriptionGroupConfig::default()
        };
        assert_eq!(read, expected);
        let text = String::from_utf8(fastjson::to_vec(&read).unwrap()).unwrap();
        assert!(text.contains(r#""groupRetryPolicy":{"type":"CUSTOMIZED"}"#), "{text}");
        assert_eq!(fastjson::from_slice::<SubscriptionGroupConfig>(text.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn an_exponential_policy() {
        let text = r#"{"exponentialRetryPolicy":{"initial":1000,"max":7200000,"multiplier":2},"type":"EXPONENTIAL"}"#;
        let read: GroupRetryPolicy = fastjson::from_slice(text.as_bytes()).unwrap();
        assert_eq!(read.kind, GroupRetryPolicyType::Exponential);
        assert_eq!(fastjson::to_vec(&read).unwrap(), text.as_bytes());
    }
}
