//! Receives messages one by one from the lite consumer of `[rocketmq.pull-consumer]`.

use crate::context::Context;
use crate::extract::FromMessage;
use crate::outcome::BoxError;
use rocketmq_client::Delivery;
use rocketmq_client::consumer::LiteConsumer;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::Mutex;

/// The consumer, and the messages of its last batch that are not taken yet. The consumer commits a batch when the next one
/// is asked for, after the last message of the batch was taken.
#[derive(Debug)]
pub(crate) struct Receiver(Mutex<Option<Inbox>>);

#[derive(Debug)]
struct Inbox {
    consumer: LiteConsumer,
    waiting: VecDeque<Delivery>,
}

impl Receiver {
    pub(crate) fn new(consumer: LiteConsumer) -> Self {
        Receiver(Mutex::new(Some(Inbox { consumer, waiting: VecDeque::new() })))
    }

    pub(super) async fn receive<T: FromMessage>(&self, timeout: Duration) -> Result<Option<T>, BoxError> {
        let mut inbox = self.0.lock().await;
        let inbox = inbox.as_mut().ok_or("the application is shut down")?;
        if inbox.waiting.is_empty() {
            inbox.waiting.extend(inbox.consumer.poll(timeout).await?.into_iter().flatten());
        }
        let Some(delivery) = inbox.waiting.pop_front() else { return Ok(None) };
        Ok(Some(T::from_message(&delivery, &Context::default())?))
    }

    /// Leaves the group; later calls fail.
    pub(crate) async fn shutdown(&self) {
        if let Some(inbox) = self.0.lock().await.take() {
            inbox.consumer.shutdown().await;
        }
    }
}
