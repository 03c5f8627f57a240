//! Commands about the offsets of groups.

mod reset;
mod time;

pub use reset::{ResetOffsetByTime, ResetReport, ResetRow, SkipAccumulatedMessage};
