//! Runs an application in Spring beside one in Rust, on this project's broker and on Apache's.
//!
//! Runs if `ROCKETMQ_SPRING` is set, after `tests/interop/spring/member install`. It holds a version of Apache RocketMQ, whose
//! jars `tests/interop/apache install VERSION` fetches.

use std::time::Duration;

use rocketmq_server::Embedded;
use rocketmq_tests::scenarios::with_spring;
use rocketmq_tests::{ApacheProcesses, Cluster, TestResult};

/// Limits the time of one run.
const LIMIT: Duration = Duration::from_secs(300);

/// Undecided transactions are asked about soon and often, and a filter by SQL92 is allowed.
const SETTINGS: [(&str, &str); 3] =
    [("enablePropertyFilter", "true"), ("transactionCheckInterval", "1000"), ("transactionTimeOut", "1000")];

/// Returns the version of Apache's broker. Without one it prints why, and returns `None`.
fn version() -> Option<String> {
    let version = std::env::var("ROCKETMQ_SPRING").ok();
    if version.is_none() {
        println!("skipped: set ROCKETMQ_SPRING=5.4.0 to run a Spring application");
    }
    version
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_our_broker() -> TestResult {
    let Some(_) = version() else { return Ok(()) };
    let builder = Embedded::builder();
    let builder = SETTINGS.iter().fold(builder, |builder, (key, value)| builder.set(key, *value));
    let cluster = Cluster::Embedded(builder.start().await?);
    tokio::time::timeout(LIMIT, with_spring::every_kind(&cluster)).await?
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_apaches_broker() -> TestResult {
    let Some(version) = version() else { return Ok(()) };
    let settings = SETTINGS.map(|(key, value)| format!("{key}={value}"));
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let apache = ApacheProcesses::start(&version, &settings).await?;
    let cluster = Cluster::Apache { name_server: apache.name_server(), version };
    tokio::time::timeout(LIMIT, with_spring::every_kind(&cluster)).await?
}
