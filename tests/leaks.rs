//! Starts and stops many times: no task, thread, socket, file or member may remain.
//!
//! Files and threads belong to the process, so these tests take turns.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use rocketmq_client::remoting::requests::group::{
    GetConsumerConnectionListRequest, GetProducerConnectionListRequest,
};
use rocketmq_client::remoting::{Request as _, ResponseCode};
use rocketmq_client::{
    Client, Delivery, FromWhere, Message, Offset, Outcome, PushConsumerBuilder, TransactionState,
};
use rocketmq_server::Embedded;
use rocketmq_starter::{App, Text};
use rocketmq_tests::{PATIENCE, TestResult, eventually, serve_by_pop};
use tokio::runtime::Handle;
use tokio::sync::Mutex;

const CYCLES: usize = 100;
const TOPIC: &str = "orders";
/// Shorter than a long poll: a long poll must not outlive its client.
const SOON: Duration = Duration::from_secs(10);

/// Every group that the tests use, as producer or consumer.
const GROUPS: [&str; 4] = ["p", "g", "pull", "lite"];

static TURN: Mutex<()> = Mutex::const_new(());

/// The resources of a process.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Held {
    /// Tasks of the current runtime.
    tasks: usize,
    /// Files, sockets and pipes, including those of the brokers in this process.
    descriptors: usize,
    threads: usize,
}

impl Held {
    fn now() -> TestResult<Self> {
        let tasks = Handle::current().metrics().num_alive_tasks();
        let entries = |folder: &str| std::fs::read_dir(folder).map(Iterator::count);
        Ok(Self { tasks, descriptors: entries("/proc/self/fd")?, threads: entries("/proc/self/task")? })
    }

    /// Allows a few more threads: those for blocking work come and go with the work, and the runtime bounds them.
    fn is_within(self, before: Self) -> bool {
        self.tasks <= before.tasks
            && self.descriptors <= before.descriptors + SPARE
            && self.threads <= before.threads + SPARE
    }
}

/// Descriptors that runtimes of other tests may open at the same time; far fewer than the cycles.
const SPARE: usize = 8;

/// Runs `cycle` once, so that lasting caches fill, then many times, and compares.
async fn assert_nothing_stays(mut cycle: impl AsyncFnMut() -> TestResult) -> TestResult {
    cycle().await?;
    let before = settled().await?;
    for _ in 0..CYCLES {
        cycle().await?;
    }
    let mut now = before;
    let what = format!("{before:?} as before");
    eventually(&what, SOON, async || {
        now = Held::now().unwrap_or(now);
        now.is_within(before)
    })
    .await;
    Ok(())
}

/// Waits until the resources stay the same for a while: sockets close a moment after their tasks.
async fn settled() -> TestResult<Held> {
    let (mut last, mut same) = (Held::now()?, 0);
    eventually("a quiet process", PATIENCE, async || {
        let now = Held::now().unwrap_or_default();
        same = if now == last { same + 1 } else { 0 };
        last = now;
        same == 20
    })
    .await;
    Ok(last)
}

/// Starts a broker with one message.
async fn cluster() -> TestResult<Embedded> {
    let cluster = Embedded::start().await?;
    let client = rocketmq_client::connect(cluster.name_server()).await?;
    let producer = client.producer("setup").build().await?;
    producer.send(Message::new(TOPIC, "42")).await?;
    producer.shutdown().await;
    client.shutdown().await;
    Ok(cluster)
}

/// Runs `cycle` many times, each with a new client that it shuts down.
async fn assert_clients_leave(cycle: impl AsyncFn(&Client) -> TestResult) -> TestResult {
    let _turn = TURN.lock().await;
    let cluster = cluster().await?;
    assert_nothing_stays(async || {
        let client = rocketmq_client::connect(cluster.name_server()).await?;
        cycle(&client).await?;
        client.shutdown().await;
        Ok(())
    })
    .await?;
    assert_no_members(&cluster).await
}

