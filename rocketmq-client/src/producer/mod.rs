//! Sending: queue choice, retries, batches, transactions, request and reply.
//!
//! [`Producer`] sends. This module also holds the types around it.
//!
//! ```no_run
//! # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//!
//! use rocketmq_client::Message;
//!
//! let producer = client
//!     .producer("order-service")
//!     .send_timeout(Duration::from_secs(5))
//!     .configure(|config| config.attempt_timeout = Some(Duration::from_secs(1)))
//!     .build()
//!     .await?;
//! let receipts = producer.send_batch(vec![Message::new("orders", "1"), Message::new("orders", "2")]).await?;
//! println!("{} stored", receipts.len());
//! # Ok(())
//! # }
//! ```

mod batch;
mod builder;
mod checker;
mod config;
mod detector;
mod dispatch;
mod handle;
mod latency;
mod linger;
mod member;
mod outgoing;
mod parts;
mod permits;
mod recall;
mod request;
mod retry;
mod select;
mod sender;
mod sending;
mod single;
mod target;
#[cfg(test)]
mod tests;
mod traces;
mod transaction;
mod watch;

pub use batch::BatchError;
pub use builder::ProducerBuilder;
pub use config::{LingerConfig, ProducerConfig};
pub use handle::Producer;
pub use request::{RequestError, RequestErrorKind, Requesting};
pub use sending::{Sending, SendingBatch, SendingOneway};
pub(crate) use traces::open_carrier;
pub use transaction::Transaction;
