//! The client against scripted name servers and brokers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rocketmq_remoting::{Command, RequestCode, ResponseCode, fastjson};
use tokio::net::TcpListener;

use crate::error::{ConnectErrorKind, RouteErrorKind};
use crate::testkit::{FakeCluster, FakeServer, Reply, eventually, healthy, name_server, refuse, route};
use crate::{Client, Credentials, Message, SendErrorKind, connect};

const LOOKUP: RequestCode = RequestCode::GET_ROUTEINFO_BY_TOPIC;

/// A port nobody listens on.
async fn dead() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    listener.local_addr().expect("bound")
}

async fn broker_and_route() -> (FakeServer, rocketmq_remoting::route::TopicRoute) {
    let broker = FakeServer::start(healthy).await;
    let route = route(&[broker.address], 4);
    (broker, route)
}

#[tokio::test]
async fn unreachable_name_servers_are_all_named() {
    let (a, b) = (dead().await, dead().await);
    let error = connect(format!("{a};{b}")).await.expect_err("nobody is there");
    assert_eq!((error.kind(), error.is_retryable()), (ConnectErrorKind::Unreachable, true));
    let text = error.to_string();
    assert!(
        text.contains(&a.to_string()) && text.contains(&b.to_string()) && text.contains("start one"),
        "{text}"
    );
    let error = connect("nonsense").await.expect_err("no address");
    assert_eq!(error.kind(), ConnectErrorKind::InvalidConfig);
    let spinning = |config: &mut crate::ClientConfig| config.route_refresh = Duration::ZERO;
    let error = Client::builder("a:1").configure(spinning).lazy().connect().await.expect_err("no interval");
    assert_eq!(error.kind(), ConnectErrorKind::InvalidConfig);
    assert!(error.to_string().contains("route_refresh"), "{error}");
}

#[tokio::test]
async fn a_lazy_client_finds_out_when_it_sends() {
    let client = Client::builder(dead().await.to_string()).lazy().connect().await.expect("lazy");
    let producer = client.producer("p").build().await.expect("a producer");
    let error = producer.send(Message::new("t", "b")).await.expect_err("nobody is there");
    assert_eq!(error.kind(), SendErrorKind::NoRoute);
}

#[tokio::test]
async fn the_next_name_server_takes_over_and_is_kept() {
    let (_broker, route) = broker_and_route().await;
    let frozen = FakeServer::start(|_| Reply::Silence).await;
    let live = name_server(route, |_| true).await;
    let both = format!("{};{};{}", dead().await, frozen.address, live.address);
    let hurried = |config: &mut crate::ClientConfig| config.api_timeout = Duration::from_secs(2);
    let client = Client::builder(both).configure(hurried).connect().await.expect("one lives");
    client.route("t").await.expect("the live one answers");
    let frozen_asked = frozen.seen(LOOKUP).len();
    client.route("u").await.expect("the live one answers");
    assert_eq!((frozen.seen(LOOKUP).len(), live.seen(LOOKUP).len()), (frozen_asked, 2));
}

#[tokio::test]
async fn another_name_server_is_asked_before_no_such_topic_is_believed() {
    let (_broker, route) = broker_and_route().await;
    for round in 0..8 {
        let empty = name_server(route.clone(), |_| false).await;
        let good = name_server(route.clone(), |topic| topic == "t").await;
        let client = connect(format!("{};{}", empty.address, good.address)).await.expect("both live");
        client.route("t").await.unwrap_or_else(|error| panic!("round {round}: {error}"));
        let doubted = empty.seen(LOOKUP).len();
        client.route("t").await.expect("by the one that knows it");
        assert_eq!(empty.seen(LOOKUP).len(), doubted, "round {round}: the one that knows is kept");
        let error = client.route("u").await.expect_err("neither knows it");
        assert_eq!(error.kind(), RouteErrorKind::TopicNotFound);
        assert!(empty.seen(LOOKUP).len() > doubted, "round {round}: both say so");
    }
}

#[tokio::test]
async fn a_name_server_that_cannot_answer_is_not_the_last_word() {
    let (_broker, route) = broker_and_route().await;
    let busy = FakeServer::start(|_| refuse(ResponseCode::SYSTEM_BUSY, "no time")).await;
    let good = name_server(route, |_| true).await;
    for _ in 0..4 {
        let client = connect(format!("{};{}", busy.address, good.address)).await.expect("both live");
        client.route("t").await.expect("by the other");
    }
    let client = connect(busy.address.to_string()).await.expect("it lives");
    let error = client.route("t").await.expect_err("nobody else to ask");
    assert_eq!(error.kind(), RouteErrorKind::Refused);
}

