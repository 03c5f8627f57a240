//! Messages with a delay level.
//!
//! Each level has a queue of its own in the schedule topic. Equal delays make the due times in a queue ascend, so that the
//! first message of each queue is the only one to watch.

mod levels;
mod progress;
mod service;
#[cfg(test)]
mod tests;

pub use levels::{DelayLevelError, DelayLevels, queue_of_level};
pub use progress::DelayProgress;
pub use service::deliver_due;
