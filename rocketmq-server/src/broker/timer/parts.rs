//! The parts of timers.

use std::sync::Arc;

use super::state::TimerState;
use crate::broker::log::Log;
use crate::broker::settings::Current;
use crate::broker::topics::table::TopicTable;

/// The shared parts.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub settings: Arc<Current>,
    pub log: Arc<Log>,
    pub topics: Arc<TopicTable>,
    pub state: Arc<TimerState>,
}
