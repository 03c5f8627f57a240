//! The client: handed to applications, it makes producers and consumers and answers questions about the cluster.

mod admin;
mod builder;
mod group;
mod handle;
mod query;
mod reset;
#[cfg(test)]
mod tests;

pub use builder::{ClientBuilder, connect};
pub use handle::Client;
pub use query::Querying;
