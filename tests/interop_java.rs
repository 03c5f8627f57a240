//! Runs the official Java client against this project's name server and broker, capability by capability.
//!
//! Runs if `ROCKETMQ_JAVA` names a version, whose jars `tests/interop/apache install VERSION` fetches.

use std::process::Stdio;

use rocketmq_server::Embedded;
use tokio::process::Command;

/// Returns the version under test. Without one it prints why, and returns `None`.
fn version() -> Option<String> {
    let version = std::env::var("ROCKETMQ_JAVA").ok();
    if version.is_none() {
        println!("skipped: set ROCKETMQ_JAVA=5.4.0 to run the official Java client");
    }
    version
}

/// Runs a program of `tests/interop/java`. It exits with the number of failed capabilities.
async fn capabilities(version: &str, program: &str, name_server: &str) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/apache");
    let status = Command::new(script)
        .args(["run", version, program, name_server])
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await
        .expect("the script runs");
    assert!(status.success(), "{program} on {version}: {status}; the lines above name the capabilities");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn java_client_capabilities() {
    let Some(version) = version() else { return };
    let cluster =
        Embedded::builder().set("enablePropertyFilter", true).start().await.expect("the cluster starts");
    capabilities(&version, "Capabilities", &cluster.name_server()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn java_client_capabilities_of_5x() {
    let Some(version) = version() else { return };
    if !version.starts_with('5') {
        println!("skipped: {version} has none of them");
        return;
    }
    let cluster =
        Embedded::builder().set("recallMessageEnable", true).start().await.expect("the cluster starts");
    capabilities(&version, "Capabilities5", &cluster.name_server()).await;
}
