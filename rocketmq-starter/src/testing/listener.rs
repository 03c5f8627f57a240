//! Calls a listener without a broker.

use super::recorder::Recorder;
use crate::app::check_needs;
use crate::config::sources::Sources;
use crate::context::{Context, Sections, Shared, States};
use crate::error::{Mistake, MistakeKind, StartError};
use crate::layer::handled_by;
use crate::listener::options::{HandlerOptions, Options, check_attribute};
use crate::listener::{IntoListener, Listener, judge};
use crate::outcome::Handled;
use bytes::Bytes;
use rocketmq_client::{Delivery, Message, Outcome};
use std::any::TypeId;
use std::sync::Arc;
use tokio::sync::OnceCell;

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
/// # async fn main() -> Result<(), rocketmq_starter::StartError> {
/// let listener = TestListener::new(handle).state(10_u64);
/// assert_eq!(listener.deliver(Message::new("orders", "7")).await?.outcome(), Outcome::Ack);
/// assert_eq!(listener.deliver(Message::new("orders", "99")).await?.outcome(), Outcome::DeadLetter);
/// // No number: it can never be read, so it goes to the dead letters.
/// assert_eq!(listener.deliver(Message::new("orders", "x")).await?.outcome(), Outcome::DeadLetter);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TestListener {
    listener: Listener,
    states: States,
    sections: Sections,
    wants_template: bool,
    recorder: OnceCell<Recorder>,
}

