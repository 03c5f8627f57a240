//! Hooks around every send and every delivery.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::error::{BoxError, SendError};
use crate::messages::Message;
use crate::messages::Receipt;
use crate::messages::{Delivery, Outcome};

/// Hooks into sends and deliveries. A client calls its interceptors in the order they were added. Each method does
/// nothing unless it is overridden. They run on the path of every message: keep them short, and never block.
///
/// Sends of every kind pass them, one by one: singly, one-way, in a batch, gathered, in a transaction, requests and
/// replies. Deliveries pass them where a push consumer calls its handler, whichever way it gets its messages. A panic is
/// logged; before a send it counts as a veto, before a handler as [`Outcome::Retry`].
///
/// ```
/// use std::ops::ControlFlow;
/// use rocketmq_client::{BoxError, Delivery, Interceptor, Message, Outcome};
///
/// /// Names the application on all it sends, and drops what an earlier version sent.
/// struct Stamp;
///
/// impl Interceptor for Stamp {
///     fn before_send(&self, message: &mut Message) -> Result<(), BoxError> {
///         if message.body().len() > 100_000 {
///             return Err("too long for this application".into());
///         }
///         *message = message.clone().property("app", "shop");
///         Ok(())
///     }
///
///     fn before_consume(&self, _group: &str, deliveries: &[Delivery]) -> ControlFlow<Outcome> {
///         let known = |delivery: &Delivery| delivery.property("app") == Some("shop");
///         if deliveries.iter().all(known) { ControlFlow::Continue(()) } else { ControlFlow::Break(Outcome::Ack) }
///     }
/// }
///
/// let builder = rocketmq_client::Client::builder("127.0.0.1:9876").interceptor(Stamp);
/// # drop(builder);
/// ```
pub trait Interceptor: Send + Sync + 'static {
    /// Runs before a message is checked and sent, and may change it. An error keeps it from being sent, and reaches the
    /// caller as the source of a [`Vetoed`](crate::SendErrorKind::Vetoed) error.
    fn before_send(&self, message: &mut Message) -> Result<(), BoxError> {
        let _ = message;
        Ok(())
    }

    /// Runs after the last try of a send. A one-way send has no receipt.
    fn after_send(&self, topic: &str, result: Result<Option<&Receipt>, &SendError>) {
        let _ = (topic, result);
    }

    /// Runs before deliveries of `group` reach their handler. `Break` keeps them from the handler and decides for all
    /// of them.
    fn before_consume(&self, group: &str, deliveries: &[Delivery]) -> ControlFlow<Outcome> {
        let _ = (group, deliveries);
        ControlFlow::Continue(())
    }

    /// Runs after the handler, with one outcome for each delivery.
    fn after_consume(&self, group: &str, deliveries: &[Delivery], outcomes: &[Outcome]) {
        let _ = (group, deliveries, outcomes);
    }
}

/// Calls all interceptors of a client, and catches their panics.
#[derive(Clone, Default)]
pub(crate) struct Interceptors(Arc<[Arc<dyn Interceptor>]>);

impl Interceptors {
    pub(crate) fn new(interceptors: &[Arc<dyn Interceptor>]) -> Self {
        Self(interceptors.into())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Calls the interceptors until the first veto.
    pub(crate) fn before_send(&self, message: &mut Message) -> Result<(), BoxError> {
        for interceptor in self.0.iter() {
            guarded("before_send", || interceptor.before_send(message))
                .unwrap_or_else(|| Err("an interceptor panicked".into()))?;
        }
        Ok(())
    }

    pub(crate) fn after_send(&self, topic: &str, result: Result<Option<&Receipt>, &SendError>) {
        for interceptor in self.0.iter() {
            guarded("after_send", || interceptor.after_send(topic, result));
        }
    }

    /// Calls the interceptors until the first that decides.
    pub(crate) fn before_consume(&self, group: &str, deliveries: &[Delivery]) -> ControlFlow<Outcome> {
        for interceptor in self.0.iter() {
            guarded("before_consume", || interceptor.before_consume(group, deliveries))
                .unwrap_or(ControlFlow::Break(Outcome::Retry))?;
        }
        ControlFlow::Continue(())
    }

    pub(crate) fn after_consume(&self, group: &str, deliveries: &[Delivery], outcomes: &[Outcome]) {
        for interceptor in self.0.iter() {
            guarded("after_consume", || interceptor.after_consume(group, deliveries, outcomes));
        }
    }
}

fn guarded<T>(method: &str, call: impl FnOnce() -> T) -> Option<T> {
    let result = catch_unwind(AssertUnwindSafe(call));
    result.inspect_err(|_| tracing::error!(method, "an interceptor panicked")).ok()
}
