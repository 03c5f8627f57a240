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
mod checks;
mod invisible;
mod notification;
mod offset;
mod order;
mod parking;
mod peek;
mod pending;
mod polls;
mod popping;
mod receipt;
mod redeliver;
mod retry_topic;
mod revive;
mod revive_log;
mod service;
mod settings;
mod state;
mod take;
#[cfg(test)]
mod tests;

use rocketmq_remoting::Command;
use rocketmq_remoting::code::RequestCode as Code;
use rocketmq_remoting::net::{Answer, Connection};

use super::answer::{Refusal, Reply};
use super::core::Core;
pub use revive::REVIVE_GROUP;
pub use service::start;
pub use settings::PopSettings;
pub use state::PopState;

/// Answers a request that belongs to POP; `None` for any other.
pub fn handle(core: &Core, connection: &Connection, command: &Command) -> Option<Answer> {
    let answer = match command.request_code() {
        Code::POP_MESSAGE => popping::handle(core, connection, command),
        Code::ACK_MESSAGE => ack::one(core, connection, command),
        Code::BATCH_ACK_MESSAGE => ack::many(core, connection, command),
        Code::CHANGE_MESSAGE_INVISIBLETIME => invisible::handle(core, connection, command),
        Code::NOTIFICATION => notification::handle(core, connection, command),
        Code::PEEK_MESSAGE => now(peek::peek(core, command)),
        Code::POLLING_INFO => now(peek::polling_info(core, command)),
        _ => return None,
    };
    Some(answer)
}

fn now(reply: Reply) -> Answer {
    Answer::Now(reply.unwrap_or_else(Refusal::into_command))
}

/// Writes `consumerOrderInfo.json` if it is out of date, without what belongs to topics, groups or queues that are gone.
///
/// # Errors
/// The disk refuses; the next call tries again.
pub fn save(core: &Core) -> Result<(), crate::store::StoreError> {
    core.pop.orders.retain(|topic, group, queue| {
        let queues = core.topics.get(topic).map_or(0, |config| config.read_queue_nums);
        queue < queues && core.groups.get(group).is_some()
    });
    core.pop.orders.save()
}
