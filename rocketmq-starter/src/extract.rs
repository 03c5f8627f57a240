//! The arguments of listeners, and arguments of your own.

use crate::context::Context;
use bytes::Bytes;
use rocketmq_client::Delivery;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer as _};
use std::any::{TypeId, type_name};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// An argument of a listener, made from a message.
///
/// Implement it for types of your own. [`needs`](FromMessage::needs) declares the states that the application must have, so that
/// the start reports a missing one, and not the first message.
///
/// ```
/// use rocketmq_starter::extract::Rejection;
/// use rocketmq_starter::{Context, Delivery, FromMessage, rocketmq_listener};
///
/// struct Region(String);
///
/// impl FromMessage for Region {
///     fn from_message(delivery: &Delivery, _: &Context) -> Result<Self, Rejection> {
///         let region = delivery.property("region").ok_or(Rejection::unreadable("no region"))?;
///         Ok(Region(region.to_owned()))
///     }
/// }
///
/// #[rocketmq_listener(topic = "orders", group = "regions")]
/// async fn count(Region(region): Region) {
///     println!("an order from {region}");
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be extracted from a message",
    label = "a listener cannot take this",
    note = "take `Json<T>`, `Text`, `Raw`, `Delivery`, `State<T>`, `Config<T>`, `Tag`, `Keys`, `Properties`, `Attempt` or `RocketmqTemplate`"
)]
pub trait FromMessage: Sized + Send + 'static {
    /// Declares what the application must provide.
    fn needs(_needs: &mut Needs) {}

    /// Makes the value.
    ///
    /// # Errors
    /// A [`Rejection`] keeps the message from its handler; its kind decides the fate of the message.
    fn from_message(delivery: &Delivery, context: &Context) -> Result<Self, Rejection>;
}

/// An argument of a batch listener that belongs to no single message.
///
/// ```
/// use rocketmq_starter::extract::{FromContext, Needs, Rejection};
/// use rocketmq_starter::{Context, Json, rocketmq_listener};
///
/// #[derive(Clone)]
/// struct Database;
///
/// impl FromContext for Database {
///     fn needs(needs: &mut Needs) {
///         needs.state::<Database>(); // the start fails without `App::state(Database)`
///     }
///
///     fn from_context(context: &Context) -> Result<Self, Rejection> {
///         context.state().ok_or(Rejection::not_now("no database"))
///     }
/// }
///
/// #[rocketmq_listener(topic = "rows", group = "writer", batch = 100)]
/// async fn write(rows: Vec<Json<u64>>, _database: Database) {
///     println!("{} rows", rows.len());
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be shared by a batch of messages",
    label = "a batch listener cannot take this",
    note = "take one for each message, as in `Vec<{Self}>`; shared by a batch are `State<T>`, `Config<T>` and `RocketmqTemplate`"
)]
pub trait FromContext: Sized + Send + 'static {
    /// Declares what the application must provide.
    fn needs(_needs: &mut Needs) {}

    /// Makes the value.
    ///
    /// # Errors
    /// A [`Rejection`] keeps the whole batch from its handler.
    fn from_context(context: &Context) -> Result<Self, Rejection>;
}

