//! Sending: queue choice, retries, batches, transactions, request-reply.

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
