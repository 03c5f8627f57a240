//! The outbox in SQLite, on an embedded broker. An application is killed with SIGKILL at each of its steps: no message of a committed
//! order is lost, none of another is sent, and one that comes twice has the same id. `OUTBOX_KILLS` sets how often (10).

#![cfg(feature = "sqlite")]

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rocketmq_client::{Client, Delivery, FromWhere, Message, Outcome};
use rocketmq_outbox::{Entry, ID, OutboxMessage, OutboxStore, Relay, SqliteOutbox, StoreError, async_trait};
use rocketmq_server::Embedded;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

type TestResult<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Longest wait for one step, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const TOPIC: &str = "orders";
/// Between any two steps the application can die.
const STEPS: [&str; 5] = ["written", "committed", "read", "sent", "removed"];
/// Orders of one life of the application. Each fourth is rolled back.
const ORDERS: u32 = 40;

/// Stops the application at a step, for the test to kill it there.
#[derive(Debug)]
struct Steps {
    last: String,
    left: AtomicU32,
}

impl Steps {
    async fn pass(&self, step: &str) {
        if step == self.last && self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            println!("at {step}");
            std::future::pending::<()>().await;
        }
    }
}

/// The outbox, with a step before and after each use by the relay.
#[derive(Debug)]
struct Stepping {
    outbox: SqliteOutbox,
    steps: Arc<Steps>,
}

#[async_trait]
impl OutboxStore for Stepping {
    async fn waiting(&self, after: i64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let page = self.outbox.waiting(after, limit).await?;
        if !page.is_empty() {
            self.steps.pass("read").await;
        }
        Ok(page)
    }

    async fn remove(&self, positions: &[i64]) -> Result<(), StoreError> {
        self.steps.pass("sent").await;
        self.outbox.remove(positions).await?;
        self.steps.pass("removed").await;
        Ok(())
    }

    async fn set_aside(&self, position: i64, why: &str) -> Result<(), StoreError> {
        self.outbox.set_aside(position, why).await
    }
}

async fn open(database: &Path) -> TestResult<SqlitePool> {
    let options = SqliteConnectOptions::new().filename(database).create_if_missing(true);
    let pool = SqlitePool::connect_with(options.journal_mode(SqliteJournalMode::Wal)).await?;
    sqlx::query("CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY)").execute(&pool).await?;
    Ok(pool)
}

#[tokio::test]
#[ignore = "the application that the other test starts and kills"]
async fn application() -> TestResult {
    let variable = |name: &str| std::env::var(name).map_err(|_| format!("set {name}"));
    let pool = open(variable("OUTBOX_DATABASE")?.as_ref()).await?;
    let outbox = SqliteOutbox::open(pool.clone()).await?;
    let client = rocketmq_client::connect(variable("OUTBOX_NAMESRV")?).await?;
    let producer = client.producer("shop").build().await?;
    let left = AtomicU32::new(variable("OUTBOX_TIMES")?.parse()?);
    let steps = Arc::new(Steps { last: variable("OUTBOX_STEP")?, left });
    let relay = Relay::new(Stepping { outbox: outbox.clone(), steps: steps.clone() }, producer).spawn();
    for n in 0..ORDERS {
        let id = format!("{}-{n}", variable("OUTBOX_LIFE")?);
        let mut transaction = pool.begin().await?;
        sqlx::query("INSERT INTO orders (id) VALUES (?)").bind(&id).execute(&mut *transaction).await?;
        outbox.put(&mut transaction, &OutboxMessage::new(TOPIC, id.clone()).key(&id)).await?;
        steps.pass("written").await;
        if n % 4 == 3 {
            transaction.rollback().await?;
            continue;
        }
        transaction.commit().await?;
        steps.pass("committed").await;
        relay.wake();
    }
    tokio::time::sleep(PATIENCE).await;
    Err("the application was not killed".into())
}

/// Starts the application, and kills it when it comes to a step for the given time.
async fn kill_at(step: &str, times: usize, life: usize, database: &Path, cluster: &Embedded) -> TestResult {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["application", "--exact", "--ignored", "--nocapture"])
        .env("OUTBOX_DATABASE", database)
        .env("OUTBOX_NAMESRV", cluster.name_server())
        .env("OUTBOX_STEP", step)
        .env("OUTBOX_TIMES", times.to_string())
        .env("OUTBOX_LIFE", life.to_string())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("no pipe")?).lines();
    let reached = format!("at {step}");
    let arrival = async {
        while let Some(line) = lines.next_line().await? {
            if line.ends_with(&reached) {
                return Ok(());
            }
        }
        Err::<(), Box<dyn std::error::Error + Send + Sync>>(format!("it ended before the step {step}").into())
    };
    tokio::time::timeout(PATIENCE, arrival).await??;
    child.kill().await?;
    Ok(())
}

