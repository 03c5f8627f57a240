//! The clients of the broker: who is there, in which groups, and what is passed on to them.

pub mod allocation;
pub mod assignment;
pub mod consumers;
pub mod heartbeat;
pub mod locking;
pub mod member;
pub mod producers;
pub mod queue_locks;
pub mod relay;
pub mod request_modes;
#[cfg(test)]
mod tests;
