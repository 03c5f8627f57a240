//! Request and reply by messages: the request carries a correlation id, and the reply comes back with the same id.

use std::future::IntoFuture;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use rocketmq_remoting::message::names;
use rocketmq_remoting::net::deadline;
use tokio::time::timeout_at;

use super::sender::Sender;
use super::target::{Options, Target};
use crate::chance::Chance;
use crate::clock::{instant, millis};
use crate::error::{Error, SendError, SendErrorKind, error_kinds};
use crate::messages::Delivery;
use crate::messages::Message;
use crate::messages::Receipt;

error_kinds! {
    /// Lists the reasons why a request has no reply; [`Requesting`] has an example.
    pub enum RequestErrorKind {
        /// The request was not stored; the source is a [`SendError`](crate::SendError).
        NotSent = "the request was not sent", TRANSIENT;
        /// No reply came in time. A consumer may have handled the request all the same.
        NoReply = "no reply came in time", TRANSIENT;
    }
}

/// Says why a request has no reply; [`Requesting`] has an example.
pub type RequestError = Error<RequestErrorKind>;

/// Holds a request and its options; awaiting it sends the request and waits for the reply.
///
/// ```no_run
/// # async fn example(producer: rocketmq_client::Producer) -> Result<(), Box<dyn std::error::Error>> {
/// use rocketmq_client::Message;
/// use rocketmq_client::producer::RequestErrorKind;
///
/// match producer.request(Message::new("prices", "apple")).await {
///     Ok(reply) => println!("{:?}", reply.text()),
///     Err(error) if error.kind() == RequestErrorKind::NoReply => println!("no price today"),
///     Err(error) => return Err(error.into()),
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
/// A cancelled request may be handled all the same; its reply is dropped.
#[must_use = "a request is sent only when this is awaited"]
pub struct Requesting {
    sender: Arc<Sender>,
    message: Message,
    pub(super) options: Options,
}

impl Requesting {
    pub(super) fn new(sender: Arc<Sender>, message: Message) -> Self {
        Self { sender, message, options: Options::default() }
    }
}

impl IntoFuture for Requesting {
    type Output = Result<Delivery, RequestError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { request(&self.sender, self.message, self.options).await })
    }
}

async fn request(sender: &Sender, message: Message, options: Options) -> Result<Delivery, RequestError> {
    let timeout = options.timeout.unwrap_or(sender.config.send_timeout);
    let (deadline, correlation) =
        (deadline(instant(), timeout), correlation_id(&sender.cluster.config.chance));
    let topic = message.topic.clone();
    let ask = |message: &mut Message| {
        message.properties.set(names::CORRELATION_ID, correlation.as_str());
        message.properties.set(names::REPLY_TO_CLIENT, sender.cluster.client_id.as_str());
        message.properties.set(names::TTL, millis(timeout).to_string());
    };
    let mut waiting = sender.membership.replies.wait_for(&correlation);
    let options = Options { timeout: Some(timeout), ..options };
    sender.send_alone(message, options, ask).await.map_err(not_sent)?;
    match timeout_at(deadline, &mut waiting.reply).await {
        Ok(Ok(reply)) => Ok(reply),
        _ => Err(RequestError::new(
            RequestErrorKind::NoReply,
            format!("request {correlation} to {topic} within {} ms", timeout.as_millis()),
        )),
    }
}

fn not_sent(error: SendError) -> RequestError {
    RequestError::new(RequestErrorKind::NotSent, error.to_string()).with_source(error)
}

/// Draws a random UUID, as Java does.
fn correlation_id(chance: &Chance) -> String {
    let bits = chance.bits();
    let bits = bits & !(0xf << 76) | 4 << 76;
    let bits = bits & !(0x3 << 62) | 2 << 62;
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// Sends the reply to the broker that the request came through: the requester is connected there.
pub(super) async fn reply(sender: &Sender, request: &Delivery, body: Bytes) -> Result<Receipt, SendError> {
    let property = |name| {
        request.property(name).map(str::to_owned).ok_or_else(|| {
            let text = format!(
                "message {} is no request: property {name} is missing; reply only to what request() sent",
                request.message_id()
            );
            SendError::new(SendErrorKind::InvalidMessage, text)
        })
    };
    let message = Message::new(format!("{}_REPLY_TOPIC", property(names::CLUSTER)?), body);
    let (correlation, requester) = (property(names::CORRELATION_ID)?, property(names::REPLY_TO_CLIENT)?);
    let answer = |message: &mut Message| {
        message.properties.set(names::MSG_TYPE, "reply");
        message.properties.set(names::CORRELATION_ID, correlation);
        message.properties.set(names::REPLY_TO_CLIENT, requester);
        if let Some(ttl) = request.property(names::TTL) {
            message.properties.set(names::TTL, ttl);
        }
    };
    let broker = request.queue().broker_name.clone();
    let near = move |queues: &[Arc<rocketmq_remoting::route::MessageQueue>]| {
        queues.iter().position(|queue| queue.broker_name == broker).unwrap_or(0)
    };
    let options = Options { timeout: None, target: Target::Selector(Box::new(near)) };
    sender.send_alone(message, options, answer).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlation_ids_are_random_uuids() {
        let chance = Chance::seeded(1);
        let (a, b) = (correlation_id(&chance), correlation_id(&chance));
        assert_ne!(a, b);
        assert_eq!((a.len(), &a[14..15], &a[8..9]), (36, "4", "-"));
        assert!(matches!(&a[19..20], "8" | "9" | "a" | "b"));
    }
}
