//! Peers that are broken, hostile or just different: each costs itself at most.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

mod support;

use std::sync::Arc;

use rocketmq_remoting::Command;
use rocketmq_remoting::code::{RequestCode, ResponseCode};
use rocketmq_server::Embedded;
use rocketmq_server::clock::System;
use rocketmq_server::config::{NamesrvConfig, TlsMode};
use rocketmq_server::namesrv::NameServer;
use support::{Peer, eventually, registration};

async fn start(config: NamesrvConfig) -> NameServer {
    NameServer::start(config, Arc::new(System)).await.unwrap()
}

async fn assert_healthy(server: &NameServer) {
    let answer =
        Peer::dial(server.address()).await.call(Command::request(RequestCode::GET_BROKER_CLUSTER_INFO)).await;
    assert_eq!(answer.response_code(), ResponseCode::SUCCESS);
}

#[tokio::test]
async fn whoever_breaks_the_framing_is_hung_up_on() {
    let server = start(NamesrvConfig::ephemeral()).await;
    let frames: [&[u8]; 7] = [
        &[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1],
        &[0x80, 0, 0, 0, 0, 0, 0, 1],
        &[0, 0, 0, 12, 0, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0, 0, 0, 8, 0, 0, 0, 4, b'n', b'o', b'p', b'e'],
        &[0, 0, 0, 8, 9, 0, 0, 4, b'{', b'}', b'{', b'}'],
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\n\r\n",
    ];
    for bytes in frames {
        let mut peer = Peer::dial(server.address()).await;
        peer.write(bytes).await;
        assert!(peer.is_hung_up().await, "{bytes:?}");
    }
    assert_healthy(&server).await;
}

#[tokio::test]
async fn a_tls_client_is_hung_up_on_where_there_is_no_tls() {
    let mut config = NamesrvConfig::ephemeral();
    config.network.tls.mode = TlsMode::Disabled;
    let server = start(config).await;
    let mut peer = Peer::dial(server.address()).await;
    peer.write(&[0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]).await;
    assert!(peer.is_hung_up().await);
    assert_healthy(&server).await;
}

#[tokio::test]
async fn a_balancers_preamble_is_taken_off() {
    let server = start(NamesrvConfig::ephemeral()).await;
    let mut peer = Peer::dial(server.address()).await;
    peer.write(b"PROXY TCP4 10.1.2.3 127.0.0.1 4711 9876\r\n").await;
    let answer = peer.call(Command::request(RequestCode::GET_BROKER_CLUSTER_INFO)).await;
    assert_eq!(answer.response_code(), ResponseCode::SUCCESS);
}

/// Asks a broker whose rules let only 10.9.9.9 in without a key, as a peer on this machine that claims to speak for it.
async fn said_to_the_claim(trusted_proxies: &str) -> ResponseCode {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("conf")).unwrap();
    let rules =
        "globalWhiteRemoteAddresses: [10.9.9.9]\naccounts:\n- accessKey: somebody\n  secretKey: '12345678'\n";
    std::fs::write(home.path().join("conf/plain_acl.yml"), rules).unwrap();
    let cluster = Embedded::builder()
        .set("aclEnable", "true")
        .set("rocketmqHome", home.path().to_str().unwrap())
        .set("trustedProxies", trusted_proxies)
        .start()
        .await
        .unwrap();
    let mut peer = Peer::dial(cluster.broker().address()).await;
    peer.write(b"PROXY TCP4 10.9.9.9 127.0.0.1 4711 10911\r\n").await;
    peer.call(Command::request(RequestCode::GET_BROKER_RUNTIME_INFO)).await.response_code()
}

#[tokio::test]
async fn only_a_trusted_balancer_says_who_the_peer_is() {
    assert_eq!(said_to_the_claim("10.0.0.1").await, ResponseCode::SYSTEM_ERROR, "anybody could claim it");
    assert_eq!(said_to_the_claim("10.0.0.1;127.0.0.1").await, ResponseCode::SUCCESS);
}

/// Beginnings that never go on: of nothing, a preamble in text and in binary, a handshake, a frame.
#[tokio::test]
async fn whoever_begins_and_stops_is_hung_up_on() {
    let mut config = NamesrvConfig::ephemeral();
    config.network.idle = std::time::Duration::from_millis(50);
    let server = start(config).await;
    let beginnings: [&[u8]; 5] =
        [b"", b"PROXY TCP4 10", b"\r\n\r\n\0", &[0x16, 3, 1, 0, 200, 1], &[0, 0, 0, 100, 0, 0]];
    for bytes in beginnings {
        let mut peer = Peer::dial(server.address()).await;
        peer.write(bytes).await;
        assert!(peer.is_hung_up().await, "{bytes:?}");
    }
}

#[tokio::test]
async fn one_connection_too_many_is_closed_and_the_others_live() {
    let mut config = NamesrvConfig::ephemeral();
    config.network.max_connections = 1;
    let server = start(config).await;
    let mut first = Peer::dial(server.address()).await;
    let ask = || Command::request(RequestCode::GET_BROKER_CLUSTER_INFO);
    first.call(ask()).await;
    assert!(Peer::dial(server.address()).await.is_hung_up().await);
    first.call(ask()).await;

    drop(first);
    eventually("a free place", || async {
        let mut next = Peer::dial(server.address()).await;
        next.send(ask()).await;
        next.receive().await.is_some()
    })
    .await;
}

