//! rocketmq-starter
