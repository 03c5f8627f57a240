//! Sending: queue choice, retries, batches, transactions, request-reply.

pub(crate) mod latency;

pub(crate) mod select;
