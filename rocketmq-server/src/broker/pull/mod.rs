//! Pulls: a queue is read, and a pull that finds nothing waits.

pub(crate) mod long_poll;
pub(crate) mod message;
pub(crate) mod parking;
mod parts;
#[cfg(test)]
mod tests;
pub(crate) mod waiting;

pub(crate) use parts::Parts;

use rocketmq_remoting::requests::pull::{LitePullMessageRequest, PullMessageRequest};

use super::acl::needs::SUB;
use super::requests::Requests;

/// The requests about pulls.
pub(crate) fn requests(on: &mut Requests<'_, Parts>) {
    on.request::<PullMessageRequest>(
        |header, _| SUB.topic(&header.topic).group(&header.consumer_group),
        message::pull,
    );
    on.request::<LitePullMessageRequest>(
        |header, _| SUB.topic(&header.0.topic).group(&header.0.consumer_group),
        message::lite_pull,
    );
}
