//! Starting and stopping again and again leaves no task, no socket and no file behind.
//!
//! File descriptors belong to the process, so these tests take turns.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use rocketmq_client::{Client, Delivery, FromWhere, Message, Offset, Outcome};
use rocketmq_server::Embedded;
use rocketmq_starter::{App, Text};
use rocketmq_tests::{PATIENCE, TestResult, eventually};
use tokio::runtime::Handle;
use tokio::sync::Mutex;

const CYCLES: usize = 20;
const TOPIC: &str = "orders";
/// Shorter than a long poll, which must not outlive its client.
const SOON: Duration = Duration::from_secs(10);

static TURN: Mutex<()> = Mutex::const_new(());

/// What a process holds: tasks of the current runtime, and open files, sockets and pipes.
fn held() -> TestResult<(usize, usize)> {
    let descriptors = std::fs::read_dir("/proc/self/fd")?.count();
    Ok((Handle::current().metrics().num_alive_tasks(), descriptors))
}

/// Runs `cycle` once to fill what is kept for good, then again and again, and compares.
async fn assert_nothing_stays(mut cycle: impl AsyncFnMut() -> TestResult) -> TestResult {
    cycle().await?;
    let before = settled().await?;
    for _ in 0..CYCLES {
        cycle().await?;
    }
    let mut now = before;
    let what = format!("{before:?} tasks and descriptors as before");
    eventually(&what, SOON, async || {
        now = held().unwrap_or(now);
        now.0 <= before.0 && now.1 <= before.1
    })
    .await;
    Ok(())
}

/// What is held once it has been the same for a while: sockets close a moment after their tasks.
async fn settled() -> TestResult<(usize, usize)> {
    let (mut last, mut same) = (held()?, 0);
    eventually("a quiet process", PATIENCE, async || {
        let now = held().unwrap_or_default();
        same = if now == last { same + 1 } else { 0 };
        last = now;
        same == 20
    })
    .await;
    Ok(last)
}

/// A broker with a message in it, and a client.
async fn cluster() -> TestResult<Embedded> {
    let cluster = Embedded::start().await?;
    let client = rocketmq_client::connect(cluster.name_server()).await?;
    let producer = client.producer("setup").build().await?;
    producer.send(Message::new(TOPIC, "42")).await?;
    producer.shutdown().await;
    client.shutdown().await;
    Ok(cluster)
}

/// Runs `cycle` with a client of its own each time, properly shut down.
async fn assert_clients_leave(cycle: impl AsyncFn(&Client) -> TestResult) -> TestResult {
    let _turn = TURN.lock().await;
    let cluster = cluster().await?;
    assert_nothing_stays(async || {
        let client = rocketmq_client::connect(cluster.name_server()).await?;
        cycle(&client).await?;
        client.shutdown().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn producers() -> TestResult {
    assert_clients_leave(async |client| {
        let producer = client.producer("p").build().await?;
        producer.send(Message::new(TOPIC, "43")).await?;
        producer.begin(Message::new(TOPIC, "44")).await?.rollback().await?;
        producer.shutdown().await;
        Ok(())
    })
    .await
}

async fn push(client: &Client, orderly: bool) -> TestResult {
    let (arrived, mut first) = tokio::sync::mpsc::unbounded_channel();
    let consumer = client.push_consumer("g").subscribe(TOPIC, "*").from_where(FromWhere::FirstOffset);
    let consumer = consumer.configure(|config| config.orderly = orderly);
    let listener = move |delivery: Delivery| {
        let sent = arrived.send(delivery);
        async move { Ok::<_, Infallible>(sent.map_or(Outcome::Retry, |()| Outcome::Ack)) }
    };
    let running = consumer.listen(listener).await?;
    let producer = client.producer("p").build().await?;
    producer.send(Message::new(TOPIC, "43")).await?;
    first.recv().await.ok_or("the consumer is gone")?;
    running.shutdown().await;
    producer.shutdown().await;
    Ok(())
}

#[tokio::test]
async fn push_consumers() -> TestResult {
    assert_clients_leave(async |client| push(client, false).await).await
}

#[tokio::test]
async fn orderly_consumers() -> TestResult {
    assert_clients_leave(async |client| push(client, true).await).await
}

#[tokio::test]
async fn lite_and_pull_consumers() -> TestResult {
    assert_clients_leave(async |client| {
        let pull = client.pull_consumer("pull").build().await?;
        let queues = pull.queues(TOPIC).await?;
        for queue in &queues {
            pull.pull(queue, Offset::First).await?;
        }
        let mut lite =
            client.lite_consumer("lite").assign(queues).from_where(FromWhere::FirstOffset).build().await?;
        lite.seek(&lite.assignment()[0], Offset::First).await?;
        lite.shutdown().await;
        Ok(())
    })
    .await
}

/// Nothing is shut down here, everything is only dropped.
#[tokio::test]
async fn what_is_only_dropped() -> TestResult {
    let _turn = TURN.lock().await;
    let cluster = cluster().await?;
    assert_nothing_stays(async || {
        let client = rocketmq_client::connect(cluster.name_server()).await?;
        let producer = client.producer("p").build().await?;
        producer.send(Message::new(TOPIC, "43")).await?;
        let listener = |_: Delivery| async { Ok::<_, Infallible>(Outcome::Ack) };
        let _running = client.push_consumer("g").subscribe(TOPIC, "*").listen(listener).await?;
        let _lite = client.lite_consumer("l").subscribe(TOPIC, "*").build().await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn whole_clusters_and_their_folders() -> TestResult {
    let _turn = TURN.lock().await;
    let folder = tempfile::tempdir()?;
    assert_nothing_stays(async || {
        let cluster = Embedded::builder().store(folder.path()).start().await?;
        let client = rocketmq_client::connect(cluster.name_server()).await?;
        let producer = client.producer("p").build().await?;
        producer.send(Message::new(TOPIC, "43")).await?;
        client.shutdown().await;
        cluster.shutdown().await?;
        Ok(())
    })
    .await?;
    // A file more for each start would fill the folder of a broker that is restarted every night.
    let before = files(folder.path())?;
    Embedded::builder().store(folder.path()).start().await?.shutdown().await?;
    assert_eq!(files(folder.path())?, before);
    Ok(())
}

fn files(folder: &Path) -> TestResult<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => found.extend(files(&path)?),
            false => drop(found.insert(path.display().to_string())),
        }
    }
    Ok(found)
}

#[tokio::test]
async fn applications() -> TestResult {
    let _turn = TURN.lock().await;
    assert_nothing_stays(async || {
        let (arrived, mut first) = tokio::sync::mpsc::unbounded_channel();
        let app = App::new().environment([("ROCKETMQ_PRODUCER_GROUP", "p")]);
        let app = app.listen(TOPIC, "g", move |Text(text): Text| {
            let arrived = arrived.clone();
            async move { arrived.send(text).is_ok().then_some(()).ok_or("nobody waits") }
        });
        let running = app.start().await?;
        let template = running.template().ok_or("no template without a producer group")?;
        template.send(TOPIC, Text("43".to_owned())).await?;
        first.recv().await.ok_or("the listener is gone")?;
        running.shutdown().await;
        Ok(())
    })
    .await
}
