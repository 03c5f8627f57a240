//! Runs Apache's mqadmin, with every command of `tests/interop/java/AdminTable.java`: on this project's broker and name
//! server if `ROCKETMQ_JAVA` names a version, on Apache's if `ROCKETMQ_NAMESRV` names a cluster.

use std::process::Stdio;

use rocketmq_server::Embedded;
use rocketmq_tests::Cluster;
use tokio::process::Command;

/// Runs the table with the tools of `version`. The script exits with the number of failed commands.
async fn every_command(version: &str, name_server: &str) {
    // Some commands leave files in their working folder.
    let folder = tempfile::tempdir().expect("a folder for what the tools write");
    let status = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/interop/apache"))
        .args(["run", version, "Admin", name_server])
        .current_dir(folder.path())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await
        .expect("the script runs");
    assert!(status.success(), "mqadmin {version}: {status}; the lines above name the commands");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mqadmin_on_our_broker() {
    let Ok(version) = std::env::var("ROCKETMQ_JAVA") else {
        println!("skipped: set ROCKETMQ_JAVA=5.4.0 to run Apache's mqadmin");
        return;
    };
    let broker = Embedded::builder().set("apacheVersion", &version);
    let cluster = broker.start().await.expect("the cluster starts");
    every_command(&version, &cluster.name_server()).await;
}

#[tokio::test]
async fn mqadmin_on_apaches_broker() {
    match Cluster::apache() {
        Some(Cluster::Apache { name_server, version }) => every_command(&version, &name_server).await,
        _ => println!("skipped: ROCKETMQ_NAMESRV names no cluster of Apache RocketMQ"),
    }
}
