//! Messages with a delay level.
//!
//! Each level has a queue of its own in the schedule topic. Equal delays make the due times in a queue ascend, so that the
//! first message of each queue is the only one to watch.

pub(crate) mod levels;
pub(crate) mod parts;
pub(crate) mod progress;
mod service;
#[cfg(test)]
mod tests;

pub(crate) use parts::Parts;

pub use levels::{DelayLevelError, DelayLevels};
pub(crate) use progress::DelayProgress;
pub(crate) use service::deliver_due;
