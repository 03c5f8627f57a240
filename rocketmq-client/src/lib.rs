//! An asynchronous client for Apache RocketMQ 4.9 and 5.x.
//!
//! # The first message
//!
//! Start a name server and a broker: Apache's, or this project's on `127.0.0.1:9876` with
//! `cargo run -p rocketmq-server --bin mqbroker -- --dev`. Then run this program, which sends a message and handles it:
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use rocketmq_client::{Delivery, FromWhere, Message, Outcome};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let client = rocketmq_client::connect("127.0.0.1:9876").await?;
//!     let producer = client.producer("order-service").build().await?;
//!     let receipt = producer.send(Message::new("orders", "42").tag("created").key("order-42")).await?;
//!     println!("sent {}", receipt.message_id());
//!
//!     let running = client
//!         .push_consumer("billing")
//!         .subscribe("orders", "*")
//!         .from_where(FromWhere::FirstOffset)
//!         .listen(|delivery: Delivery| async move {
//!             println!("handled {} {:?}", delivery.message_id(), delivery.text());
//!             Ok::<_, std::convert::Infallible>(Outcome::Ack)
//!         })
//!         .await?;
//!     tokio::time::sleep(Duration::from_secs(5)).await;
//!
//!     running.shutdown().await; // stops pulling, finishes running handlers, stores offsets
//!     producer.shutdown().await;
//!     client.shutdown().await;
//!     Ok(())
//! }
//! ```
//!
//! The crate `rocketmq-starter` does the same from an annotated function and `application.toml`.
//!
//! # From Java
//!
//! | Java | here |
//! |---|---|
//! | `DefaultMQProducer.send`, `sendOneway`, a `Collection` | [`Producer::send`], [`send_oneway`](Producer::send_oneway), [`send_batch`](Producer::send_batch) |
//! | a `MessageQueueSelector` | [`ordered_by`](Sending::ordered_by), [`select_with`](Sending::select_with), [`to_queue`](Sending::to_queue) |
//! | `setDelayTimeLevel`, `setDelayTimeMs`, `setDeliverTimeMs` | [`deliver_after`](Message::deliver_after), [`delay`](Message::delay), [`deliver_at`](Message::deliver_at) |
//! | `TransactionMQProducer`, `TransactionListener` | [`Producer::begin`], [`transaction_checker`](producer::ProducerBuilder::transaction_checker) |
//! | `request`, `MessageUtil.createReplyMessage` | [`Producer::request`], [`reply`](Producer::reply) |
//! | `DefaultMQPushConsumer`, `MessageListenerConcurrently` | [`Client::push_consumer`], [`listen`](PushConsumerBuilder::listen) |
//! | `MessageListenerOrderly` | [`orderly`](PushConsumerBuilder::orderly) |
//! | `CONSUME_SUCCESS`, `RECONSUME_LATER` | [`Outcome::Ack`], [`Outcome::Retry`] |
//! | `DefaultLitePullConsumer` | [`Client::lite_consumer`] |
//! | `DefaultMQPullConsumer` | [`Client::pull_consumer`] |
//! | the `SimpleConsumer` of the 5.x clients | [`Client::simple_consumer`] |
//! | `viewMessage`, `queryMessage`, `resetOffsetByTime` | [`Client::view_message`], [`query_messages`](Client::query_messages), [`reset_offsets`](Client::reset_offsets) |
//!
//! # Sending
//!
//! Options are set on the message or on the send, before it is awaited. [`producer`] has batches, retries and limits.
//!
//! ```no_run
//! use rocketmq_client::{DelayLevel, Message, Producer};
//!
//! # async fn save_locally() -> Result<(), std::io::Error> { Ok(()) }
//! # async fn tour(producer: Producer) -> Result<(), Box<dyn std::error::Error>> {
//! producer.send(Message::new("orders", "43")).ordered_by("customer-7").await?;
//! producer.send(Message::new("orders", "44").deliver_after(DelayLevel::M1)).await?;
//!
//! let transaction = producer.begin(Message::new("orders", "45")).await?; // stored, and invisible
//! match save_locally().await {
//!     Ok(()) => transaction.commit().await?,
//!     Err(_) => transaction.rollback().await?,
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Consuming
//!
//! A push consumer calls a handler, and the handler's [`Outcome`] decides about the message: after an error or a panic
//! the broker delivers it again later. A lite consumer is asked for messages instead. [`consumer`] tells all kinds
//! apart.
//!
//! ```no_run
//! # async fn tour(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
//! let mut lite = client.lite_consumer("audit").subscribe("orders", "*").build().await?;
//! while let Some(batch) = lite.next_batch().await? {
//!     for delivery in &batch {
//!         println!("{}", delivery.message_id());
//!     }
//!     batch.commit().await?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Errors
//!
//! Each operation has an error type of its own, [`Error`] over the kinds it can end with; [`error`] lists them. A send
//! that failed has been tried again as far as its configuration and its time allow; every try is in the error.
//!
//! ```no_run
//! # use rocketmq_client::{Message, Producer, SendErrorKind};
//! # async fn tour(producer: Producer) -> Result<(), Box<dyn std::error::Error>> {
//! match producer.send(Message::new("orders", "42")).await {
//!     Err(error) if error.kind() == SendErrorKind::TopicNotFound => println!("create the topic first"),
//!     Err(error) if error.is_retryable() => println!("later, perhaps: {error}"),
//!     other => println!("{}", other?.message_id()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `tls` | encrypted connections |
//! | `zstd` | the compression zstd, beside zlib and lz4 |
//! | `metrics` | counters, gauges and histograms through the `metrics` facade |
//! | `opentelemetry` | trace contexts that travel with messages |
//!
//! The wire protocol is a crate of its own, re-exported as [`remoting`].
#![warn(missing_docs)]
#![deny(unreachable_pub)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, reason = "tests stand outside the client and look at the real time")
)]

mod chance;
pub mod client;
mod clock;
mod cluster;
pub mod consumer;
pub mod error;
mod membership;
mod messages;
mod observe;
pub mod producer;
#[cfg(test)]
mod testkit;

pub use client::{Client, ClientConfig, Credentials, connect};
pub use clock::Clock;
pub use consumer::{
    FromWhere, Listen, LiteConsumer, Offset, PullConsumer, Pulled, PushConsumerBuilder, Running,
    SimpleConsumer,
};
pub use error::{BoxError, CallError, CallErrorKind, Error, SendError, SendErrorKind};
pub use messages::{DelayLevel, Delivery, Message, Outcome, Receipt, SendStatus, TransactionState};
pub use observe::interceptor::Interceptor;
pub use observe::trace::TraceConfig;
pub use producer::{Producer, Sending, Transaction};
pub use rocketmq_remoting as remoting;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use rocketmq_remoting::net::tls::TlsConfig;
pub use rocketmq_remoting::route::MessageQueue;
