//! Pulls: a queue is read, and a pull that finds nothing waits.

pub mod long_poll;
pub mod message;
pub mod parking;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use parking::PullParking;
use rocketmq_remoting::requests::pull::{LitePullMessageRequest, PullMessageRequest};

use super::acl::needs::SUB;
use super::clients::members::Members;
use super::dispatch::Requests;
use super::groups::table::GroupTable;
use super::log::Log;
use super::offsets::table::Offsets;
use super::settings::Current;
use super::topics::table::TopicTable;

/// What pulls work on.
#[derive(Debug, Clone)]
pub struct Parts {
    pub settings: Arc<Current>,
    pub log: Arc<Log>,
    pub topics: Arc<TopicTable>,
    pub groups: Arc<GroupTable>,
    pub offsets: Arc<Offsets>,
    pub clients: Arc<Members>,
    pub parking: Arc<PullParking>,
}

/// The requests about pulls.
pub fn requests(on: &mut Requests<'_, Parts>) {
    on.request::<PullMessageRequest>(
        |header, _| SUB.topic(&header.topic).group(&header.consumer_group),
        message::pull,
    );
    on.request::<LitePullMessageRequest>(
        |header, _| SUB.topic(&header.0.topic).group(&header.0.consumer_group),
        message::lite_pull,
    );
}