#[tokio::test]
async fn a_frozen_name_server_leaves_time_to_send_to_a_new_topic() {
    let (_broker, route) = broker_and_route().await;
    let frozen = FakeServer::start(|_| Reply::Silence).await;
    let live = name_server(route, |topic| topic == "TBW102").await;
    let client = connect(format!("{};{}", live.address, frozen.address)).await.expect("one lives");
    let producer = client.producer("p").build().await.expect("a producer");
    producer.send(Message::new("new", "b")).await.expect("stored in time");
}

#[tokio::test]
async fn lookups_at_once_are_one_request() {
    let cluster = FakeCluster::start(vec![FakeServer::start(healthy).await], 4).await;
    let producer = cluster.client.producer("p").build().await.expect("a producer");
    let sends = (0..20).map(|_| producer.send(Message::new("t", "b")).into_future());
    for sent in futures_util::future::join_all(sends).await {
        sent.expect("stored");
    }
    assert_eq!(cluster.name_server.seen(LOOKUP).len(), 1);
    assert_eq!(cluster.brokers[0].connections().len(), 1, "and one connection");
}

#[tokio::test]
async fn a_new_topic_goes_where_the_template_is_until_it_exists() {
    let (broker, route) = broker_and_route().await;
    let exists = Arc::new(AtomicBool::new(false));
    let known = exists.clone();
    let server = name_server(route, move |topic| topic == "TBW102" || known.load(Ordering::SeqCst)).await;
    let client = connect(server.address.to_string()).await.expect("a client");
    let producer = client.producer("p").build().await.expect("a producer");
    producer.send(Message::new("new", "b")).await.expect("stored");
    let error = client.route("new").await.expect_err("not yet");
    assert_eq!(error.kind(), RouteErrorKind::TopicNotFound);
    exists.store(true, Ordering::SeqCst);
    eventually(|| client.membership.cluster.known("new").is_some_and(|info| !info.provisional)).await;
    assert_eq!(broker.seen(RequestCode::SEND_MESSAGE_V2).len(), 1);
}

#[tokio::test]
async fn without_a_template_the_topic_is_missing_and_the_remedy_named() {
    let (_broker, route) = broker_and_route().await;
    let server = name_server(route, |_| false).await;
    let client = connect(server.address.to_string()).await.expect("a client");
    let producer = client.producer("p").topics(["nope"]).build().await.expect("only logged");
    let error = producer.send(Message::new("nope", "b")).await.expect_err("no such topic");
    assert_eq!(error.kind(), SendErrorKind::TopicNotFound);
    assert!(error.to_string().contains("\"nope\"") && error.to_string().contains("updateTopic"), "{error}");
}

#[tokio::test]
async fn a_broker_that_moved_is_found_by_the_next_try() {
    let (old, new) = (FakeServer::start(healthy).await, FakeServer::start(healthy).await);
    let moved = Arc::new(AtomicBool::new(false));
    let (before, after) = (route(&[old.address], 1), route(&[new.address], 1));
    let flag = moved.clone();
    let server = FakeServer::start(move |_| {
        let route = if flag.load(Ordering::SeqCst) { &after } else { &before };
        let body = fastjson::to_vec(route).expect("a route");
        Reply::Answer(Command::response(ResponseCode::SUCCESS).with_body(body))
    })
    .await;
    let client = connect(server.address.to_string()).await.expect("a client");
    let producer = client.producer("p").build().await.expect("a producer");
    producer.send(Message::new("t", "b")).await.expect("stored");
    moved.store(true, Ordering::SeqCst);
    drop(old);
    let deadline = Instant::now() + Duration::from_secs(10);
    while producer.send(Message::new("t", "b")).await.is_err() {
        assert!(Instant::now() < deadline, "never found");
    }
    assert!(!new.seen(RequestCode::SEND_MESSAGE_V2).is_empty());
}

#[tokio::test]
async fn dropping_the_last_handle_closes_every_connection() {
    let cluster = FakeCluster::start(vec![FakeServer::start(healthy).await], 4).await;
    let FakeCluster { name_server, brokers, client } = cluster;
    let producer = client.producer("p").build().await.expect("a producer");
    producer.send(Message::new("t", "b")).await.expect("stored");
    let (a, b) = (client.clone(), producer.clone());
    drop((client, producer));
    assert_eq!(brokers[0].connections().len(), 1);
    drop((a, b));
    eventually(|| brokers[0].connections().is_empty() && name_server.connections().is_empty()).await;
}

