//! [`Call`]: one call of a listener, and its end.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tracing::Span;

use super::listen::{Listen, ListenBatch};
use super::panics::caught;
use crate::error::BoxError;
use crate::messages::{Delivery, Outcome};

/// Either kind of listener.
pub(crate) enum Handler {
    Each(Arc<dyn Listen>),
    Batch(Arc<dyn ListenBatch>),
}

impl Handler {
    /// Starts one call, which runs inside `span`. A listener that panics before it returns its future fails the call,
    /// not the caller.
    pub(crate) fn call(&self, messages: &[Delivery], span: Span) -> Call {
        let start = || match self {
            Handler::Each(listen) => messages.first().map(|d| Step::Each(listen.on_message(d.clone()))),
            Handler::Batch(listen) => Some(Step::Batch(listen.on_batch(messages.to_vec()))),
        };
        let step = match span.in_scope(|| caught(start)) {
            Ok(step) => step.unwrap_or(Step::Decided(Outcome::Ack)),
            Err(text) => Step::Panicked(text),
        };
        Call { step, span }
    }

    /// Returns the most messages of one call when the application wants `configured`.
    pub(crate) fn batch_size(&self, configured: usize) -> usize {
        match self {
            Handler::Each(_) => 1,
            Handler::Batch(_) => configured.max(1),
        }
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Handler::Each(_) => "Handler::Each",
            Handler::Batch(_) => "Handler::Batch",
        })
    }
}

/// One running call of a listener. Panics while it is polled end it as [`Failure::Panic`].
pub(crate) struct Call {
    step: Step,
    span: Span,
}

enum Step {
    Each(BoxFuture<'static, Result<Outcome, BoxError>>),
    Batch(BoxFuture<'static, Result<Vec<Outcome>, BoxError>>),
    Panicked(String),
    Decided(Outcome),
}

impl Call {
    /// Makes a call that ends at once.
    pub(crate) fn decided(outcome: Outcome) -> Self {
        Self { step: Step::Decided(outcome), span: Span::none() }
    }
}

impl Future for Call {
    type Output = Result<Outcomes, Failure>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Call { step, span } = self.get_mut();
        let _entered = span.enter();
        let poll = || match step {
            Step::Each(future) => future.as_mut().poll(cx).map_ok(Outcomes::All).map_err(Failure::Error),
            Step::Batch(future) => future.as_mut().poll(cx).map_ok(Outcomes::Each).map_err(Failure::Error),
            Step::Panicked(text) => Poll::Ready(Err(Failure::Panic(std::mem::take(text)))),
            Step::Decided(outcome) => Poll::Ready(Ok(Outcomes::All(*outcome))),
        };
        caught(poll).unwrap_or_else(|text| Poll::Ready(Err(Failure::Panic(text))))
    }
}

/// The listener's decision about the messages of one call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcomes {
    /// One outcome for all.
    All(Outcome),
    /// One outcome for each, in order.
    Each(Vec<Outcome>),
}

impl Outcomes {
    /// Returns the outcome of the message at `index`. A message without an outcome is retried.
    pub(crate) fn of(&self, index: usize) -> Outcome {
        match self {
            Outcomes::All(outcome) => *outcome,
            Outcomes::Each(outcomes) => outcomes.get(index).copied().unwrap_or(Outcome::Retry),
        }
    }
}

/// The reason why a call gave no outcome.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The listener returned an error.
    Error(BoxError),
    /// It panicked with this text.
    Panic(String),
    /// It took longer than `consume_timeout` and was dropped.
    Timeout,
}

impl Failure {
    /// Returns the label for metrics.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Failure::Error(_) => "error",
            Failure::Panic(_) => "panic",
            Failure::Timeout => "timeout",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Error(error) => write!(f, "{error}"),
            Failure::Panic(text) => write!(f, "panicked: {text}"),
            Failure::Timeout => f.write_str("took longer than consume_timeout and was cancelled"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::testing::delivery;

    fn each(handler: impl Listen) -> Handler {
        Handler::Each(Arc::new(handler))
    }

    #[tokio::test]
    async fn an_error_a_panic_and_an_early_panic_end_the_call_not_the_caller() {
        let error = each(|_| async { Err::<Outcome, _>("no such order") });
        let text = error.call(&[delivery("t", 0)], Span::none()).await.unwrap_err().to_string();
        assert_eq!(text, "no such order");

        let late =
            each(|_: Delivery| async { Ok::<_, BoxError>(if true { panic!("late") } else { Outcome::Ack }) });
        assert_eq!(
            late.call(&[delivery("t", 0)], Span::none()).await.unwrap_err().to_string(),
            "panicked: late"
        );

        fn early(_: Delivery) -> BoxFuture<'static, Result<Outcome, BoxError>> {
            panic!("early {}", 1)
        }
        assert_eq!(
            each(early).call(&[delivery("t", 0)], Span::none()).await.unwrap_err().to_string(),
            "panicked: early 1"
        );
    }

    #[tokio::test]
    async fn messages_without_an_outcome_are_retried() {
        let short =
            Handler::Batch(Arc::new(|_: Vec<Delivery>| async { Ok::<_, BoxError>(vec![Outcome::Ack]) }));
        let outcomes = short.call(&[delivery("t", 0), delivery("t", 1)], Span::none()).await.unwrap();
        assert_eq!((outcomes.of(0), outcomes.of(1)), (Outcome::Ack, Outcome::Retry));
    }
}
