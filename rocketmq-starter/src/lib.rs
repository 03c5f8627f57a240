//! Annotate a handler, write `application.toml`, run: RocketMQ applications in Rust, in the manner of `rocketmq-spring`.
//!
//! # Five minutes to a sent and a handled message
//!
//! **1.** `cargo new shop`, and in its `Cargo.toml`:
//!
//! ```toml
//! [dependencies]
//! rocketmq-starter = { version = "0.1", features = ["embedded"] } # a broker inside the program, for the first steps
//! serde = { version = "1", features = ["derive"] }
//! tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
//! tracing-subscriber = "0.3"
//! ```
//!
//! **2.** `application.toml` beside it has Spring's keys. A bare number means milliseconds.
//!
//! ```toml
//! [rocketmq]
//! name-server = "embedded" # or "127.0.0.1:9876"
//!
//! [rocketmq.producer]
//! group = "order-service"
//!
//! [rocketmq.consumer.groups.billing] # overrides the attribute
//! concurrency = 32
//! ```
//!
//! **3.** `src/main.rs`:
//!
//! ```no_run
//! use rocketmq_starter::{App, BoxError, Json, RunError, rocketmq_listener};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Order {
//!     id: u64,
//! }
//!
//! // @RocketMQMessageListener(topic = "orders", consumerGroup = "billing", selectorExpression = "created || paid")
//! #[rocketmq_listener(topic = "orders", group = "billing", selector = "created || paid", from = "first")]
//! async fn bill(Json(order): Json<Order>) -> Result<(), BoxError> {
//!     println!("billing order {}", order.id);
//!     Ok(()) // after an error the broker delivers the message again later
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), RunError> {
//!     tracing_subscriber::fmt().init(); // prints failures: of a handler, of a broker
//!     App::new()
//!         .listener(bill)
//!         .on_ready(|context| async move {
//!             let template = context.template().ok_or("set `rocketmq.producer.group`")?;
//!             template.send("orders:created", Order { id: 7 }).key(7).await?; // rocketMQTemplate.convertAndSend
//!             Ok::<_, BoxError>(())
//!         })
//!         .run() // until SIGTERM or Ctrl-C, then it finishes the messages in flight
//!         .await
//! }
//! ```
//!
//! **4.** `cargo run` prints `billing order 7`. Ctrl-C ends it.
//!
//! # From Spring
//!
//! | in Spring | here |
//! |---|---|
//! | `@RocketMQMessageListener` on a class | [`#[rocketmq_listener]`](macro@rocketmq_listener) on an async function |
//! | `onMessage(Order order)` | arguments: [`Json`], [`Text`], [`Raw`], [`Delivery`], [`Tag`], [`Keys`], [`Properties`], [`Attempt`] |
//! | `RocketMQReplyListener` | a returned [`Json`], [`Text`] or [`Raw`] |
//! | `@Autowired` beans | [`State`], given to [`App::state`]; [`RocketmqTemplate`] and [`Context`] as arguments |
//! | `@ConfigurationProperties` | [`App::config`], and [`extract::Config`] as an argument |
//! | a listener class with fields | a struct that is a [`listener::Handler`], given to [`App::listen`] |
//! | `RocketMQTemplate` | [`RocketmqTemplate`]: `send`, `send_oneway`, `request`, `send_batch`, `begin`, `receive` |
//! | `syncSendOrderly(.., hashKey)` | `.send(..).ordered_by(key)` |
//! | `syncSendDelayTimeSeconds` | `.send(..).delay(duration)` |
//! | `@RocketMQTransactionListener` | [`#[rocketmq_transaction_listener]`](macro@rocketmq_transaction_listener) |
//! | `@ExtRocketMQTemplateConfiguration` | `[rocketmq.producers.<name>]` and [`Context::named_template`] |
//! | `@ExtRocketMQConsumerConfiguration` | `[rocketmq.pull-consumers.<name>]` and [`Context::receiver`] |
//! | a second name server | `[rocketmq.clusters.<name>]`, and `cluster = "<name>"` where it is used |
//! | `application.yml`, profiles | `application.toml`, [`App::profile`], `ROCKETMQ_*` variables, `${key:default}` |
//! | `SmartLifecycle`, `@PostConstruct` | [`App::on_start`], [`App::on_ready`], [`App::on_stop`] |
//! | health indicator | [`Context::health`] and the module [`health`] |
//!
//! # The parts
//!
//! - [`App`] and [`RunningApp`] start and end an application. The start reports all mistakes together, each with its
//!   `file:line`: [`StartError`].
//! - [`extract`] holds the arguments of listeners, [`outcome`] their return values, [`listener`] listeners as values.
//! - [`layer`] holds layers around handlers and sends: de-duplication, rate limits, one message at a time for each key.
//! - [`template`] holds the options of a message; [`transaction`] the listeners of half messages.
//! - [`config`] holds the values of the configuration.
//!
//! # Features
//!
//! - `dev-page`: a page on loopback that shows what the embedded broker has, while it runs: messages, tries, dead letters.
//! - `embedded`: a broker inside the application, for `name-server = "embedded"`, development and tests.
//! - `testing`: the test kit. `testing::Cluster` is a broker for one test, whose time the test moves; assertions wait for what must
//!   happen. `testing::TestListener` calls listeners without any broker.
//! - `tls`: encrypted connections, for `[rocketmq.tls]` and `tls-enable`; it needs a C compiler.
//! - `management`: a page with health, metrics and listeners, for `[rocketmq.management]`.
//! - `metrics`: counters, gauges and histograms through the facade `metrics`.
//! - `opentelemetry`: traces that continue from the sender of a message to its listener.
#![warn(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod app;
pub mod config;
mod context;
#[cfg(feature = "dev-page")]
mod dev;
mod dispatch;
pub mod error;
pub mod extract;
pub mod health;
pub mod layer;
pub mod listener;
#[cfg(feature = "management")]
mod management;
pub mod outcome;
mod placeholder;
mod replier;
pub mod template;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transaction;
#[cfg(any(feature = "management", feature = "dev-page"))]
mod web;

#[doc(hidden)]
pub mod __private;

pub use app::{App, RunningApp};
pub use context::Context;
pub use error::{RunError, StartError};
pub use extract::{Attempt, FromMessage, Json, Keys, Properties, Raw, State, Tag, Text};
pub use listener::Listener;
pub use outcome::BoxError;
pub use rocketmq_client::{
    Client, DelayLevel, Delivery, Interceptor, Message, Outcome, Receipt, SendError, Transaction,
    TransactionState,
};
#[doc = include_str!("docs/listener.md")]
pub use rocketmq_macros::rocketmq_listener;
#[doc = include_str!("docs/transaction_listener.md")]
pub use rocketmq_macros::rocketmq_transaction_listener;
pub use template::RocketmqTemplate;

/// The README's listings, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// The listings of the guide to tests, compiled.
#[cfg(all(doctest, feature = "testing"))]
#[doc = include_str!("../../docs/testing.md")]
struct Testing;
