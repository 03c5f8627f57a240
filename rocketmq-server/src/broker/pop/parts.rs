//! The parts of POP.

use std::sync::Arc;

use super::state::PopState;
use crate::broker::groups::table::GroupTable;
use crate::broker::log::Log;
use crate::broker::offsets::table::Offsets;
use crate::broker::settings::Current;
use crate::broker::timer::state::TimerState;
use crate::broker::topics::table::TopicTable;

/// The shared parts.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub settings: Arc<Current>,
    pub log: Arc<Log>,
    pub topics: Arc<TopicTable>,
    pub groups: Arc<GroupTable>,
    pub offsets: Arc<Offsets>,
    pub state: Arc<PopState>,
    pub timer: Arc<TimerState>,
}
