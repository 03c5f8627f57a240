//! Messages that ask for a delivery time of their own, to the millisecond.
//!
//! They wait in the timer topic, which is their log. The broker keeps in memory when each one is due. After a restart it finds
//! this again by reading that topic from the first one that waits.

mod checkpoint;
mod parts;
pub(crate) mod recall;
mod service;
pub(crate) mod state;
mod waiting;

pub(crate) use parts::Parts;

use rocketmq_remoting::requests::send::RecallMessageRequest;

use super::acl::needs::PUB;
use super::requests::Requests;

pub(crate) use checkpoint::CheckpointFiles;
pub(crate) use service::{deliver_due, is_at_hand, recall_key};
pub(crate) use state::TimerState;

/// The requests about timers.
pub(crate) fn requests(on: &mut Requests<'_, Parts>) {
    on.request::<RecallMessageRequest>(|header, _| PUB.topic(&header.topic), recall::recall);
}
