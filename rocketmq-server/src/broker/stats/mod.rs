//! Figures about traffic.

pub mod counters;
pub mod traffic;
