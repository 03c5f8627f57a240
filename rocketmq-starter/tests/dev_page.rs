//! The page for development, over HTTP as its script uses it.

mod http;

use http::{Answer, LIMIT, ask, send, until};
use rocketmq_server::Embedded;
use rocketmq_starter::{App, Attempt, BoxError, Outcome, RunningApp, Text};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::time::timeout;

fn app() -> App {
    App::new()
        .environment::<String, String>([])
        .set("rocketmq.name-server", "embedded")
        .set("rocketmq.producer.group", "tests")
        .set("rocketmq.consumer.from", "first")
}

async fn start(app: App) -> (RunningApp, SocketAddr) {
    let running = timeout(LIMIT, app.start()).await.expect("in time").expect("started");
    let address = running.dev_page().expect("a page for development");
    (running, address)
}

async fn post(address: SocketAddr, path: &str, what: &Value) -> Answer {
    let head = "Content-Type: application/json\r\n";
    send(address, &format!("POST /{path}"), head, &what.to_string()).await
}

/// Waits until the state is as wanted.
async fn state(address: SocketAddr, wanted: impl Fn(&Value) -> bool) -> Value {
    until(address, "GET /state", |answer| answer.status == 200 && wanted(&answer.json())).await.json()
}

#[tokio::test]
async fn a_message_sent_by_hand_is_seen_with_what_became_of_it() {
    let failing_once = async |Text(_): Text, Attempt(attempt): Attempt| -> Result<(), BoxError> {
        if attempt == 1 { Err("the first try".into()) } else { Ok(()) }
    };
    let app = app().set("rocketmq.consumer.retry-delay", "1s");
    let (running, address) = start(app.listen("orders", "billing", failing_once)).await;
    assert!(address.ip().is_loopback());
    let new = json!({"topic": "orders", "tag": "paid", "keys": ["7"], "headers": {"shop": "north"}, "body": "an order"});
    let answer = post(address, "send", &new).await;
    assert!(answer.status == 200 && answer.body.starts_with("sent as "), "{answer:?}");
    let again = |state: &Value| state["messages"][0]["groups"][0]["tries"][0]["kind"] == "again";
    let seen = state(address, again).await;
    let message = &seen["messages"][0];
    let expected = json!([answer.body["sent as ".len()..], "orders", "paid", ["7"], {"shop": "north"}, "an order", 8, false]);
    let names = ["id", "topic", "tag", "keys", "headers", "body", "bytes", "waiting"];
    assert_eq!(Value::from_iter(names.map(|name| message[name].clone())), expected);
    assert_eq!(post(address, "advance", &json!({"seconds": 2})).await.status, 200);
    let done = |state: &Value| state["messages"][0]["groups"][0]["tries"][1]["kind"] == "done";
    let seen = state(address, done).await;
    assert_eq!(seen["messages"].as_array().expect("a list").len(), 1, "retries are tries of one message");
    let tries = &seen["messages"][0]["groups"][0]["tries"];
    assert_eq!((&tries[0]["number"], &tries[1]["number"]), (&json!(1), &json!(2)));
    assert_eq!(tries[0]["reason"], "the handler failed: the first try");
    assert_eq!(seen["listeners"][0]["group"], "billing");
    running.shutdown().await;
}

#[tokio::test]
async fn a_dead_letter_is_sent_again() {
    let (seen, mut received) = tokio::sync::mpsc::unbounded_channel();
    let refusing = move |Text(text): Text| {
        let seen = seen.clone();
        async move { seen.send(text).map(|()| Outcome::DeadLetter) }
    };
    let (running, address) = start(app().listen("orders", "billing", refusing)).await;
    let new = json!({"topic": "orders", "tag": "paid", "keys": ["7", "8"], "headers": {"shop": "north"}, "body": "bad"});
    assert_eq!(post(address, "send", &new).await.status, 200);
    let dead = state(address, |state| state["dead"][0]["group"] == "billing").await["dead"][0].clone();
    for (name, expected) in [("topic", "orders"), ("body", "bad"), ("tag", "paid")] {
        assert_eq!(dead[name], expected, "{dead}");
    }
    assert_eq!((&dead["sent_again"], &dead["headers"]["shop"]), (&json!(false), &json!("north")));
    let again = post(address, "again", &json!({"group": "billing", "id": dead["id"]})).await;
    assert_eq!(again.status, 200, "{again:?}");
    for _ in 0..2 {
        assert_eq!(timeout(LIMIT, received.recv()).await.expect("in time").as_deref(), Some("bad"));
    }
    let twice = |state: &Value| state["dead"].as_array().is_some_and(|dead| dead.len() == 2);
    let both = state(address, twice).await;
    let marks: Vec<_> = both["dead"].as_array().expect("a list").iter().map(|it| &it["sent_again"]).collect();
    assert_eq!(marks, [&json!(false), &json!(true)], "the newest first");
    assert_eq!(both["messages"][0]["keys"], json!(["7", "8"]));
    running.shutdown().await;
}

