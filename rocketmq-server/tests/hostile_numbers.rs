//! Numbers and names from the wire that no client sends: each request is answered, or its connection closed, at once, and none
//! costs more memory than it has bytes.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use rocketmq_remoting::code::{RequestCode, ResponseCode};
use rocketmq_remoting::{Command, ExtFields};
use rocketmq_server::Embedded;
use support::{Peer, request};

/// Every field of every request header that is a number.
const NUMBERS: &str = "beginTimestamp bodyCrc32 bornTime bornTimestamp brokerId commitLogOffset commitOffset \
    commitOrRollback confirmOffset count defaultTopicQueueNums delayLevel electionPriority endTimestamp epoch flag \
    forbiddenType groupSysFlag heartbeatTimeoutMillis index initMode invisibleTime masterFlushOffset maxMsgBytes maxMsgNums \
    maxNum maxReconsumeTimes minBrokerId nextBeginOffset offset offsetDelta perm pollTime popTime queueId queueOffset \
    readQueueNums reconsumeTimes requestSource subVersion suspendTimeoutMillis sysFlag timestamp topicSysFlag \
    tranStateTableOffset writeQueueNums d e f g h j l";

/// Every field that is a text, with one that gets past the first check.
const TEXTS: &[(&str, &str)] = &[
    ("topic", "t"),
    ("b", "t"),
    ("a", "p"),
    ("c", "TBW102"),
    ("defaultTopic", "TBW102"),
    ("group", "g"),
    ("groupName", "g"),
    ("consumerGroup", "g"),
    ("producerGroup", "p"),
    ("srcGroup", "g"),
    ("destGroup", "h"),
    ("compareGroup", "g"),
    ("subscription", "*"),
    ("topicFilterType", "SINGLE_TAG"),
    ("statsName", "TOPIC_PUT_NUMS"),
    ("statsKey", "t"),
    ("key", "k"),
    ("clientId", "c"),
    ("clientID", "c"),
    ("brokerName", "broker-a"),
    ("brokerAddr", "127.0.0.1:10911"),
    ("clusterName", "DefaultCluster"),
    ("cluster", "DefaultCluster"),
    ("haServerAddr", "127.0.0.1:10912"),
    ("namespace", "n"),
    ("value", "v"),
    ("extraInfo", "0 0 60000 0 0 broker-a 0 0"),
    ("properties", "DELAY\u{1}1\u{2}"),
    ("i", "DELAY\u{1}1\u{2}"),
    ("order", "false"),
    ("isForce", "true"),
    ("setZeroIfNotFound", "true"),
];

const EXTREMES: [&str; 7] =
    ["-1", "0", "65537", "2147483647", "-2147483648", "9223372036854775807", "-9223372036854775808"];

/// Bodies in which `N` is a number.
const BODIES: &[&str] = &[
    "",
    r#"{"clientID":"c","heartbeatFingerprint":N,"consumerDataSet":[{"groupName":"g","subscriptionDataSet":[{"topic":"t","subString":"*","subVersion":N}]}]}"#,
    r#"{"consumerGroup":"g","clientId":"c","mqSet":[{"topic":"t","brokerName":"broker-a","queueId":N}]}"#,
    r#"{"groupName":"g","retryQueueNums":N,"retryMaxTimes":N,"brokerId":N,"whichBrokerWhenConsumeSlowly":N}"#,
    r#"{"topicConfigSerializeWrapper":{"topicConfigTable":{"t":{"topicName":"t","readQueueNums":N,"writeQueueNums":N,"perm":N}},"dataVersion":{"counter":N,"timestamp":N}}}"#,
    r#"{"groupConfigList":[{"groupName":"g","retryQueueNums":N}]}"#,
    r#"{"topicConfigList":[{"topicName":"u","readQueueNums":N,"writeQueueNums":N,"perm":N}]}"#,
    r#"{"topic":"t","consumerGroup":"g","mode":"POP","popShareQueueNum":N}"#,
    r#"{"topic":"t","consumerGroup":"g","clientId":"c","strategyName":"AVG","messageModel":"CLUSTERING"}"#,
    r#"{"brokerName":"broker-a","acks":[{"consumerGroup":"g","topic":"t","retry":"0","startOffset":N,"queueId":N,"reviveQueueId":N,"popTime":N,"invisibleTime":N,"bitSet":""}]}"#,
];

/// Pulls and pops wait for messages; a transaction that its producer is unsure about is not answered.
const MAY_BE_SILENT: [RequestCode; 5] = [
    RequestCode::PULL_MESSAGE,
    RequestCode::LITE_PULL_MESSAGE,
    RequestCode::POP_MESSAGE,
    RequestCode::NOTIFICATION,
    RequestCode::END_TRANSACTION,
];

fn codes() -> impl Iterator<Item = RequestCode> {
    (0..6000).chain(200_000..201_000).map(RequestCode).filter(|code| code.name().is_some())
}

fn hostile(code: RequestCode, number: &str, body: &str) -> Command {
    let mut ext: ExtFields =
        TEXTS.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    for name in NUMBERS.split_whitespace() {
        ext.push(name, number);
    }
    Command::request(code).with_ext(ext).with_body(body.replace('N', number).into_bytes())
}

