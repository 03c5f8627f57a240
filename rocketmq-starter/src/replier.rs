//! Sends what a listener returned back to who asked.

use bytes::Bytes;
use rocketmq_client::{Client, Delivery, Producer};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// The group that clients of RocketMQ reply under.
const GROUP: &str = "CLIENT_INNER_PRODUCER";
/// Spring's `replyTimeout`.
const REPLY_TIMEOUT: Duration = Duration::from_secs(3);

/// Replies through one client. Its producer is started by the first reply: most applications never reply.
#[derive(Clone)]
pub(crate) struct Replier {
    client: Client,
    producer: Arc<OnceCell<Producer>>,
}

impl Replier {
    pub(crate) fn new(client: Client) -> Self {
        Replier { client, producer: Arc::default() }
    }

    /// A reply that cannot be sent is only logged, as in Spring: the request was handled, and handling it once
    /// more would not make the reply arrive in time.
    pub(crate) async fn reply(&self, request: &Delivery, body: Bytes, timeout: Option<Duration>) {
        let started = self.producer.get_or_try_init(|| self.client.producer(GROUP).build());
        let producer = match started.await {
            Ok(producer) => producer,
            Err(error) => {
                tracing::warn!(%error, "no producer to reply with");
                return;
            }
        };
        let timeout = timeout.unwrap_or(REPLY_TIMEOUT);
        match tokio::time::timeout(timeout, producer.reply(request, body)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(message_id = request.message_id(), %error, "a reply was not sent")
            }
            Err(_) => {
                tracing::warn!(message_id = request.message_id(), ?timeout, "a reply was not sent in time")
            }
        }
    }

    pub(crate) async fn shutdown(&self) {
        if let Some(producer) = self.producer.get() {
            producer.shutdown().await;
        }
    }
}

impl fmt::Debug for Replier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replier").field("started", &self.producer.initialized()).finish_non_exhaustive()
    }
}