impl TestListener {
    /// Makes one of an annotated function or a [`Listener`].
    ///
    /// ```
    /// use rocketmq_starter::testing::TestListener;
    /// use rocketmq_starter::{Json, Listener, Message, Outcome};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_starter::StartError> {
    /// let billing = Listener::new("orders", "billing", |Json(_id): Json<u64>| async { Outcome::Ack });
    /// let billing = TestListener::new(billing);
    /// assert_eq!(billing.deliver(Message::new("orders", "7")).await?.outcome(), Outcome::Ack);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new<Form>(listener: impl IntoListener<Form>) -> Self {
        let listener = listener.into_listener();
        let (wants_template, recorder) = (listener.needs.needs_template(), OnceCell::new());
        let (states, sections) = (States::default(), Sections::default());
        TestListener { listener, states, sections, wants_template, recorder }
    }

    /// Gives the listener a value, which it takes as `State<T>`.
    ///
    /// ```
    /// use rocketmq_starter::testing::TestListener;
    /// use rocketmq_starter::{Listener, Message, Outcome, State};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_starter::StartError> {
    /// let billing = Listener::new("orders", "billing", |State(open): State<bool>| async move {
    ///     if open { Outcome::Ack } else { Outcome::Retry }
    /// });
    /// let closed = TestListener::new(billing).state(false);
    /// assert_eq!(closed.deliver(Message::new("orders", "7")).await?.outcome(), Outcome::Retry);
    /// # Ok(())
    /// # }
    /// ```
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
    /// # async fn main() -> Result<(), rocketmq_starter::StartError> {
    /// let listener = Listener::new("orders", "billing", |Config(orders): Config<Orders>| async move {
    ///     if orders.open { Outcome::Ack } else { Outcome::Retry }
    /// });
    /// let listener = TestListener::new(listener).config(Orders { open: true });
    /// assert_eq!(listener.deliver(Message::new("orders", "7")).await?.outcome(), Outcome::Ack);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn config<T: Send + Sync + 'static>(mut self, section: T) -> Self {
        self.sections.insert(TypeId::of::<T>(), Arc::new(section));
        self
    }

    /// Lets [`Context::template`] return a template, for a listener that takes a `Context`. A listener that takes
    /// [`RocketmqTemplate`](crate::RocketmqTemplate) has one without this.
    ///
    /// The template sends to an embedded broker of the `TestListener`, which starts with the first delivery.
    ///
    /// ```
    /// use rocketmq_starter::testing::TestListener;
    /// use rocketmq_starter::{Context, Listener, Message};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_starter::StartError> {
    /// let billing = Listener::new("orders", "billing", |context: Context| async move {
    ///     context.template().ok_or("no template")?.send("bills", 7).await?;
    ///     Ok::<_, rocketmq_starter::BoxError>(())
    /// });
    /// let billing = TestListener::new(billing).template();
    /// billing.deliver(Message::new("orders", "7")).await?;
    /// assert_eq!(billing.sent().len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn template(self) -> Self {
        TestListener { wants_template: true, ..self }
    }

    /// Returns the messages that the listener has sent by the template so far, in the order of the sends, with their options.
    /// Messages that the client refused are among them.
    ///
    /// ```
    /// use rocketmq_starter::testing::TestListener;
    /// use rocketmq_starter::{BoxError, Json, Message, RocketmqTemplate, rocketmq_listener};
    ///
    /// #[rocketmq_listener(topic = "orders", group = "billing")]
    /// async fn bill(Json(id): Json<u64>, template: RocketmqTemplate) -> Result<(), BoxError> {
    ///     template.send("bills:new", id).key(id).await?;
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// let listener = TestListener::new(bill);
    /// listener.deliver(Message::new("orders", "7")).await?;
    /// let sent = listener.sent();
    /// assert_eq!((sent[0].topic(), sent[0].body().as_ref()), ("bills", b"7".as_slice()));
    /// assert_eq!(sent[0].properties().tags(), Some("new"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn sent(&self) -> Vec<Message> {
        self.recorder.get().map(Recorder::sent).unwrap_or_default()
    }

    /// Delivers `message` for the first time.
    ///
    /// ```
    /// use rocketmq_starter::testing::TestListener;
    /// use rocketmq_starter::{Json, Listener, Message, Outcome};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_starter::StartError> {
    /// let billing = Listener::new("orders", "billing", |Json(_id): Json<u64>| async { Outcome::Ack });
    /// let delivered = TestListener::new(billing).deliver(Message::new("orders", "no number")).await?;
    /// assert_eq!(delivered.outcome(), Outcome::DeadLetter);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails, without a call of the listener, for a missing state and a wrong option, as the start of an application does,
    /// and if the template has no broker.
    ///
    /// # Cancel safety
    /// Dropping the future cuts the handler.
    pub async fn deliver(&self, message: Message) -> Result<Delivered, StartError> {
        self.deliver_again(message, 0).await
    }

    /// Delivers `message` as if it had failed `times` times before: `Attempt` is `times + 1`.
    ///
    /// ```
    /// use rocketmq_starter::testing::TestListener;
    /// use rocketmq_starter::{Attempt, Listener, Message, Outcome};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_starter::StartError> {
    /// let listener = Listener::new("orders", "billing", |Attempt(attempt): Attempt| async move {
    ///     if attempt > 3 { Outcome::DeadLetter } else { Outcome::Retry }
    /// });
    /// let listener = TestListener::new(listener);
    /// assert_eq!(listener.deliver_again(Message::new("orders", "7"), 3).await?.outcome(), Outcome::DeadLetter);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails as [`deliver`](Self::deliver) does.
    ///
    /// # Cancel safety
    /// Dropping the future cuts the handler.
    pub async fn deliver_again(&self, message: Message, times: u32) -> Result<Delivered, StartError> {
        let mut delivered = self.call(&[Delivery::sample(message, times)]).await?;
        Ok(delivered.pop().unwrap_or_else(Delivered::nothing))
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
    /// # async fn main() -> Result<(), rocketmq_starter::StartError> {
    /// let messages = ["1", "2"].map(|number| Message::new("lines", number));
    /// let results = TestListener::new(sum).deliver_all(messages).await?;
    /// assert!(results.iter().all(|result| result.outcome() == Outcome::Ack));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails as [`deliver`](Self::deliver) does.
    ///
    /// # Cancel safety
    /// Dropping the future cuts the handlers.
    pub async fn deliver_all(
        &self,
        messages: impl IntoIterator<Item = Message>,
    ) -> Result<Vec<Delivered>, StartError> {
        let deliveries: Vec<_> = messages.into_iter().map(|message| Delivery::sample(message, 0)).collect();
        self.call(&deliveries).await
    }

    async fn call(&self, deliveries: &[Delivery]) -> Result<Vec<Delivered>, StartError> {
        let options = self.options()?;
        let template = if self.wants_template { Some(self.recorder().await?.template()) } else { None };
        let (states, sections) = (self.states.clone(), self.sections.clone());
        let context = Context::new(Shared { states, sections, template, ..Shared::default() });
        let Listener { layers, call, spec, .. } = &self.listener;
        let answers = handled_by(layers, &spec.group, call, &context, deliveries).await;
        Ok(answers.into_iter().map(|handled| Delivered::of(handled, &options)).collect())
    }

    async fn recorder(&self) -> Result<&Recorder, StartError> {
        let failed = |error| {
            let text = format!("the template of the test has no broker: {error}");
            StartError::of(vec![Mistake::new(MistakeKind::Connect, text)])
        };
        self.recorder.get_or_try_init(Recorder::start).await.map_err(failed)
    }

    /// Reads the options of the attribute, whose placeholders have their defaults, and checks the needs.
    fn options(&self) -> Result<HandlerOptions, StartError> {
        let (sources, mut mistakes) = (Sources::default(), Vec::new());
        let Listener { spec, needs, .. } = &self.listener;
        check_attribute(spec, &sources, &mut mistakes);
        check_needs(&spec.described(), needs, &self.states, self.wants_template, &mut mistakes);
        let missing = needs.configs().iter().filter(|(id, _)| !self.sections.contains(*id));
        mistakes.extend(missing.map(|(_, name)| {
            let text = format!("{} takes `Config<{name}>`: give it one by `.config(..)`", spec.described());
            Mistake::new(MistakeKind::MissingConfig, text)
        }));
        let options = HandlerOptions::read(&mut Options::new(&sources, &spec.group, &[spec], &mut mistakes));
        if mistakes.is_empty() { Ok(options) } else { Err(StartError::of(mistakes)) }
    }
}

