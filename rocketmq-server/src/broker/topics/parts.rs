//! The parts of the requests about topics.

use std::sync::Arc;

use super::table::TopicTable;
use crate::broker::log::Log;
use crate::broker::offsets::table::Offsets;
use crate::broker::settings::Current;

/// The shared parts.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub settings: Arc<Current>,
    pub log: Arc<Log>,
    pub topics: Arc<TopicTable>,
    pub offsets: Arc<Offsets>,
}
