//! Settles a message: sends the reply, turns the verdict into an outcome, logs and counts.

use super::options::{HandlerOptions, OnError, OnUnreadable};
use crate::context::Context;
use crate::health::{Counters, InFlight};
use crate::layer::Layers;
use crate::outcome::{Handled, Verdict};
use crate::replier::Replier;
use rocketmq_client::{Delivery, Outcome};
use std::fmt;
use std::sync::Arc;

/// Settles the messages of one listener.
#[derive(Debug)]
pub(crate) struct Settlement {
    pub(crate) group: String,
    pub(crate) listener: String,
    pub(crate) options: HandlerOptions,
    pub(crate) counters: Arc<Counters>,
    pub(crate) context: Context,
    pub(crate) replier: Option<Replier>,
    pub(crate) layers: Layers,
}

impl Settlement {
    /// The context the listener is called with.
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// Counts messages as in flight until the guard is dropped.
    pub(crate) fn enter(&self, messages: usize) -> InFlight<'_> {
        self.counters.enter(messages)
    }

    /// Sends the reply, if there is one, and decides about the message.
    pub(crate) async fn settle(&self, message: &Delivery, handled: Handled) -> Outcome {
        if let (Some(body), Some(replier)) = (handled.reply, &self.replier) {
            replier.reply(message, body, self.options.reply_timeout).await;
        }
        let outcome = judge(&handled.verdict, &self.options);
        if !matches!(handled.verdict, Verdict::Decided(_)) {
            let (listener, message_id) = (&self.listener, message.message_id());
            tracing::warn!(listener, message_id, ?outcome, "{}", handled.verdict);
        }
        self.counters.concluded(&handled.verdict, outcome);
        let Settlement { group, listener, .. } = self;
        self.context.tell(&Settled { group, listener, message, verdict: &handled.verdict, outcome });
        outcome
    }
}

/// A message whose outcome is decided.
#[derive(Debug)]
#[cfg_attr(
    not(any(feature = "testing", feature = "dev-page")),
    expect(dead_code, reason = "only the test kit and the page for development read it")
)]
pub(crate) struct Settled<'a> {
    pub(crate) group: &'a str,
    pub(crate) listener: &'a str,
    pub(crate) message: &'a Delivery,
    pub(crate) verdict: &'a Verdict,
    pub(crate) outcome: Outcome,
}

/// Hears of every settled message.
#[derive(Clone)]
pub(crate) struct Observer(Arc<dyn Fn(&Settled<'_>) + Send + Sync>);

impl Observer {
    #[cfg(any(feature = "testing", feature = "dev-page"))]
    pub(crate) fn new(hear: impl Fn(&Settled<'_>) + Send + Sync + 'static) -> Self {
        Observer(Arc::new(hear))
    }

    pub(crate) fn hear(&self, settled: &Settled<'_>) {
        (self.0)(settled);
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

/// Turns a verdict into an outcome, as the listener's options say.
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
