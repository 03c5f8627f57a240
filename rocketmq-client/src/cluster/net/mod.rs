//! Connections: made on demand, one per address, shared by everything in one client.

pub(crate) mod address;
mod backoff;
pub(crate) mod dialer;
pub(crate) mod pool;
pub(crate) mod rpc;
pub(crate) mod socks;
