//! Calling a listener. A panic ends the call, not the consumer.

use super::Batch;
use crate::context::Context;
use crate::outcome::Handled;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rocketmq_client::Delivery;
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

type Single = dyn Fn(&Delivery, &Context) -> BoxFuture<'static, Handled> + Send + Sync;
type Many = dyn Fn(Batch, &Context) -> BoxFuture<'static, Vec<Handled>> + Send + Sync;

/// How a listener is called.
#[derive(Clone)]
pub(crate) enum Call {
    Single(Arc<Single>),
    Batch(Arc<Many>),
}

impl Call {
    /// How many of `messages` go into one call.
    pub(crate) fn share(&self, messages: usize) -> usize {
        match self {
            Call::Single(_) => 1,
            Call::Batch(_) => messages.max(1),
        }
    }

    /// Handles `messages`, one answer each. A listener of single messages is called for one after the other.
    pub(crate) async fn run(&self, messages: &[Delivery], context: &Context) -> Vec<Handled> {
        match self {
            Call::Single(call) => {
                let mut answers = Vec::with_capacity(messages.len());
                for message in messages {
                    let answer = guarded(async { call(message, context).await }).await;
                    answers.push(answer.unwrap_or_else(Handled::panicked));
                }
                answers
            }
            Call::Batch(call) => {
                let batch = Batch::new(messages.to_vec());
                let answers = guarded(async { call(batch, context).await }).await;
                answers
                    .unwrap_or_else(|text| messages.iter().map(|_| Handled::panicked(text.clone())).collect())
            }
        }
    }
}

async fn guarded<T>(call: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(call).catch_unwind().await.map_err(|payload| panic_text(payload.as_ref()))
}

fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}
