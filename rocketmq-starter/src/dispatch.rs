//! From a consumer's deliveries to listeners, and from their verdicts to outcomes.

use crate::context::Context;
use crate::health::Counters;
use crate::listener::Listener;
use crate::listener::options::{HandlerOptions, OnError, OnUnreadable};
use crate::outcome::{BoxError, Handled, Verdict};
use crate::replier::Replier;
use futures_util::future::BoxFuture;
use rocketmq_client::{Delivery, Outcome};
use std::collections::HashMap;
use std::sync::Arc;

/// A listener with everything it needs to be called.
#[derive(Debug)]
pub(crate) struct Bound {
    listener: Listener,
    options: HandlerOptions,
    counters: Arc<Counters>,
    context: Context,
    replier: Option<Replier>,
}

impl Bound {
    pub(crate) fn new(
        listener: Listener,
        options: HandlerOptions,
        counters: Arc<Counters>,
        context: Context,
        replier: Option<Replier>,
    ) -> Self {
        Bound { listener, options, counters, context, replier }
    }

    /// Handles messages of this listener's topic; one outcome each, in their order.
    async fn handle(&self, deliveries: Vec<Delivery>) -> Vec<Outcome> {
        let _in_flight = self.counters.enter(deliveries.len());
        let call = &self.listener.call;
        let mut outcomes = Vec::with_capacity(deliveries.len());
        for part in deliveries.chunks(call.share(deliveries.len())) {
            for (delivery, handled) in part.iter().zip(call.run(part, &self.context).await) {
                outcomes.push(self.conclude(delivery, handled).await);
            }
        }
        outcomes
    }

    /// Sends the reply, if there is one, and settles what becomes of the message.
    async fn conclude(&self, delivery: &Delivery, handled: Handled) -> Outcome {
        if let (Some(body), Some(replier)) = (handled.reply, &self.replier) {
            replier.reply(delivery, body, self.options.reply_timeout).await;
        }
        let outcome = judge(&handled.verdict, &self.options);
        if !matches!(handled.verdict, Verdict::Decided(_)) {
            let (listener, id) = (self.listener.name(), delivery.message_id());
            tracing::warn!(listener, message_id = id, ?outcome, "{}", handled.verdict);
        }
        self.counters.concluded(&handled.verdict, outcome);
        outcome
    }
}

/// The listener's options turn a verdict into an outcome.
pub(crate) fn judge(verdict: &Verdict, options: &HandlerOptions) -> Outcome {
    let retry = || options.retry_delay.map_or(Outcome::Retry, Outcome::RetryAfter);
    match verdict {
        Verdict::Decided(Outcome::Retry) | Verdict::Panicked(_) => retry(),
        Verdict::Decided(outcome) => *outcome,
        Verdict::Failed(_) => match options.on_error {
            OnError::Retry => retry(),
            OnError::DeadLetter => Outcome::DeadLetter,
        },
        Verdict::Rejected(rejection) if rejection.is_unreadable() => match options.on_unreadable {
            OnUnreadable::DeadLetter => Outcome::DeadLetter,
            OnUnreadable::Retry => retry(),
            OnUnreadable::Skip => Outcome::Ack,
        },
        Verdict::Rejected(_) => retry(),
    }
}

/// The listeners of one group, by topic.
#[derive(Debug, Clone)]
pub(crate) struct Dispatcher(Arc<HashMap<String, Arc<Bound>>>);

impl Dispatcher {
    pub(crate) fn new(listeners: impl IntoIterator<Item = (String, Arc<Bound>)>) -> Self {
        Dispatcher(Arc::new(listeners.into_iter().collect()))
    }

    pub(crate) fn one(&self, delivery: Delivery) -> BoxFuture<'static, Result<Outcome, BoxError>> {
        let all = self.many(vec![delivery]);
        Box::pin(async move { Ok(all.await?.pop().unwrap_or(Outcome::Retry)) })
    }

    /// A batch may mix topics, since all of a group's retried messages share one queue. Runs of one topic stay
    /// together, so that the order holds.
    pub(crate) fn many(
        &self,
        deliveries: Vec<Delivery>,
    ) -> BoxFuture<'static, Result<Vec<Outcome>, BoxError>> {
        let listeners = self.clone();
        Box::pin(async move {
            let mut outcomes = Vec::with_capacity(deliveries.len());
            for run in runs(deliveries) {
                outcomes.extend(listeners.run(run).await);
            }
            Ok(outcomes)
        })
    }

    async fn run(&self, deliveries: Vec<Delivery>) -> Vec<Outcome> {
        let topic = deliveries.first().map_or("", Delivery::topic);
        match self.0.get(topic) {
            Some(bound) => bound.handle(deliveries).await,
            None => {
                // Left from a time when the group had more listeners; another member may still have them.
                tracing::warn!(topic, "a message of a topic without a listener is delivered again later");
                vec![Outcome::Retry; deliveries.len()]
            }
        }
    }
}

fn runs(deliveries: Vec<Delivery>) -> Vec<Vec<Delivery>> {
    let mut runs: Vec<Vec<Delivery>> = Vec::new();
    for delivery in deliveries {
        match runs.last_mut().filter(|run| run[0].topic() == delivery.topic()) {
            Some(run) => run.push(delivery),
            None => runs.push(vec![delivery]),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Json, Raw};
    use rocketmq_client::{DelayLevel, Message};

    fn dispatcher(listener: Listener, options: HandlerOptions) -> (Dispatcher, Arc<Counters>) {
        let counters = Arc::new(Counters::default());
        let bound = Bound::new(listener, options, Arc::clone(&counters), Context::default(), None);
        (Dispatcher::new([("t".to_owned(), Arc::new(bound))]), counters)
    }

    fn message(body: &'static str) -> Delivery {
        Delivery::sample(Message::new("t", body), 0)
    }

    #[tokio::test]
    async fn an_unreadable_body_goes_to_the_dead_letters_unless_configured() {
        let listener = Listener::new("t", "g", |_: Json<u32>| async {});
        let (dispatch, counters) = dispatcher(listener.clone(), HandlerOptions::default());
        assert_eq!(dispatch.one(message("x")).await.unwrap(), Outcome::DeadLetter);
        assert_eq!(dispatch.one(message("7")).await.unwrap(), Outcome::Ack);
        assert_eq!(counters.health().handled, 1);
        let options = HandlerOptions { on_unreadable: OnUnreadable::Skip, ..Default::default() };
        assert_eq!(dispatcher(listener, options).0.one(message("x")).await.unwrap(), Outcome::Ack);
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
        assert_eq!(dispatch.one(message("fail")).await.unwrap(), later);
        assert_eq!(dispatch.one(message("panic")).await.unwrap(), later);
        assert_eq!((counters.health().handled, counters.health().panicked), (0, 1));
        assert_eq!(counters.health().in_flight, 0);
        let options = HandlerOptions { on_error: OnError::DeadLetter, ..Default::default() };
        assert_eq!(dispatcher(listener, options).0.one(message("fail")).await.unwrap(), Outcome::DeadLetter);
    }

    #[tokio::test]
    async fn a_batch_is_cut_by_topic_and_keeps_its_order() {
        let (dispatch, _) = dispatcher(Listener::new("t", "g", || async {}), HandlerOptions::default());
        let other = Delivery::sample(Message::new("other", "b"), 0);
        let outcomes = dispatch.many(vec![message("1"), other, message("2")]).await.unwrap();
        assert_eq!(outcomes, [Outcome::Ack, Outcome::Retry, Outcome::Ack]);
    }
}
