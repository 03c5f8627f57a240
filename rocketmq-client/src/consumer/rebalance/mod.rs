//! Splits the queues among the members of a group, and locks them on the brokers.

pub(crate) mod allocate;
pub(crate) mod locks;
pub(crate) mod rebalancer;
