//! The socket side, shared by clients and servers: one task per connection, handles to talk to it.

mod connection;
mod deadline;
mod driver;
mod error;
mod output;
#[cfg(feature = "tls")]
pub mod tls;

pub use connection::{Answer, Connection, ConnectionConfig, Handler, Refusal};
pub use deadline::{FAR, deadline};
pub use error::{CallError, CloseReason};
