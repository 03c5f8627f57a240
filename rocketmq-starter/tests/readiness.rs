//! "Is my consumer healthy, and if not, why?" `/health/ready` answers it in each broken situation.

mod http;

use http::{Answer, LIMIT, ask, until};
use rocketmq_client::{Client, Credentials, Message};
use rocketmq_server::Embedded;
use rocketmq_starter::{App, RunningApp, Text};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::time::timeout;

fn app(name_server: String) -> App {
    App::new()
        .environment::<String, String>([])
        .set("rocketmq.name-server", name_server)
        .set("rocketmq.consumer.from", "first")
        .set("rocketmq.client.poll-name-server-interval", "50ms")
        .set("rocketmq.client.heartbeat-broker-interval", "50ms")
        .set("rocketmq.management.address", "0")
}

async fn start(app: App) -> (RunningApp, SocketAddr) {
    let running = timeout(LIMIT, app.start()).await.expect("in time").expect("started");
    let address = running.management().expect("a management page");
    (running, address)
}

/// Waits for a reason with all of these words, and returns the answer.
async fn reason(address: SocketAddr, words: &[&str]) -> Answer {
    let has = |answer: &Answer| {
        let json = answer.json();
        let reasons = json["reasons"].as_array().cloned().unwrap_or_default();
        let whole = |reason: &serde_json::Value| {
            reason.as_str().is_some_and(|text| words.iter().all(|word| text.contains(word)))
        };
        reasons.iter().any(whole)
    };
    until(address, "GET /health/ready", has).await
}

/// Waits for a reason that leaves the application ready, but not by the strict rule.
async fn worry(address: SocketAddr, words: &[&str]) {
    let answer = reason(address, words).await;
    assert_eq!((answer.status, &answer.json()["ready"]), (200, &true.into()), "{answer:?}");
    assert_eq!(ask(address, "GET /health/ready?strict=true").await.status, 503);
}

/// Waits for a reason that makes the application not ready.
async fn obstacle(address: SocketAddr, words: &[&str]) {
    let answer = reason(address, words).await;
    assert_eq!((answer.status, &answer.json()["ready"]), (503, &false.into()), "{answer:?}");
}

async fn ready(address: SocketAddr) {
    until(address, "GET /health/ready?strict=true", |answer| answer.status == 200).await;
}

async fn send(name_server: &str, topic: &str, messages: usize) {
    let client = Client::builder(name_server).connect().await.expect("connected");
    let producer = client.producer("senders").build().await.expect("a producer");
    for _ in 0..messages {
        producer.send(Message::new(topic, "a")).await.expect("sent");
    }
    client.shutdown().await;
}

/// A broker with the rules of `tests/interop/acl`, and the topic `acl-open`.
async fn guarded() -> (Embedded, TempDir) {
    let home = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(home.path().join("conf")).expect("a folder");
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/interop/acl/plain_acl.yml");
    std::fs::copy(rules, home.path().join("conf/plain_acl.yml")).expect("rules");
    let builder = Embedded::builder().set("aclEnable", true).set("rocketmqHome", home.path().display());
    let cluster = builder.start().await.expect("a cluster");
    let admin = Arc::new(Credentials::new("rocketmq-admin", "12345678-admin"));
    let admin = Client::builder(cluster.name_server()).credentials(admin).connect().await.expect("a client");
    let producer = admin.producer("admins").build().await.expect("a producer");
    producer.send(Message::new("acl-open", "a")).await.expect("sent");
    admin.shutdown().await;
    (cluster, home)
}

/// An application that reads `acl-open` as `rocketmq-user`.
fn reader(cluster: &Embedded, secret: &str, group: &'static str) -> App {
    app(cluster.name_server())
        .set("rocketmq.consumer.access-key", "rocketmq-user")
        .set("rocketmq.consumer.secret-key", secret)
        .listen("acl-open", group, async |_: Text| {})
}

#[tokio::test]
async fn wrong_credentials() {
    let (cluster, _home) = guarded().await;
    let (running, address) = start(reader(&cluster, "12345678-wrong", "readers")).await;
    obstacle(address, &["`readers.acl-open`", "is refused: ", "ignature"]).await;
    running.shutdown().await;
}

#[tokio::test]
async fn no_permission() {
    let (cluster, _home) = guarded().await;
    let (running, address) = start(reader(&cluster, "12345678-user", "acl-denied")).await;
    obstacle(address, &["group `acl-denied`", "is refused: ", "acl-denied"]).await;
    running.shutdown().await;
}

#[tokio::test]
async fn a_broker_that_is_stopped_and_comes_back() {
    let cluster = Embedded::start().await.expect("a cluster");
    send(&cluster.name_server(), "orders", 1).await;
    let (running, address) =
        start(app(cluster.name_server()).listen("orders", "g", async |_: Text| {})).await;
    ready(address).await;
    cluster.broker().stop().await.expect("stopped");
    obstacle(address, &["`g.orders`", "is unreachable: ", &cluster.broker().address().to_string()]).await;
    cluster.broker().restart().await.expect("restarted");
    ready(address).await;
    running.shutdown().await;
}

