//! Messages that ask for a delivery time of their own, to the millisecond.
//!
//! They wait in the timer topic, which is their log. Which one is due next is kept in memory and found again after a restart
//! by reading that topic from the first that waits.

mod checkpoint;
pub mod recall;
mod service;
mod state;
mod waiting;

pub use checkpoint::CheckpointFiles;
pub use service::{deliver_due, recall_key};
pub use state::TimerState;