/// The result of one delivery.
///
/// ```
/// use rocketmq_starter::testing::TestListener;
/// use rocketmq_starter::{Json, Listener, Message, Outcome};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), rocketmq_starter::StartError> {
/// let billing = Listener::new("orders", "billing", |Json(_id): Json<u64>| async { Outcome::Ack });
/// let delivered = TestListener::new(billing).deliver(Message::new("orders", "no number")).await?;
/// println!("{:?}: {}", delivered.outcome(), delivered.reason());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    outcome: Outcome,
    reply: Option<Bytes>,
    reason: String,
}

impl Delivered {
    /// Returns the outcome that a broker would get.
    ///
    /// ```
    /// use rocketmq_starter::testing::TestListener;
    /// use rocketmq_starter::{Json, Listener, Message, Outcome};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_starter::StartError> {
    /// let billing = Listener::new("orders", "billing", |Json(_id): Json<u64>| async { Outcome::Ack });
    /// let delivered = TestListener::new(billing).deliver(Message::new("orders", "7")).await?;
    /// assert_eq!(delivered.outcome(), Outcome::Ack);
    /// # Ok(())
    /// # }
    /// ```
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Returns the reply that the sender of a request would get.
    ///
    /// ```
    /// use rocketmq_starter::testing::TestListener;
    /// use rocketmq_starter::{Json, Listener, Message};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_starter::StartError> {
    /// let double = Listener::new("numbers", "doubling", |Json(number): Json<u64>| async move { Json(2 * number) });
    /// let delivered = TestListener::new(double).deliver(Message::new("numbers", "21")).await?;
    /// assert_eq!(delivered.reply().map(|reply| &reply[..]), Some(&b"42"[..]));
    /// # Ok(())
    /// # }
    /// ```
    pub fn reply(&self) -> Option<&Bytes> {
        self.reply.as_ref()
    }

    /// Returns the reason of the outcome, in the words of the log.
    ///
    /// ```
    /// use rocketmq_starter::testing::TestListener;
    /// use rocketmq_starter::{Json, Listener, Message, Outcome};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_starter::StartError> {
    /// let billing = Listener::new("orders", "billing", |Json(_id): Json<u64>| async { Outcome::Ack });
    /// let delivered = TestListener::new(billing).deliver(Message::new("orders", "no number")).await?;
    /// println!("{}", delivered.reason());
    /// # Ok(())
    /// # }
    /// ```
    pub fn reason(&self) -> &str {
        &self.reason
    }

