//! The state of a broker: configuration, figures, cleaning, replication.
#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{exchanges, headers};
use crate::body::{
    BrokerStatsData, ColdDataFlow, ConsumeStatsList, ConsumerOffsetWrapper, DelayOffsetWrapper,
    EpochEntryCache, HaRuntimeInfo, KvTable,
};
use crate::payload::Json;

/// Changes the configuration. The body is properties text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateBrokerConfigRequest {}

/// Asks for the configuration, as properties text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetBrokerConfigRequest {}

/// The version of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetBrokerConfigResponse {
    /// A [`DataVersion`](crate::body::DataVersion) as JSON.
    pub version: Option<String>,
}

/// Asks for the broker's figures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetBrokerRuntimeInfoRequest {}

/// Asks for the progress of all groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetBrokerConsumeStatsRequest {
    #[serde(default)]
    pub is_order: bool,
}

/// Asks for one statistic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ViewBrokerStatsDataRequest {
    pub stats_name: String,
    pub stats_key: String,
}

/// Deletes consume queue files whose entries are before the start of the commit log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CleanExpiredConsumeQueueRequest {}

/// Deletes the consume queues of deleted topics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CleanUnusedTopicRequest {}

/// Deletes commit log files older than their retention.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteExpiredCommitLogRequest {}

/// Asks for the limits on reading cold messages, and for their use by groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetColdDataFlowRequest {}

/// Changes the limits on reading cold messages. The body is properties text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateColdDataFlowRequest {}

/// Removes a group's limit on reading cold messages. The body is the name of the group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemoveColdDataFlowRequest {}

/// Changes the read-ahead of commit log files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetCommitLogReadModeRequest {}

/// Switches between timers in files and timers in RocksDB.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SwitchTimerEngineRequest {}

/// Asks for the progress of copying consume queues to RocksDB.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckRocksDbQueuesRequest {}

/// Copies POP receipts from RocksDB to the commit log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PopRollbackRequest {}

/// Asks for the state of replication.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetBrokerHaStatusRequest {}

/// Asks for the epochs of the broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetBrokerEpochCacheRequest {}

/// Asks a master, from its slave, for all offsets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAllConsumerOffsetRequest {}

/// Asks a master, from its slave, for the progress of the delay levels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAllDelayOffsetRequest {}

/// Asks a master, from its slave, for the progress of the timers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetTimerCheckPointRequest {}

/// Asks a master, from its slave, for the number of waiting timer messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetTimerMetricsRequest {}

/// Tells another broker the addresses for replication.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExchangeHaInfoRequest {
    pub master_ha_address: Option<String>,
    pub master_flush_offset: Option<i64>,
    pub master_address: Option<String>,
}

/// The addresses of the other broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExchangeHaInfoResponse {
    pub master_ha_address: Option<String>,
    pub master_flush_offset: Option<i64>,
    pub master_address: Option<String>,
}

/// Tells a slave the flushed offset of its master.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResetMasterFlushOffsetRequest {
    pub master_flush_offset: i64,
}

/// Tells a broker that the controller has elected another master.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotifyBrokerRoleChangedRequest {
    pub master_address: Option<String>,
    pub master_epoch: Option<i32>,
    pub sync_state_set_epoch: Option<i32>,
    pub master_broker_id: Option<i64>,
}

/// Tells a broker container to start one more broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddBrokerRequest {
    pub config_path: String,
}

/// Tells a broker container to stop a broker.
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