#[tokio::test]
async fn after_shutdown_everything_says_so() {
    let cluster = FakeCluster::start(vec![FakeServer::start(healthy).await], 4).await;
    let producer = cluster.client.producer("p").build().await.expect("a producer");
    cluster.client.shutdown().await;
    let error = producer.send(Message::new("t", "b")).await.expect_err("shut down");
    assert_eq!((error.kind(), error.is_retryable()), (SendErrorKind::Closed, false));
    assert!(cluster.client.route("t").await.is_err());
}

#[tokio::test]
async fn every_request_is_signed_and_carries_the_namespace() {
    let broker = FakeServer::start(healthy).await;
    let server = name_server(route(&[broker.address], 4), |_| true).await;
    let client = Client::builder(server.address.to_string())
        .credentials(Arc::new(Credentials::new("user", "secret")))
        .configure(|config| config.namespace_v2 = Some("NS2".into()))
        .connect()
        .await
        .expect("a client");
    let producer = client.producer("p").build().await.expect("a producer");
    producer.send(Message::new("t", "b")).await.expect("stored");
    let requests = [server.seen(LOOKUP), broker.seen(RequestCode::SEND_MESSAGE_V2)].concat();
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert_eq!((request.ext.get("AccessKey"), request.ext.get("ns")), (Some("user"), Some("NS2")));
        assert!(request.ext.get("Signature").is_some());
    }
}

#[tokio::test]
async fn a_namespace_is_on_every_name_and_on_no_result() {
    let broker = FakeServer::start(healthy).await;
    let server = name_server(route(&[broker.address], 4), |topic| topic == "NS1%t").await;
    let client =
        Client::builder(server.address.to_string()).namespace("NS1").connect().await.expect("a client");
    let producer = client.producer("p").build().await.expect("a producer");
    producer.send(Message::new("t", "b")).await.expect("stored");
    let sent = broker.expect(RequestCode::SEND_MESSAGE_V2, 1).await.remove(0);
    assert_eq!((sent.ext.get("a"), sent.ext.get("b")), (Some("NS1%p"), Some("NS1%t")));
    assert!(sent.ext.get("i").is_some_and(|properties| properties.contains("INSTANCE_ID\u{1}NS1")));
    assert_eq!(producer.group(), "p");
}

#[tokio::test]
async fn a_lookup_over_a_connection_that_just_ended_is_asked_again() {
    let (_broker, route) = broker_and_route().await;
    let server = name_server(route, |_| true).await;
    let client = connect(server.address.to_string()).await.expect("a client");
    client.route("t").await.expect("an answer");
    server.connections().iter().for_each(rocketmq_remoting::net::Connection::close);
    client.route("t").await.expect("an answer over a new connection");
}

#[tokio::test]
async fn a_refused_route_names_server_code_and_topic() {
    let server = FakeServer::start(|_| refuse(ResponseCode::SYSTEM_ERROR, "not ready")).await;
    let client = connect(server.address.to_string()).await.expect("a client");
    let error = client.route("t").await.expect_err("refused");
    assert_eq!(error.kind(), RouteErrorKind::Refused);
    let text = error.to_string();
    assert!(text.contains("not ready") && text.contains(&server.address.to_string()), "{text}");
}

#[tokio::test]
async fn what_a_broker_asks_of_nobody_is_answered_with_an_error() {
    let cluster = FakeCluster::start(vec![FakeServer::start(healthy).await], 4).await;
    let producer = cluster.client.producer("p").build().await.expect("a producer");
    producer.send(Message::new("t", "b")).await.expect("stored");
    let connection = cluster.brokers[0].connections().remove(0);
    let ask = async |code| {
        connection.call(Command::request(code), Duration::from_secs(5)).await.expect("an answer")
    };
    let answer = ask(RequestCode::GET_CONSUMER_RUNNING_INFO).await;
    assert_eq!(answer.response_code(), ResponseCode::SYSTEM_ERROR);
    let answer = ask(RequestCode(9_999)).await;
    assert_eq!(answer.response_code(), ResponseCode::REQUEST_CODE_NOT_SUPPORTED);
}
