//! rocketmq-server

pub mod clock;
