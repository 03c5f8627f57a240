//! The tables that are written at intervals.

use std::sync::Arc;

use crate::broker::delay::progress::DelayProgress;
use crate::broker::log::Log;
use crate::broker::offsets::table::Offsets;
use crate::broker::pop;
use crate::broker::timer::state::TimerState;

/// The shared parts.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub log: Arc<Log>,
    pub offsets: Arc<Offsets>,
    pub delay: Arc<DelayProgress>,
    pub timer: Arc<TimerState>,
    pub pop: Arc<pop::Parts>,
}
