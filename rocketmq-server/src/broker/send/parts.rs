//! The parts of sends.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use rocketmq_remoting::message::UniqueIds;

use super::properties::Stamp;
use crate::broker::clients::members::Members;
use crate::broker::groups::table::GroupTable;
use crate::broker::log::Log;
use crate::broker::settings::Current;
use crate::broker::topics::table::TopicTable;

/// The shared parts.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub settings: Arc<Current>,
    pub log: Arc<Log>,
    pub topics: Arc<TopicTable>,
    pub groups: Arc<GroupTable>,
    pub clients: Arc<Members>,
    pub stamp: Arc<Stamp>,
    pub ids: Arc<UniqueIds>,
    /// Sends that wait for the disk.
    pub waiting_sends: Arc<AtomicUsize>,
}
