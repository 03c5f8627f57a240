//! rocketmq-client
