//! rocketmq-server

pub mod broker;
pub mod clock;
pub mod config;
pub mod filter;
pub mod namesrv;
pub mod net;
pub mod program;
pub mod registration;
pub mod store;
