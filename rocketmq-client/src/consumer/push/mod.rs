//! The push consumer: built, at work, and as brokers see it.

pub(crate) mod builder;
pub(crate) mod health;
pub(crate) mod member;
pub(crate) mod running;
