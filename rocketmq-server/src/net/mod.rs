//! The listening side that name server and broker share.

mod check;
mod error;
mod guests;
mod listener;
mod outgoing;
mod proxy;
mod security;
mod shutdown;
#[cfg(feature = "tls")]
mod tls;

pub use check::check;
pub use error::SecurityError;
pub use guests::Guests;
pub use listener::{BindError, Listener, Server};
pub use outgoing::Outgoing;
pub use security::Security;
pub(crate) use shutdown::settle;
