//! Sending: `"topic:tag"` and anything that can be serialised.

mod payload;
mod prepared;
mod receive;

pub use payload::Payload;
pub use prepared::{Half, Oneway, Prepared, Reply, ReplyError, Request, Stored};
pub(crate) use receive::Receiver;

use crate::extract::FromMessage;
use crate::outcome::BoxError;
use rocketmq_client::producer::BatchError;
use rocketmq_client::{Message, Producer, Receipt, SendError, SendErrorKind, Transaction, TransactionState};
use std::sync::Arc;
use std::time::Duration;

/// Sends through one producer. Clones share it.
///
/// A destination is `topic` or `topic:tag`, split at the first colon. A payload is anything that can be
/// serialised, and is sent as JSON; [`Text`](crate::Text) and [`Raw`](crate::Raw) are sent as they are.
///
/// Every method returns at once with a value that can be told more (keys, properties, an ordering key, a delay),
/// and that sends when it is awaited. Dropping the future while it waits does not take back a request that is
/// already written.
///
/// ```no_run
/// use rocketmq_starter::{DelayLevel, RocketmqTemplate, SendError, Text};
///
/// # async fn run(template: RocketmqTemplate) -> Result<(), SendError> {
/// template.send("orders:created", [1, 2, 3]).key("order-7").await?;
/// template.send("orders:created", Text("plain".into())).deliver_after(DelayLevel::M1).await?;
/// template.send("orders", 42).ordered_by("customer-9").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RocketmqTemplate {
    producer: Producer,
    receiver: Option<Arc<Receiver>>,
}

impl RocketmqTemplate {
    /// A template over a producer of your own.
    pub fn new(producer: Producer) -> Self {
        RocketmqTemplate { producer, receiver: None }
    }

    pub(crate) fn receiving_from(self, receiver: Option<Arc<Receiver>>) -> Self {
        RocketmqTemplate { receiver, ..self }
    }

    /// The producer underneath.
    pub fn producer(&self) -> &Producer {
        &self.producer
    }

    /// Sends, and waits until a broker has stored the message.
    pub fn send(&self, destination: &str, payload: impl Payload) -> Prepared<Stored> {
        Prepared::new(&self.producer, message(destination, payload), Stored)
    }

    /// Sends, and waits only until the message is written to the connection: it may be lost.
    pub fn send_oneway(&self, destination: &str, payload: impl Payload) -> Prepared<Oneway> {
        Prepared::new(&self.producer, message(destination, payload), Oneway)
    }

    /// Sends a request, and waits for the reply of whoever handles it. It completes once: with the reply, an
    /// error, or when its time is over. The reply is read as a listener would: `Json<T>`, `Text`, `Raw`, `Delivery`.
    pub fn request<R: Reply>(&self, destination: &str, payload: impl Payload) -> Prepared<Request<R>> {
        Prepared::new(&self.producer, message(destination, payload), Request::new())
    }

    /// Stores a half message, which no listener sees before the [`Transaction`] is committed. Undecided
    /// transactions are put to a `#[rocketmq_transaction_listener]` of the producer's group.
    pub fn begin(&self, destination: &str, payload: impl Payload) -> Prepared<Half> {
        Prepared::new(&self.producer, message(destination, payload), Half)
    }

    /// Stores a half message, runs `local`, and does what it says. An error of `local` leaves the transaction
    /// undecided: the broker asks the group's `#[rocketmq_transaction_listener]`.
    ///
    /// # Errors
    /// When the half message could not be stored; `local` is not run then. A decision that does not reach the broker
    /// is no error: the broker asks for it.
    pub async fn send_in_transaction<F, E>(
        &self,
        half: Prepared<Half>,
        local: F,
    ) -> Result<TransactionState, SendError>
    where
        F: Future<Output = Result<TransactionState, E>>,
        E: std::fmt::Display,
    {
        let transaction: Transaction = half.await?;
        let decision = local.await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the local transaction failed; the broker will ask for a decision");
            TransactionState::Unknown
        });
        let told = match decision {
            TransactionState::Commit => transaction.commit().await,
            TransactionState::Rollback => transaction.rollback().await,
            TransactionState::Unknown => Ok(()),
        };
        if let Err(error) = told {
            tracing::warn!(%error, "the broker did not hear the decision {decision:?}; it will ask for it");
        }
        Ok(decision)
    }

    /// Sends many payloads to one destination, in as few requests as the size limit allows. The receipts are in
    /// the order of the payloads.
    ///
    /// # Errors
    /// [`BatchError::stored`] tells which were stored before the failure.
    pub async fn send_batch<P: Payload>(
        &self,
        destination: &str,
        payloads: impl IntoIterator<Item = P>,
    ) -> Result<Vec<Receipt>, BatchError> {
        let messages: Result<Vec<_>, _> =
            payloads.into_iter().map(|payload| message(destination, payload)).collect();
        self.producer.send_batch(messages?).await
    }

    /// Takes the next message of `[rocketmq.pull-consumer]`, read as a listener would read it (`Json<T>`, `Text`,
    /// `Delivery`), waiting at most `timeout`; `None` when there is none.
    ///
    /// Messages are pulled in batches; a batch counts as consumed when the call after its last message begins, so
    /// that what was handled halfway is delivered again. Cancel safe.
    ///
    /// # Errors
    /// When no `[rocketmq.pull-consumer]` is configured, the application is shut down, or the message cannot be
    /// read; such a message is passed over.
    pub async fn receive<T: FromMessage>(&self, timeout: Duration) -> Result<Option<T>, BoxError> {
        match &self.receiver {
            Some(receiver) => receiver.receive(timeout).await,
            None => Err("`receive` needs `rocketmq.pull-consumer.group` and `.topic`".into()),
        }
    }
}

/// `topic:tag` and a payload -> message.
fn message(destination: &str, payload: impl Payload) -> Result<Message, SendError> {
    let (topic, tag) = match destination.split_once(':') {
        Some((topic, tag)) => (topic, Some(tag)),
        None => (destination, None),
    };
    let body = payload.into_body().map_err(|error| {
        let text = format!("the payload for {destination} cannot be written as JSON: {error}");
        SendError::new(SendErrorKind::InvalidMessage, text)
    })?;
    let message = Message::new(topic, body);
    Ok(match tag {
        Some(tag) if !tag.is_empty() => message.tag(tag),
        _ => message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Raw, Text};
    use std::collections::HashMap;

    #[test]
    fn a_destination_is_split_at_its_first_colon() {
        let sent = message("orders:created:x", 7).unwrap();
        assert_eq!((sent.topic(), sent.properties().tags()), ("orders", Some("created:x")));
        assert_eq!(message("orders", 7).unwrap().properties().tags(), None);
        assert_eq!(message("orders:", 7).unwrap().properties().tags(), None);
    }

    #[test]
    fn payloads_other_than_texts_are_json_unless_they_say_otherwise() {
        assert_eq!(message("t", [1, 2]).unwrap().body(), "[1,2]");
        assert_eq!(message("t", "x").unwrap().body(), "x");
        assert_eq!(message("t", Text("x".into())).unwrap().body(), "x");
        assert_eq!(message("t", Raw("x".into())).unwrap().body(), "x");
    }

    #[test]
    fn a_payload_that_is_no_json_is_refused_before_it_is_sent() {
        let error = message("t", HashMap::from([((1, 2), 3)])).unwrap_err();
        assert_eq!(error.kind(), SendErrorKind::InvalidMessage);
        assert!(error.to_string().contains("JSON"), "{error}");
    }
}
