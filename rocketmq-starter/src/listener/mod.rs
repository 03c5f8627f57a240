//! Listeners as values, and structs and closures as listeners.
//!
//! [`rocketmq_listener`](macro@crate::rocketmq_listener) makes a listener of a function; [`Listener::new`] of a closure, or of a
//! struct that is a [`Handler`].

mod batch;
mod call;
pub(crate) mod form;
mod handler;
pub(crate) mod options;
mod settle;
mod stream;
pub(crate) mod tuning;

pub use async_trait::async_trait;
#[doc(hidden)]
pub use batch::{Batch, batch_outcome, rejected_batch};
pub(crate) use call::Call;
pub use handler::{Handler, Handling};
#[cfg(feature = "testing")]
pub(crate) use settle::judge;
pub(crate) use settle::{Observer, Settled, Settlement};
pub use stream::Messages;

use crate::context::Context;
use crate::extract::{FromContext, FromMessage, Needs, Rejection};
use crate::layer::{Layer, Layers};
use crate::outcome::{Handled, IntoOutcome};
use futures_util::future::BoxFuture;
use rocketmq_client::Delivery;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// A function that handles messages, with its topic, group and options.
///
/// `#[rocketmq_listener]` makes one of an async function; [`Listener::new`] makes one of a closure or a [`Handler`].
///
/// ```
/// use rocketmq_starter::{App, Listener, Text, rocketmq_listener};
///
/// #[rocketmq_listener(topic = "orders", group = "billing")]
/// async fn bill(Text(_order): Text) {}
///
/// let listener: Listener = bill(); // the function has become one that makes the listener
/// assert_eq!(listener.name(), "bill");
/// let app = App::new().listener(listener);
/// # drop(app);
/// ```
#[derive(Clone)]
pub struct Listener {
    pub(crate) spec: Spec,
    pub(crate) needs: Needs,
    pub(crate) call: Call,
    pub(crate) layers: Layers,
}

impl Listener {
    /// Makes a listener for `topic` in `group`; both may hold `${placeholders}`. Its name is `group.topic`.
    ///
    /// ```
    /// use rocketmq_starter::{App, Json, Listener};
    ///
    /// let printer = Listener::new("orders", "printing", |Json(id): Json<u64>| async move { println!("{id}") })
    ///     .option("selector", "created || paid")
    ///     .option("concurrency", "4");
    /// App::new().listener(printer);
    /// ```
    #[track_caller]
    pub fn new<H: Handling<Args>, Args>(
        topic: impl Into<Cow<'static, str>>,
        group: impl Into<Cow<'static, str>>,
        handler: H,
    ) -> Listener {
        let spec = Spec::of_value(topic.into(), group.into());
        let mut needs = Needs::default();
        H::needs(&mut needs);
        let handler = Arc::new(handler);
        single(spec, needs, move |delivery, context| H::call(&handler, delivery, context))
    }

    /// Makes a listener of a function that takes its messages one after the other, as a loop. The function starts with the
    /// first message, and again with the next one after it has ended. A shutdown lets it come to its end: up to
    /// `await-termination`. Its `concurrency` is 1 unless [`option`](Self::option) or the configuration says another: further
    /// messages wait for it. [`Messages`] shows a use.
    #[track_caller]
    pub fn stream<T, F, Fut>(
        topic: impl Into<Cow<'static, str>>,
        group: impl Into<Cow<'static, str>>,
        function: F,
    ) -> Listener
    where
        T: FromMessage,
        F: Fn(Messages<T>, Context) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoOutcome> + Send + 'static,
    {
        let spec = Spec::of_value(topic.into(), group.into());
        let mut needs = Needs::default();
        T::needs(&mut needs);
        let call = Call::Single(Arc::new(stream::Streaming::new(function)));
        Listener { spec, needs, call, layers: Layers::default() }.option("concurrency", "1")
    }

    /// Sets an option of `#[rocketmq_listener]`, by its name there or in the configuration. The value is a text, also for
    /// numbers, and may hold `${placeholders}`. [`App::start`](crate::App::start) reports unknown options and wrong values.
    ///
    /// ```
    /// use rocketmq_starter::{Listener, Text};
    ///
    /// let slow = Listener::new("orders", "archive", |Text(_): Text| async {})
    ///     .option("max_reconsume_times", "3")
    ///     .option("consume_timeout", "${archive.timeout:30s}");
    /// # drop(slow);
    /// ```
    #[must_use]
    pub fn option(mut self, key: &str, value: impl Into<Cow<'static, str>>) -> Self {
        let key = key.replace('_', "-");
        self.spec.options.retain(|(known, _)| *known != key);
        self.spec.options.push((key.into(), value.into()));
        self
    }

