//! The listening side that name server and broker share.

mod listener;
mod proxy;
mod shutdown;

pub use listener::{BindError, Listener, Server};
