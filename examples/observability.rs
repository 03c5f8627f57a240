//! Watches an application: spans around sends and handlers, metrics for Prometheus, and RocketMQ's own message trace.
//! RocketMQ's tools read the trace; here the program itself reads it from its topic.

use metrics_exporter_prometheus::PrometheusBuilder;
use rocketmq_client::consumer::FromWhere;
use rocketmq_client::{Client, Delivery, Message, Outcome, TraceConfig};
use rocketmq_examples::{Cluster, Error};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::mpsc;
use tracing_subscriber::fmt::format::FmtSpan;

#[tokio::main]
async fn main() -> Result<(), Error> {
    // Starts both before the first client: a subscriber that prints each span at its end, and a recorder of metrics.
    tracing_subscriber::fmt().with_env_filter("rocketmq_client=info").with_span_events(FmtSpan::CLOSE).init();
    let metrics = PrometheusBuilder::new().install_recorder()?;

    let cluster = Cluster::start().await?;
    let client =
        Client::builder(cluster.name_server()).trace(TraceConfig::to_topic("traces")).connect().await?;
    let producer = client.producer("shop").build().await?;
    producer.send(Message::new("orders", "42").tag("created").key("order-42")).await?;
    producer.send(Message::new("orders", "of nobody")).await?;

    let (done, mut handled) = mpsc::unbounded_channel();
    let handler = move |order: Delivery| {
        let done = done.clone();
        async move {
            tracing::info!(target: "rocketmq_client::example", "this line belongs to the span of the handler");
            let number = order.text().and_then(|text| text.parse::<u64>().ok());
            let outcome = if number.is_some() { Outcome::Ack } else { Outcome::DeadLetter };
            let _ = done.send(outcome);
            Ok::<_, Infallible>(outcome)
        }
    };
    let consumer =
        client.push_consumer("billing").subscribe("orders", "*").from_where(FromWhere::FirstOffset);
    let running = consumer.listen(handler).await?;
    for _ in 0..2 {
        tokio::time::timeout(Duration::from_secs(10), handled.recv()).await?;
    }
    // Shutting down sends the last records of the message trace.
    running.shutdown().await;
    producer.shutdown().await;

    println!("\nmetrics:\n{}", metrics.render());
    let mut traces = client.lite_consumer("auditor").subscribe("traces", "*");
    traces = traces.from_where(FromWhere::FirstOffset);
    let mut traces = traces.build().await?;
    if let Some(batch) = traces.poll(Duration::from_secs(10)).await? {
        let texts = batch.iter().filter_map(Delivery::text);
        texts.for_each(|text| println!("{}", text.replace('\u{1}', " | ").replace('\u{2}', "\n")));
    }
    traces.shutdown().await;
    client.shutdown().await;
    Ok(())
}
