//! Pulls: a queue is read, and a pull that finds nothing waits.

pub mod long_poll;
pub mod message;
pub mod parking;
#[cfg(test)]
mod tests;
