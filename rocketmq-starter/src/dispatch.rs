//! Hands the messages of a group to the listener of their topic.

use crate::listener::{Call, Listener, Settlement};
use crate::outcome::BoxError;
use futures_util::future::BoxFuture;
use rocketmq_client::consumer::ListenBatch;
use rocketmq_client::{Delivery, Listen, Outcome};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// A listener's function, with everything it needs to be called.
pub(crate) struct Bound {
    call: Call,
    settlement: Arc<Settlement>,
}

impl Bound {
    pub(crate) fn new(listener: Listener, settlement: Settlement) -> Self {
        Bound { call: listener.call, settlement: Arc::new(settlement) }
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").field("settlement", &self.settlement).finish_non_exhaustive()
    }
}

/// The listeners of one group, by topic.
#[derive(Debug, Clone)]
pub(crate) struct Dispatcher(Arc<HashMap<String, Bound>>);

impl Dispatcher {
    pub(crate) fn new(listeners: impl IntoIterator<Item = (String, Bound)>) -> Self {
        Dispatcher(Arc::new(listeners.into_iter().collect()))
    }

    /// The listener of the message's topic. None is left from a time when the group had more listeners; another member may
    /// still have them.
    fn bound(&self, message: &Delivery) -> Option<&Bound> {
        let bound = self.0.get(message.topic());
        if bound.is_none() {
            // Asked for here alone: the id costs every other message a reading of its properties.
            let (topic, message_id) = (message.topic(), message.message_id());
            tracing::warn!(
                topic,
                message_id,
                "no listener has this topic: the message is delivered again later"
            );
        }
        bound
    }

    async fn run(&self, messages: &[Delivery]) -> Vec<Outcome> {
        match messages.first().and_then(|first| self.bound(first)) {
            Some(bound) => bound.call.all(messages, &bound.settlement).await,
            None => vec![Outcome::Retry; messages.len()],
        }
    }
}

impl Listen for Dispatcher {
    fn on_message(&self, delivery: Delivery) -> BoxFuture<'static, Result<Outcome, BoxError>> {
        match self.bound(&delivery) {
            Some(bound) => bound.call.one(delivery, &bound.settlement),
            None => Box::pin(std::future::ready(Ok(Outcome::Retry))),
        }
    }
}

/// A batch may mix topics, since all of a group's retried messages share one queue. Runs of one topic stay together, so
/// that the order holds.
impl ListenBatch for Dispatcher {
    fn on_batch(&self, deliveries: Vec<Delivery>) -> BoxFuture<'static, Result<Vec<Outcome>, BoxError>> {
        let listeners = self.clone();
        Box::pin(async move {
            let mut outcomes = Vec::with_capacity(deliveries.len());
            for run in deliveries.chunk_by(|one, next| one.topic() == next.topic()) {
                outcomes.extend(listeners.run(run).await);
            }
            Ok(outcomes)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::extract::{Json, Raw};
    use crate::health::Counters;
    use crate::listener::options::{HandlerOptions, OnError, OnUnreadable};
    use rocketmq_client::{DelayLevel, Message};

    fn dispatcher(listener: Listener, options: HandlerOptions) -> (Dispatcher, Arc<Counters>) {
        let counters = Arc::new(Counters::default());
        let settlement = Settlement {
            group: "g".to_owned(),
            listener: listener.name().to_owned(),
            options,
            counters: Arc::clone(&counters),
            context: Context::default(),
            replier: None,
            layers: listener.layers.clone(),
        };
        (Dispatcher::new([("t".to_owned(), Bound::new(listener, settlement))]), counters)
    }

    fn message(body: &'static str) -> Delivery {
        Delivery::sample(Message::new("t", body), 0)
    }

    #[tokio::test]
    async fn an_unreadable_body_goes_to_the_dead_letters_unless_configured() {
        let listener = Listener::new("t", "g", |_: Json<u32>| async {});
        let (dispatch, counters) = dispatcher(listener.clone(), HandlerOptions::default());
        assert_eq!(dispatch.on_message(message("x")).await.unwrap(), Outcome::DeadLetter);
        assert_eq!(dispatch.on_message(message("7")).await.unwrap(), Outcome::Ack);
        assert_eq!(counters.health().handled, 1);
        let options = HandlerOptions { on_unreadable: OnUnreadable::Skip, ..Default::default() };
        assert_eq!(dispatcher(listener, options).0.on_message(message("x")).await.unwrap(), Outcome::Ack);
    }

    #[tokio::test]
    async fn a_failure_or_a_panic_is_tried_again_after_the_configured_delay() {
        let listener = Listener::new("t", "g", |Raw(body): Raw| async move {
            assert_ne!(body, "panic");
            Err::<(), _>("no")
        });
        let options = HandlerOptions { retry_delay: Some(DelayLevel::S10), ..Default::default() };
        let (dispatch, counters) = dispatcher(listener.clone(), options);
        let later = Outcome::RetryAfter(DelayLevel::S10);
        assert_eq!(dispatch.on_message(message("fail")).await.unwrap(), later);
        assert_eq!(dispatch.on_message(message("panic")).await.unwrap(), later);
        assert_eq!((counters.health().handled, counters.health().panicked), (0, 1));
        assert_eq!(counters.health().in_flight, 0);
        let options = HandlerOptions { on_error: OnError::DeadLetter, ..Default::default() };
        assert_eq!(
            dispatcher(listener, options).0.on_message(message("fail")).await.unwrap(),
            Outcome::DeadLetter
        );
    }

    #[tokio::test]
    async fn a_batch_is_cut_by_topic_and_keeps_its_order() {
        let (dispatch, _) = dispatcher(Listener::new("t", "g", || async {}), HandlerOptions::default());
        let other = Delivery::sample(Message::new("other", "b"), 0);
        let outcomes = dispatch.on_batch(vec![message("1"), other, message("2")]).await.unwrap();
        assert_eq!(outcomes, [Outcome::Ack, Outcome::Retry, Outcome::Ack]);
    }
}
