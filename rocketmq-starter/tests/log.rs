//! The log of an application that starts: loud where something is not as it was asked for, silent elsewhere.

use rocketmq_starter::health::{ListenerHealth, TopicState};
use rocketmq_starter::{App, Listener, RunningApp, Text, rocketmq_listener};
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::timeout;
use tracing_subscriber::fmt::MakeWriter;

const LIMIT: Duration = Duration::from_secs(60);

/// Keeps the lines of the log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Returns the warnings and errors so far.
    fn warnings(&self) -> Vec<String> {
        self.lines(|line| line.contains("WARN") || line.contains("ERROR"))
    }

    fn lines(&self, wanted: impl Fn(&&str) -> bool) -> Vec<String> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let text = String::from_utf8(bytes).expect("UTF-8");
        text.lines().filter(wanted).map(str::to_owned).collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Log;

    fn make_writer(&'w self) -> Log {
        self.clone()
    }
}

fn log() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
    (log, tracing::subscriber::set_default(subscriber))
}

#[rocketmq_listener(topic = "orders", group = "billing")]
async fn bill(_: Text) {}

#[rocketmq_listener(topic = "orders", group = "audit")]
async fn forgotten(_: Text) {}

/// Starts, sends to a new topic, and ends.
async fn run(app: App) {
    let app = app.environment::<String, String>([]).set("rocketmq.producer.group", "tests");
    let running = timeout(LIMIT, app.start()).await.expect("in time").expect("started");
    running.template().expect("a group is set").send("orders", Text("a".into())).await.expect("sent");
    running.shutdown().await;
}

#[tokio::test]
async fn what_was_asked_for_warns_of_nothing() {
    let (log, _guard) = log();
    run(App::new().set("rocketmq.name-server", "embedded").listener(bill).listener(forgotten)).await;
    assert!(log.warnings().is_empty(), "{:#?}", log.warnings());
}

#[tokio::test]
async fn a_listener_that_nobody_registered_is_named() {
    let (log, _guard) = log();
    run(App::new().set("rocketmq.name-server", "embedded").listener(bill)).await;
    let warnings = log.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    for part in ["`forgotten`", "tests/log.rs:", "is not registered", ".listener(..)", ".discover()"] {
        assert!(warnings[0].contains(part), "{warnings:#?}");
    }
}

#[tokio::test]
async fn the_configuration_is_logged_where_its_key_asks_for_it() {
    let (log, _guard) = log();
    let app = App::new()
        .set("rocketmq.config-report", "true")
        .environment([("ROCKETMQ_PRODUCER_SECRET_KEY", "hunter2")]);
    let wrong = app.set("rocketmq.producer.max-message-size", "big").listener(bill).listener(forgotten);
    assert!(wrong.start().await.is_err(), "it is logged all the same");
    for part in [
        "rocketmq.producer.secret-key = \"(hidden)\" (the variable ROCKETMQ_PRODUCER_SECRET_KEY)",
        "rocketmq.producer.max-message-size = \"big\" (App::set at",
        "rocketmq.consumer.groups.billing.concurrency: 20 (default)",
    ] {
        assert_eq!(log.lines(|line| line.contains(part)).len(), 1, "{part}");
    }
    assert!(log.lines(|line| line.contains("hunter2")).is_empty());
}

#[tokio::test]
async fn each_change_of_the_configuration_is_logged_once_and_what_waits_for_a_start_is_a_warning() {
    let (log, _guard) = log();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("application.toml");
    std::fs::write(&file, "[rocketmq]\nname-server = 'embedded'").unwrap();
    let levels = Arc::new(Mutex::new(Vec::new()));
    let seen = levels.clone();
    let app = App::new().config_file(&file).environment::<String, String>([]);
    let app = app.watch_config(Duration::from_millis(20)).listener(bill).listener(forgotten);
    let app = app.on_log_level(move |level| seen.lock().expect("no panic").push(level.to_string()));
    let running = timeout(LIMIT, app.start()).await.expect("in time").expect("started");
    let change = |text: &str, expected: &'static str| {
        std::fs::write(&file, format!("[rocketmq]\nname-server = 'embedded'\n{text}")).unwrap();
        until_logged(log.clone(), expected)
    };
    change("log-level = 'debug'", "rocketmq.log-level = \"debug\"").await;
    assert_eq!(*levels.lock().expect("no panic"), ["debug"]);
    change("log-level = 'debug'\n[rocketmq.producer]\ngroup = 'new'", "rocketmq.producer.group = \"new\"")
        .await;
    change("log-level = 'loud'", "`rocketmq.log-level` is \"loud\" in").await;
    assert_eq!(*levels.lock().expect("no panic"), ["debug"], "the old one stays");
    running.shutdown().await;
    let warnings = log.warnings();
    assert_eq!(warnings.len(), 2, "{warnings:#?}");
    assert!(warnings[0].contains("WARN") && warnings[0].contains("for the next start"), "{warnings:#?}");
    assert!(warnings[1].contains("ERROR") && warnings[1].contains("stays in effect"), "{warnings:#?}");
}

