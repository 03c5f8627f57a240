//! An asynchronous client for Apache RocketMQ 4.9 and 5.x.
//!
//! ```no_run
//! use rocketmq_client::{DelayLevel, Message};
//!
//! # async fn tour() -> Result<(), Box<dyn std::error::Error>> {
//! let client = rocketmq_client::connect("127.0.0.1:9876").await?;
//! let producer = client.producer("order-service").build().await?;
//!
//! let receipt = producer.send(Message::new("orders", "42").tag("created").key("order-42")).await?;
//! println!("{} queue={} offset={}", receipt.message_id(), receipt.queue(), receipt.queue_offset());
//!
//! // Options go on the send itself, before it is awaited.
//! producer.send(Message::new("orders", "43")).ordered_by("customer-7").await?;
//! producer.send(Message::new("orders", "44").deliver_after(DelayLevel::M1)).await?;
//!
//! producer.shutdown().await;
//! client.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! The wire protocol lives in a crate of its own, re-exported whole as [`remoting`].
//!
//! # Transactions
//!
//! ```no_run
//! # use rocketmq_client::{Message, Producer};
//! # async fn save_locally() -> Result<(), std::io::Error> { Ok(()) }
//! # async fn tour(producer: Producer) -> Result<(), Box<dyn std::error::Error>> {
//! let transaction = producer.begin(Message::new("orders", "42")).await?; // stored, and invisible
//! match save_locally().await {
//!     Ok(()) => transaction.commit().await?,
//!     Err(_) => transaction.rollback().await?,
//! } // dropped undecided, the broker asks the producer's `transaction_checker`
//! # Ok(())
//! # }
//! ```
//!
//! # Consuming
//!
//! A push consumer calls a handler; what the handler returns decides whether a message comes back.
//!
//! ```no_run
//! use rocketmq_client::{Delivery, FromWhere, Outcome};
//!
//! # async fn bill(body: &[u8]) -> Result<(), std::io::Error> { Ok(()) }
//! # async fn tour(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
//! let running = client
//!     .push_consumer("billing")
//!     .subscribe("orders", "created || paid")
//!     .from_where(FromWhere::FirstOffset)
//!     .concurrency(16)
//!     .listen(|delivery: Delivery| async move {
//!         bill(delivery.body()).await?; // an error, or a panic, and the broker delivers it again later
//!         Ok::<_, std::io::Error>(Outcome::Ack)
//!     })
//!     .await?;
//! // ...
//! running.shutdown().await; // stops pulling, finishes what runs, commits
//!
//! // Or ask for messages instead of being called:
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
//! [`consumer`] has the rest: consumption in order, broadcasting, POP, allocation strategies.
//!
//! # Errors
//!
//! Each operation has an error type of its own, [`Error`] over the kinds it can end with. A send that failed
//! has been retried as far as its configuration and its time allow; every try is in the error.
//!
//! ```no_run
//! # use rocketmq_client::{Message, Producer, SendErrorKind};
//! # async fn tour(producer: Producer) -> Result<(), Box<dyn std::error::Error>> {
//! match producer.send(Message::new("orders", "42")).await {
//!     Err(error) if error.kind() == SendErrorKind::TopicNotFound => { /* create it */ }
//!     Err(error) if error.is_retryable() => { /* later, perhaps */ }
//!     other => drop(other?),
//! }
//! # Ok(())
//! # }
//! ```
#![warn(missing_docs)]
#![deny(unreachable_pub)]
#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, reason = "tests stand outside the client and look at the real time")
)]

mod chance;
mod client;
mod clock;
mod cluster;
pub mod consumer;
mod error;
mod membership;
mod messages;
mod observe;
mod producer;
#[cfg(test)]
mod testkit;

pub use client::{Client, ClientBuilder, Querying, connect};
pub use clock::Clock;
pub use cluster::acl::{Credentials, CredentialsSource};
pub use cluster::config::ClientConfig;
pub use cluster::net::socks::{InvalidProxies, SocksProxies};
pub use consumer::{
    FromWhere, Listen, ListenBatch, LiteConsumer, Offset, PullConsumer, Pulled, PushConsumerBuilder, Running,
    SimpleConsumer,
};
pub use error::{
    Attempt, BoxError, BrokerRefusal, CallError, CallErrorKind, ConnectError, ConnectErrorKind, Error,
    ErrorKind, RouteError, RouteErrorKind, SendError, SendErrorKind, StartError, StartErrorKind,
};
pub use messages::{DelayLevel, Delivery, Message, Outcome, Receipt, SendStatus, TransactionState};
pub use observe::interceptor::Interceptor;
pub use observe::trace::TraceConfig;
pub use producer::{
    BatchError, LingerConfig, Producer, ProducerBuilder, ProducerConfig, RequestError, RequestErrorKind,
    Requesting, Sending, SendingBatch, SendingOneway, Transaction,
};
pub use rocketmq_remoting as remoting;
#[cfg(feature = "tls")]
pub use rocketmq_remoting::net::tls::TlsConfig;
pub use rocketmq_remoting::route::MessageQueue;