async fn with_topic_and_group() -> Embedded {
    let cluster = Embedded::builder().set("useServerSideResetOffset", true).start().await.unwrap();
    let mut peer = Peer::dial(cluster.broker().address()).await;
    assert_eq!(peer.call(new_topic("t", "4")).await.response_code(), ResponseCode::SUCCESS);
    let group = Command::request(RequestCode::UPDATE_AND_CREATE_SUBSCRIPTIONGROUP);
    let made = peer.call(group.with_body(r#"{"groupName":"g"}"#.as_bytes().to_vec())).await;
    assert_eq!(made.response_code(), ResponseCode::SUCCESS);
    cluster
}

fn new_topic(topic: &str, queues: &str) -> Command {
    let fields = [
        ("topic", topic),
        ("defaultTopic", "TBW102"),
        ("readQueueNums", queues),
        ("writeQueueNums", queues),
        ("perm", "6"),
        ("topicFilterType", "SINGLE_TAG"),
        ("order", "false"),
    ];
    request(RequestCode::UPDATE_AND_CREATE_TOPIC, &fields)
}

/// Sends everything at once and waits for each answer.
async fn answered(address: SocketAddr, code: RequestCode) {
    let mut peer = Peer::dial(address).await;
    let mut waiting = Vec::new();
    for number in EXTREMES {
        for body in BODIES {
            waiting.push(peer.send(hostile(code, number, body)).await);
        }
    }
    let sentinel = peer.send(Command::request(RequestCode::GET_SYSTEM_TOPIC_LIST_FROM_BROKER)).await;
    if MAY_BE_SILENT.contains(&code) {
        waiting.clear();
    }
    waiting.push(sentinel);
    while !waiting.is_empty() {
        let answer = peer.receive().await.unwrap_or_else(|| panic!("{code}: hung up on"));
        waiting.retain(|opaque| *opaque != answer.opaque);
    }
}

fn peak_memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_number_hangs_the_broker_or_fills_its_memory() {
    let cluster = with_topic_and_group().await;
    let address = cluster.broker().address();
    let before = peak_memory_kib();
    for code in codes() {
        let soon = tokio::time::timeout(Duration::from_secs(10), answered(address, code)).await;
        soon.unwrap_or_else(|_| panic!("{code}: no answer"));
        // Some of them delete or replace these.
        let mut peer = Peer::dial(address).await;
        assert_eq!(peer.call(new_topic("t", "4")).await.response_code(), ResponseCode::SUCCESS, "{code}");
    }
    let grown = peak_memory_kib() - before;
    assert!(grown < 256 << 10, "{grown} KiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_number_hangs_the_name_server_or_fills_its_memory() {
    let cluster = with_topic_and_group().await;
    let address = cluster.name_servers()[0].address();
    let before = peak_memory_kib();
    for code in codes() {
        let soon = tokio::time::timeout(Duration::from_secs(10), answered(address, code)).await;
        soon.unwrap_or_else(|_| panic!("{code}: no answer"));
    }
    let grown = peak_memory_kib() - before;
    assert!(grown < 256 << 10, "{grown} KiB");
}

#[tokio::test]
async fn a_refusal_repeats_no_long_name_and_a_heartbeat_keeps_none() {
    let cluster = with_topic_and_group().await;
    let mut peer = Peer::dial(cluster.broker().address()).await;
    let long = "n".repeat(1 << 20);
    let answer = peer.call(new_topic(&format!("{long}!"), "4")).await;
    assert!(answer.remark.unwrap().len() < 5000);
    for (body, what) in [
        (format!(r#"{{"clientID":"{long}"}}"#), "the clientID has 1048576 bytes, the limit is 1000"),
        (
            format!(r#"{{"clientID":"c","producerDataSet":[{{"groupName":"{long}"}}]}}"#),
            "a producer group has 1048576 bytes",
        ),
        (format!(r#"{{"clientID":"c","x":"{}"}}"#, long.repeat(5)), "the limit is 4194304"),
    ] {
        let heartbeat = Command::request(RequestCode::HEART_BEAT).with_body(body.into_bytes());
        let answer = peer.call(heartbeat).await;
        assert_eq!(answer.response_code(), ResponseCode::INVALID_PARAMETER, "{what}");
        assert!(answer.remark.unwrap().contains(what), "{what}");
    }
}

#[tokio::test]
async fn topics_and_groups_have_no_more_queues_than_requests_can_go_through() {
    let cluster = with_topic_and_group().await;
    let mut peer = Peer::dial(cluster.broker().address()).await;
    for (queues, expected) in [
        ("-1", ResponseCode::INVALID_PARAMETER),
        ("0", ResponseCode::SUCCESS),
        ("65536", ResponseCode::SUCCESS),
        ("65537", ResponseCode::INVALID_PARAMETER),
        ("2147483647", ResponseCode::INVALID_PARAMETER),
    ] {
        let answer = peer.call(new_topic("u", queues)).await;
        assert_eq!(answer.response_code(), expected, "{queues}");
        if expected == ResponseCode::INVALID_PARAMETER {
            let remark = answer.remark.unwrap();
            assert!(remark.contains(queues) && remark.contains("0 to 65536"), "{remark}");
        }
        let group = Command::request(RequestCode::UPDATE_AND_CREATE_SUBSCRIPTIONGROUP);
        let body = format!(r#"{{"groupName":"h","retryQueueNums":{queues}}}"#);
        let answer = peer.call(group.with_body(body.into_bytes())).await;
        assert_eq!(answer.response_code(), expected, "{queues}");
    }
}
