//! Messages that ask for a delivery time of their own, to the millisecond.
//!
//! They wait in the timer topic, which is their log; a wheel in memory, rebuilt from it at the start, says which is
//! due next.

mod checkpoint;
pub mod recall;
mod service;
mod wheel;

pub use checkpoint::CheckpointFiles;
pub use service::{TimerState, deliver_due, recall_key};
