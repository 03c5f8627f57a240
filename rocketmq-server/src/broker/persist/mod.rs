//! Tables that are kept in files.

pub mod positions;
pub mod table_file;
pub mod tables;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::delay::DelayProgress;
use super::log::Log;
use super::offsets::table::Offsets;
use super::pop;
use super::timer::TimerState;

/// What the tables that are written at intervals work on.
#[derive(Debug, Clone)]
pub struct Parts {
    pub log: Arc<Log>,
    pub offsets: Arc<Offsets>,
    pub delay: Arc<DelayProgress>,
    pub timer: Arc<TimerState>,
    pub pop: Arc<pop::Parts>,
}
