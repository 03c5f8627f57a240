//! The application on this project's starter: the listeners of `Listeners.java`.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use rocketmq_starter::{
    App, BoxError, Delivery, Json, Raw, RocketmqTemplate, RunningApp, State, Text, TransactionState,
    rocketmq_listener, rocketmq_transaction_listener,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::journal::Journal;
use super::letter::{Order, Quote, Status, base64};
use super::sends;
use crate::{Cluster, TestResult};

#[rocketmq_listener(
    topic = "${test.run}-payloads",
    group = "${test.run}-r-order",
    selector = "order",
    from = "first"
)]
async fn order(Json(order): Json<Order>, State(journal): State<Journal>) {
    journal.got("order", &order);
}

#[rocketmq_listener(
    topic = "${test.run}-payloads",
    group = "${test.run}-r-orders",
    selector = "orders",
    from = "first"
)]
async fn orders(Json(orders): Json<Vec<Order>>, State(journal): State<Journal>) {
    journal.got("orders", &orders);
}

#[rocketmq_listener(
    topic = "${test.run}-payloads",
    group = "${test.run}-r-text",
    selector = "text",
    from = "first"
)]
async fn text(Text(text): Text, State(journal): State<Journal>) {
    journal.got("text", &text);
}

/// Reads the texts once more, as a type that also reads JSON.
#[rocketmq_listener(
    topic = "${test.run}-payloads",
    group = "${test.run}-r-string",
    selector = "text",
    from = "first"
)]
async fn string(Json(text): Json<String>, State(journal): State<Journal>) {
    journal.got("string", &text);
}

#[rocketmq_listener(
    topic = "${test.run}-payloads",
    group = "${test.run}-r-number",
    selector = "number",
    from = "first"
)]
async fn number(Json(number): Json<i64>, State(journal): State<Journal>) {
    journal.got("number", &number);
}

#[rocketmq_listener(
    topic = "${test.run}-payloads",
    group = "${test.run}-r-status",
    selector = "status",
    from = "first"
)]
async fn status(Json(status): Json<Status>, State(journal): State<Journal>) {
    journal.got("status", &status);
}

#[rocketmq_listener(
    topic = "${test.run}-payloads",
    group = "${test.run}-r-bytes",
    selector = "bytes",
    from = "first"
)]
async fn bytes(Raw(bytes): Raw, State(journal): State<Journal>) {
    journal.got("bytes", &base64(&bytes));
}

#[rocketmq_listener(topic = "${test.run}-raw", group = "${test.run}-r-raw", from = "first")]
async fn raw(message: Delivery, State(journal): State<Journal>) {
    journal.got("raw", &everything(&message));
}

#[rocketmq_listener(
    topic = "${test.run}-picked",
    group = "${test.run}-r-tags",
    selector = "a || b",
    from = "first"
)]
async fn tags(Text(text): Text, State(journal): State<Journal>) {
    journal.got("tags", &text);
}

#[rocketmq_listener(
    topic = "${test.run}-picked",
    group = "${test.run}-r-sql",
    sql = "region = 'north' AND amount > 5",
    from = "first"
)]
async fn sql(Text(text): Text, State(journal): State<Journal>) {
    journal.got("sql", &text);
}

#[rocketmq_listener(
    topic = "${test.run}-ordered",
    group = "${test.run}-r-ordered",
    mode = "orderly",
    from = "first"
)]
async fn ordered(message: Delivery, State(journal): State<Journal>) {
    journal.got("ordered", &everything(&message));
}

/// A member of a group that has members in Spring too.
#[rocketmq_listener(
    topic = "${test.run}-shared",
    group = "${test.run}-shared",
    retry_delay = "1s",
    from = "first"
)]
async fn shared(message: Delivery, State(journal): State<Journal>) -> Result<(), BoxError> {
    journal.got("shared", &everything(&message));
    if message.tag() == Some("flaky") && message.reconsume_times() == 0 {
        Err("flaky".into())
    } else {
        Ok(())
    }
}

