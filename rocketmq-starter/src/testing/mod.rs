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
mod recorder;
mod run;
mod topic;
mod wait;

pub use cluster::Cluster;
pub use group::Group;
pub use listener::{Delivered, TestListener};
pub use rocketmq_client::remoting::ResponseCode;
/// Turns an async function that takes a [`Cluster`] into a test: it has a runtime and a cluster of its own, and fails when it takes
/// longer than two minutes. Options: `timeout = "60s"`, `brokers = 2`.
///
/// ```
/// use rocketmq_starter::BoxError;
/// use rocketmq_starter::testing::{Cluster, rocketmq_test};
///
/// #[rocketmq_test(timeout = "60s")]
/// async fn an_order_is_received(cluster: Cluster) -> Result<(), BoxError> {
///     cluster.send("orders", 7).await?;
///     cluster.topic("orders").received(1).await;
///     Ok(())
/// }
/// ```
pub use rocketmq_macros::rocketmq_test;
pub use rocketmq_server::{Embedded, Fault};
#[doc(hidden)]
pub use run::run;
pub use topic::Topic;
