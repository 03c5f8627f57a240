//! Pulls: a queue is read, and a pull that finds nothing waits.

pub mod long_poll;
pub mod message;
pub mod parking;
#[cfg(test)]
mod tests;

use rocketmq_remoting::requests::pull::{LitePullMessageRequest, PullMessageRequest};

use super::acl::needs::SUB;
use super::core::Core;
use super::dispatch::Requests;

/// The requests about pulls.
pub fn requests(on: &mut Requests<'_, Core>) {
    on.request::<PullMessageRequest>(
        |header, _| SUB.topic(&header.topic).group(&header.consumer_group),
        message::pull,
    );
    on.request::<LitePullMessageRequest>(
        |header, _| SUB.topic(&header.0.topic).group(&header.0.consumer_group),
        message::lite_pull,
    );
}
