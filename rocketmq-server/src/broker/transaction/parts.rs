//! The parts of transactions.

use std::sync::Arc;

use super::state::Transactions;
use crate::broker::clients::members::Members;
use crate::broker::log::Log;
use crate::broker::offsets::table::Offsets;
use crate::broker::settings::Current;
use crate::broker::topics::table::TopicTable;

/// The shared parts.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub settings: Arc<Current>,
    pub log: Arc<Log>,
    pub topics: Arc<TopicTable>,
    pub offsets: Arc<Offsets>,
    pub clients: Arc<Members>,
    pub state: Arc<Transactions>,
}
