//! Pulling: one pull, the loop that keeps a queue filled, and the consumer that pulls by hand.

pub(crate) mod consumer;
pub(crate) mod incoming;
pub(crate) mod pull_loop;
pub(crate) mod puller;
