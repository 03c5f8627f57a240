//! Messages that ask for a delivery time of their own, to the millisecond.
//!
//! They wait in the timer topic, which is their log. Which one is due next is kept in memory and found again after a restart
//! by reading that topic from the first that waits.

mod checkpoint;
pub mod recall;
mod service;
mod state;
mod waiting;

use std::sync::Arc;

use rocketmq_remoting::requests::send::RecallMessageRequest;

use super::acl::needs::PUB;
use super::dispatch::Requests;
use super::log::Log;
use super::settings::Current;
use super::topics::table::TopicTable;

pub use checkpoint::CheckpointFiles;
pub use service::{deliver_due, recall_key};
pub use state::TimerState;

/// What timers work on.
#[derive(Debug, Clone)]
pub struct Parts {
    pub settings: Arc<Current>,
    pub log: Arc<Log>,
    pub topics: Arc<TopicTable>,
    pub state: Arc<TimerState>,
}

/// The requests about timers.
pub fn requests(on: &mut Requests<'_, Parts>) {
    on.request::<RecallMessageRequest>(|header, _| PUB.topic(&header.topic), recall::recall);
}
