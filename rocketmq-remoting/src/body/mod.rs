//! Bodies that travel as JSON.
//!
//! Members are declared in the order in which Java writes them: by name. Absent members take Java's defaults. Read and
//! write these types with [`fastjson`](crate::fastjson), because some have objects for keys.
//!
//! ```
//! use rocketmq_remoting::body::{ConsumerData, HeartbeatData};
//! use rocketmq_remoting::subscription::SubscriptionData;
//! use rocketmq_remoting::{Command, RequestCode, fastjson};
//!
//! let group = ConsumerData {
//!     group_name: "billing".into(),
//!     subscription_data_set: vec![SubscriptionData::parse("orders", "created || paid")?],
//!     ..ConsumerData::default()
//! };
//! let heartbeat = HeartbeatData {
//!     client_id: "10.0.0.5@4660#1".into(),
//!     consumer_data_set: vec![group],
//!     ..HeartbeatData::default()
//! };
//! let request = Command::request(RequestCode::HEART_BEAT).with_body(fastjson::to_vec(&heartbeat)?);
//! assert_eq!(fastjson::from_slice::<HeartbeatData>(&request.body)?, heartbeat);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod ack;
pub mod acl;
pub mod assignment;
pub mod broker;
pub mod connection;
mod constant;
pub mod group;
pub mod heartbeat;
pub mod lock;
pub mod offset;
pub mod register;
pub mod running;
pub mod table;
pub mod topic;

pub use ack::{BatchAck, BatchAckBody, BitSet};
pub use acl::{AclInfo, PlainAccessConfig, PlainAclConfig, PolicyEntryInfo, PolicyInfo, UserInfo};
pub use assignment::{
    AllMessageRequestModes, MessageQueueAssignment, MessageRequestMode, MessageRequestModeBody,
    QueryAssignmentBody, QueryAssignmentResult,
};
pub use broker::{
    BrokerMemberGroupBody, BrokerStatsData, BrokerStatsItem, ColdDataFlow, ConsumeQueueData, EpochEntry,
    EpochEntryCache, HaClientRuntimeInfo, HaConnectionInfo, HaRuntimeInfo, QueryConsumeQueueBody,
};
pub use connection::{Connection, ConsumerConnection, ProducerConnection, ProducerInfo, ProducerTableInfo};
pub use group::{
    CustomizedRetryPolicy, ExponentialRetryPolicy, GroupForbidden, GroupRetryPolicy, GroupRetryPolicyType,
    SimpleSubscriptionData, SubscriptionGroupConfig, SubscriptionGroupList, SubscriptionGroupWrapper,
};
pub use heartbeat::{
    CheckClientConfigBody, ConsumeFromWhere, ConsumeType, ConsumerData, ConsumerIdList, HeartbeatData,
    MessageModel, ProducerData,
};
pub use lock::{LockBatchBody, LockBatchResult};
pub use offset::{
    ConsumeStats, ConsumeStatsList, ConsumeTimeSpanBody, ConsumerOffsetWrapper, CorrectionOffsets,
    DelayOffsetWrapper, GetConsumerStatusBody, OffsetWrapper, QueueOffset, QueueTimeSpan, ResetOffsetBody,
    ResetOffsetBodyForC, TargetOffsets, TopicOffset, TopicStatsTable,
};
pub use register::RegisterBrokerBody;
pub use running::{
    ConsumeMessageDirectlyResult, ConsumeResult, ConsumeStatus, ConsumerRunningInfo, PopProcessQueueInfo,
    ProcessQueueInfo,
};
pub use table::{GroupList, KvTable, QuerySubscriptionResult, TopicList};
pub use topic::{
    DataVersion, TopicConfig, TopicConfigAndMapping, TopicConfigList, TopicConfigWrapper, TopicFilterType,
};
