//! rocketmq-server

pub mod clock;
pub mod config;
