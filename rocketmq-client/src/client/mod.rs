//! The client: its options, its connection, and its requests about messages and groups.
//!
//! [`Client`] makes producers and consumers. This module also holds the types around it.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = rocketmq_client::Client::builder("127.0.0.1:9876").namespace("staging").connect().await?;
//! for message in client.query_messages("orders", "order-42").await? {
//!     println!("{} {:?}", message.message_id(), message.text());
//! }
//! # Ok(())
//! # }
//! ```

mod admin;
mod builder;
mod group;
mod handle;
mod query;
mod reset;
#[cfg(test)]
mod tests;

pub use crate::cluster::acl::{Credentials, CredentialsSource};
pub use crate::cluster::config::ClientConfig;
pub use crate::cluster::net::socks::{InvalidProxies, SocksProxies};
pub use builder::{ClientBuilder, connect};
pub use handle::Client;
pub use query::Querying;
