//! An asynchronous client for Apache RocketMQ 4.9 and 5.x.
#![warn(missing_docs)]

mod delivery;
mod message;
mod producer;
mod route;

pub use delivery::{Delivery, Outcome};
pub use message::{DelayLevel, Message};
pub use rocketmq_remoting as remoting;
