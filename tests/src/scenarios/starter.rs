//! A whole application: listeners, a template, `application.toml`.

use std::time::Duration;

use rocketmq_client::Client;
use rocketmq_starter::template::Item;
use rocketmq_starter::{
    App, Attempt, BoxError, DelayLevel, Json, Outcome, RocketmqTemplate, RunningApp, State, Tag, Text,
    rocketmq_listener,
};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::{Cluster, PATIENCE, TestResult, collect, unique_group};

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    id: u32,
    item: String,
}

/// Lines of the listeners, in their order.
type Journal = mpsc::UnboundedSender<String>;

#[rocketmq_listener(topic = "${test.topic}", group = "${test.billing}", selector = "created", from = "first")]
async fn bill(
    Json(order): Json<Order>,
    Attempt(attempt): Attempt,
    State(journal): State<Journal>,
) -> Result<Outcome, BoxError> {
    journal.send(format!("billed {} {} at try {attempt}", order.id, order.item))?;
    match (order.id, attempt) {
        (2, 1) => Ok(Outcome::RetryAfter(DelayLevel::S1)),
        _ => Ok(Outcome::Ack),
    }
}

#[rocketmq_listener(topic = "${test.topic}", group = "${test.audit}", mode = "orderly", from = "first")]
async fn audit(Text(line): Text, Tag(tag): Tag, State(journal): State<Journal>) -> Result<(), BoxError> {
    journal.send(format!("saw {} {line}", tag.unwrap_or_default()))?;
    Ok(())
}

async fn start(
    cluster: &Cluster,
    client: &Client,
) -> TestResult<(RunningApp, mpsc::UnboundedReceiver<String>, String)> {
    let topic = cluster.topic(client, 4).await?;
    let (journal, lines) = mpsc::unbounded_channel();
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("application.toml");
    let (billing, audits) = (unique_group(), unique_group());
    let toml = format!(
        "[rocketmq]\nname-server = '{}'\n[rocketmq.producer]\ngroup = '{}'\nsend-message-timeout = '10s'\n\
         [test]\ntopic = '{topic}'\nbilling = '{billing}'\naudit = '{audits}'\n",
        cluster.name_server(),
        unique_group()
    );
    std::fs::write(&file, toml)?;
    let app = App::new().environment::<String, String>([]).config_file(file);
    let running = app.state::<Journal>(journal).listener(bill).listener(audit).start().await?;
    Ok((running, lines, topic))
}

async fn next(lines: &mut mpsc::UnboundedReceiver<String>) -> TestResult<String> {
    Ok(tokio::time::timeout(PATIENCE, lines.recv()).await?.ok_or("the application has ended")?)
}

async fn order(template: &RocketmqTemplate, topic: &str, id: u32) -> TestResult {
    let order = Order { id, item: "book".into() };
    template.send(&format!("{topic}:created"), &order).key(id).ordered_by("customer-7").await?;
    Ok(())
}

/// Messages of the template reach each subscribed listener, a failed one is retried, and the application stops in
/// order.
pub async fn listeners_and_template(cluster: &Cluster) -> TestResult {
    let client = cluster.client().await?;
    let (running, mut lines, topic) = start(cluster, &client).await?;
    let template = running.template().ok_or("no template without a producer group")?.clone();
    order(&template, &topic, 1).await?;
    order(&template, &topic, 2).await?;
    template.send(&format!("{topic}:noted"), Text("a note".into())).ordered_by("customer-7").await?;
    template.send(&format!("{topic}:created"), Text("no order".into())).ordered_by("customer-7").await?;

    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(next(&mut lines).await?);
    }
    tokio::select! {
        () = cluster.pass(Duration::from_secs(1)) => seen.push(next(&mut lines).await?),
        line = next(&mut lines) => seen.push(line?),
    }
    let health = running.context().clone();
    running.shutdown().await;
    let (saw, mut billed): (Vec<_>, Vec<_>) = seen.into_iter().partition(|line| line.starts_with("saw"));
    let book = |id| format!(r#"saw created {{"id":{id},"item":"book"}}"#);
    assert_eq!(saw, [book(1), book(2), "saw noted a note".into(), "saw created no order".into()]);
    billed.sort();
    assert_eq!(billed, ["billed 1 book at try 1", "billed 2 book at try 1", "billed 2 book at try 2"]);
    let dead: u64 = health.health().listeners.iter().map(|listener| listener.dead_lettered).sum();
    assert_eq!(dead, 1, "what is no order can never be billed");
    Ok(())
}

/// The messages of a template's batch have tag, key, property and order of their own.
pub async fn a_batch_of_items(cluster: &Cluster) -> TestResult {
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 4).await?;
    let template = RocketmqTemplate::new(client.producer(unique_group()).build().await?);
    let item = |number: u32| {
        let item = Item::new(number).key(format!("key-{number}")).property("number", number.to_string());
        let item = if number.is_multiple_of(2) { item.tag("even") } else { item };
        item.ordered_by(number % 3)
    };
    let receipts = template.send_batch(&format!("{topic}:odd"), (0..12).map(item)).await?;
    let mut seen = collect(&client, &topic, 12).await?;
    seen.sort_by_key(|delivery| (delivery.queue().queue_id, delivery.queue_offset()));
    for delivery in &seen {
        let number: usize = delivery.text().ok_or("no text")?.parse()?;
        assert_eq!(delivery.tag(), Some(if number.is_multiple_of(2) { "even" } else { "odd" }));
        assert_eq!(delivery.property("number"), Some(number.to_string().as_str()));
        assert!(delivery.keys().eq([format!("key-{number}").as_str()]));
        assert_eq!(delivery.queue_offset(), receipts[number].queue_offset());
    }
    for remainder in 0..3 {
        let of_key = seen.iter().filter_map(|delivery| delivery.text()?.parse::<u32>().ok());
        let numbers: Vec<_> = of_key.filter(|number| number % 3 == remainder).collect();
        assert!(numbers.len() == 4 && numbers.is_sorted(), "{numbers:?}");
    }
    Ok(())
}
