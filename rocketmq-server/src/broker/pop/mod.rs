//! POP: the broker hands out messages of any queue for a time, and takes back what is not acknowledged.
//!
//! ```text
//! POP ──▶ messages, and a checkpoint ─┐                        ┌─▶ all acknowledged: done
//!                                     ├─ timer ─▶ revive topic ┤
//! ACK ──▶ an acknowledgement ─────────┘                        └─▶ time over: retry topic, or dead letter queue
//! ```
//!
//! Checkpoints and acknowledgements are messages of the broker in Apache's form: what was popped is found again after
//! the death of the consumer, of this broker, or of Apache's that had the store before. Ordered pops have no checkpoint;
//! their state is a table in a file, and their group's offset waits for the acknowledgement.

mod ack;
mod calls;
mod checks;
mod invisible;
mod notification;
mod offset;
mod order;
mod parking;
pub(crate) mod parts;
mod peek;
mod pending;
mod polls;
mod popping;
mod receipt;
mod redeliver;
mod retry_topic;
mod revival;
mod revive;
mod revive_log;
mod service;
pub(crate) mod settings;
pub(crate) mod state;
mod take;
#[cfg(test)]
mod tests;

pub(crate) use parts::Parts;

use rocketmq_remoting::Json;
use rocketmq_remoting::body::BatchAckBody;
use rocketmq_remoting::requests::pop::{
    AckMessageRequest, BatchAckMessageRequest, ChangeInvisibleTimeRequest, NotificationRequest,
    PeekMessageRequest, PollingInfoRequest, PopMessageRequest,
};

use super::acl::needs::{GET, Needs, SUB};
use super::requests::Requests;
use crate::exchange::on_disk;

pub(crate) use revive::REVIVE_GROUP;
pub(crate) use service::start;
pub use settings::PopSettings;
pub(crate) use state::PopState;

/// The requests of POP.
pub(crate) fn requests(on: &mut Requests<'_, Parts>) {
    on.request::<PopMessageRequest>(
        |header, _| SUB.topic(&header.topic).group(&header.consumer_group),
        popping::pop,
    );
    on.request::<AckMessageRequest>(
        |header, _| SUB.topic(&header.topic).group(&header.consumer_group),
        ack::one,
    );
    on.request::<BatchAckMessageRequest>(
        |_, body| body.as_ref().map_or_else(Needs::nothing, to_ack),
        ack::many,
    );
    on.request::<ChangeInvisibleTimeRequest>(
        |header, _| SUB.topic(&header.topic).group(&header.consumer_group),
        invisible::change,
    );
    on.request::<NotificationRequest>(
        |header, _| SUB.topic(&header.topic).group(&header.consumer_group),
        notification::notify,
    );
    on.request::<PeekMessageRequest>(
        |header, _| SUB.topic(&header.topic).group(&header.consumer_group),
        on_disk(peek::peek),
    );
    on.request::<PollingInfoRequest>(
        |header, _| GET.topic(&header.topic).group(&header.consumer_group),
        peek::polling_info,
    );
}

fn to_ack(Json(body): &Json<BatchAckBody>) -> Needs {
    let groups = SUB.groups(body.acks.iter().map(|ack| ack.consumer_group.as_str()));
    groups.topics(body.acks.iter().map(|ack| ack.topic.as_str()))
}

/// Writes `consumerOrderInfo.json` if it is out of date, without what belongs to topics, groups or queues that are gone.
///
/// # Errors
/// The disk refuses; the next call tries again.
pub(crate) fn save(parts: &Parts) -> Result<(), crate::store::StoreError> {
    parts.state.orders.retain(|topic, group, queue| {
        let queues = parts.topics.get(topic).map_or(0, |config| config.read_queue_nums);
        queue < queues && parts.groups.get(group).is_some()
    });
    parts.state.orders.save()
}
