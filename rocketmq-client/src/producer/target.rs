//! [`Target`]: the queue that a send is bound to, and [`Options`]: all options of a send.

use std::sync::Arc;
use std::time::Duration;

use rocketmq_remoting::route::MessageQueue;

use super::select::index_of_key;
use crate::cluster::route::queue::SharedQueue;
use crate::error::{SendError, SendErrorKind};
use crate::messages::Names;

/// The application's choice among the queues.
pub(super) type Selector = Box<dyn FnOnce(&[Arc<MessageQueue>]) -> usize + Send>;

/// The queue that a send is bound to.
#[derive(Default)]
pub(super) enum Target {
    /// No queue: the next one in turn.
    #[default]
    Any,
    Key(String),
    Queue(MessageQueue),
    Selector(Selector),
}

impl Target {
    /// Chooses among `queues`; `None` when any will do.
    pub(super) fn choose(
        self,
        names: &Names,
        queues: &[SharedQueue],
    ) -> Result<Option<SharedQueue>, SendError> {
        let index = match self {
            Self::Any => return Ok(None),
            Self::Queue(queue) => {
                let topic = names.wrap(&queue.topic);
                return Ok(Some(Arc::new(MessageQueue { topic, ..queue })));
            }
            // Without queues there is nothing to divide by; the lookup below reports it.
            Self::Key(key) => index_of_key(&key, queues.len().max(1)),
            Self::Selector(select) => select(queues),
        };
        let queue = queues.get(index).cloned();
        queue.map(Some).ok_or_else(|| {
            let text = format!(
                "queue {index} was chosen, the topic has {} writable queues; choose an index below that",
                queues.len()
            );
            SendError::new(SendErrorKind::NoQueue, text)
        })
    }
}

/// The options that all sends have.
#[derive(Default)]
pub(super) struct Options {
    pub(super) timeout: Option<Duration>,
    pub(super) target: Target,
}
