//! Calls a listener. A panic ends the call, not the consumer.

use super::Batch;
use super::settle::Settlement;
use crate::context::Context;
use crate::extract::Rejection;
use crate::layer::handled_by;
use crate::outcome::{BoxError, Handled, IntoOutcome};
use futures_util::future::BoxFuture;
use rocketmq_client::consumer::catch_panic;
use rocketmq_client::{Delivery, Outcome};
use std::sync::Arc;

type Many = dyn Fn(Batch, &Context) -> BoxFuture<'static, Vec<Handled>> + Send + Sync;

/// Calls a function of single messages. The function's type is known behind this trait, so that one future on the heap
/// holds its arguments, its work and the settling of its message.
pub(crate) trait Single: Send + Sync + 'static {
    /// Calls the function with a message.
    fn answer<'a>(&'a self, message: &'a Delivery, context: &'a Context) -> BoxFuture<'a, Handled>;

    /// Calls the function with a message, and settles the message.
    fn handle(
        self: Arc<Self>,
        message: Delivery,
        settlement: Arc<Settlement>,
    ) -> BoxFuture<'static, Result<Outcome, BoxError>> {
        Box::pin(async move {
            let _in_flight = settlement.enter(1);
            let handled = self.answer(&message, settlement.context()).await;
            Ok(settlement.settle(&message, handled).await)
        })
    }

    /// Waits for work that goes on beside the calls. No call follows.
    fn end(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl<F, Fut> Single for F
where
    F: Fn(&Delivery, &Context) -> Result<Fut, Rejection> + Send + Sync + 'static,
    Fut: Future<Output: IntoOutcome> + Send + 'static,
{
    fn answer<'a>(&'a self, message: &'a Delivery, context: &'a Context) -> BoxFuture<'a, Handled> {
        Box::pin(answer(self, message, context))
    }

    // Without the box of `answer`.
    fn handle(
        self: Arc<Self>,
        message: Delivery,
        settlement: Arc<Settlement>,
    ) -> BoxFuture<'static, Result<Outcome, BoxError>> {
        Box::pin(async move {
            let _in_flight = settlement.enter(1);
            let handled = answer(&*self, &message, settlement.context()).await;
            Ok(settlement.settle(&message, handled).await)
        })
    }
}

async fn answer<F, Fut>(call: &F, message: &Delivery, context: &Context) -> Handled
where
    F: Fn(&Delivery, &Context) -> Result<Fut, Rejection>,
    Fut: Future<Output: IntoOutcome>,
{
    let answered = catch_panic(async {
        match call(message, context) {
            Ok(handler) => handler.await.into_outcome(),
            Err(rejection) => Handled::rejected(rejection),
        }
    });
    answered.await.unwrap_or_else(Handled::panicked)
}

/// The function of a listener.
#[derive(Clone)]
pub(crate) enum Call {
    Single(Arc<dyn Single>),
    Batch(Arc<Many>),
}

impl Call {
    /// Handles one message.
    pub(crate) fn one(
        &self,
        message: Delivery,
        settlement: &Arc<Settlement>,
    ) -> BoxFuture<'static, Result<Outcome, BoxError>> {
        if let Call::Single(call) = self
            && settlement.layers.is_empty()
        {
            return call.clone().handle(message, settlement.clone());
        }
        let (call, settlement) = (self.clone(), settlement.clone());
        Box::pin(async move { Ok(call.all(&[message], &settlement).await.pop().unwrap_or(Outcome::Retry)) })
    }

    /// Handles `messages`, one outcome each. A listener of single messages is called for one after the other.
    pub(crate) async fn all(&self, messages: &[Delivery], settlement: &Settlement) -> Vec<Outcome> {
        let _in_flight = settlement.enter(messages.len());
        let mut outcomes = Vec::with_capacity(messages.len());
        for part in messages.chunks(self.share(messages.len())) {
            for (message, handled) in part.iter().zip(self.surrounded(part, settlement).await) {
                outcomes.push(settlement.settle(message, handled).await);
            }
        }
        outcomes
    }

    /// Waits for work that goes on beside the calls. No call follows.
    pub(crate) async fn end(&self) {
        if let Call::Single(call) = self {
            call.end().await;
        }
    }

    /// Calls the function with `messages` through the layers.
    async fn surrounded(&self, messages: &[Delivery], settlement: &Settlement) -> Vec<Handled> {
        let Settlement { layers, group, .. } = settlement;
        if layers.is_empty() {
            return self.answers(messages, settlement.context()).await;
        }
        handled_by(layers, group, self, settlement.context(), messages).await
    }

    /// Returns the number of messages, of `messages`, for one call.
    fn share(&self, messages: usize) -> usize {
        match self {
            Call::Single(_) => 1,
            Call::Batch(_) => messages.max(1),
        }
    }

    /// Calls the function with `messages`, one answer each, and settles nothing.
    pub(crate) async fn answers(&self, messages: &[Delivery], context: &Context) -> Vec<Handled> {
        match self {
            Call::Single(call) => {
                let mut answers = Vec::with_capacity(messages.len());
                for message in messages {
                    answers.push(call.answer(message, context).await);
                }
                answers
            }
            Call::Batch(call) => {
                let batch = Batch::new(messages.to_vec());
                let answers = catch_panic(async { call(batch, context).await }).await;
                answers
                    .unwrap_or_else(|text| messages.iter().map(|_| Handled::panicked(text.clone())).collect())
            }
        }
    }
}