#[tokio::test]
async fn two_hours_pass_for_a_delayed_message() {
    let (running, address) = start(app().listen("orders", "billing", async |_: Text| {})).await;
    let new = json!({"topic": "orders", "body": "later", "delay_ms": 7_200_000});
    assert_eq!(post(address, "send", &new).await.status, 200);
    let before = state(address, |state| state["messages"][0]["waiting"] == true).await;
    assert_eq!(
        (&before["messages"][0]["topic"], &before["messages"][0]["groups"]),
        (&json!("orders"), &json!([]))
    );
    let passed = post(address, "advance", &json!({"seconds": 7200})).await;
    assert!(passed.status == 200 && passed.body.contains("2h"), "{passed:?}");
    let done = |state: &Value| state["messages"][0]["groups"][0]["tries"][0]["kind"] == "done";
    let after = state(address, done).await;
    assert_eq!(after["messages"].as_array().map(Vec::len), Some(1));
    assert_eq!(after["messages"][0]["waiting"], false);
    let time = |state: &Value| state["now"].as_i64().expect("a time");
    assert!(time(&after) >= time(&before) + 7_200_000);
    running.shutdown().await;
}

#[tokio::test]
async fn mistakes_get_an_answer_and_other_sites_none() {
    let (running, address) = start(app().listen("orders", "billing", async |_: Text| {})).await;
    let all = [
        ("send", json!({"topic": "or ders"}), 400, "' '"),
        ("send", json!({"topic": "orders", "body": "b", "headers": {"TAGS": "x"}}), 400, "TAGS"),
        ("send", json!({"topic": "orders", "tags": "x"}), 422, "tags"),
        ("again", json!({"group": "billing", "id": "7"}), 404, "the group `billing` has no dead letter 7"),
        ("advance", json!({"seconds": 0}), 400, "from 1 to 31536000"),
        ("advance", json!({"seconds": 31_536_001}), 400, "from 1 to 31536000"),
        ("advance", json!({"seconds": -1}), 422, "seconds"),
    ];
    for (path, what, status, words) in all {
        let answer = post(address, path, &what).await;
        assert!(answer.status == status && answer.body.contains(words), "{path} {what}: {answer:?}");
    }
    let head = "Content-Type: application/json\r\nOrigin: http://evil.example\r\n";
    assert_eq!(send(address, "POST /advance", head, r#"{"seconds":1}"#).await.status, 403);
    assert_eq!(
        send(address, "POST /advance", "Content-Type: text/plain\r\n", r#"{"seconds":1}"#).await.status,
        415
    );
    running.shutdown().await;
}

#[tokio::test]
async fn the_page_is_one_file_and_there_only_with_the_broker_inside() {
    let (running, address) = start(app().listen("orders", "billing", async |_: Text| {})).await;
    let (second, other) = start(app().listen("orders", "billing", async |_: Text| {})).await;
    assert_ne!(address, other, "two applications on one machine");
    let page = ask(address, "GET /").await;
    assert!(page.head.contains("content-type: text/html; charset=utf-8"), "{}", page.head);
    for part in ["2 hours pass", "Dead letters", "send again", "Sent and handled"] {
        assert!(page.body.contains(part), "{part}");
    }
    assert!(!page.body.contains("src=") && !page.body.contains("href="), "it loads nothing");
    running.shutdown().await;
    second.shutdown().await;
    let cluster = Embedded::start().await.expect("a cluster");
    let far = app().set("rocketmq.name-server", cluster.name_server());
    let far = timeout(LIMIT, far.start()).await.expect("in time").expect("started");
    assert_eq!(far.dev_page(), None);
    far.shutdown().await;
}
