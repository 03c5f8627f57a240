//! Messages that the broker itself writes to the log.

pub mod notes;
pub mod placement;
pub mod set_aside;
pub mod store_times;
pub mod uncommitted;
