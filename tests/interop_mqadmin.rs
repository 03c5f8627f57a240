//! Runs each command of this project's `mqadmin` beside Apache's on the same cluster: both have to say the same, save
//! numbers and times. The cluster is ours if `ROCKETMQ_JAVA` names a version, Apache's if `ROCKETMQ_NAMESRV` names one.

use rocketmq_admin::command::NAMES;
use rocketmq_admin::command::missing::MISSING;
use rocketmq_server::Embedded;
use rocketmq_tests::mqadmin::{Order, Row, Shell, Write};
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
    row("allocateMQ -t {topic} -i 10.0.0.1,10.0.0.2"),
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
    row("queryMsgById -t {topic} -i {offsetId}"),
    row("queryMsgById -t {topic} -i {id} -f UTF-8"),
    row("queryMsgByUniqueKey -t {topic} -i {id}"),
    row("queryMsgByOffset -t {topic} -b {brokerName} -i 0 -o 0"),
];

/// Commands that change the cluster, the same for each tool.
const CHANGES: &[Row] = &[
    row("updateTopic -b {broker} -t {other} -r 4 -w 4"),
    row("updateTopic -c DefaultCluster -t {other} -r 6 -w 6 -o true"),
    row("updateTopic -b {broker} -t {other} -r 5 -w 5 -o true"),
    row("updateTopicPerm -b {broker} -t {other} -p 6"),
    row("updateTopicPerm -c DefaultCluster -t {other} -p 6"),
    row("updateSubGroup -b {broker} -g {other} -r 5 -q 2"),
    row("updateSubGroup -c DefaultCluster -g {other} -o true -d true -m true -a false -i 1 -w 2"),
    row("updateBrokerConfig -b {broker} -k maxMsgsNumBatch -v 65"),
    row("updateBrokerConfig -c DefaultCluster -k maxMsgsNumBatch -v 64"),
    row("updateKvConfig -s NS -k key -v value"),
    row("deleteKvConfig -s NS -k key"),
    row("updateNamesrvConfig -k waitSecondsForService -v 46"),
    row("wipeWritePerm -b {brokerName}"),
    row("addWritePerm -b {brokerName}"),
    set("resetOffsetByTime -g {group} -t {topic} -s 1700000000000"),
    set("resetOffsetByTime -g {group} -t {topic} -s -1"),
    row("resetOffsetByTime -g {group} -t {topic} -s now -b {broker} -q 0 -o 2"),
    set("skipAccumulatedMessage -g {group} -t {topic}"),
    row("cleanExpiredCQ -b {broker}"),
    row("cleanExpiredCQ -c DefaultCluster"),
    row("cleanUnusedTopic -b {broker}"),
    row("deleteExpiredCommitLog -b {broker}"),
];

/// Commands of ours, and how Apache's tools then see the cluster.
const WRITES: &[Write] = &[
    Write {
        line: "updateTopic -b {broker} -t {copies} -r 3 -w 2 -p 4",
        look: "topicRoute -t {copies} -l",
        shows: "{0={broker}} 3 2 4",
    },
    Write {
        line: "updateTopicPerm -b {broker} -t {copies} -p 6",
        look: "topicRoute -t {copies} -l",
        shows: "{0={broker}} 3 2 6",
    },
    Write {
        line: "updateSubGroup -c DefaultCluster -g {copies} -r 7",
        look: "getConsumerConfig -g {copies}",
        shows: "retryMaxTimes = 7",
    },
    Write {
        line: "updateBrokerConfig -c DefaultCluster -k maxMsgsNumBatch -v 63",
        look: "getBrokerConfig -b {broker}",
        shows: "maxMsgsNumBatch = 63",
    },
    Write {
        line: "updateNamesrvConfig -k waitSecondsForService -v 47",
        look: "getNamesrvConfig",
        shows: "waitSecondsForService = 47",
    },
    Write {
        line: "updateKvConfig -s ORDER_TOPIC_CONFIG -k {copies} -v {brokerName}:2",
        look: "updateOrderConf -t {copies} -m get",
        shows: "orderConf=[{brokerName}:2]",
    },
    Write {
        line: "deleteKvConfig -s ORDER_TOPIC_CONFIG -k {copies}",
        look: "updateOrderConf -t {copies} -m get",
        shows: "!orderConf=[{brokerName}:2]",
    },
    Write {
        line: "wipeWritePerm -b {brokerName}",
        look: "topicRoute -t {topic} -l",
        shows: "{0={broker}} 2 2 4",
    },
    Write {
        line: "addWritePerm -b {brokerName}",
        look: "topicRoute -t {topic} -l",
        shows: "{0={broker}} 2 2 6",
    },
    Write {
        line: "deleteSubGroup -c DefaultCluster -g {copies} -r true",
        look: "getConsumerConfig -g {copies}",
        shows: "!retryMaxTimes = 7",
    },
    Write { line: "deleteTopic -c DefaultCluster -t {copies}", look: "topicList", shows: "!{copies}" },
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
    for row in READS.iter().chain(CHANGES) {
        note(row.line, shell.compare(row).await?, &mut wrong);
    }
    for write in WRITES {
        note(write.line, shell.change(write).await?, &mut wrong);
    }
    let all = READS.len() + CHANGES.len() + WRITES.len();
    assert!(wrong.is_empty(), "{} of {all} rows differ:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}

fn note(line: &str, difference: Option<String>, wrong: &mut Vec<String>) {
    match difference {
        None => println!("ok {line}"),
        Some(difference) => wrong.push(difference),
    }
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
