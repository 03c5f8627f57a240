//! rocketmq-server
