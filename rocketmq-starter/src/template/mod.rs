//! Sending and receiving: [`RocketmqTemplate`], the options of a message, payloads and replies.

mod item;
mod payload;
mod prepared;
mod receive;

pub use item::{IntoItem, Item};
pub use payload::Payload;
pub use prepared::{
    Delayable, HalfMessage, Oneway, Orderable, Prepared, Reply, ReplyError, Request, Timed, WithReceipt,
};
pub use receive::Receiver;
pub(crate) use receive::Receivers;

use crate::extract::FromMessage;
use crate::layer::{Layer, Layers, sent_through};
use crate::outcome::BoxError;
use rocketmq_client::producer::BatchError;
use rocketmq_client::{Message, Producer, Receipt, SendError, SendErrorKind, Transaction, TransactionState};
use std::sync::Arc;
use std::time::Duration;

/// Sends through one producer, and receives from `[rocketmq.pull-consumer]`. Clones share both.
///
/// A destination is `topic` or `topic:tag`, split at the first colon. A [payload](Payload) is sent as JSON, save
/// texts and [`Raw`](crate::Raw), which are sent as they are.
///
/// Sending methods return a [`Prepared`] message: add keys, properties, an ordering key or a delay, then await it.
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
    layers: Layers,
    receiver: Option<Receiver>,
}

