//! Runs each command of this project's `mqadmin` beside Apache's on the same cluster: both have to say the same, save
//! numbers and times. The cluster is ours if `ROCKETMQ_JAVA` names a version, Apache's if `ROCKETMQ_NAMESRV` names one.

use rocketmq_admin::command::NAMES;
use rocketmq_admin::command::missing::MISSING;
use rocketmq_server::Embedded;
use rocketmq_tests::mqadmin::{Order, Row, Shell};
use rocketmq_tests::{Cluster, TestResult};

const fn row(line: &'static str) -> Row {
    Row { line, order: Order::Exact }
}

/// Apache prints a set.
const fn set(line: &'static str) -> Row {
    Row { line, order: Order::Any }
}

/// Commands that change nothing.
const READS: &[Row] = &[
    row("clusterList"),
    row("clusterList -m"),
    row("clusterList -c DefaultCluster"),
    set("topicList"),
    set("topicList -c"),
    row("topicRoute -t {topic}"),
    row("topicRoute -t {topic} -l"),
    row("topicStatus -t {topic}"),
    row("topicStatus -t DefaultCluster"),
    row("topicStatus -t {topic} -c DefaultCluster"),
    set("consumerProgress"),
    row("consumerProgress -g {group}"),
    row("consumerProgress -g {group} -t {topic}"),
    row("consumerProgress -g {group} -t {topic} -s true"),
    row("topicClusterList -t {topic}"),
    row("allocateMQ -t {topic} -i 10.0.0.1,10.0.0.2,10.0.0.3"),
    row("brokerStatus -b {broker}"),
    row("brokerStatus -c DefaultCluster"),
    set("brokerConsumeStats -b {broker}"),
    set("brokerConsumeStats -b {broker} -l 1000"),
    set("getBrokerConfig -b {broker}"),
    set("getBrokerConfig -c DefaultCluster"),
    set("producer -b {broker}"),
    set("getNamesrvConfig"),
    set("consumerConnection -g {group}"),
    set("consumerConnection -g {group} -b {broker}"),
    row("producerConnection -g {producers} -t {topic}"),
    row("getConsumerConfig -g {group}"),
    set("statsAll"),
    set("statsAll -a -t {topic}"),
    row("queryMsgByKey -t {topic} -k key1"),
    row("queryMsgByKey -t {topic} -k nothing"),
    row("queryMsgById -t {topic} -i {offsetId}"),
    row("queryMsgById -t {topic} -i {id} -f UTF-8"),
    row("queryMsgByUniqueKey -t {topic} -i {id}"),
    row("queryMsgByOffset -t {topic} -b {brokerName} -i 0 -o 0"),
];

/// Each command of Apache's is built, or has an answer that says what to do instead.
fn nothing_is_silently_missing(shell: &Shell) {
    let known = |name: &str| NAMES.contains(&name) || MISSING.iter().any(|(it, _)| *it == name);
    let unknown: Vec<_> = shell.commands().iter().filter(|name| !known(name)).collect();
    assert!(unknown.is_empty() && shell.commands().len() > 50, "{unknown:?} of {:?}", shell.commands());
}

/// Runs every row, and lists all that differ at the end.
async fn every_row(version: &str, name_server: &str) -> TestResult {
    let mut shell = Shell::start(version, name_server).await?;
    nothing_is_silently_missing(&shell);
    let mut wrong = Vec::new();
    for row in READS {
        match shell.compare(row).await? {
            None => println!("ok {}", row.line),
            Some(difference) => wrong.push(difference),
        }
    }
    assert!(wrong.is_empty(), "{} of {} rows differ:\n{}", wrong.len(), READS.len(), wrong.join("\n"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_our_broker() -> TestResult {
    let Ok(version) = std::env::var("ROCKETMQ_JAVA") else {
        println!("skipped: set ROCKETMQ_JAVA=5.4.0 to run Apache's mqadmin");
        return Ok(());
    };
    let cluster = Embedded::builder().set("apacheVersion", &version).start().await?;
    every_row(&version, &cluster.name_server()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_apaches_broker() -> TestResult {
    match Cluster::apache() {
        Some(Cluster::Apache { name_server, version }) => every_row(&version, &name_server).await,
        _ => {
            println!("skipped: ROCKETMQ_NAMESRV names no cluster of Apache RocketMQ");
            Ok(())
        }
    }
}