/// Asserts that the broker knows no member of any group.
async fn assert_no_members(cluster: &Embedded) -> TestResult {
    let client = rocketmq_client::connect(cluster.name_server()).await?;
    let broker = cluster.broker().address().to_string();
    for group in GROUPS {
        let consumers = GetConsumerConnectionListRequest { consumer_group: group.into() };
        let answer = client.call(&broker, consumers.to_command()?, PATIENCE).await?;
        assert_eq!(answer.response_code(), ResponseCode::CONSUMER_NOT_ONLINE, "{group} {:?}", answer.remark);
        let producers = GetProducerConnectionListRequest { producer_group: group.into() };
        let answer = client.call(&broker, producers.to_command()?, PATIENCE).await?;
        assert_ne!(answer.response_code(), ResponseCode::SUCCESS, "{group} has producers: {:?}", answer.body);
    }
    client.shutdown().await;
    Ok(())
}

#[tokio::test]
async fn producers() -> TestResult {
    assert_clients_leave(async |client| {
        let producer = client.producer("p").build().await?;
        producer.send(Message::new(TOPIC, "43")).await?;
        producer.shutdown().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn transaction_producers() -> TestResult {
    assert_clients_leave(async |client| {
        let checker = |_: Delivery| async { TransactionState::Commit };
        let producer = client.producer("p").transaction_checker(checker).build().await?;
        producer.begin(Message::new(TOPIC, "44")).await?.rollback().await?;
        producer.begin(Message::new(TOPIC, "44")).await?.commit().await?;
        producer.shutdown().await;
        Ok(())
    })
    .await
}

/// Tests a producer that detects slow brokers and gathers messages.
#[tokio::test]
async fn producers_with_background_tasks() -> TestResult {
    assert_clients_leave(async |client| {
        let producer = client.producer("p").linger(Duration::from_millis(1)).configure(|config| {
            config.latency_fault_tolerance = true;
            config.latency_fault_detector = true;
        });
        let producer = producer.build().await?;
        producer.send(Message::new(TOPIC, "43")).await?;
        producer.shutdown().await;
        Ok(())
    })
    .await
}

async fn push(client: &Client, shape: impl FnOnce(PushConsumerBuilder) -> PushConsumerBuilder) -> TestResult {
    let (arrived, mut first) = tokio::sync::mpsc::unbounded_channel();
    let consumer = client.push_consumer("g").subscribe(TOPIC, "*").from_where(FromWhere::FirstOffset);
    let consumer = shape(consumer);
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
    assert_clients_leave(async |client| push(client, |consumer| consumer).await).await
}

#[tokio::test]
async fn orderly_consumers() -> TestResult {
    assert_clients_leave(async |client| push(client, PushConsumerBuilder::orderly).await).await
}

#[tokio::test]
async fn broadcasting_consumers() -> TestResult {
    let offsets = tempfile::tempdir()?;
    assert_clients_leave(async |client| {
        push(client, |consumer| {
            consumer.broadcasting().configure(|config| config.offset_folder = Some(offsets.path().into()))
        })
        .await
    })
    .await
}

#[tokio::test]
async fn consumers_by_pop() -> TestResult {
    assert_clients_leave(async |client| {
        serve_by_pop(client, TOPIC, "g").await?;
        push(client, |consumer| consumer.configure(|config| config.broker_assignment = true)).await
    })
    .await
}

#[tokio::test]
async fn simple_consumers() -> TestResult {
    assert_clients_leave(async |client| {
        let consumer = client.simple_consumer("g").subscribe(TOPIC, "*").from_first().build().await?;
        let producer = client.producer("p").build().await?;
        producer.send(Message::new(TOPIC, "43")).await?;
        let mut popped = Vec::new();
        while popped.is_empty() {
            popped = consumer.receive(1).wait(Duration::from_secs(1)).await?;
        }
        consumer.ack_all(&popped).await?;
        consumer.shutdown().await;
        producer.shutdown().await;
        Ok(())
    })
    .await
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

/// Shuts nothing down; only drops everything.
#[tokio::test]
async fn values_that_are_only_dropped() -> TestResult {
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
    // One more file after each start would fill the folder of a broker that restarts every night.
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
