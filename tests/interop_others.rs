//! Runs other clients against this project's name server and broker, capability by capability: the official Go client,
//! the official C++ client (through a Python package that contains it), and a Node client.
//!
//! Runs those that `ROCKETMQ_OTHERS` names (`go`, `cpp`, `node`); `tests/interop/others install NAME` fetches them.

use rocketmq_server::Embedded;
use rocketmq_tests::TestResult;
use tokio::process::Command;

/// Runs the program of `client`. It exits with the number of failed capabilities.
async fn capabilities(client: &str) -> TestResult {
    let chosen = std::env::var("ROCKETMQ_OTHERS").unwrap_or_default();
    if !chosen.split_whitespace().any(|each| each == client) {
        println!("skipped: set ROCKETMQ_OTHERS={client} to run this client");
        return Ok(());
    }
    let cluster = Embedded::builder()
        .set("enablePropertyFilter", true)
        .set("transactionCheckInterval", 2_000)
        // Shortens the third delay level: the first retry comes at this level, and not every client lets its user
        // choose another.
        .set("messageDelayLevel", "1s 5s 2s 2s 2s 2s")
        .start()
        .await?;
    let status = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/interop/others"))
        .args(["run", client, &cluster.name_server()])
        .kill_on_drop(true)
        .status()
        .await?;
    assert!(status.success(), "{client}: {status}; the lines above name the capabilities");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_go_client() -> TestResult {
    capabilities("go").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cpp_client() -> TestResult {
    capabilities("cpp").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_node_client() -> TestResult {
    capabilities("node").await
}
