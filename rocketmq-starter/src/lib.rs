//! Annotate a handler, write `application.toml`, run: RocketMQ applications in Rust.
//!
//! ```no_run
//! use rocketmq_starter::{App, BoxError, Json, RocketmqTemplate, SendError, StartError, State, rocketmq_listener};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Order {
//!     id: u64,
//! }
//!
//! #[rocketmq_listener(topic = "orders", group = "billing", selector = "created || paid")]
//! async fn bill(Json(order): Json<Order>, State(currency): State<&'static str>) -> Result<(), BoxError> {
//!     println!("billing order {} in {currency}", order.id);
//!     Ok(()) // an error: delivered again later
//! }
//!
//! async fn place_order(template: &RocketmqTemplate, order: &Order) -> Result<(), SendError> {
//!     template.send("orders:created", order).key(order.id).await?;
//!     Ok(())
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), StartError> {
//!     tracing_subscriber::fmt().init(); // prints what goes wrong: a failed handler, a broker that is gone
//!     App::new().state("EUR").listener(bill).run().await // until SIGTERM or Ctrl-C, then finishes what is in flight
//! }
//! ```
//!
//! ```toml
//! # application.toml: Spring's keys; a bare number is milliseconds
//! [rocketmq]
//! name-server = "${NAMESRV_ADDR:127.0.0.1:9876}"
//!
//! [rocketmq.producer]
//! group = "order-service"
//!
//! [rocketmq.consumer.groups.billing]
//! concurrency = 32
//! ```
//!
//! - Listeners: [`macro@rocketmq_listener`], [`macro@rocketmq_transaction_listener`], [`Listener::new`] for closures.
//! - Sending: [`RocketmqTemplate`].
//! - The life of an application: [`App`], [`RunningApp`], [`Health`].
//! - All that is wrong with a configuration at once: [`StartError`].
//!
//! # Features
//!
//! - `embedded`: a broker inside the application when no name server is configured; for development and tests.
//! - `testing`: `testing::TestListener` calls listeners without any broker.
//! - `tls`: encrypted connections, for `[rocketmq.tls]` and `tls-enable`; needs a C compiler.
#![warn(missing_docs)]

mod app;
mod checker;
mod config;
mod context;
mod dispatch;
mod error;
mod extract;
pub mod health;
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
    Access, ClientProperties, ConsumerProperties, EmbeddedProperties, MsgTrace, ProducerProperties,
    ProducerTuning, PullConsumerProperties, RocketmqProperties, Secret, TlsProperties,
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
    Client, DelayLevel, Delivery, Interceptor, Message, Outcome, Receipt, SendError, Transaction,
    TransactionState,
};
#[doc = include_str!("docs/listener.md")]
pub use rocketmq_macros::rocketmq_listener;
#[doc = include_str!("docs/transaction_listener.md")]
pub use rocketmq_macros::rocketmq_transaction_listener;
pub use template::{Half, Oneway, Payload, Prepared, Reply, ReplyError, Request, RocketmqTemplate, Stored};

/// The README's listings, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
