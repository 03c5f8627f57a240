//! Messages that ask for a delivery time of their own, to the millisecond.
//!
//! They wait in the timer topic, which is their log. The broker keeps in memory when each one is due. After a restart it finds
//! this again by reading that topic from the first one that waits.

mod checkpoint;
mod parts;
pub mod recall;
mod service;
pub mod state;
mod waiting;

pub use parts::Parts;

use rocketmq_remoting::requests::send::RecallMessageRequest;

use super::acl::needs::PUB;
use super::requests::Requests;

pub use checkpoint::CheckpointFiles;
pub use service::{deliver_due, recall_key};
pub use state::TimerState;

/// The requests about timers.
pub fn requests(on: &mut Requests<'_, Parts>) {
    on.request::<RecallMessageRequest>(|header, _| PUB.topic(&header.topic), recall::recall);
}