/// The states and the template that listeners need. The start of the application checks them. [`FromContext`] shows a use.
#[derive(Debug, Default, Clone)]
pub struct Needs {
    states: Vec<(TypeId, &'static str)>,
    configs: Vec<(TypeId, &'static str)>,
    template: bool,
}

impl Needs {
    /// Requires a state of this type, given to [`App::state`](crate::App::state).
    ///
    /// ```
    /// use rocketmq_starter::Context;
    /// use rocketmq_starter::extract::{FromContext, Needs, Rejection};
    ///
    /// struct Shop(u32);
    ///
    /// impl FromContext for Shop {
    ///     fn needs(needs: &mut Needs) {
    ///         needs.state::<u32>();
    ///     }
    ///
    ///     fn from_context(context: &Context) -> Result<Self, Rejection> {
    ///         context.state().map(Shop).ok_or(Rejection::not_now("no number of the shop"))
    ///     }
    /// }
    /// ```
    pub fn state<T: 'static>(&mut self) {
        self.states.push((TypeId::of::<T>(), type_name::<T>()));
    }

    /// Requires a section of this type, given to [`App::config`](crate::App::config).
    ///
    /// ```
    /// use rocketmq_starter::Context;
    /// use rocketmq_starter::extract::{Config, FromContext, Needs, Rejection};
    ///
    /// struct Shop(u32);
    ///
    /// impl FromContext for Shop {
    ///     fn needs(needs: &mut Needs) {
    ///         needs.config::<u32>();
    ///     }
    ///
    ///     fn from_context(context: &Context) -> Result<Self, Rejection> {
    ///         let Config(number) = Config::<u32>::from_context(context)?;
    ///         Ok(Shop(*number))
    ///     }
    /// }
    /// ```
    pub fn config<T: 'static>(&mut self) {
        self.configs.push((TypeId::of::<T>(), type_name::<T>()));
    }

    /// Requires `rocketmq.producer.group`.
    ///
    /// ```
    /// use rocketmq_starter::Context;
    /// use rocketmq_starter::extract::{FromContext, Needs, Rejection};
    ///
    /// struct Shop(u32);
    ///
    /// impl FromContext for Shop {
    ///     fn needs(needs: &mut Needs) {
    ///         needs.template();
    ///     }
    ///
    ///     fn from_context(context: &Context) -> Result<Self, Rejection> {
    ///         context.template().map(|_| Shop(1)).ok_or(Rejection::not_now("no template"))
    ///     }
    /// }
    /// ```
    pub fn template(&mut self) {
        self.template = true;
    }