#[rocketmq_listener(
    topic = "${test.run}-doomed",
    group = "${test.run}-r-doomed",
    max_reconsume_times = 1,
    retry_delay = "1s",
    from = "first"
)]
async fn doomed(Json(order): Json<Order>, State(journal): State<Journal>) -> Result<(), BoxError> {
    journal.got("doomed", &order);
    Err("never".into())
}

/// Reads the dead letters of the group in Spring.
#[rocketmq_listener(topic = "%DLQ%${test.run}-s-doomed", group = "${test.run}-r-dead", from = "first")]
async fn dead(message: Delivery, State(journal): State<Journal>) {
    journal.got("dead", &everything(&message));
}

#[rocketmq_listener(
    topic = "${test.run}-ask-ours",
    group = "${test.run}-r-quotes",
    selector = "order",
    from = "first"
)]
async fn quotes(Json(order): Json<Order>) -> Json<Quote> {
    Json(Quote { order: order.id, total: order.price * 10.0 })
}

#[rocketmq_listener(
    topic = "${test.run}-ask-ours",
    group = "${test.run}-r-echo",
    selector = "text",
    from = "first"
)]
async fn echo(Text(text): Text) -> Text {
    Text(format!("you said: {text}"))
}

#[rocketmq_listener(
    topic = "${test.run}-ask-ours",
    group = "${test.run}-r-reversed",
    selector = "bytes",
    from = "first"
)]
async fn reversed(Raw(bytes): Raw) -> Raw {
    Raw(bytes.iter().rev().copied().collect())
}

/// Decides about half messages, its own and those of the producer in Spring that has the same group.
#[rocketmq_transaction_listener]
async fn check(message: Delivery, State(journal): State<Journal>) -> TransactionState {
    journal.got("checked", &message.text());
    sends::decision(message.property("verdict").unwrap_or_default())
}

/// Returns everything of a message that a listener can see, under the names of `Wire.java`.
fn everything(message: &Delivery) -> Value {
    let keys: Vec<&str> = message.keys().collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    json!({
        "body": base64(message.body()),
        "tag": message.tag(),
        "keys": keys.join(" "),
        "properties": message.properties().iter().collect::<BTreeMap<_, _>>(),
        "queue": message.queue().queue_id,
        "tries": message.reconsume_times() + 1,
        "at": u64::try_from(now.as_millis()).unwrap_or_default(),
    })
}

/// The running application.
#[derive(Debug)]
pub struct OurApp {
    running: RunningApp,
    template: RocketmqTemplate,
    journal: Journal,
    _folder: TempDir,
}

impl OurApp {
    /// Starts the application. Its producer has the group of the one in Spring.
    pub(super) async fn start(cluster: &Cluster, run: &str) -> TestResult<Self> {
        let (folder, journal) = (tempfile::tempdir()?, Journal::default());
        let file = folder.path().join("application.toml");
        let server = cluster.name_server();
        let toml = format!(
            "[rocketmq]\nname-server = '{server}'\n[rocketmq.producer]\ngroup = '{run}-producer'\n\
             send-message-timeout = '20s'\n[test]\nrun = '{run}'\n"
        );
        std::fs::write(&file, toml)?;
        let app = App::new().environment::<String, String>([]).config_file(file).state(journal.clone());
        let app = app.listener(order).listener(orders).listener(text).listener(string).listener(number);
        let app = app.listener(status).listener(bytes).listener(raw).listener(tags).listener(sql);
        let app = app.listener(ordered).listener(shared).listener(doomed).listener(dead);
        let app = app.listener(quotes).listener(echo).listener(reversed).transaction_listener(check);
        let running = app.start().await?;
        let template = running.template().ok_or("no template without a producer group")?.clone();
        Ok(OurApp { running, template, journal, _folder: folder })
    }

    pub(super) fn template(&self) -> &RocketmqTemplate {
        &self.template
    }

    pub(super) fn journal(&self) -> &Journal {
        &self.journal
    }

    pub(super) async fn stop(self) {
        self.running.shutdown().await;
    }
}
