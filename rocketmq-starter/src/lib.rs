//! Annotate a handler, write `application.toml`, run.
#![warn(missing_docs)]

mod app;
mod checker;
mod config;
mod context;
mod dispatch;
mod error;
mod extract;
mod health;
mod listener;
mod outcome;
mod placeholder;
mod replier;
mod template;
#[cfg(feature = "testing")]
pub mod testing;

#[doc(hidden)]
pub mod __private;

pub use app::{App, RunningApp};
pub use checker::{IntoTransactionChecker, IntoTransactionState, TransactionChecker};
pub use config::{
    Access, ConsumerProperties, EmbeddedProperties, ProducerProperties, PullConsumerProperties,
    RocketmqProperties, Secret,
};
pub use context::Context;
pub use error::{Mistake, MistakeKind, StartError};
pub use extract::{
    Attempt, FromContext, FromMessage, Json, Keys, Needs, Properties, Raw, Rejection, State, Tag, Text,
};
pub use health::{Health, ListenerHealth};
pub use listener::{Handler, IntoListener, Listener};
pub use outcome::{BoxError, Handled, IntoOutcome, IntoOutcomes};
pub use rocketmq_client::{
    DelayLevel, Delivery, Message, Outcome, Receipt, SendError, Transaction, TransactionState,
};
/// Turns an async function into a listener.
pub use rocketmq_macros::rocketmq_listener;
/// Turns an async function into a transaction listener.
pub use rocketmq_macros::rocketmq_transaction_listener;
pub use template::{Half, Oneway, Payload, Prepared, ReplyError, Request, RocketmqTemplate, Stored};

/// The README's listings, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
