//! A broker as a machine: configuration, figures, cleaning, replication.
#![allow(missing_docs)] // The fields have the protocol's own names; where a name does not say it all, the field has a comment.

use serde::{Deserialize, Serialize};

use super::exchanges;

/// Changes the configuration; the body is properties text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateBrokerConfigRequest {}

/// Asks for the configuration; the body is properties text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetBrokerConfigRequest {}

/// Its version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetBrokerConfigResponse {
    /// A [`DataVersion`](crate::body::DataVersion) as JSON.
    pub version: Option<String>,
}

/// Asks for the figures; the body is a [`KvTable`](crate::body::KvTable).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetBrokerRuntimeInfoRequest {}

/// Asks how far all groups are; the body is a [`ConsumeStatsList`](crate::body::ConsumeStatsList).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetBrokerConsumeStatsRequest {
    #[serde(default)]
    pub is_order: bool,
}

/// Asks for one statistic; the body is a [`BrokerStatsData`](crate::body::BrokerStatsData).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ViewBrokerStatsDataRequest {
    pub stats_name: String,
    pub stats_key: String,
}

/// Removes consume queue files that point before the commit log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CleanExpiredConsumeQueueRequest {}

/// Removes the queues of topics that are gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CleanUnusedTopicRequest {}

/// Removes commit log files past their time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteExpiredCommitLogRequest {}

/// Asks how replication stands; the body is a [`HaRuntimeInfo`](crate::body::HaRuntimeInfo).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetBrokerHaStatusRequest {}

/// Asks for the epochs; the body is an [`EpochEntryCache`](crate::body::EpochEntryCache).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetBrokerEpochCacheRequest {}

/// Slave to master: all offsets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAllConsumerOffsetRequest {}

/// Slave to master: how far the delay levels are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAllDelayOffsetRequest {}

/// Slave to master: how far the timers are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetTimerCheckPointRequest {}

/// Slave to master: how many timers wait.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetTimerMetricsRequest {}

/// Brokers tell each other where replication is served.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExchangeHaInfoRequest {
    pub master_ha_address: Option<String>,
    pub master_flush_offset: Option<i64>,
    pub master_address: Option<String>,
}

/// The other side's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExchangeHaInfoResponse {
    pub master_ha_address: Option<String>,
    pub master_flush_offset: Option<i64>,
    pub master_address: Option<String>,
}

/// Tells a slave how far its master has flushed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResetMasterFlushOffsetRequest {
    pub master_flush_offset: i64,
}

/// A controller made another broker the master.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotifyBrokerRoleChangedRequest {
    pub master_address: Option<String>,
    pub master_epoch: Option<i32>,
    pub sync_state_set_epoch: Option<i32>,
    pub master_broker_id: Option<i64>,
}

/// Broker container: start one more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddBrokerRequest {
    pub config_path: String,
}

/// Broker container: stop one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemoveBrokerRequest {
    pub broker_name: String,
    pub broker_cluster_name: String,
    pub broker_id: i64,
}

exchanges! {
    UpdateBrokerConfigRequest = UPDATE_BROKER_CONFIG => ();
    GetBrokerConfigRequest = GET_BROKER_CONFIG => GetBrokerConfigResponse;
    GetBrokerRuntimeInfoRequest = GET_BROKER_RUNTIME_INFO => ();
    GetBrokerConsumeStatsRequest = GET_BROKER_CONSUME_STATS => ();
    ViewBrokerStatsDataRequest = VIEW_BROKER_STATS_DATA => ();
    CleanExpiredConsumeQueueRequest = CLEAN_EXPIRED_CONSUMEQUEUE => ();
    CleanUnusedTopicRequest = CLEAN_UNUSED_TOPIC => ();
    DeleteExpiredCommitLogRequest = DELETE_EXPIRED_COMMITLOG => ();
    GetBrokerHaStatusRequest = GET_BROKER_HA_STATUS => ();
    GetBrokerEpochCacheRequest = GET_BROKER_EPOCH_CACHE => ();
    GetAllConsumerOffsetRequest = GET_ALL_CONSUMER_OFFSET => ();
    GetAllDelayOffsetRequest = GET_ALL_DELAY_OFFSET => ();
    GetTimerCheckPointRequest = GET_TIMER_CHECK_POINT => ();
    GetTimerMetricsRequest = GET_TIMER_METRICS => ();
    ExchangeHaInfoRequest = EXCHANGE_BROKER_HA_INFO => ExchangeHaInfoResponse;
    ResetMasterFlushOffsetRequest = RESET_MASTER_FLUSH_OFFSET => ();
    NotifyBrokerRoleChangedRequest = NOTIFY_BROKER_ROLE_CHANGED => ();
    AddBrokerRequest = ADD_BROKER => ();
    RemoveBrokerRequest = REMOVE_BROKER => ();
}
