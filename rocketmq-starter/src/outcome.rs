//! What a listener can return, and what that tells the broker.

use crate::extract::{Json, Raw, Rejection, Text};
use bytes::Bytes;
use rocketmq_client::Outcome;
use serde::Serialize;
use std::fmt;

/// Any error a handler may fail with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What became of one message.
#[derive(Debug)]
pub struct Handled {
    pub(crate) verdict: Verdict,
    pub(crate) reply: Option<Bytes>,
}

/// Before the listener's options turn it into an [`Outcome`].
#[derive(Debug)]
pub(crate) enum Verdict {
    Decided(Outcome),
    Failed(BoxError),
    Rejected(Rejection),
    Panicked(String),
}

impl Handled {
    /// The handler decided.
    pub fn decided(outcome: Outcome) -> Self {
        Handled { verdict: Verdict::Decided(outcome), reply: None }
    }

    /// The handler failed: the listener's `on_error` decides, by default the message is delivered again.
    pub fn failed(error: impl Into<BoxError>) -> Self {
        Handled { verdict: Verdict::Failed(error.into()), reply: None }
    }

    /// The handler answers the message's sender; the message is done.
    pub fn replied(body: Bytes) -> Self {
        Handled { verdict: Verdict::Decided(Outcome::Ack), reply: Some(body) }
    }

    pub(crate) fn rejected(rejection: Rejection) -> Self {
        Handled { verdict: Verdict::Rejected(rejection), reply: None }
    }

    pub(crate) fn panicked(message: String) -> Self {
        Handled { verdict: Verdict::Panicked(message), reply: None }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Decided(outcome) => write!(f, "the handler decided {outcome:?}"),
            Verdict::Failed(error) => write!(f, "the handler failed: {error}"),
            Verdict::Rejected(rejection) => write!(f, "the message did not reach its handler: {rejection}"),
            Verdict::Panicked(message) => write!(f, "the handler panicked: {message}"),
        }
    }
}

/// What a listener may return.
#[diagnostic::on_unimplemented(
    message = "a listener cannot return `{Self}`",
    label = "this does not tell the broker what to do with the message",
    note = "return `()`, `Outcome`, a reply (`Json<T>`, `Text` or `Raw`), or `Result<_, E>` of those"
)]
pub trait IntoOutcome {
    /// What became of the message.
    fn into_outcome(self) -> Handled;
}

impl IntoOutcome for () {
    fn into_outcome(self) -> Handled {
        Handled::decided(Outcome::Ack)
    }
}

impl IntoOutcome for Outcome {
    fn into_outcome(self) -> Handled {
        Handled::decided(self)
    }
}

impl IntoOutcome for Handled {
    fn into_outcome(self) -> Handled {
        self
    }
}

impl<T: IntoOutcome, E: Into<BoxError>> IntoOutcome for Result<T, E> {
    fn into_outcome(self) -> Handled {
        self.map_or_else(Handled::failed, T::into_outcome)
    }
}

impl<T: Serialize> IntoOutcome for Json<T> {
    fn into_outcome(self) -> Handled {
        match serde_json::to_vec(&self.0) {
            Ok(body) => Handled::replied(body.into()),
            Err(error) => Handled::failed(format!("the reply cannot be written as JSON: {error}")),
        }
    }
}

impl IntoOutcome for Text {
    fn into_outcome(self) -> Handled {
        Handled::replied(self.0.into())
    }
}

impl IntoOutcome for Raw {
    fn into_outcome(self) -> Handled {
        Handled::replied(self.0)
    }
}

/// What a batch listener may return: one outcome for all messages, or one for each.
#[diagnostic::on_unimplemented(
    message = "a batch listener cannot return `{Self}`",
    label = "this does not tell the broker what to do with the messages",
    note = "return `()`, `Outcome` (for all), `Vec<Outcome>` (one for each), or `Result<_, E>` of those"
)]
pub trait IntoOutcomes {
    /// What became of `count` messages, in their order.
    fn into_outcomes(self, count: usize) -> Vec<Handled>;
}

impl IntoOutcomes for () {
    fn into_outcomes(self, count: usize) -> Vec<Handled> {
        Outcome::Ack.into_outcomes(count)
    }
}

impl IntoOutcomes for Outcome {
    fn into_outcomes(self, count: usize) -> Vec<Handled> {
        (0..count).map(|_| Handled::decided(self)).collect()
    }
}

/// A message without an outcome of its own is delivered again: that loses nothing.
impl<T: IntoOutcome> IntoOutcomes for Vec<T> {
    fn into_outcomes(self, count: usize) -> Vec<Handled> {
        let given = self.len();
        let missing =
            || Handled::failed(format!("{given} outcomes were returned for a batch of {count} messages"));
        let mut handled: Vec<_> = self.into_iter().map(T::into_outcome).collect();
        handled.resize_with(count, missing);
        handled
    }
}

impl<T: IntoOutcomes, E: Into<BoxError>> IntoOutcomes for Result<T, E> {
    fn into_outcomes(self, count: usize) -> Vec<Handled> {
        match self {
            Ok(outcomes) => outcomes.into_outcomes(count),
            Err(error) => {
                let error = error.into().to_string();
                (0..count).map(|_| Handled::failed(error.clone())).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_return_type_says_something() {
        assert!(matches!(().into_outcome().verdict, Verdict::Decided(Outcome::Ack)));
        assert!(matches!(Outcome::DeadLetter.into_outcome().verdict, Verdict::Decided(Outcome::DeadLetter)));
        assert!(matches!(Err::<(), _>("no").into_outcome().verdict, Verdict::Failed(_)));
        let handled = Ok::<_, BoxError>(Json([1, 2])).into_outcome();
        assert_eq!(handled.reply.as_deref(), Some(b"[1,2]".as_slice()));
    }

    #[test]
    fn a_batch_of_outcomes_that_is_too_short_retries_the_rest() {
        let handled = vec![Outcome::Ack].into_outcomes(2);
        assert!(matches!(handled[0].verdict, Verdict::Decided(Outcome::Ack)));
        assert!(handled[1].verdict.to_string().contains("batch of 2"));
        assert_eq!(vec![Outcome::Ack; 3].into_outcomes(2).len(), 2);
        assert_eq!(Err::<(), _>("no").into_outcomes(2).len(), 2);
    }
}
