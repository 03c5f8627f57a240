//! Messages with a delay level.
//!
//! Each level has a queue of its own in the schedule topic. Equal delays make the due times in a queue ascend, so that the
//! first message of each queue is the only one to watch.

pub mod levels;
pub mod parts;
pub mod progress;
mod service;
#[cfg(test)]
mod tests;

pub use parts::Parts;

pub use levels::{DelayLevelError, DelayLevels};
pub use progress::DelayProgress;
pub use service::deliver_due;
