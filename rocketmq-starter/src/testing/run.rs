//! Runs a test with a cluster of its own, for `#[rocketmq_test]`.

use super::Cluster;
use crate::outcome::BoxError;
use rocketmq_server::Embedded;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// The time that a test may take by default. It is longer than an assertion waits, whose message says more.
const LIMIT: Duration = Duration::from_secs(120);
/// The time that work which does not end may hold up the end of a test.
const END: Duration = Duration::from_secs(1);
/// Threads of a test: a handler that blocks one does not stop the broker.
const THREADS: usize = 2;

/// A runtime that does not wait for ever for blocked threads, also after a panic.
struct Ending(Option<Runtime>);

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_timeout(END);
        }
    }
}

/// Runs the test `name` on a cluster of `brokers`. Only `#[rocketmq_test]` calls this; its texts are those of the attribute.
///
/// # Panics
/// Panics if the test does, takes longer than `timeout`, or gets no cluster.
#[doc(hidden)]
pub fn run<F, Fut>(name: &str, brokers: Option<&str>, timeout: Option<&str>, test: F) -> Fut::Output
where
    F: FnOnce(Cluster) -> Fut,
    Fut: Future,
{
    let fail = |error: &dyn std::fmt::Display| -> ! { panic!("`{name}` cannot run: {error}") };
    let limit =
        timeout.map_or(Ok(LIMIT), crate::config::parse::interval).unwrap_or_else(|error| fail(&error));
    let brokers = brokers.map_or(Ok(1), str::parse).unwrap_or_else(|error| fail(&error));
    let runtime = Builder::new_multi_thread().worker_threads(THREADS).enable_all().build();
    let runtime = Ending(Some(runtime.unwrap_or_else(|error| fail(&error))));
    let within = async {
        let cluster = start(brokers).await.unwrap_or_else(|error| fail(&error));
        tokio::time::timeout(limit, test(cluster)).await
    };
    let Some(runtime) = &runtime.0 else { unreachable!("it was made above") };
    runtime.block_on(within).unwrap_or_else(|_| panic!("`{name}` was not done after {limit:?}"))
}

async fn start(brokers: usize) -> Result<Cluster, BoxError> {
    Cluster::of(Embedded::builder().brokers(brokers).start().await?).await
}
