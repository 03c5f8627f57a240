//! Delivers every message to every member of a group, for instance to clear caches. Each member stores its progress in
//! a file, under its `instance_name`.

use rocketmq_client::{Client, Delivery, FromWhere, Message, Outcome, Running};
use rocketmq_examples::{Cluster, Error};
use std::path::Path;
use tokio::sync::mpsc;

/// Starts one member. In production each member is a process.
async fn member(
    name: &'static str,
    cluster: &Cluster,
    folder: &Path,
    seen: mpsc::UnboundedSender<String>,
) -> Result<Running, Error> {
    let client = Client::builder(cluster.name_server());
    let client = client.configure(|config| config.instance_name = Some(name.to_owned())).connect().await?;
    let running = client
        .push_consumer("caches")
        .subscribe("changed", "*")
        .broadcasting()
        .offset_folder(folder)
        .from_where(FromWhere::FirstOffset)
        .listen(move |changed: Delivery| {
            let sent = seen.send(format!("{name} forgets {}", changed.text().unwrap_or("?")));
            async move { sent.map(|()| Outcome::Ack) }
        })
        .await?;
    Ok(running)
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cluster = Cluster::start().await?;
    let client = rocketmq_client::connect(cluster.name_server()).await?;
    let producer = client.producer("editors").build().await?;
    producer.send(Message::new("changed", "page 1")).await?;
    producer.send(Message::new("changed", "page 2")).await?;

    let folder = std::env::temp_dir().join(format!("rocketmq-broadcasting-{}", std::process::id()));
    let (seen, mut received) = mpsc::unbounded_channel();
    let one = member("one", &cluster, &folder, seen.clone()).await?;
    let two = member("two", &cluster, &folder, seen).await?;
    for _ in 0..4 {
        println!("{}", received.recv().await.ok_or("the consumers ended")?);
    }

    one.shutdown().await;
    two.shutdown().await;
    client.shutdown().await;
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
