//! Connections: made on demand, one per address, shared by everything in one client.

pub(crate) mod dialer;
pub(crate) mod pool;
pub(crate) mod rpc;
pub(crate) mod server_calls;
pub(crate) mod socks;