    fn of(handled: Handled, options: &HandlerOptions) -> Self {
        let outcome = judge(&handled.verdict, options);
        Delivered { outcome, reason: handled.verdict.to_string(), reply: handled.reply }
    }

    fn nothing() -> Self {
        Self::of(Handled::failed("the listener gave no answer"), &HandlerOptions::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Attempt, Config, Json, State, Text};
    use crate::outcome::BoxError;
    use rocketmq_client::DelayLevel;

    #[tokio::test]
    async fn options_of_the_listener_count() {
        let listener =
            Listener::new("t", "g", |_: Json<u8>| async {}).option("on_unreadable", "${policy:skip}");
        let delivered = TestListener::new(listener.clone()).deliver(Message::new("t", "x")).await.unwrap();
        assert_eq!(delivered.outcome(), Outcome::Ack);
        let wrong = TestListener::new(listener.option("retry_delay", "11s"));
        let error = wrong.deliver(Message::new("t", "1")).await.unwrap_err();
        assert!(error.to_string().contains("`retry_delay` is \"11s\""), "{error}");
    }

    #[tokio::test]
    async fn a_missing_state_is_an_error_and_a_later_attempt_is_seen() {
        let listener = TestListener::new(Listener::new(
            "t",
            "g",
            |State(n): State<u32>, Attempt(a): Attempt| async move {
                if a > n { Outcome::DeadLetter } else { Outcome::RetryAfter(DelayLevel::S10) }
            },
        ));
        let error = listener.deliver(Message::new("t", "x")).await.unwrap_err();
        assert_eq!(error.mistakes()[0].kind(), MistakeKind::MissingState);
        assert!(error.to_string().contains("takes `State<u32>`: add `.state(..)`"), "{error}");
        assert!(listener.deliver_all([]).await.is_err(), "also without a message");
        let listener = listener.state(3_u32);
        let (second, third) = (Message::new("t", "x"), Message::new("t", "x"));
        let later = Outcome::RetryAfter(DelayLevel::S10);
        assert_eq!(listener.deliver_again(second, 2).await.unwrap().outcome(), later);
        assert_eq!(listener.deliver_again(third, 3).await.unwrap().outcome(), Outcome::DeadLetter);
        assert_eq!(listener.deliver_all([]).await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_missing_section_is_an_error() {
        let listener = Listener::new("t", "g", |Config(_): Config<u32>| async {});
        let error = TestListener::new(listener.clone()).deliver(Message::new("t", "x")).await.unwrap_err();
        assert_eq!(error.mistakes()[0].kind(), MistakeKind::MissingConfig, "{error}");
        assert!(TestListener::new(listener).config(3_u32).deliver(Message::new("t", "x")).await.is_ok());
    }

    #[tokio::test]
    async fn a_reply_is_caught() {
        let echo = TestListener::new(Listener::new("t", "g", |text: Text| async move { text }));
        assert_eq!(echo.deliver(Message::new("t", "hi")).await.unwrap().reply().unwrap(), "hi");
    }

    #[tokio::test]
    async fn sends_of_every_kind_are_recorded() {
        let listener = Listener::new("t", "g", |Text(text): Text, context: Context| async move {
            let template = context.template().ok_or("no template")?;
            template.send("a:tag", text).key("k").deliver_after(DelayLevel::H2).await?;
            template.send_oneway("b", 1).await?;
            template.send_batch("c", [1, 2]).await?;
            template.begin("d", 1).await?.rollback().await?;
            Ok::<_, BoxError>(())
        });
        let without = TestListener::new(listener.clone());
        assert!(without.deliver(Message::new("t", "x")).await.unwrap().reason().contains("no template"));
        let listener = TestListener::new(listener).template();
        assert!(listener.sent().is_empty());
        let delivered = listener.deliver(Message::new("t", "x")).await.unwrap();
        assert_eq!(delivered.outcome(), Outcome::Ack, "{delivered:?}");
        let sent = listener.sent();
        assert_eq!(sent.iter().map(Message::topic).collect::<Vec<_>>(), ["a", "b", "c", "c", "d"]);
        assert_eq!((sent[0].body().as_ref(), sent[0].properties().tags()), (b"x".as_slice(), Some("tag")));
    }
}
