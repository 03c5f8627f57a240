//! A broker as a machine: configuration, figures, cleaning, replication.
#![allow(missing_docs)] // The fields have the protocol's own names; where a name does not say it all, the field has a comment.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{exchanges, headers};
use crate::body::{
    BrokerStatsData, ColdDataFlow, ConsumeStatsList, ConsumerOffsetWrapper, DelayOffsetWrapper,
    EpochEntryCache, HaRuntimeInfo, KvTable,
};
use crate::payload::Json;

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

/// Asks whom the broker slows down for reading cold messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetColdDataFlowRequest {}

/// Changes the limits on reading cold messages; the body is properties text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateColdDataFlowRequest {}

/// Removes a group's limit on reading cold messages; the body is the group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemoveColdDataFlowRequest {}

/// Changes how the log's files are read ahead.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetCommitLogReadModeRequest {}

/// Switches between timers in files and timers in RocksDB.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SwitchTimerEngineRequest {}

/// Asks how far consume queues are copied to RocksDB.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckRocksDbQueuesRequest {}

/// Copies POP receipts from RocksDB to the commit log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PopRollbackRequest {}

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

headers!(GetBrokerConfigResponse, ExchangeHaInfoResponse);

exchanges! {
    UpdateBrokerConfigRequest = UPDATE_BROKER_CONFIG, String => ();
    GetBrokerConfigRequest = GET_BROKER_CONFIG => (GetBrokerConfigResponse, String);
    GetBrokerRuntimeInfoRequest = GET_BROKER_RUNTIME_INFO => Json<KvTable>;
    GetBrokerConsumeStatsRequest = GET_BROKER_CONSUME_STATS => Json<ConsumeStatsList>;
    ViewBrokerStatsDataRequest = VIEW_BROKER_STATS_DATA => Json<BrokerStatsData>;
    CleanExpiredConsumeQueueRequest = CLEAN_EXPIRED_CONSUMEQUEUE => ();
    CleanUnusedTopicRequest = CLEAN_UNUSED_TOPIC => ();
    DeleteExpiredCommitLogRequest = DELETE_EXPIRED_COMMITLOG => ();
    GetColdDataFlowRequest = GET_COLD_DATA_FLOW_CTR_INFO => Json<ColdDataFlow>;
    UpdateColdDataFlowRequest = UPDATE_COLD_DATA_FLOW_CTR_CONFIG, String => ();
    RemoveColdDataFlowRequest = REMOVE_COLD_DATA_FLOW_CTR_CONFIG, String => ();
    SetCommitLogReadModeRequest = SET_COMMITLOG_READ_MODE => ();
    SwitchTimerEngineRequest = SWITCH_TIMER_ENGINE => ();
    CheckRocksDbQueuesRequest = CHECK_ROCKSDB_CQ_WRITE_PROGRESS => ();
    PopRollbackRequest = POP_ROLLBACK => ();
    GetBrokerHaStatusRequest = GET_BROKER_HA_STATUS => Json<HaRuntimeInfo>;
    GetBrokerEpochCacheRequest = GET_BROKER_EPOCH_CACHE => Json<EpochEntryCache>;
    GetAllConsumerOffsetRequest = GET_ALL_CONSUMER_OFFSET => Json<ConsumerOffsetWrapper>;
    GetAllDelayOffsetRequest = GET_ALL_DELAY_OFFSET => Json<DelayOffsetWrapper>;
    GetTimerCheckPointRequest = GET_TIMER_CHECK_POINT => Bytes;
    GetTimerMetricsRequest = GET_TIMER_METRICS => Bytes;
    ExchangeHaInfoRequest = EXCHANGE_BROKER_HA_INFO => ExchangeHaInfoResponse;
    ResetMasterFlushOffsetRequest = RESET_MASTER_FLUSH_OFFSET => ();
    NotifyBrokerRoleChangedRequest = NOTIFY_BROKER_ROLE_CHANGED, Bytes => ();
    AddBrokerRequest = ADD_BROKER => ();
    RemoveBrokerRequest = REMOVE_BROKER => ();
}
