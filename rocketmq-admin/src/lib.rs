//! rocketmq-admin
