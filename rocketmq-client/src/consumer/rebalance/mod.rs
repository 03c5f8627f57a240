//! Which member reads which queue, and the broker locks that go with it.

pub(crate) mod allocate;
pub(crate) mod locks;
pub(crate) mod rebalancer;
