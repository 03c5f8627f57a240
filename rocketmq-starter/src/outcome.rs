//! The return values of listeners, and the outcomes that they mean.

use crate::extract::{Json, Raw, Rejection, Text};
use bytes::Bytes;
use rocketmq_client::Outcome;
use serde::Serialize;
use std::fmt;

/// Any error of a handler or hook.
///
/// ```
/// use rocketmq_starter::BoxError;
///
/// async fn hook() -> Result<(), BoxError> {
///     std::fs::read("rates.csv")?; // every error type converts
///     Err("no rates".into()) // and so does a text
/// }
/// ```
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The result of one call of a handler, for return types of your own.
///
/// ```
/// use rocketmq_starter::Outcome;
/// use rocketmq_starter::outcome::{Handled, IntoOutcome};
///
/// enum Payment {
///     Booked,
///     Refused,
/// }
///
/// impl IntoOutcome for Payment {
///     fn into_outcome(self) -> Handled {
///         match self {
///             Payment::Booked => Handled::decided(Outcome::Ack),
///             Payment::Refused => Handled::failed("refused"),
///         }
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Handled {
    pub(crate) verdict: Verdict,
    pub(crate) reply: Option<Bytes>,
}

/// The result before the listener's options turn it into an [`Outcome`].
#[derive(Debug)]
pub(crate) enum Verdict {
    Decided(Outcome),
    Failed(BoxError),
    Rejected(Rejection),
    Panicked(String),
}

impl Handled {
    /// Takes the handler's decision as it is.
    ///
    /// ```
    /// use rocketmq_starter::Outcome;
    /// use rocketmq_starter::outcome::Handled;
    ///
    /// assert!(Handled::decided(Outcome::Ack).is_done());
    /// ```
    pub fn decided(outcome: Outcome) -> Self {
        Handled { verdict: Verdict::Decided(outcome), reply: None }
    }

    /// Reports a failure. The listener's `on_error` decides; by default the message is delivered again.
    ///
    /// ```
    /// use rocketmq_starter::outcome::Handled;
    ///
    /// assert!(!Handled::failed("no connection to the bank").is_done());
    /// ```
    pub fn failed(error: impl Into<BoxError>) -> Self {
        Handled { verdict: Verdict::Failed(error.into()), reply: None }
    }

    /// Sends `body` to the sender of the request; the message is done.
    ///
    /// ```
    /// use rocketmq_starter::outcome::Handled;
    ///
    /// assert!(Handled::replied("42".into()).is_done());
    /// ```
    pub fn replied(body: Bytes) -> Self {
        Handled { verdict: Verdict::Decided(Outcome::Ack), reply: Some(body) }
    }

    /// Returns true if the message is done: the handler succeeded, or decided [`Outcome::Ack`].
    ///
    /// ```
    /// use rocketmq_starter::Outcome;
    /// use rocketmq_starter::outcome::Handled;
    ///
    /// assert!(!Handled::decided(Outcome::Retry).is_done());
    /// ```
    pub fn is_done(&self) -> bool {
        matches!(self.verdict, Verdict::Decided(Outcome::Ack))
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

/// The return value of a listener: `()`, [`Outcome`], a reply ([`Json`], [`Text`], [`Raw`]), or a `Result` of these.
///
/// [`Handled`] shows an implementation for a type of your own.
#[diagnostic::on_unimplemented(
    message = "a listener cannot return `{Self}`",
    label = "this does not tell the broker what to do with the message",
    note = "return `()`, `Outcome`, a reply (`Json<T>`, `Text` or `Raw`), or `Result<_, E>` of those"
)]
pub trait IntoOutcome {
    /// Converts the value.
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

/// The return value of a batch listener: one outcome for all messages, or a `Vec` with one for each.
///
/// ```
/// use rocketmq_starter::{Json, Outcome, rocketmq_listener};
///
/// #[rocketmq_listener(topic = "lines", group = "sums", batch = 64)]
/// async fn sum(numbers: Vec<Json<i64>>) -> Vec<Outcome> {
///     numbers.iter().map(|Json(n)| if *n < 0 { Outcome::DeadLetter } else { Outcome::Ack }).collect()
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a batch listener cannot return `{Self}`",
    label = "this does not tell the broker what to do with the messages",
    note = "return `()`, `Outcome` (for all), `Vec<Outcome>` (one for each), or `Result<_, E>` of those"
)]
pub trait IntoOutcomes {
    /// Converts the value to `count` results, in the order of the messages.
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

/// A message without an outcome is delivered again, so that none is lost.
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
