//! Messages with a delay level.
//!
//! Each level has a queue of its own in the schedule topic. Equal delays make the due times in a queue ascend, so that the
//! first message of each queue is the only one to watch.

mod levels;
mod progress;
mod service;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::log::Log;
use super::settings::Current;

pub use levels::{DelayLevelError, DelayLevels, queue_of_level};
pub use progress::DelayProgress;
pub use service::deliver_due;

/// What delays work on.
#[derive(Debug, Clone)]
pub struct Parts {
    pub settings: Arc<Current>,
    pub log: Arc<Log>,
    pub progress: Arc<DelayProgress>,
}
