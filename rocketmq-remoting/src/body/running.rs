//! The state that a running consumer reports.

#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::constant::java_enum;

use crate::route::MessageQueue;
use crate::subscription::SubscriptionData;

/// The state of a consumer, for tools.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConsumerRunningInfo {
    pub jstack: Option<String>,
    /// Queues consumed by POP (5.x).
    pub mq_pop_table: BTreeMap<MessageQueue, PopProcessQueueInfo>,
    pub mq_table: BTreeMap<MessageQueue, ProcessQueueInfo>,
    /// Properties by name; the constants of this type name some.
    pub properties: BTreeMap<String, String>,
    pub status_table: BTreeMap<String, ConsumeStatus>,
    pub subscription_set: Vec<SubscriptionData>,
    /// Unknown to 4.9.
    pub user_consumer_info: BTreeMap<String, String>,
}

impl ConsumerRunningInfo {
    pub const PROP_NAMESERVER_ADDR: &str = "PROP_NAMESERVER_ADDR";
    pub const PROP_THREADPOOL_CORE_SIZE: &str = "PROP_THREADPOOL_CORE_SIZE";
    /// Has no underscore before the last word, like Java's constant.
    pub const PROP_CONSUME_ORDERLY: &str = "PROP_CONSUMEORDERLY";
    pub const PROP_CONSUME_TYPE: &str = "PROP_CONSUME_TYPE";
    pub const PROP_CLIENT_VERSION: &str = "PROP_CLIENT_VERSION";
    pub const PROP_CONSUMER_START_TIMESTAMP: &str = "PROP_CONSUMER_START_TIMESTAMP";
}

/// The state of one pulled queue. Times are in ms since the epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProcessQueueInfo {
    pub cached_msg_count: i32,
    pub cached_msg_max_offset: i64,
    pub cached_msg_min_offset: i64,
    #[serde(rename = "cachedMsgSizeInMiB")]
    pub cached_msg_size_in_mib: i32,
    pub commit_offset: i64,
    /// Spelt as on the wire: `droped`.
    #[serde(rename = "droped")]
    pub dropped: bool,
    pub last_consume_timestamp: i64,
    pub last_lock_timestamp: i64,
    pub last_pull_timestamp: i64,
    pub locked: bool,
    pub transaction_msg_count: i32,
    pub transaction_msg_max_offset: i64,
    pub transaction_msg_min_offset: i64,
    pub try_unlock_times: i64,
}

/// The state of one popped queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PopProcessQueueInfo {
    /// Spelt as on the wire: `droped`.
    #[serde(rename = "droped")]
    pub dropped: bool,
    /// In ms since the epoch.
    pub last_pop_timestamp: i64,
    pub wait_ack_count: i32,
}

/// The rates of a topic: times in ms, rates per second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConsumeStatus {
    pub consume_failed_msgs: i64,
    #[serde(rename = "consumeFailedTPS")]
    pub consume_failed_tps: f64,
    #[serde(rename = "consumeOKTPS")]
    pub consume_ok_tps: f64,
    #[serde(rename = "consumeRT")]
    pub consume_rt: f64,
    #[serde(rename = "pullRT")]
    pub pull_rt: f64,
    #[serde(rename = "pullTPS")]
    pub pull_tps: f64,
}

/// The result of handling one message at an administrator's request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConsumeMessageDirectlyResult {
    pub auto_commit: bool,
    pub consume_result: ConsumeResult,
    pub order: bool,
    pub remark: Option<String>,
    /// In ms.
    pub spent_time_mills: i64,
}

java_enum! {
    /// Names the listener's result. An unknown name reads as no result.
    pub enum ConsumeResult {
        CrSuccess = "CR_SUCCESS",
        CrLater = "CR_LATER",
        CrRollback = "CR_ROLLBACK",
        CrCommit = "CR_COMMIT",
        CrThrowException = "CR_THROW_EXCEPTION",
        #[default]
        CrReturnNull = "CR_RETURN_NULL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fastjson;

    #[test]
    fn odd_spellings_are_kept() {
        let mut info = ConsumerRunningInfo::default();
        info.mq_table
            .insert(MessageQueue::new("T", "b", 0), ProcessQueueInfo { dropped: true, ..Default::default() });
        info.status_table.insert("T".into(), ConsumeStatus::default());
        let text = String::from_utf8(fastjson::to_vec(&info).unwrap()).unwrap();
        for part in
            [r#""droped":true"#, r#""cachedMsgSizeInMiB":0"#, r#""consumeOKTPS":0.0"#, r#""pullRT":0.0"#]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert_eq!(fastjson::from_slice::<ConsumerRunningInfo>(text.as_bytes()).unwrap(), info);
    }

    #[test]
    fn a_result_is_written_as_in_java() {
        let text = r#"{"autoCommit":true,"consumeResult":"CR_SUCCESS","order":false,"spentTimeMills":3}"#;
        let read: ConsumeMessageDirectlyResult = fastjson::from_slice(text.as_bytes()).unwrap();
        assert_eq!(read.consume_result, ConsumeResult::CrSuccess);
        assert_eq!(fastjson::to_vec(&read).unwrap(), text.as_bytes());
    }
}