/// Receives every message of the topic, which has one queue.
async fn receive_all(client: &Client, count: usize) -> TestResult<Vec<Delivery>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = seen.clone();
    let consumer = client.push_consumer("readers").subscribe(TOPIC, "*").from_where(FromWhere::FirstOffset);
    let running = consumer
        .listen(move |delivery: Delivery| {
            kept.lock().expect("no handler panics").push(delivery);
            async { Ok::<_, Infallible>(Outcome::Ack) }
        })
        .await?;
    let all = async {
        while seen.lock().expect("no handler panics").len() < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, all).await?;
    running.shutdown().await;
    Ok(std::mem::take(&mut seen.lock().expect("no handler panics")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_the_application_is_killed_at_each_step() -> TestResult {
    let kills = std::env::var("OUTBOX_KILLS").map_or(Ok(10), |kills| kills.parse::<usize>())?;
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("shop.db");
    let cluster = Embedded::builder().set("defaultTopicQueueNums", 1).start().await?;
    for n in 0..kills {
        kill_at(STEPS[n % STEPS.len()], 1 + n / STEPS.len() % 3, n, &database, &cluster).await?;
    }

    let pool = open(&database).await?;
    let outbox = SqliteOutbox::open(pool.clone()).await?;
    let client = rocketmq_client::connect(cluster.name_server()).await?;
    let producer = client.producer("shop").build().await?;
    Relay::new(outbox.clone(), producer.clone()).flush().await?;
    assert_eq!(outbox.waiting(i64::MIN, 1).await?, []);
    let end = producer.send(Message::new(TOPIC, "end")).await?;
    let deliveries = receive_all(&client, usize::try_from(end.queue_offset())? + 1).await?;

    let mut ids = BTreeMap::<String, BTreeSet<String>>::new();
    for delivery in deliveries.iter().filter(|delivery| delivery.text() != Some("end")) {
        let id = delivery.property(ID).ok_or("a message without an id")?;
        assert!(delivery.keys().any(|key| key == id), "the id is a key");
        ids.entry(delivery.text().unwrap_or_default().to_owned()).or_default().insert(id.to_owned());
    }
    let orders: Vec<String> =
        sqlx::query_scalar("SELECT id FROM orders ORDER BY id").fetch_all(&pool).await?;
    println!("{kills} kills, {} orders, {} messages", orders.len(), deliveries.len() - 1);
    assert_eq!(
        ids.keys().collect::<Vec<_>>(),
        orders.iter().collect::<Vec<_>>(),
        "one message for each order"
    );
    assert!(ids.values().all(|ids| ids.len() == 1), "a message that comes twice keeps its id: {ids:?}");
    Ok(())
}

/// One message that no broker takes, and one to a topic that is not there, hold up no other.
#[tokio::test]
async fn a_message_that_cannot_be_sent_waits_or_is_set_aside() -> TestResult {
    let folder = tempfile::tempdir()?;
    let cluster = Embedded::builder().set("autoCreateTopicEnable", false).start().await?;
    let pool = open(&folder.path().join("shop.db")).await?;
    let outbox = SqliteOutbox::open(pool.clone()).await?;
    let client = rocketmq_client::connect(cluster.name_server()).await?;
    let relay = Relay::new(outbox.clone(), client.producer("shop").build().await?);
    let put = async |message: OutboxMessage| {
        let mut transaction = pool.begin().await?;
        let id = outbox.put(&mut transaction, &message).await?;
        transaction.commit().await?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(id)
    };
    assert_eq!(relay.flush().await?, 0, "an empty outbox");
    let illegal = put(OutboxMessage::new("orders", "x").property("KEYS", "reserved")).await?;
    put(OutboxMessage::new("missing", "later").ordered_by("c")).await?;
    put(OutboxMessage::new("missing", "after it").ordered_by("c")).await?;
    assert_eq!(relay.flush().await?, 0);
    let failures = outbox.failures().await?;
    assert!(
        failures.len() == 1 && failures[0].0 == illegal && failures[0].1.contains("KEYS"),
        "{failures:?}"
    );
    let texts = |entries: Vec<Entry>| entries.into_iter().map(|entry| entry.position).collect::<Vec<_>>();
    assert_eq!(texts(outbox.waiting(i64::MIN, 10).await?), [2, 3], "what may be sent later waits");
    assert!(outbox.retry(&illegal).await?);
    assert!(!outbox.retry(&illegal).await?, "it waits already");
    assert_eq!(texts(outbox.waiting(i64::MIN, 10).await?), [1, 2, 3]);
    Ok(())
}
