//! The test kit: a cluster for each test, and calls of listeners without one.
//!
//! A [`Cluster`] is a broker inside the test. Applications are [started on](crate::App::start_on) it, the test moves its time and
//! breaks it, and assertions wait for what must happen. A [`TestListener`] calls one listener without any broker.
//!
//! ```text
//! cluster.send, templates ──▶ queues of the broker ──▶ topic("orders").received(3)
//!                                    │                 group("billing").dead_letters(1)
//!                                    ▼
//!                             listeners of the App ──▶ journal: message, outcome, error ──▶ group("billing").handled(3)
//!                                    │
//!                                    └─▶ offsets at the broker ──▶ group("billing").lag(0)
//! ```
//!
//! Assertions look into the broker without a request, so that they work while it is paused or cut off.
//! `docs/testing.md` in the repository is the guide.

mod cluster;
mod group;
mod journal;
mod listener;
mod topic;
mod wait;

pub use cluster::Cluster;
pub use group::Group;
pub use listener::{Delivered, TestListener};
pub use rocketmq_server::Embedded;
pub use topic::Topic;
