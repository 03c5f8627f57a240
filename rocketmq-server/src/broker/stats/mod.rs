//! Figures about traffic.

pub(crate) mod counters;
pub(crate) mod traffic;