#[tokio::test]
async fn strangers_make_room_for_clients_and_known_clients_stay() {
    let mut config = NamesrvConfig::ephemeral();
    config.network.max_connections = 5;
    let server = start(config).await;
    let ask = || Command::request(RequestCode::GET_BROKER_CLUSTER_INFO);
    let mut known = Peer::dial(server.address()).await;
    known.call(ask()).await;
    let mut strangers = Vec::new();
    for bytes in [&b""[..], b"", &[0, 0, 0, 100, 0, 0], b"PROXY TCP4 10"] {
        let mut stranger = Peer::dial(server.address()).await;
        stranger.write(bytes).await;
        strangers.push(stranger);
    }
    let mut clients = Vec::new();
    for _ in 0..4 {
        let mut client = Peer::dial(server.address()).await;
        client.call(ask()).await;
        clients.push(client);
    }
    assert!(Peer::dial(server.address()).await.is_hung_up().await, "all five are known");
    for stranger in &mut strangers {
        assert!(stranger.is_hung_up().await);
    }
    for client in clients.iter_mut().chain([&mut known]) {
        client.call(ask()).await;
    }
}

fn resident_kib() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unfinished_frames_and_unread_answers_of_many_peers_fit_into_the_limit() {
    const LIMIT_KIB: i64 = 32 << 10;
    let cluster = Embedded::builder().set("maxConnectionMemory", LIMIT_KIB << 10).start().await.unwrap();
    let address = cluster.broker().address();
    let mut sender = Peer::dial(address).await;
    let fields = [
        ("producerGroup", "p"),
        ("topic", "t"),
        ("defaultTopic", "TBW102"),
        ("defaultTopicQueueNums", "1"),
        ("queueId", "0"),
        ("sysFlag", "0"),
        ("bornTimestamp", "0"),
        ("flag", "0"),
    ];
    let send = support::request(RequestCode::SEND_MESSAGE, &fields).with_body(vec![b'x'; 200_000]);
    assert_eq!(sender.call(send).await.response_code(), ResponseCode::SUCCESS);
    let before = resident_kib();

    let unfinished: Vec<u8> =
        [&(15u32 << 20).to_be_bytes()[..], &[0, 0, 0, 2, b'{', b'}'], &vec![0; 15 << 20]].concat();
    let unfinished = Arc::new(unfinished);
    let pulls = Arc::new(pulls_of("t", 1000));
    for number in 0..40 {
        let bytes = if number % 2 == 0 { unfinished.clone() } else { pulls.clone() };
        tokio::spawn(async move {
            let mut peer = Peer::dial(address).await;
            let end = bytes.len() - 6;
            // The broker may hang up meanwhile.
            let _ = peer.try_write(&bytes[..end]).await;
            std::future::pending::<()>().await;
        });
    }
    let peak = async {
        let mut peak = 0;
        loop {
            peak = peak.max(resident_kib() - before);
            assert!(peak < 4 * LIMIT_KIB, "{peak} KiB");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let others = async {
        for _ in 0..20 {
            let mut peer = Peer::dial(address).await;
            peer.call(Command::request(RequestCode::GET_BROKER_RUNTIME_INFO)).await;
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        () = others => {}
        () = peak => {}
    }
}

/// So many pulls of the same message, in one piece.
fn pulls_of(topic: &str, count: usize) -> Vec<u8> {
    let fields = [
        ("consumerGroup", "g"),
        ("topic", topic),
        ("queueId", "0"),
        ("queueOffset", "0"),
        ("maxMsgNums", "32"),
        ("sysFlag", "4"),
        ("commitOffset", "0"),
        ("suspendTimeoutMillis", "0"),
        ("subscription", "*"),
        ("subVersion", "0"),
    ];
    let mut out = bytes::BytesMut::new();
    for _ in 0..count {
        rocketmq_remoting::frame::encode(&support::request(RequestCode::PULL_MESSAGE, &fields), &mut out)
            .unwrap();
    }
    out.to_vec()
}

#[tokio::test]
async fn a_port_in_use_is_one_clear_error() {
    let server = start(NamesrvConfig::ephemeral()).await;
    let mut config = NamesrvConfig::ephemeral();
    config.network.listen_port = server.address().port();
    let error = NameServer::start(config, Arc::new(System)).await.unwrap_err().to_string();
    assert!(error.contains(&server.address().to_string()), "{error}");
    assert!(error.contains("choose another with `listenPort`"), "{error}");
}

#[tokio::test]
async fn a_paused_server_answers_once_it_goes_on() {
    let server = start(NamesrvConfig::ephemeral()).await;
    let mut peer = Peer::dial(server.address()).await;
    peer.call(registration("broker-a", "127.0.0.1:1", &["T", "U"])).await;
    server.pause();
    let opaque = peer.send(Command::request(RequestCode::GET_BROKER_CLUSTER_INFO)).await;
    let mut other = Peer::dial(server.address()).await;
    other.send(Command::request(RequestCode::GET_BROKER_CLUSTER_INFO)).await;
    server.resume();
    assert_eq!(peer.receive().await.unwrap().opaque, opaque);
    assert!(other.receive().await.is_some());
}
