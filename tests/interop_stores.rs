//! Moves a store to Apache's broker, back to this project's, and to Apache's again. Each continues where the other
//! stopped.
//!
//! Runs if `ROCKETMQ_JAVA` names a version, whose jars `tests/interop/apache install VERSION` fetches.

use std::path::Path;

use rocketmq_server::Embedded;
use rocketmq_tests::scenarios::moved::{TOPIC, find, leave};
use rocketmq_tests::{ApacheProcesses, Cluster, TestResult, java};

/// Starts this project's broker with the settings that `tests/interop/apache` gives Apache's: the size of files, the
/// interval of transaction checks.
async fn ours(folder: &Path) -> TestResult<Cluster> {
    let builder = Embedded::builder().store(folder).set("mappedFileSizeCommitLog", 128 << 20);
    Ok(Cluster::Embedded(builder.set("transactionCheckInterval", 10_000).start().await?))
}

async fn stop_ours(cluster: Cluster) -> TestResult {
    match cluster {
        Cluster::Embedded(embedded) => Ok(embedded.shutdown().await?),
        Cluster::Apache { .. } => Err("not one of ours".into()),
    }
}

async fn apaches(version: &str, folder: &Path) -> TestResult<(ApacheProcesses, Cluster)> {
    let processes =
        ApacheProcesses::on(version, &folder.join("broker-a"), &["waitTimeMillsInSendQueue=5000"]).await?;
    let cluster = Cluster::Apache { name_server: processes.name_server(), version: version.to_owned() };
    Ok((processes, cluster))
}

#[tokio::test]
async fn a_store_moves_to_apache_and_back() -> TestResult {
    let Some(version) = java() else { return Ok(()) };
    let folder = tempfile::tempdir()?;
    // Apache's 4.9.7 has no timers.
    let timers = version.starts_with('5');

    let cluster = ours(folder.path()).await?;
    cluster.topic_named(&cluster.client().await?, TOPIC, 4).await?;
    leave(&cluster, "first", timers).await?;
    stop_ours(cluster).await?;

    let (mut processes, cluster) = apaches(&version, folder.path()).await?;
    find(&cluster, &["first"], timers).await?;
    leave(&cluster, "second", timers).await?;
    processes.stop_broker().await?;
    drop(processes);

    let cluster = ours(folder.path()).await?;
    find(&cluster, &["first", "second"], timers).await?;
    leave(&cluster, "third", timers).await?;
    stop_ours(cluster).await?;

    let (_processes, cluster) = apaches(&version, folder.path()).await?;
    find(&cluster, &["first", "second", "third"], timers).await
}
