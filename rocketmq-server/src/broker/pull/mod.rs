//! Pulls: a queue is read, and a pull that finds nothing waits.

pub mod long_poll;
pub mod message;
pub mod parking;
mod parts;
#[cfg(test)]
mod tests;
pub mod waiting;

pub use parts::Parts;

use rocketmq_remoting::requests::pull::{LitePullMessageRequest, PullMessageRequest};

use super::acl::needs::SUB;
use super::requests::Requests;

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