    pub(crate) fn states(&self) -> &[(TypeId, &'static str)] {
        &self.states
    }

    pub(crate) fn configs(&self) -> &[(TypeId, &'static str)] {
        &self.configs
    }

    pub(crate) fn needs_template(&self) -> bool {
        self.template
    }
}

/// Tells why a message did not reach its handler. [`FromMessage`] shows a use.
#[derive(Debug)]
pub struct Rejection {
    unreadable: bool,
    message: String,
}

impl Rejection {
    /// Rejects a message that can never be read as the type that the handler takes. The listener's `on_unreadable` decides
    /// its fate; by default it goes to the dead letter queue.
    ///
    /// ```
    /// use rocketmq_starter::extract::Rejection;
    ///
    /// assert_eq!(Rejection::unreadable("no digits").to_string(), "no digits");
    /// ```
    pub fn unreadable(why: impl fmt::Display) -> Self {
        Rejection { unreadable: true, message: why.to_string() }
    }

    /// Rejects a message that cannot be handled now. It is delivered again later.
    ///
    /// ```
    /// use rocketmq_starter::extract::Rejection;
    ///
    /// assert_eq!(Rejection::not_now("no database").to_string(), "no database");
    /// ```
    pub fn not_now(why: impl fmt::Display) -> Self {
        Rejection { unreadable: false, message: why.to_string() }
    }

    pub(crate) fn is_unreadable(&self) -> bool {
        self.unreadable
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Rejection {}

/// The body, read as JSON. As a return value: a reply in JSON.
///
/// `Json<String>` reads plain text too, which is what templates send for a `String`. A text that is a JSON string itself, with
/// its quotes, loses them: take [`Text`] for the body as it is.
///
/// ```
/// use rocketmq_starter::{Json, rocketmq_listener};
///
/// /// Answers each question.
/// #[rocketmq_listener(topic = "questions", group = "answers")]
/// async fn answer(Json(question): Json<i64>) -> Json<i64> {
///     Json(question * 2)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + Send + 'static> FromMessage for Json<T> {
    fn from_message(delivery: &Delivery, _: &Context) -> Result<Self, Rejection> {
        let read = serde_json::from_slice(delivery.body()).or_else(|error| plain(delivery).ok_or(error));
        read.map(Json).map_err(|error| {
            Rejection::unreadable(format_args!("the body is not a `{}` in JSON: {error}", type_name::<T>()))
        })
    }
}

/// Reads the body as plain text, if `T` is a text.
fn plain<T: DeserializeOwned>(delivery: &Delivery) -> Option<T> {
    let text = std::str::from_utf8(delivery.body()).ok().filter(|_| is_text::<T>())?;
    let text: StrDeserializer<'_, serde::de::value::Error> = text.into_deserializer();
    T::deserialize(text).ok()
}

/// Returns true for the types that are a text and nothing else. Others that serialise to one, such as an enum, travel as
/// JSON, as in Spring.
pub(crate) fn is_text<T>() -> bool {
    let text = [
        typeid::of::<String>(),
        typeid::of::<&String>(),
        typeid::of::<&str>(),
        typeid::of::<&&str>(),
        typeid::of::<Box<str>>(),
        typeid::of::<Cow<'_, str>>(),
    ];
    text.contains(&typeid::of::<T>())
}

/// The body, read as UTF-8. As a return value: a reply in text. As a payload: sent as it is.
///
/// ```
/// use rocketmq_starter::{Text, rocketmq_listener};
///
/// #[rocketmq_listener(topic = "lines", group = "printer")]
/// async fn print(Text(line): Text) {
///     println!("{line}");
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text(pub String);

impl FromMessage for Text {
    fn from_message(delivery: &Delivery, _: &Context) -> Result<Self, Rejection> {
        let text = std::str::from_utf8(delivery.body());
        text.map(|text| Text(text.to_owned()))
            .map_err(|error| Rejection::unreadable(format_args!("the body is not UTF-8: {error}")))
    }
}

/// The body as it is. As a return value: a reply of bytes. As a payload: sent as it is.
///
/// ```
/// use rocketmq_starter::{Raw, rocketmq_listener};
///
/// #[rocketmq_listener(topic = "images", group = "thumbnails")]
/// async fn shrink(Raw(image): Raw) {
///     println!("{} bytes", image.len());
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Raw(pub Bytes);

impl FromMessage for Raw {
    fn from_message(delivery: &Delivery, _: &Context) -> Result<Self, Rejection> {
        Ok(Raw(delivery.body().clone()))
    }
}

impl FromMessage for Bytes {
    fn from_message(delivery: &Delivery, _: &Context) -> Result<Self, Rejection> {
        Ok(delivery.body().clone())
    }
}

impl FromMessage for Delivery {
    fn from_message(delivery: &Delivery, _: &Context) -> Result<Self, Rejection> {
        Ok(delivery.clone())
    }
}

/// The tag of the message, if it has one.
///
/// ```
/// use rocketmq_starter::{Tag, rocketmq_listener};
///
/// #[rocketmq_listener(topic = "orders", group = "tags")]
/// async fn count(Tag(tag): Tag) {
///     println!("{}", tag.as_deref().unwrap_or("no tag"));
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tag(pub Option<String>);

impl FromMessage for Tag {
    fn from_message(delivery: &Delivery, _: &Context) -> Result<Self, Rejection> {
        Ok(Tag(delivery.tag().map(str::to_owned)))
    }
}

/// The keys by which the message can be found; empty when it has none.
///
/// ```
/// use rocketmq_starter::{Keys, rocketmq_listener};
///
/// #[rocketmq_listener(topic = "orders", group = "keys")]
/// async fn list(Keys(keys): Keys) {
///     println!("{}", keys.join(", "));
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys(pub Vec<String>);

impl FromMessage for Keys {
    fn from_message(delivery: &Delivery, _: &Context) -> Result<Self, Rejection> {
        Ok(Keys(delivery.keys().map(str::to_owned).collect()))
    }
}

/// All properties of the message, those of RocketMQ included.
///
/// ```
/// use rocketmq_starter::{Properties, rocketmq_listener};
///
/// #[rocketmq_listener(topic = "orders", group = "regions")]
/// async fn count(Properties(properties): Properties) {
///     println!("{:?}", properties.get("region"));
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Properties(pub BTreeMap<String, String>);

impl FromMessage for Properties {
    fn from_message(delivery: &Delivery, _: &Context) -> Result<Self, Rejection> {
        let pairs = delivery.properties().iter();
        Ok(Properties(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
    }
}

/// The number of this try: 1 for the first delivery.
///
/// ```
/// use rocketmq_starter::{Attempt, Outcome, Text, rocketmq_listener};
///
/// #[rocketmq_listener(topic = "orders", group = "billing")]
/// async fn bill(Text(order): Text, Attempt(attempt): Attempt) -> Outcome {
///     if order.is_empty() && attempt > 3 { Outcome::DeadLetter } else { Outcome::Retry }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt(pub u32);

impl FromMessage for Attempt {
    fn from_message(delivery: &Delivery, _: &Context) -> Result<Self, Rejection> {
        Ok(Attempt(delivery.reconsume_times().saturating_add(1)))
    }
}

/// A value of [`App::state`](crate::App::state). It is cloned for each message: put large values into an `Arc`.
///
/// ```
/// use rocketmq_starter::{App, State, Text, rocketmq_listener};
///
/// #[rocketmq_listener(topic = "orders", group = "billing")]
/// async fn bill(Text(order): Text, State(currency): State<&'static str>) {
///     println!("{order} in {currency}");
/// }
///
/// let app = App::new().state("EUR").listener(bill);
/// # drop(app);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct State<T>(pub T);

impl<T: Clone + Send + Sync + 'static> FromContext for State<T> {
    fn needs(needs: &mut Needs) {
        needs.state::<T>();
    }

    fn from_context(context: &Context) -> Result<Self, Rejection> {
        let missing = || Rejection::not_now(format_args!("no state of type `{}`", type_name::<T>()));
        context.state::<T>().map(State).ok_or_else(missing)
    }
}

impl<T: Clone + Send + Sync + 'static> FromMessage for State<T> {
    fn needs(needs: &mut Needs) {
        <Self as FromContext>::needs(needs);
    }

    fn from_message(_: &Delivery, context: &Context) -> Result<Self, Rejection> {
        Self::from_context(context)
    }
}

/// A section of your own, read by [`App::config`](crate::App::config). All messages share it.
///
/// ```
/// use rocketmq_starter::extract::Config;
/// use rocketmq_starter::{App, Outcome, Json, rocketmq_listener};
///
/// /// `[orders]` of `application.toml`.
/// #[derive(serde::Deserialize)]
/// struct Orders {
///     max_items: usize,
/// }
///
/// #[rocketmq_listener(topic = "orders", group = "billing")]
/// async fn bill(Json(items): Json<Vec<u64>>, Config(orders): Config<Orders>) -> Outcome {
///     if items.len() > orders.max_items { Outcome::DeadLetter } else { Outcome::Ack }
/// }
///
/// let app = App::new().config::<Orders>("orders").listener(bill);
/// # drop(app);
/// ```
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Config<T>(pub Arc<T>);

impl<T> Clone for Config<T> {
    fn clone(&self) -> Self {
        Config(Arc::clone(&self.0))
    }
}

#[diagnostic::do_not_recommend]
impl<T: Send + Sync + 'static> FromContext for Config<T> {
    fn needs(needs: &mut Needs) {
        needs.config::<T>();
    }

    fn from_context(context: &Context) -> Result<Self, Rejection> {
        let missing = || Rejection::not_now(format_args!("no section of type `{}`", type_name::<T>()));
        context.section::<T>().map(Config).ok_or_else(missing)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Send + Sync + 'static> FromMessage for Config<T> {
    fn needs(needs: &mut Needs) {
        <Self as FromContext>::needs(needs);
    }

    fn from_message(_: &Delivery, context: &Context) -> Result<Self, Rejection> {
        Self::from_context(context)
    }
}

/// Makes several values of one message.
macro_rules! tuples {
    ($($value:ident)*) => {
        #[diagnostic::do_not_recommend]
        impl<$($value: FromMessage,)*> FromMessage for ($($value,)*) {
            fn needs(needs: &mut Needs) {
                $($value::needs(needs);)*
            }

            fn from_message(delivery: &Delivery, context: &Context) -> Result<Self, Rejection> {
                Ok(($($value::from_message(delivery, context)?,)*))
            }
        }
    };
}

tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);

/// Gives the listener the reason why an argument could not be made.
impl<T: FromMessage> FromMessage for Result<T, Rejection> {
    fn needs(needs: &mut Needs) {
        T::needs(needs);
    }

    fn from_message(delivery: &Delivery, context: &Context) -> Result<Self, Rejection> {
        Ok(T::from_message(delivery, context))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rocketmq_client::Message;

    fn extract<T: FromMessage>(message: Message, tries: u32) -> Result<T, Rejection> {
        T::from_message(&Delivery::sample(message, tries), &Context::default())
    }

    #[test]
    fn a_body_is_read_as_asked() {
        let message = || Message::new("t", r#"{"id":7}"#);
        let Json(value) = extract::<Json<serde_json::Value>>(message(), 0).unwrap();
        assert_eq!(value["id"], 7);
        assert_eq!(extract::<Text>(message(), 0).unwrap().0, r#"{"id":7}"#);
        assert_eq!(extract::<Raw>(message(), 0).unwrap().0, extract::<Bytes>(message(), 0).unwrap());
    }

    #[test]
    fn an_unreadable_body_says_what_was_expected() {
        let rejection = extract::<Json<u32>>(Message::new("t", "soon"), 0).unwrap_err();
        assert!(rejection.is_unreadable());
        assert!(rejection.to_string().contains("`u32` in JSON"), "{rejection}");
        let rejection = extract::<Text>(Message::new("t", vec![0xff]), 0).unwrap_err();
        assert!(rejection.to_string().contains("UTF-8"), "{rejection}");
        let seen = extract::<Result<Json<u32>, Rejection>>(Message::new("t", "soon"), 0).unwrap();
        assert!(seen.is_err());
    }

    #[test]
    fn a_text_is_read_from_plain_text_and_from_json() {
        let read = |body: &str| extract::<Json<String>>(Message::new("t", body.to_owned()), 0).unwrap().0;
        for (body, text) in
            [("x", "x"), ("\"x\"", "x"), ("42", "42"), ("null", "null"), ("\"a\" b", "\"a\" b")]
        {
            assert_eq!(read(body), text);
            assert_eq!(extract::<Text>(Message::new("t", body.to_owned()), 0).unwrap().0, body);
        }
        assert_eq!(extract::<Json<Box<str>>>(Message::new("t", "x"), 0).unwrap().0, "x".into());
        assert!(extract::<Json<char>>(Message::new("t", "x"), 0).is_err());
        assert!(extract::<Json<String>>(Message::new("t", vec![0xff]), 0).is_err());
    }

    #[test]
    fn what_goes_with_the_body_is_there_too() {
        let message =
            || Message::new("t", "b").tag("created").key("k1").key("k2").property("region", "north");
        assert_eq!(extract::<Tag>(message(), 0).unwrap().0.as_deref(), Some("created"));
        assert_eq!(extract::<Keys>(message(), 0).unwrap().0, ["k1", "k2"]);
        assert_eq!(extract::<Properties>(message(), 0).unwrap().0["region"], "north");
        assert_eq!(extract::<Attempt>(message(), 2).unwrap().0, 3);
    }

    #[test]
    fn a_state_is_needed_before_it_is_taken() {
        let mut needs = Needs::default();
        <State<u8> as FromMessage>::needs(&mut needs);
        assert_eq!(needs.states(), [(TypeId::of::<u8>(), "u8")]);
        assert!(extract::<State<u8>>(Message::new("t", "b"), 0).is_err());
    }
}
