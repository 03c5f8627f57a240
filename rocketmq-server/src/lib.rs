//! rocketmq-server

pub mod broker;
#[cfg(feature = "tls")]
mod certificates;
pub mod clock;
mod complaint;
pub mod config;
mod embedded;
mod exchange;
pub mod filter;
pub mod namesrv;
pub mod net;
mod node;
pub mod program;
pub mod registration;
pub mod store;

#[cfg(feature = "tls")]
pub use certificates::Certificates;
pub use embedded::{Embedded, EmbeddedBroker, EmbeddedBuilder, EmbeddedError, EmbeddedNameServer};
pub use node::{Node, NodeError};
