//! Calls a listener without a broker.

use crate::config::sources::Sources;
use crate::context::{Context, Sections, Shared, States};
use crate::error::StartError;
use crate::listener::options::{HandlerOptions, Options, check_attribute};
use crate::listener::{IntoListener, Listener, judge};
use crate::outcome::Handled;
use bytes::Bytes;
use rocketmq_client::{Delivery, Message, Outcome};
use std::any::TypeId;
use std::sync::Arc;

/// Calls a listener as a consumer does, but without a broker.
///
/// ```
/// use rocketmq_starter::testing::TestListener;
/// use rocketmq_starter::{Json, Message, Outcome, State, rocketmq_listener};
///
/// #[rocketmq_listener(topic = "orders", group = "billing")]
/// async fn handle(Json(id): Json<u64>, State(limit): State<u64>) -> Outcome {
///     if id > limit { Outcome::DeadLetter } else { Outcome::Ack }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let listener = TestListener::new(handle).state(10_u64);
/// assert_eq!(listener.deliver(Message::new("orders", "7")).await.outcome(), Outcome::Ack);
/// assert_eq!(listener.deliver(Message::new("orders", "99")).await.outcome(), Outcome::DeadLetter);
/// // No number: it can never be read, so it goes to the dead letters.
/// assert_eq!(listener.deliver(Message::new("orders", "x")).await.outcome(), Outcome::DeadLetter);
/// # }
/// ```
#[derive(Debug)]
pub struct TestListener {
    listener: Listener,
    states: States,
    sections: Sections,
}

impl TestListener {
    /// Makes one of an annotated function or a [`Listener`].
    pub fn new<Form>(listener: impl IntoListener<Form>) -> Self {
        TestListener {
            listener: listener.into_listener(),
            states: States::default(),
            sections: Sections::default(),
        }
    }

    /// Gives the listener a value, which it takes as `State<T>`.
    #[must_use]
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, state: T) -> Self {
        self.states.insert(state);
        self
    }

    /// Gives the listener a section, which it takes as `Config<T>`.
    ///
    /// ```
    /// use rocketmq_starter::extract::Config;
    /// use rocketmq_starter::testing::TestListener;
    /// use rocketmq_starter::{Listener, Message, Outcome};
    ///
    /// struct Orders {
    ///     open: bool,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let listener = Listener::new("orders", "billing", |Config(orders): Config<Orders>| async move {
    ///     if orders.open { Outcome::Ack } else { Outcome::Retry }
    /// });
    /// let listener = TestListener::new(listener).config(Orders { open: true });
    /// assert_eq!(listener.deliver(Message::new("orders", "7")).await.outcome(), Outcome::Ack);
    /// # }
    /// ```
    #[must_use]
    pub fn config<T: Send + Sync + 'static>(mut self, section: T) -> Self {
        self.sections.insert(TypeId::of::<T>(), Arc::new(section));
        self
    }

    /// Delivers `message` for the first time.
    ///
    /// # Cancel safety
    /// Dropping the future cuts the handler.
    pub async fn deliver(&self, message: Message) -> Delivered {
        self.deliver_again(message, 0).await
    }

    /// Delivers `message` as if it had failed `times` times before: `Attempt` is `times + 1`.
    ///
    /// ```
    /// use rocketmq_starter::testing::TestListener;
    /// use rocketmq_starter::{Attempt, Listener, Message, Outcome};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let listener = Listener::new("orders", "billing", |Attempt(attempt): Attempt| async move {
    ///     if attempt > 3 { Outcome::DeadLetter } else { Outcome::Retry }
    /// });
    /// let listener = TestListener::new(listener);
    /// assert_eq!(listener.deliver_again(Message::new("orders", "7"), 3).await.outcome(), Outcome::DeadLetter);
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future cuts the handler.
    pub async fn deliver_again(&self, message: Message, times: u32) -> Delivered {
        let mut tested = self.call(&[Delivery::sample(message, times)]).await;
        tested.pop().unwrap_or_else(Delivered::nothing)
    }

    /// Delivers several messages, in one call to a batch listener. Returns one result for each, in their order.
    ///
    /// ```
    /// use rocketmq_starter::testing::TestListener;
    /// use rocketmq_starter::{Json, Message, Outcome, rocketmq_listener};
    ///
    /// #[rocketmq_listener(topic = "lines", group = "sums", batch = 10)]
    /// async fn sum(numbers: Vec<Json<i64>>) -> Outcome {
    ///     if numbers.len() == 2 { Outcome::Ack } else { Outcome::Retry }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let messages = ["1", "2"].map(|number| Message::new("lines", number));
    /// let results = TestListener::new(sum).deliver_all(messages).await;
    /// assert!(results.iter().all(|result| result.outcome() == Outcome::Ack));
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future cuts the handlers.
    pub async fn deliver_all(&self, messages: impl IntoIterator<Item = Message>) -> Vec<Delivered> {
        let deliveries: Vec<_> = messages.into_iter().map(|message| Delivery::sample(message, 0)).collect();
        self.call(&deliveries).await
    }

    async fn call(&self, deliveries: &[Delivery]) -> Vec<Delivered> {
        let options = match self.options() {
            Ok(options) => options,
            Err(error) => return deliveries.iter().map(|_| Delivered::failed(&error)).collect(),
        };
        let (states, sections) = (self.states.clone(), self.sections.clone());
        let context = Context::new(Shared { states, sections, ..Shared::default() });
        let answers = self.listener.call.answers(deliveries, &context).await;
        answers.into_iter().map(|handled| Delivered::of(handled, &options)).collect()
    }

    /// Reads the options of the attribute; its placeholders have their defaults.
    fn options(&self) -> Result<HandlerOptions, StartError> {
        let (sources, mut mistakes) = (Sources::default(), Vec::new());
        check_attribute(&self.listener.spec, &sources, &mut mistakes);
        let specs = [&self.listener.spec];
        let group = &self.listener.spec.group;
        let options = HandlerOptions::read(&mut Options::new(&sources, group, &specs, &mut mistakes));
        if mistakes.is_empty() { Ok(options) } else { Err(StartError::of(mistakes)) }
    }
}

