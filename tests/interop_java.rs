//! Runs the official Java client against this project's name server and broker, capability by capability.
//!
//! Runs if `ROCKETMQ_JAVA` names a version, whose jars `tests/interop/apache install VERSION` fetches.

use std::process::Stdio;
use std::time::Duration;

use rocketmq_server::Embedded;
use tokio::process::Command;

/// Limits the time of one program.
const LIMIT: Duration = Duration::from_secs(600);

/// Returns the version under test. Without one it prints why, and returns `None`.
fn version() -> Option<String> {
    let version = std::env::var("ROCKETMQ_JAVA").ok();
    if version.is_none() {
        println!("skipped: set ROCKETMQ_JAVA=5.4.0 to run the official Java client");
    }
    version
}

/// Runs a program of `tests/interop/java`. It exits with the number of failed capabilities.
async fn capabilities(version: &str, program: &str, arguments: &[&str]) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/apache");
    let mut command = Command::new(script);
    command.args(["run", version, program]).args(arguments).stderr(Stdio::null()).kill_on_drop(true);
    let ended = tokio::time::timeout(LIMIT, command.status()).await.expect("it ends within its time");
    let status = ended.expect("the script runs");
    assert!(status.success(), "{program} on {version}: {status}; the lines above name the capabilities");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn java_client_capabilities() {
    let Some(version) = version() else { return };
    let cluster =
        Embedded::builder().set("enablePropertyFilter", true).start().await.expect("the cluster starts");
    capabilities(&version, "Capabilities", &[&cluster.name_server()]).await;
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
    capabilities(&version, "Capabilities5", &[&cluster.name_server()]).await;
}

/// Runs the subjects of Apache's published tests, each many times from nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subjects_of_apaches_tests() {
    let Some(version) = version() else { return };
    // The clients of 5.x and of 4.x work alike here, so one of them is repeated often.
    let rounds = if version.starts_with('5') { "20" } else { "3" };
    let cluster = Embedded::start().await.expect("the cluster starts");
    capabilities(&version, "Subjects", &[&cluster.name_server(), rounds]).await;
}