impl RocketmqTemplate {
    /// Makes a template over a producer of your own. It cannot [`receive`](Self::receive).
    ///
    /// ```no_run
    /// use rocketmq_starter::RocketmqTemplate;
    ///
    /// # async fn run(client: rocketmq_starter::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let template = RocketmqTemplate::new(client.producer("audit").build().await?);
    /// template.send("audited", 7).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(producer: Producer) -> Self {
        RocketmqTemplate { producer, receiver: None, layers: Layers::default() }
    }

    pub(crate) fn layered(self, layers: &Layers) -> Self {
        RocketmqTemplate { layers: layers.around(&self.layers), ..self }
    }

    pub(crate) fn receiving_from(self, receiver: Option<Receiver>) -> Self {
        RocketmqTemplate { receiver, ..self }
    }

    /// Returns the producer underneath, for messages that the template cannot make.
    ///
    /// ```no_run
    /// use rocketmq_starter::{Message, RocketmqTemplate, SendError};
    ///
    /// # async fn run(template: &RocketmqTemplate) -> Result<(), SendError> {
    /// template.producer().send(Message::new("orders", "7").tag("created")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn producer(&self) -> &Producer {
        &self.producer
    }

    /// Puts a layer around the sends of this template and its clones, inside those of the application and those that were added
    /// before. Other templates of the producer stay as they are; [`layer`](crate::layer) tells about layers.
    ///
    /// ```
    /// use rocketmq_starter::RocketmqTemplate;
    /// use rocketmq_starter::layer::RateLimit;
    ///
    /// fn gentle(template: &RocketmqTemplate) -> RocketmqTemplate {
    ///     template.clone().layer(RateLimit::per_second(50))
    /// }
    /// ```
    #[must_use]
    pub fn layer(self, layer: impl Layer) -> Self {
        RocketmqTemplate { layers: self.layers.with(Arc::new(layer)), ..self }
    }

    fn prepared<K>(&self, message: Result<Message, SendError>, how: K) -> Prepared<K> {
        Prepared::new(&self.producer, &self.layers, message, how)
    }

    /// Sends a message, and waits until a broker has stored it.
    ///
    /// ```no_run
    /// use rocketmq_starter::{RocketmqTemplate, SendError};
    ///
    /// # async fn run(template: &RocketmqTemplate) -> Result<(), SendError> {
    /// let receipt = template.send("orders:created", 7).key("order-7").await?;
    /// println!("{}", receipt.message_id());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Awaiting fails with a [`SendError`]: its `kind` tells why, `is_retryable` if a later try may succeed. The client has
    /// retried before that, as `retry-times-when-send-failed` says.
    pub fn send(&self, destination: &str, payload: impl Payload) -> Prepared<WithReceipt> {
        self.prepared(message(destination, payload), WithReceipt)
    }

    /// Sends a message, and waits only until it is written to the connection: it may be lost.
    ///
    /// ```no_run
    /// # async fn run(template: &rocketmq_starter::RocketmqTemplate) -> Result<(), rocketmq_starter::SendError> {
    /// template.send_oneway("metrics", 7).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Awaiting fails for an illegal message and when no broker can be reached.
    pub fn send_oneway(&self, destination: &str, payload: impl Payload) -> Prepared<Oneway> {
        self.prepared(message(destination, payload), Oneway)
    }

    /// Sends a request, and waits for the reply of a listener. The reply is read like an argument of a listener: `Json<T>`,
    /// `Text`, `Raw`, `Delivery`.
    ///
    /// ```no_run
    /// use rocketmq_starter::template::ReplyError;
    /// use rocketmq_starter::{Json, RocketmqTemplate};
    /// use std::time::Duration;
    ///
    /// # async fn run(template: &RocketmqTemplate) -> Result<(), ReplyError> {
    /// let request = template.request::<Json<i64>>("questions", 21).timeout(Duration::from_secs(10));
    /// let Json(answer) = request.await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Awaiting fails with a [`ReplyError`] when the request is not sent, no reply comes within the [`timeout`](Prepared::timeout),
    /// or the reply cannot be read.
    pub fn request<R: Reply>(&self, destination: &str, payload: impl Payload) -> Prepared<Request<R>> {
        self.prepared(message(destination, payload), Request::new())
    }

    /// Stores a half message, which no listener gets before the [`Transaction`] is committed. The broker asks a
    /// `#[rocketmq_transaction_listener]` of the producer's group about undecided transactions.
    ///
    /// ```no_run
    /// # async fn save() -> bool { true }
    /// # async fn run(template: &rocketmq_starter::RocketmqTemplate) -> Result<(), Box<dyn std::error::Error>> {
    /// let transaction = template.begin("orders:created", 7).key("order-7").await?;
    /// if save().await { transaction.commit().await? } else { transaction.rollback().await? }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Awaiting fails when the half message cannot be stored.
    pub fn begin(&self, destination: &str, payload: impl Payload) -> Prepared<HalfMessage> {
        self.prepared(message(destination, payload), HalfMessage)
    }

    /// Stores a half message, runs `local`, and commits or rolls back as `local` decides. An error of `local` leaves the
    /// transaction undecided: the broker asks the group's `#[rocketmq_transaction_listener]`.
    ///
    /// ```no_run
    /// use rocketmq_starter::{BoxError, RocketmqTemplate, SendError, TransactionState};
    ///
    /// # async fn save() -> Result<(), BoxError> { Ok(()) }
    /// # async fn run(template: &RocketmqTemplate) -> Result<(), SendError> {
    /// let half = template.begin("orders:created", 7);
    /// let decision = template
    ///     .send_in_transaction(half, async {
    ///         save().await?;
    ///         Ok::<_, BoxError>(TransactionState::Commit)
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails when the half message cannot be stored; `local` is not run then. A decision that does not reach the broker is no
    /// error: the broker asks for it.
    ///
    /// # Cancel safety
    /// Dropping the future cuts `local` and leaves the transaction undecided: the broker asks later.
    pub async fn send_in_transaction<F, E>(
        &self,
        half: Prepared<HalfMessage>,
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

    /// Sends many messages to one topic, in as few requests as the size limit allows. Each is a payload, or an [`Item`] with key,
    /// tag, properties and ordering key of its own. The receipts are in the order of the messages. No message of a batch can be
    /// delayed: brokers refuse that.
    ///
    /// ```no_run
    /// # async fn run(template: &rocketmq_starter::RocketmqTemplate) -> Result<(), Box<dyn std::error::Error>> {
    /// let receipts = template.send_batch("orders:created", [1, 2, 3]).await?;
    /// assert_eq!(receipts.len(), 3);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails with a [`BatchError`], whose `stored` returns the receipts of the messages before the failure, and `stored_at` their
    /// places.
    ///
    /// # Cancel safety
    /// Dropping the future may leave a part of the messages stored.
    pub async fn send_batch<I: IntoItem>(
        &self,
        destination: &str,
        items: impl IntoIterator<Item = I>,
    ) -> Result<Vec<Receipt>, BatchError> {
        let made = items.into_iter().map(|item| item.into_item().into_message(destination));
        let (messages, keys): (Vec<_>, Vec<_>) = made.collect::<Result<_, _>>()?;
        sent_through(&self.layers, messages, |messages| self.send_all(messages, keys)).await
    }

    /// Sends a batch whose messages have their ordering keys, if any, at the same places.
    async fn send_all(
        &self,
        messages: Vec<Message>,
        keys: Vec<Option<String>>,
    ) -> Result<Vec<Receipt>, BatchError> {
        if keys.iter().all(Option::is_none) {
            return self.producer.send_batch(messages).await;
        }
        if messages.len() != keys.len() {
            let text =
                format!("a layer made {} messages of {} with ordering keys", messages.len(), keys.len());
            return Err(SendError::new(SendErrorKind::Vetoed, text).into());
        }
        self.producer.send_batch(messages).ordered_by_each(keys).await
    }

    /// Receives the next message of `[rocketmq.pull-consumer]`, read like an argument of a listener (`Json<T>`, `Text`,
    /// `Delivery`). It waits at most `timeout`, and returns `None` when no message came.
    ///
    /// Messages are pulled in batches. A batch counts as consumed when the call after its last message begins; messages of an
    /// unfinished batch are delivered again after a crash.
    ///
    /// ```no_run
    /// use rocketmq_starter::{BoxError, Json, RocketmqTemplate};
    /// use std::time::Duration;
    ///
    /// # async fn run(template: &RocketmqTemplate) -> Result<(), BoxError> {
    /// while let Some(Json(row)) = template.receive::<Json<u32>>(Duration::from_secs(5)).await? {
    ///     println!("{row}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails when no `[rocketmq.pull-consumer]` is configured, after the shutdown, and for a message that cannot be read; the
    /// next call passes over such a message.
    ///
    /// # Cancel safety
    /// No message is lost when the future is dropped.
    pub async fn receive<T: FromMessage>(&self, timeout: Duration) -> Result<Option<T>, BoxError> {
        match &self.receiver {
            Some(receiver) => receiver.receive(timeout).await,
            None => Err("`receive` needs `rocketmq.pull-consumer.group` and `.topic`".into()),
        }
    }
}

/// Makes a message of `topic:tag` and a payload.
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