#[tokio::test]
async fn a_name_server_that_knows_no_broker() {
    let cluster = Embedded::start().await.expect("a cluster");
    cluster.broker().stop().await.expect("stopped");
    let (running, address) =
        start(app(cluster.name_server()).listen("orders", "g", async |_: Text| {})).await;
    obstacle(address, &["is unreachable: ", "know no broker"]).await;
    running.shutdown().await;
}

#[tokio::test]
async fn a_name_server_that_is_gone() {
    let cluster = Embedded::start().await.expect("a cluster");
    send(&cluster.name_server(), "orders", 1).await;
    let (running, address) =
        start(app(cluster.name_server()).listen("orders", "g", async |_: Text| {})).await;
    ready(address).await;
    cluster.name_servers()[0].stop().await;
    worry(
        address,
        &["works with the routes it knows, since no name server answers: ", &cluster.name_server()],
    )
    .await;
    cluster.broker().stop().await.expect("stopped");
    obstacle(address, &["is unreachable: "]).await;
    running.shutdown().await;
}

#[tokio::test]
async fn a_condition_that_the_broker_refuses() {
    let cluster = Embedded::builder().set("enablePropertyFilter", false).start().await.expect("a cluster");
    let listener = rocketmq_starter::Listener::new("orders", "g", async |_: Text| {}).option("sql", "a > 1");
    let (running, address) = start(app(cluster.name_server()).listener(listener)).await;
    // While there is no topic, there is no broker that could refuse the start.
    send(&cluster.name_server(), "orders", 1).await;
    obstacle(address, &["is refused: ", "SQL92"]).await;
    running.shutdown().await;
}

#[tokio::test]
async fn a_topic_that_is_not_there() {
    let cluster = Embedded::builder().set("autoCreateTopicEnable", false).start().await.expect("a cluster");
    let (running, address) =
        start(app(cluster.name_server()).listen("ordres", "g", async |_: Text| {})).await;
    worry(address, &["topic `ordres`", "is waiting for its topic: "]).await;
    running.shutdown().await;
}

#[tokio::test]
async fn a_listener_that_only_fails() {
    let cluster = Embedded::start().await.expect("a cluster");
    send(&cluster.name_server(), "orders", 5).await;
    let failing = async |_: Text| Err::<(), _>("no disk left");
    let (running, address) = start(app(cluster.name_server()).listen("orders", "g", failing)).await;
    worry(address, &["only fails: ", "messages in a row", "the handler failed: no disk left"]).await;
    running.shutdown().await;
}

#[tokio::test]
async fn a_group_that_is_paused() {
    let cluster = Embedded::start().await.expect("a cluster");
    send(&cluster.name_server(), "orders", 1).await;
    let (running, address) =
        start(app(cluster.name_server()).listen("orders", "g", async |_: Text| {})).await;
    ready(address).await;
    assert!(running.pause("g"));
    worry(address, &["group `g`", "is paused"]).await;
    assert!(running.resume("g"));
    ready(address).await;
    running.shutdown().await;
}

#[tokio::test]
async fn a_lag_that_grows() {
    let cluster = Embedded::start().await.expect("a cluster");
    let name_server = cluster.name_server();
    let gate = Arc::new(Semaphore::new(0));
    let held = gate.clone();
    let slow = move |_: Text| {
        let held = held.clone();
        async move { held.acquire().await.map(|permit| permit.forget()) }
    };
    let app = app(name_server.clone()).set("rocketmq.management.lag-grows-for", "40ms");
    let (running, address) = start(app.listen("orders", "g", slow)).await;
    let sending = async {
        loop {
            send(&name_server, "orders", 1).await;
        }
    };
    tokio::select! {
        () = sending => {}
        () = worry(address, &["falls behind: its lag grew from", "messages within"]) => {}
    }
    gate.close();
    running.shutdown().await;
}

#[tokio::test]
async fn an_application_that_shuts_down() {
    let cluster = Embedded::start().await.expect("a cluster");
    send(&cluster.name_server(), "orders", 1).await;
    let (begun, gate) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (told, held) = (begun.clone(), gate.clone());
    let slow = move |_: Text| {
        let (told, held) = (told.clone(), held.clone());
        async move {
            told.add_permits(1);
            held.acquire().await.map(|permit| permit.forget())
        }
    };
    let (running, address) = start(app(cluster.name_server()).listen("orders", "g", slow)).await;
    timeout(LIMIT, begun.acquire()).await.expect("in time").expect("open").forget();
    let shutdown = tokio::spawn(running.shutdown());
    obstacle(address, &["the application is starting or shutting down"]).await;
    let live = ask(address, "GET /health/live").await;
    assert!(live.status == 200 && live.head.contains("text/plain"), "{live:?}");
    gate.add_permits(1);
    timeout(LIMIT, shutdown).await.expect("in time").expect("ended");
    let gone = timeout(Duration::from_secs(30), tokio::net::TcpStream::connect(address)).await;
    assert!(gone.expect("in time").is_err(), "the page ends with the application");
}
