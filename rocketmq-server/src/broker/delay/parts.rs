//! The parts of the delivery by delay level.

use std::sync::Arc;

use super::progress::DelayProgress;
use crate::broker::log::Log;
use crate::broker::settings::Current;

/// The shared parts.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub settings: Arc<Current>,
    pub log: Arc<Log>,
    pub progress: Arc<DelayProgress>,
}
