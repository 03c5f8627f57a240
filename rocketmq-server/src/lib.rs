//! rocketmq-server

pub mod clock;
pub mod config;
pub mod filter;
pub mod store;