/// The result of one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    outcome: Outcome,
    reply: Option<Bytes>,
    reason: String,
}

impl Delivered {
    /// Returns the outcome that a broker would get.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Returns the reply that the sender of a request would get.
    pub fn reply(&self) -> Option<&Bytes> {
        self.reply.as_ref()
    }

    /// Returns the reason of the outcome, in the words of the log.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    fn of(handled: Handled, options: &HandlerOptions) -> Self {
        let outcome = judge(&handled.verdict, options);
        Delivered { outcome, reason: handled.verdict.to_string(), reply: handled.reply }
    }

    fn failed(error: &StartError) -> Self {
        Delivered { outcome: Outcome::Retry, reply: None, reason: error.to_string() }
    }

    fn nothing() -> Self {
        Self::of(Handled::failed("the listener gave no answer"), &HandlerOptions::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Attempt, Json, State, Text};
    use rocketmq_client::DelayLevel;

    #[tokio::test]
    async fn options_of_the_listener_count() {
        let listener =
            Listener::new("t", "g", |_: Json<u8>| async {}).option("on_unreadable", "${policy:skip}");
        assert_eq!(
            TestListener::new(listener.clone()).deliver(Message::new("t", "x")).await.outcome(),
            Outcome::Ack
        );
        let wrong =
            TestListener::new(listener.option("retry_delay", "11s")).deliver(Message::new("t", "1")).await;
        assert!(wrong.reason().contains("`retry_delay` is \"11s\""), "{wrong:?}");
    }

    #[tokio::test]
    async fn a_missing_state_and_a_later_attempt_are_seen() {
        let listener = TestListener::new(Listener::new(
            "t",
            "g",
            |State(n): State<u32>, Attempt(a): Attempt| async move {
                if a > n { Outcome::DeadLetter } else { Outcome::RetryAfter(DelayLevel::S10) }
            },
        ));
        let missing = listener.deliver(Message::new("t", "x")).await;
        assert!(missing.reason().contains("no state of type `u32`"), "{missing:?}");
        let listener = listener.state(3_u32);
        assert_eq!(
            listener.deliver_again(Message::new("t", "x"), 2).await.outcome(),
            Outcome::RetryAfter(DelayLevel::S10)
        );
        assert_eq!(listener.deliver_again(Message::new("t", "x"), 3).await.outcome(), Outcome::DeadLetter);
    }

    #[tokio::test]
    async fn a_reply_is_caught() {
        let echo = TestListener::new(Listener::new("t", "g", |text: Text| async move { text }));
        assert_eq!(echo.deliver(Message::new("t", "hi")).await.reply().unwrap(), "hi");
    }
}
