//! rocketmq-macros
