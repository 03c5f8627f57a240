//! rocketmq-remoting