/// Waits for a line of the log.
async fn until_logged(log: Log, part: &'static str) {
    let wait = async {
        while log.lines(|line| line.contains(part)).is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LIMIT, wait).await.unwrap_or_else(|_| panic!("no line with {part}"));
}

#[tokio::test]
async fn the_broker_inside_is_told_loudly_unless_it_was_asked_for() {
    let (log, _guard) = log();
    run(App::new().discover()).await;
    let warnings = log.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    assert!(warnings[0].contains("NO NAME SERVER IS CONFIGURED"), "{warnings:#?}");
}

#[tokio::test]
async fn one_line_sums_up_each_listener_and_producer() {
    let (log, _guard) = log();
    let large = Listener::new("orders", "large", |_: Text| async {})
        .option("sql", "amount > 3")
        .option("batch", "8")
        .option("mode", "orderly");
    let app = App::new().set("rocketmq.name-server", "embedded").listener(large);
    run(app
        .discover()
        .set("rocketmq.consumer.groups.billing.concurrency", "3")
        .set("rocketmq.producers.audit.group", "auditors"))
    .await;
    let lines = log.lines(|line| line.contains("INFO") && line.contains(" started "));
    assert_eq!(lines.len(), 5, "{lines:#?}");
    let expected: [&[&str]; 5] = [
        &["producer=\"rocketmq.producer\"", "group=\"tests\"", "settings=\"group (App::set at"],
        &["producer=\"audit\"", "group=\"auditors\"", "cluster=\"127.0.0.1:", "tests/log.rs:"],
        &["listener=\"forgotten\"", "group=\"audit\""],
        &[
            "listener=\"bill\"",
            "group=\"billing\"",
            "topic=\"orders\"",
            "filter=\"*\"",
            "mode=\"concurrent\"",
            "concurrency=3",
            "cluster=\"127.0.0.1:",
            "settings=\"concurrency (App::set at",
        ],
        &[
            "listener=\"large.orders\"",
            "filter=\"sql: amount > 3\"",
            "mode=\"orderly, up to 8 at once\"",
            "concurrency=20",
            "mode, batch, sql (rocketmq-starter/tests/log.rs:",
        ],
    ];
    for (line, parts) in lines.iter().zip(expected) {
        for part in parts {
            assert!(line.contains(part), "{part} is not in {line}");
        }
    }
}

/// Waits until the only listener is as wanted.
async fn until(app: &RunningApp, wanted: impl Fn(&ListenerHealth) -> bool) {
    let wait = async {
        while !wanted(&app.health().listeners[0]) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT, wait).await.unwrap_or_else(|_| panic!("not in time: {:?}", app.health()));
}

#[tokio::test]
async fn a_listener_logs_each_change_of_its_state_once_however_often_it_fails() {
    let (log, _guard) = log();
    let app = App::new().environment::<String, String>([]).set("rocketmq.name-server", "embedded");
    let app =
        app.set("rocketmq.producer.group", "tests").set("rocketmq.client.heartbeat-broker-interval", "20ms");
    let app = app
        .set("rocketmq.consumer.from", "first")
        .listener(bill)
        .listener(forgotten)
        .set("rocketmq.consumer.groups.audit.enabled", "false");
    let running = timeout(LIMIT, app.start()).await.expect("in time").expect("started");
    running.template().expect("a group is set").send("orders", Text("a".into())).await.expect("sent");
    until(&running, |listener| listener.handled == 1).await;
    let broker = running.embedded().expect("a broker").broker();
    broker.stop().await.expect("stopped");
    until(&running, |listener| listener.state == TopicState::Unreachable).await;
    for _ in 0..5 {
        let before = running.health().listeners[0].last_error.as_ref().map(|error| error.at);
        until(&running, |listener| listener.last_error.as_ref().map(|error| error.at) != before).await;
    }
    let (warnings, listener) = (log.warnings(), |line: &&str| line.contains("listener=\"bill\""));
    assert_eq!(
        warnings.iter().filter(|line| line.contains("no message comes (unreachable)")).count(),
        1,
        "{warnings:#?}"
    );
    let different: BTreeSet<_> =
        warnings.iter().filter_map(|line| Some(line.split_once("WARN")?.1)).collect();
    assert_eq!(different.len(), warnings.len(), "{warnings:#?}");
    broker.restart().await.expect("restarted");
    until(&running, |listener| listener.state == TopicState::Consuming).await;
    let told = log.lines(listener);
    for part in ["group=\"billing\"", "topic=\"orders\""] {
        assert!(told.iter().all(|line| line.contains(part)), "{told:#?}");
    }
    let again = told.iter().filter(|line| line.contains("messages come again; it was unreachable"));
    assert_eq!(again.count(), 1, "{told:#?}");
    running.shutdown().await;
}