    /// Puts a layer around its handler, inside those that were added before and those of the application;
    /// [`layer`](crate::layer) tells about layers.
    ///
    /// ```
    /// use rocketmq_starter::layer::OneAtATime;
    /// use rocketmq_starter::{App, Text, rocketmq_listener};
    ///
    /// #[rocketmq_listener(topic = "orders", group = "billing")]
    /// async fn bill(Text(_order): Text) {}
    ///
    /// let app = App::new().listener(bill().layer(OneAtATime::by_key()));
    /// # drop(app);
    /// ```
    #[must_use]
    pub fn layer(self, layer: impl Layer) -> Self {
        self.layer_of(Arc::new(layer))
    }

    pub(crate) fn layer_of(self, layer: Arc<dyn Layer>) -> Self {
        Listener { layers: self.layers.with(layer), ..self }
    }

    /// Returns its name in logs and health.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    pub(crate) fn is_batch(&self) -> bool {
        matches!(self.call, Call::Batch(_))
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("spec", &self.spec)
            .field("needs", &self.needs)
            .finish_non_exhaustive()
    }
}

/// The argument of [`App::listener`](crate::App::listener): a function with the attribute, or a [`Listener`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a listener",
    label = "not a listener",
    note = "annotate the function with `#[rocketmq_listener(topic = \"..\", group = \"..\")]`, and pass it by its own name: `bill`, not `bill::call`",
    note = "a closure, or a function without the attribute, becomes a listener by `App::listen(\"topic\", \"group\", function)`, and so does a struct that implements `Handler`"
)]
pub trait IntoListener<Form> {
    /// Makes the listener.
    fn into_listener(self) -> Listener;
}

/// A function with the attribute.
#[diagnostic::do_not_recommend]
impl<F: FnOnce() -> Listener> IntoListener<form::Annotated> for F {
    fn into_listener(self) -> Listener {
        self()
    }
}

impl IntoListener<form::Made> for Listener {
    fn into_listener(self) -> Listener {
        self
    }
}

/// No type has this form. With a single form the compiler would complain of a function's arguments instead of telling the
/// remedy.
#[diagnostic::do_not_recommend]
impl<F: form::Nobody> IntoListener<form::None> for F {
    fn into_listener(self) -> Listener {
        self.never()
    }
}

/// The settings of the attribute, placeholders unresolved.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    pub(crate) name: Cow<'static, str>,
    pub(crate) place: Cow<'static, str>,
    pub(crate) topic: Cow<'static, str>,
    pub(crate) group: Cow<'static, str>,
    pub(crate) options: Vec<(Cow<'static, str>, Cow<'static, str>)>,
}

impl Spec {
    /// Makes the settings that the attribute holds.
    pub fn new(
        name: &'static str,
        place: &'static str,
        topic: &'static str,
        group: &'static str,
        options: &'static [(&'static str, &'static str)],
    ) -> Self {
        Spec {
            name: name.into(),
            place: place.into(),
            topic: topic.into(),
            group: group.into(),
            options: options.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
        }
    }

    /// Makes the settings of a listener that is a value. The place is that of the caller.
    #[track_caller]
    fn of_value(topic: Cow<'static, str>, group: Cow<'static, str>) -> Self {
        let place = std::panic::Location::caller();
        Spec {
            name: format!("{group}.{topic}").into(),
            place: format!("{}:{}", place.file(), place.line()).into(),
            topic,
            group,
            options: Vec::new(),
        }
    }

    /// Describes the listener and its place, for messages.
    pub(crate) fn described(&self) -> String {
        format!("the listener `{}` ({})", self.name, self.place)
    }
}

/// Returns the function that makes the argument `T`. Only this function states its bound.
#[doc(hidden)]
pub fn argument<T: FromMessage>(needs: &mut Needs) -> fn(&Delivery, &Context) -> Result<T, Rejection> {
    T::needs(needs);
    T::from_message
}

/// Returns the function that makes the argument `T`, shared by a batch.
#[doc(hidden)]
pub fn shared<T: FromContext>(needs: &mut Needs) -> fn(&Context) -> Result<T, Rejection> {
    T::needs(needs);
    T::from_context
}

/// Makes a listener that is called once for each message. Only this function states the bounds of its future.
#[doc(hidden)]
pub fn single<Fut, R>(
    spec: Spec,
    needs: Needs,
    call: impl Fn(&Delivery, &Context) -> Result<Fut, Rejection> + Send + Sync + 'static,
) -> Listener
where
    Fut: Future<Output = R> + Send + 'static,
    R: IntoOutcome,
{
    Listener { spec, needs, call: Call::Single(Arc::new(call)), layers: Layers::default() }
}

/// Makes a listener that is called once for many messages.
#[doc(hidden)]
pub fn batch(
    spec: Spec,
    needs: Needs,
    call: impl Fn(Batch, &Context) -> BoxFuture<'static, Vec<Handled>> + Send + Sync + 'static,
) -> Listener {
    Listener { spec, needs, call: Call::Batch(Arc::new(call)), layers: Layers::default() }
}
