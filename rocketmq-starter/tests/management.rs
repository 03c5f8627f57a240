//! The management page of an application.

mod http;

use http::{LIMIT, ask, send, until};
use rocketmq_starter::{App, RunningApp, Text};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::time::timeout;

fn app(address: &str) -> App {
    App::new()
        .environment::<String, String>([])
        .set("rocketmq.name-server", "embedded")
        .set("rocketmq.producer.group", "tests")
        .set("rocketmq.consumer.from", "first")
        .set("rocketmq.client.persist-consumer-offset-interval", "20ms")
        .set("rocketmq.management.address", address)
        .listen("orders", "billing", async |_: Text| {})
        .listen("orders", "audit", async |_: Text| {})
}

async fn start(app: App) -> (RunningApp, SocketAddr) {
    let running = timeout(LIMIT, app.start()).await.expect("in time").expect("started");
    let address = running.management().expect("a management page");
    (running, address)
}

#[tokio::test]
async fn a_group_is_seen_paused_resumed_and_tuned() {
    let (running, address) = start(app("0")).await;
    assert!(address.ip().is_loopback());
    let listeners = ask(address, "GET /listeners").await.json();
    let groups: Vec<_> = listeners.as_array().expect("a list").iter().map(|it| it["group"].clone()).collect();
    assert_eq!(groups, ["audit", "billing"]);
    let paused = ask(address, "POST /listeners/billing/pause").await;
    assert_eq!((paused.status, &paused.json()[0]["paused"]), (200, &Value::Bool(true)), "{paused:?}");
    assert_eq!(ask(address, "GET /listeners/audit").await.json()[0]["paused"], false);
    assert_eq!(ask(address, "POST /listeners/billing/resume").await.json()[0]["paused"], false);
    let tuned = ask(address, "POST /listeners/billing/concurrency?handlers=7").await.json();
    assert_eq!(tuned[0]["concurrency"], 7);
    running.shutdown().await;
}

#[tokio::test]
async fn mistakes_get_an_answer_that_says_what_to_do() {
    let (running, address) = start(app("localhost:0")).await;
    let all = [
        ("POST /listeners/biling/pause", 404, "the groups are: audit, billing"),
        ("GET /listeners/biling", 404, "the groups are: audit, billing"),
        ("POST /listeners/billing/concurrency?handlers=0", 400, "from 1 to 1000"),
        ("POST /listeners/billing/concurrency?handlers=1001", 400, "from 1 to 1000"),
        ("POST /listeners/billing/concurrency", 400, "handlers"),
        ("POST /listeners/billing/concurrency?handlers=many", 400, "handlers"),
        ("GET /listeners/billing/pause", 405, ""),
        ("GET /health/ready?strikt=true", 400, "strikt"),
        ("GET /metric", 404, "GET  /metrics"),
    ];
    for (request, status, text) in all {
        let answer = ask(address, request).await;
        assert!(answer.status == status && answer.body.contains(text), "{request}: {answer:?}");
    }
    assert!(ask(address, "GET /").await.body.contains("POST /listeners/{group}/pause"));
    running.shutdown().await;
}

#[tokio::test]
async fn a_page_of_another_site_cannot_pause_a_group() {
    let (running, address) = start(app("0")).await;
    for head in ["Origin: http://evil.example\r\n", "Host: evil.example\r\n"] {
        let answer = send(address, "POST /listeners/billing/pause", head, "").await;
        assert_eq!(answer.status, 403, "{answer:?}");
    }
    let own = format!("Origin: http://{address}\r\n");
    assert_eq!(send(address, "POST /listeners/billing/resume", &own, "").await.status, 200);
    assert!(running.health().listeners.iter().all(|listener| !listener.paused));
    running.shutdown().await;
}

#[tokio::test]
async fn metrics_show_each_listener_and_the_lag_of_its_group() {
    let gate = Arc::new(Semaphore::new(0));
    let held = gate.clone();
    let slow = move |_: Text| {
        let held = held.clone();
        async move { held.acquire().await.map(|permit| permit.forget()) }
    };
    let (running, address) = start(app("0").listen("orders", "slow", slow)).await;
    let template = running.template().expect("a producer").clone();
    template.send("orders", Text("a".into())).await.expect("sent");
    let lag = "rocketmq_consumer_lag{topic=\"orders\",group=\"billing\"} 0";
    let ready = "rocketmq_listener_ready{listener=\"audit.orders\",group=\"audit\",topic=\"orders\"} 1";
    let behind = "rocketmq_consumer_lag{topic=\"orders\",group=\"slow\"} 1";
    let all = [lag, behind, ready, "rocketmq_producer_sends_total{topic=\"orders\",outcome=\"ok\"}"];
    let answer =
        until(address, "GET /metrics", |answer| all.iter().all(|line| answer.body.contains(line))).await;
    assert!(answer.head.contains("content-type: text/plain; version=0.0.4"), "{answer:?}");
    gate.add_permits(1);
    running.shutdown().await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_a_mistake_that_names_the_key() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let app = App::new().environment::<String, String>([]).set("rocketmq.management.address", &address);
    let error = timeout(LIMIT, app.start()).await.expect("in time").expect_err("taken").to_string();
    for part in ["`rocketmq.management.address`", &address, "in use", "port 0"] {
        assert!(error.contains(part), "{error}");
    }
}
