//! A cluster inside the test's own process.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

mod support;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rocketmq_remoting::{Command, RequestCode, ResponseCode};
use rocketmq_server::{Embedded, EmbeddedError};
use support::{Peer, eventually, request, within};

async fn send(broker: SocketAddr, topic: &str) -> Command {
    let fields = [
        ("a", "p"),
        ("b", topic),
        ("c", "TBW102"),
        ("d", "4"),
        ("e", "0"),
        ("f", "0"),
        ("g", "1700000000000"),
        ("h", "0"),
        ("i", ""),
        ("j", "0"),
        ("k", "false"),
        ("m", "false"),
    ];
    let command = request(RequestCode::SEND_MESSAGE_V2, &fields).with_body(b"hello".as_slice());
    Peer::dial(broker).await.call(command).await
}

async fn max_offset(broker: SocketAddr, topic: &str) -> Option<i64> {
    let fields = [("topic", topic), ("queueId", "0")];
    let answer = Peer::dial(broker).await.call(request(RequestCode::GET_MAX_OFFSET, &fields)).await;
    answer.ext.get("offset").and_then(|offset| offset.parse().ok())
}

fn first(addresses: &str) -> SocketAddr {
    addresses.split(';').next().unwrap().parse().unwrap()
}

async fn has_route(name_server: SocketAddr, topic: &str) -> bool {
    Peer::dial(name_server).await.route(topic).await.is_some()
}

#[tokio::test]
async fn it_is_ready_to_send_when_it_has_started() {
    let began = Instant::now();
    let cluster = Embedded::start().await.unwrap();
    let took = began.elapsed();
    let route = Peer::dial(first(&cluster.name_server())).await.route("TBW102").await.unwrap();
    assert_eq!(
        route.broker("broker-a").unwrap().master(),
        Some(cluster.broker().address().to_string().as_str())
    );
    let answer = send(cluster.broker().address(), "orders").await;
    assert_eq!(answer.response_code(), ResponseCode::SUCCESS, "{:?}", answer.remark);
    assert!(took < Duration::from_secs(10), "took {took:?}");
    eventually("the new topic's route", || has_route(first(&cluster.name_server()), "orders")).await;
}

#[tokio::test]
async fn messages_and_address_survive_a_restart_and_a_crash() {
    let cluster = Embedded::start().await.unwrap();
    let broker = cluster.broker();
    assert_eq!(send(broker.address(), "orders").await.response_code(), ResponseCode::SUCCESS);
    broker.restart().await.unwrap();
    assert_eq!(max_offset(broker.address(), "orders").await, Some(1));

    assert_eq!(send(broker.address(), "orders").await.response_code(), ResponseCode::SUCCESS);
    broker.kill().await;
    broker.restart().await.unwrap();
    assert_eq!(max_offset(broker.address(), "orders").await, Some(2));
    assert!(has_route(first(&cluster.name_server()), "orders").await);
}

#[tokio::test]
async fn a_stopped_broker_leaves_the_routes() {
    let cluster = Embedded::start().await.unwrap();
    cluster.broker().stop().await.unwrap();
    assert!(!has_route(first(&cluster.name_server()), "TBW102").await);
}

#[tokio::test]
async fn a_paused_broker_answers_when_it_is_resumed() {
    let cluster = Embedded::start().await.unwrap();
    cluster.broker().pause();
    let mut peer = Peer::dial(cluster.broker().address()).await;
    let opaque =
        peer.send(request(RequestCode::GET_MAX_OFFSET, &[("topic", "TBW102"), ("queueId", "0")])).await;
    cluster.broker().resume();
    assert_eq!(peer.receive().await.unwrap().opaque, opaque);
}

#[tokio::test]
async fn a_name_server_comes_back_with_its_routes() {
    let cluster = Embedded::start().await.unwrap();
    let server = &cluster.name_servers()[0];
    server.restart().await.unwrap();
    eventually("the route's return", || has_route(server.address(), "TBW102")).await;
}

#[tokio::test]
async fn several_of_each_know_each_other() {
    let cluster = Embedded::builder().brokers(2).name_servers(2).start().await.unwrap();
    for server in cluster.name_servers() {
        let route = Peer::dial(server.address()).await.route("TBW102").await.unwrap();
        assert_eq!(route.broker_datas.len(), 2);
    }
    assert_eq!(cluster.brokers()[1].name(), "broker-b");
    assert_eq!(cluster.name_server().matches(';').count(), 1);
}

#[tokio::test]
async fn a_store_of_ones_own_stays() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Embedded::builder().store(folder.path()).sync_flush().start().await.unwrap();
    assert_eq!(send(cluster.broker().address(), "orders").await.response_code(), ResponseCode::SUCCESS);
    within(cluster.shutdown()).await.unwrap();
    assert!(folder.path().join("broker-a/commitlog").is_dir());
    let again = Embedded::builder().store(folder.path()).start().await.unwrap();
    assert_eq!(max_offset(again.broker().address(), "orders").await, Some(1));
}

#[tokio::test]
async fn a_store_in_use_is_one_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Embedded::builder().store(folder.path()).start().await.unwrap();
    let error = Embedded::builder().store(folder.path()).start().await.unwrap_err().to_string();
    assert!(error.contains("broker-a"), "{error}");
}

#[tokio::test]
async fn wrong_and_idle_settings_are_errors() {
    let wrong = Embedded::builder().set("transactionCheckMax", "many").start().await;
    assert!(matches!(wrong, Err(EmbeddedError::Config(_))));
    let idle = Embedded::builder().set("serverWorkerThreads", 4).start().await.unwrap_err();
    assert!(idle.to_string().contains("serverWorkerThreads"), "{idle}");
}
