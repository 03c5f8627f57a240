//! Integration tests across the crates: the harness, and the [`scenarios`]. They run on this project's broker
//! (`scenarios.rs`) and on Apache's (`interop_apache.rs`).

pub mod access;
mod apache;
mod cluster;
mod inbox;
mod java;
mod load;
mod log;
pub mod mqadmin;
mod process;
pub mod scenarios;
mod socks;
pub mod source;
pub mod spring;
pub mod sql;
mod wait;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

pub use apache::{ApacheProcesses, free_ports, java};
pub use cluster::{Cluster, Feature, ask, queues, serve_by_pop};
pub use inbox::{Inbox, collect};
pub use load::Load;
pub use log::Log;
pub use process::BrokerProcess;
pub use socks::{SocksProxy, USER};
pub use wait::{PATIENCE, eventually};

/// Result of scenarios and tests: any error fails the test with its text.
pub type TestResult<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Returns the name of a topic that no other test uses, not even an earlier one on the same cluster.
pub fn unique_topic() -> String {
    unique("t")
}

/// Returns the name of a group that no other test uses.
pub fn unique_group() -> String {
    unique("g")
}

fn unique(kind: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis());
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{kind}-{started:x}-{}-{number}", std::process::id())
}
