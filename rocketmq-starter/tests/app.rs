//! Whole applications on an embedded broker: start, handle, shut down.

use rocketmq_client::SendErrorKind;
use rocketmq_starter::error::MistakeKind;
use rocketmq_starter::extract::Config;
use rocketmq_starter::health::{Health, TopicState};
use rocketmq_starter::layer::{Deduplicate, Layer, NextSend};
use rocketmq_starter::listener::{Handler, Messages, async_trait};
use rocketmq_starter::{
    App, Attempt, BoxError, Context, DelayLevel, Delivery, Json, Listener, Message, Outcome,
    RocketmqTemplate, RunningApp, State, Text, TransactionState, rocketmq_listener,
    rocketmq_transaction_listener,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::time::timeout;

/// Far beyond what anything here takes; a test that waits this long has failed.
const LIMIT: Duration = Duration::from_secs(60);

type Seen = mpsc::UnboundedSender<String>;

fn app() -> (App, mpsc::UnboundedReceiver<String>) {
    let (seen, received) = mpsc::unbounded_channel();
    let app = App::new()
        .environment::<String, String>([])
        .set("rocketmq.name-server", "embedded")
        .set("rocketmq.producer.group", "tests")
        .set("rocketmq.consumer.from", "first")
        .state::<Seen>(seen);
    (app, received)
}

async fn start(app: App) -> RunningApp {
    timeout(LIMIT, app.start()).await.expect("in time").expect("started")
}

fn template(app: &RunningApp) -> RocketmqTemplate {
    app.template().expect("a producer group is set").clone()
}

async fn next(received: &mut mpsc::UnboundedReceiver<String>) -> String {
    timeout(LIMIT, received.recv()).await.expect("in time").expect("the application runs")
}

#[rocketmq_listener(topic = "${billing.topic:orders}", group = "billing", selector = "created")]
async fn bill(
    Json(id): Json<u32>,
    State(seen): State<Seen>,
    Attempt(attempt): Attempt,
) -> Result<Outcome, BoxError> {
    seen.send(format!("{id} at try {attempt}"))?;
    match (id, attempt) {
        (1, 1) => Ok(Outcome::RetryAfter(DelayLevel::S1)),
        (2, 1) => panic!("a handler may panic"),
        _ => Ok(Outcome::Ack),
    }
}

#[tokio::test]
async fn what_fails_or_panics_is_delivered_again() {
    let (app, mut received) = app();
    let running = start(app.listener(bill).set("rocketmq.consumer.groups.billing.retry-delay", "1s")).await;
    let template = template(&running);
    template.send("orders:ignored", 9).await.unwrap();
    template.send("orders:created", 1).await.unwrap();
    template.send("orders:created", 2).await.unwrap();
    template.send("orders:created", Text("no number".into())).await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..2 {
        seen.push(next(&mut received).await);
    }
    running.embedded().unwrap().advance(Duration::from_secs(2));
    for _ in 0..2 {
        seen.push(next(&mut received).await);
    }
    seen.sort();
    assert_eq!(seen, ["1 at try 1", "1 at try 2", "2 at try 1", "2 at try 2"]);
    let before = running.context().clone();
    running.shutdown().await;
    let health = &before.health().listeners[0];
    assert!(!before.health().ready);
    assert_eq!((health.handled, health.retried, health.dead_lettered, health.panicked), (2, 2, 1, 1));
    assert_eq!(health.state, TopicState::Stopped);
}

/// Waits until the health of the only listener is as wanted.
async fn until_health(app: &RunningApp, wanted: impl Fn(&Health) -> bool) -> Health {
    let wait = async {
        while !wanted(&app.health()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        app.health()
    };
    let last = app.health();
    timeout(LIMIT, wait).await.unwrap_or_else(|_| panic!("not in time; first it was {last:?}"))
}

#[tokio::test]
async fn a_message_whose_tries_are_used_up_counts_as_a_dead_letter() {
    let (app, mut received) = app();
    let failing = async |Text(text): Text, State(seen): State<Seen>| -> Result<(), BoxError> {
        seen.send(text)?;
        Err("no".into())
    };
    let running = start(
        app.listen("tries", "few-tries", failing)
            .set("rocketmq.consumer.groups.few-tries.max-reconsume-times", "1")
            .set("rocketmq.consumer.groups.few-tries.retry-delay", "1s"),
    )
    .await;
    template(&running).send("tries", Text("a".into())).await.unwrap();
    next(&mut received).await;
    let health = until_health(&running, |health| health.listeners[0].retried == 1).await;
    assert_eq!(health.listeners[0].dead_lettered, 0);
    running.embedded().unwrap().advance(Duration::from_secs(2));
    next(&mut received).await;
    let health = until_health(&running, |health| health.listeners[0].dead_lettered == 1).await;
    assert_eq!((health.listeners[0].retried, health.listeners[0].handled), (1, 0));
    running.shutdown().await;
}

#[tokio::test]
async fn an_application_is_ready_while_its_listeners_get_messages_and_says_why_they_do_not() {
    let (app, mut received) = app();
    let gate = Arc::new(Semaphore::new(0));
    let running = start(app.state(gate.clone()).listener(archive)).await;
    let health = until_health(&running, |health| health.ready).await;
    assert_eq!(health.listeners[0].state, TopicState::NoTopic, "nothing was sent yet");
    for text in ["a", "b", "c"] {
        template(&running).send("texts", Text(text.into())).await.unwrap();
        next(&mut received).await;
    }
    let health = until_health(&running, |health| health.listeners[0].lag == Some(3)).await;
    let listener = &health.listeners[0];
    assert!(listener.is_subscribed() && listener.is_connected() && listener.queues > 0, "{listener:?}");
    let broker = running.embedded().unwrap().broker();
    broker.stop().await.unwrap();
    let health = until_health(&running, |health| !health.ready).await;
    let listener = &health.listeners[0];
    assert_eq!((listener.state, listener.is_subscribed()), (TopicState::Unreachable, false));
    let text = health.to_string();
    for part in ["not ready", "`archive`", "`texts`", "unreachable", &broker.address().to_string()] {
        assert!(text.contains(part), "{text}");
    }
    broker.restart().await.unwrap();
    gate.add_permits(6);
    let health = until_health(&running, |health| health.ready && health.listeners[0].lag == Some(0)).await;
    assert!(health.listeners[0].last_error.is_some(), "what is over is still told");
    running.shutdown().await;
}

#[tokio::test]
async fn a_name_server_that_knows_no_broker_makes_no_application_ready() {
    let cluster = rocketmq_server::Embedded::start().await.unwrap();
    cluster.broker().stop().await.unwrap();
    let listen = |topic| App::new().environment::<String, String>([]).listen(topic, "lonely", || async {});
    let running = start(listen("texts").set("rocketmq.name-server", cluster.name_server())).await;
    let health = until_health(&running, |health| health.listeners[0].state == TopicState::Unreachable).await;
    let error = health.listeners[0].last_error.as_ref().expect("an error");
    assert!(!health.ready && error.text.contains("know no broker"), "{health:?}");
    assert!(error.at.elapsed().is_ok_and(|age| age < LIMIT), "{error:?}");
    running.shutdown().await;
}

#[rocketmq_listener(topic = "lines", group = "sums", batch = 8)]
async fn sum(numbers: Vec<Json<u32>>, State(seen): State<Seen>) -> Result<(), BoxError> {
    for Json(number) in numbers {
        seen.send(number.to_string())?;
    }
    Ok(())
}

#[rocketmq_listener(topic = "steps", group = "sums")]
async fn step(Text(step): Text, State(seen): State<Seen>) {
    let _ = seen.send(step);
}

#[tokio::test]
async fn listeners_of_one_group_share_a_consumer_and_batches_arrive_whole() {
    let (app, mut received) = app();
    let running = start(app.listener(sum).listener(step)).await;
    let template = template(&running);
    template.send_batch("lines", 0..10_u32).await.unwrap();
    template.send("steps", Text("one".into())).await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..11 {
        seen.push(next(&mut received).await);
    }
    seen.sort();
    assert_eq!(seen, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "one"]);
    running.shutdown().await;
}

#[rocketmq_listener(topic = "texts", group = "archive", allocate = "by-circle", client_rebalance = false)]
async fn archive(
    Text(text): Text,
    State(seen): State<Seen>,
    State(gate): State<Arc<Semaphore>>,
) -> Result<(), BoxError> {
    seen.send(text)?;
    gate.acquire().await?.forget();
    Ok(())
}

#[tokio::test]
async fn settings_of_producer_and_consumer_work_together_end_to_end() {
    let (app, mut received) = app();
    let app = app
        .set("rocketmq.producer.auto-batch", "true")
        .set("rocketmq.producer.batch-max-delay-ms", "5")
        .set("rocketmq.producer.compress-type", "LZ4")
        .set("rocketmq.producer.compress-message-body-threshold", "64")
        .set("rocketmq.consumer.groups.archive.pull-batch-size", "1")
        .set("rocketmq.consumer.groups.archive.pull-threshold-for-queue", "2");
    let gate = Arc::new(Semaphore::new(0));
    let running = start(app.state(gate.clone()).listener(archive)).await;
    let template = template(&running);
    let texts: Vec<String> = (0..6).map(|n| format!("{n} ").repeat(100)).collect();
    for text in &texts {
        template.send("texts", Text(text.clone())).await.unwrap();
    }
    let mut seen = vec![next(&mut received).await];
    let info = info(&running, "archive").await;
    assert_eq!((&*info["pullThresholdForQueue"], &*info["clientRebalance"]), ("2", "false"));
    gate.add_permits(texts.len());
    for _ in 1..texts.len() {
        seen.push(next(&mut received).await);
    }
    seen.sort();
    assert_eq!(seen, texts);
    running.shutdown().await;
}

/// The settings of the group's consumer, as administration tools see them.
async fn info(app: &RunningApp, group: &str) -> BTreeMap<String, String> {
    let cluster = app.embedded().expect("an embedded cluster");
    let client = rocketmq_client::connect(cluster.name_server()).await.expect("a client");
    let members = client.consumer_connection(group).await.expect("a group").connection_set;
    client.running_info(group, &members[0].client_id, false).await.expect("an answer").properties
}

/// Waits until the settings of the group are these.
async fn until_settings(app: &RunningApp, group: &str, wanted: [(&str, &str); 2]) {
    let wait = async {
        loop {
            let info = info(app, group).await;
            if wanted.iter().all(|(key, value)| info[*key] == *value) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LIMIT, wait).await.unwrap_or_else(|_| panic!("not in time: {wanted:?}"));
}

#[rocketmq_listener(topic = "steps", group = "watched")]
async fn walk(Text(step): Text, State(seen): State<Seen>) {
    let _ = seen.send(step);
}

#[tokio::test]
async fn a_group_changes_with_its_file_while_it_works() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("application.toml");
    let write = |options: &str| {
        std::fs::write(&file, format!("[rocketmq.consumer.groups.watched]\n{options}")).unwrap();
    };
    write("paused = true\nconcurrency = 3");
    let (app, mut received) = app();
    let app = app.config_file(&file).watch_config(Duration::from_millis(20)).listener(walk);
    let running = start(app).await;
    template(&running).send("steps", Text("a".into())).await.unwrap();
    until_settings(&running, "watched", [("consumeThreadMin", "3"), ("maxReconsumeTimes", "-1")]).await;
    assert!(received.try_recv().is_err(), "it is paused from the start");
    write("concurrency = 5\nmax-reconsume-times = 2");
    assert_eq!(next(&mut received).await, "a", "the pause ended with its key");
    until_settings(&running, "watched", [("consumeThreadMin", "5"), ("maxReconsumeTimes", "2")]).await;
    write("concurrency = 'many'");
    write("concurrency = 6\nmax-reconsume-times = 2");
    until_settings(&running, "watched", [("consumeThreadMin", "6"), ("maxReconsumeTimes", "2")]).await;
    running.shutdown().await;
}

#[rocketmq_listener(topic = "questions", group = "answers")]
async fn answer(Json(question): Json<u32>) -> Result<Json<u32>, BoxError> {
    Ok(Json(question * 2))
}

#[tokio::test]
async fn a_return_value_is_the_reply() {
    let (app, _received) = app();
    let running = start(app.listener(answer)).await;
    let request = template(&running).request::<Json<u32>>("questions", 21).timeout(LIMIT);
    assert_eq!(request.await.unwrap().0, 42);
    let wrong = template(&running).request::<Json<Vec<u8>>>("questions", 21).timeout(LIMIT).await;
    assert!(wrong.unwrap_err().to_string().contains("cannot be read"));
    running.shutdown().await;
}

struct Counter {
    name: &'static str,
    seen: Seen,
}

#[async_trait]
impl Handler for Counter {
    type Message = (Text, Attempt);
    type Answer = Result<(), BoxError>;

    async fn handle(&self, (Text(text), Attempt(attempt)): Self::Message) -> Self::Answer {
        self.seen.send(format!("{} {text} {attempt}", self.name))?;
        Ok(())
    }
}

#[tokio::test]
async fn structs_and_loops_are_listeners() {
    let ((app, mut received), (seen, mut ended)) = (app(), mpsc::unbounded_channel());
    let (first, second) =
        (Counter { name: "first", seen: seen.clone() }, Counter { name: "second", seen: seen.clone() });
    let read = move |mut lines: Messages<Text>, context: Context| {
        let ended = seen.clone();
        async move {
            let seen = context.state::<Seen>().ok_or("no state")?;
            while let Some(Text(line)) = lines.next().await {
                seen.send(format!("read {line}"))?;
            }
            ended.send("the loop came to its end".to_owned())?;
            Ok::<_, BoxError>(())
        }
    };
    let app = app.listen("texts", "first", first).listen("texts", "second", second);
    let running = start(app.listener(Listener::stream("texts", "loop", read))).await;
    for text in ["a", "b"] {
        template(&running).send("texts", Text(text.into())).await.unwrap();
    }
    let mut lines = vec![next(&mut received).await, next(&mut received).await];
    for _ in 0..4 {
        lines.push(next(&mut ended).await);
    }
    lines.sort();
    assert_eq!(lines, ["first a 1", "first b 1", "read a", "read b", "second a 1", "second b 1"]);
    let health = until_health(&running, |health| health.listeners.iter().all(|it| it.handled == 2)).await;
    assert!(health.ready, "{health}");
    running.shutdown().await;
    assert_eq!(next(&mut ended).await, "the loop came to its end");
}

/// `[shop]` of the files.
#[derive(Debug, serde::Deserialize)]
struct Shop {
    currency: String,
    limit: u32,
}

#[rocketmq_listener(topic = "carts", group = "carts")]
async fn check_cart(Json(id): Json<u32>, Config(shop): Config<Shop>, State(seen): State<Seen>) {
    let _ = seen.send(format!("{id} of {} in {}", shop.limit, shop.currency));
}

#[tokio::test]
async fn listeners_and_hooks_take_sections_of_the_applications_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("application.toml");
    std::fs::write(&file, "[shop]\ncurrency = '${money:EUR}'\nlimit = 5\n[money-box]\nsize = 3").unwrap();
    std::fs::write(folder.path().join("application-dev.toml"), "[shop]\nlimit = 6").unwrap();
    let (app, mut received) = app();
    let app = app.config_file(file).profile("dev").environment([("SHOP_CURRENCY", "USD")]);
    let app = app.listener(check_cart).config::<Shop>("shop").on_start(|context| async move {
        let sizes: BTreeMap<String, u8> = context.config("money-box")?;
        assert_eq!(sizes["size"], 3);
        let wrong = context.config::<Shop>("money-box").unwrap_err().to_string();
        assert!(wrong.contains("`money-box.currency` has no value"), "{wrong}");
        Ok::<_, BoxError>(())
    });
    let running = start(app).await;
    template(&running).send("carts", 7).await.unwrap();
    assert_eq!(next(&mut received).await, "7 of 6 in USD");
    running.shutdown().await;
}

#[tokio::test]
async fn a_section_that_cannot_be_read_and_one_that_is_missing_keep_the_application_from_starting() {
    let (app, _received) = app();
    let app = app.listener(check_cart).config::<BTreeMap<String, u8>>("shop").set("shop.size", "many");
    let error = app.start().await.unwrap_err();
    let kinds: Vec<_> = error.mistakes().iter().map(|mistake| mistake.kind()).collect();
    assert_eq!(kinds, [MistakeKind::WrongValue, MistakeKind::MissingConfig], "{error}");
    let text = error.to_string();
    for part in [
        "`shop.size` in App::set at",
        "\"many\"",
        "`check_cart`",
        "Shop>`: add `.config::<",
        "Shop>(\"..\")`",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}

#[rocketmq_transaction_listener(name = "orders")]
async fn check_order(Json(id): Json<u32>, State(seen): State<Seen>) -> Result<TransactionState, BoxError> {
    seen.send(format!("orders asked about {id}"))?;
    Ok(TransactionState::Commit)
}

#[rocketmq_transaction_listener(name = "refunds")]
async fn check_refund(Json(id): Json<u32>, State(seen): State<Seen>) -> Result<TransactionState, BoxError> {
    seen.send(format!("refunds asked about {id}"))?;
    Ok(TransactionState::Rollback)
}

#[tokio::test]
async fn an_undecided_transaction_is_put_to_the_checker_it_names() {
    let (app, mut received) = app();
    let running = start(app.transaction_listener(check_order).transaction_listener(check_refund).listen(
        "bookings",
        "ledger",
        |delivery: Delivery, State(seen): State<Seen>| async move {
            seen.send(delivery.text().unwrap_or_default().to_owned())
        },
    ))
    .await;
    let template = template(&running);
    drop(template.begin("bookings", 7).checked_by("orders").await.unwrap());
    drop(template.begin("bookings", 8).checked_by("refunds").await.unwrap());
    let half = template.begin("bookings", 9);
    let decided =
        template.send_in_transaction(half, async { Ok::<_, BoxError>(TransactionState::Commit) }).await;
    assert_eq!(decided.unwrap(), TransactionState::Commit);
    assert_eq!(next(&mut received).await, "9");
    running.embedded().unwrap().advance(Duration::from_secs(120));
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(next(&mut received).await);
    }
    seen.sort();
    assert_eq!(seen, ["7", "orders asked about 7", "refunds asked about 8"]);
    running.shutdown().await;
}

#[tokio::test]
async fn a_shutdown_finishes_what_is_in_flight() {
    let (app, _received) = app();
    let (entered, go, finished) =
        (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
    let (inside, wait, done) = (entered.clone(), go.clone(), finished.clone());
    let running = start(app.listen("slow", "slow", move || {
        let (inside, wait, done) = (inside.clone(), wait.clone(), done.clone());
        async move {
            inside.notify_one();
            wait.notified().await;
            done.store(true, SeqCst);
        }
    }))
    .await;
    template(&running).send("slow", 1).await.unwrap();
    timeout(LIMIT, entered.notified()).await.expect("the handler is called");
    assert_eq!(running.health().listeners[0].in_flight, 1);
    go.notify_one();
    running.shutdown().await;
    assert!(finished.load(SeqCst));
}

#[tokio::test]
async fn hooks_run_at_their_turning_points_and_the_application_can_end_itself() {
    let (app, mut received) = app();
    let tell = |what: &'static str| {
        move |context: Context| async move {
            let seen = context.state::<Seen>().ok_or("no state")?;
            seen.send(format!("{what}, ready: {}", context.health().ready))?;
            if what == "ready" {
                context.stop();
            }
            Ok::<_, BoxError>(())
        }
    };
    let app = app.on_start(tell("start")).on_ready(tell("ready")).on_stop(tell("stop"));
    timeout(LIMIT, app.run_until(std::future::pending())).await.expect("in time").unwrap();
    let mut told = Vec::new();
    while let Ok(line) = received.try_recv() {
        told.push(line);
    }
    assert_eq!(told, ["start, ready: false", "ready, ready: true", "stop, ready: false"]);
}

#[tokio::test]
async fn a_failing_start_hook_keeps_the_application_from_starting() {
    let (app, _received) = app();
    let error = app.on_start(|_| async { Err::<(), _>("no cache") }).start().await.unwrap_err();
    assert_eq!(error.mistakes()[0].kind(), MistakeKind::Hook);
    assert!(error.to_string().contains("no cache"), "{error}");
}

#[tokio::test]
async fn all_mistakes_are_reported_together() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("application.toml");
    std::fs::write(&file, "[rocketmq]\nname-servr = 'x'\n[rocketmq.producer]\nmax-message-size = 'big'")
        .unwrap();
    let error = App::new()
        .environment::<String, String>([])
        .config_file(&file)
        .listener(bill)
        .listen("${no.such.key}", "g", || async {})
        .listen("t", "g", || async {})
        .listen("t", "g", |_: State<u64>| async {})
        .start()
        .await
        .unwrap_err();
    let kinds: Vec<_> = error.mistakes().iter().map(|mistake| mistake.kind()).collect();
    for kind in [
        MistakeKind::UnknownKey,
        MistakeKind::WrongValue,
        MistakeKind::Placeholder,
        MistakeKind::Subscription,
        MistakeKind::MissingState,
    ] {
        assert!(kinds.contains(&kind), "{kind:?} is missing in {error}");
    }
    assert!(error.to_string().contains("application.toml"), "{error}");
}

#[tokio::test]
async fn a_name_server_that_does_not_answer_is_named() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (app, _received) = app();
    let error = app.set("rocketmq.name-server", unused.to_string()).start().await.unwrap_err();
    assert_eq!(error.mistakes()[0].kind(), MistakeKind::Connect);
    assert!(error.to_string().contains(&unused.to_string()), "{error}");
}

/// Answers everything that connects with these bytes.
async fn answering(bytes: &'static [u8]) -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 512]).await;
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, bytes).await;
        }
    });
    address
}

#[tokio::test]
async fn a_name_server_that_speaks_another_protocol_is_named_with_it() {
    for (bytes, expected) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "the peer speaks HTTP"),
        (&[21, 3, 3, 0, 2, 2, 70][..], "the peer speaks TLS"),
        (&[][..], "if the server takes only TLS, switch `tls` on"),
    ] {
        let address = answering(bytes).await.to_string();
        let (app, _received) = app();
        let app = app.set("rocketmq.name-server", &address).listen("texts", "readers", || async {});
        let error = timeout(LIMIT, app.start()).await.expect("in time").unwrap_err();
        assert_eq!(error.mistakes()[0].kind(), MistakeKind::Connect);
        let error = error.to_string();
        assert!(
            error.contains(expected) && error.contains(&address) && error.contains("`readers`"),
            "{error}"
        );
    }
}

/// Lets one message through at a time: it pauses its own group.
async fn one_at_a_time(Text(text): Text, State(seen): State<Seen>, context: Context) {
    let paused = context.pause("careful") && !context.pause("other");
    let _ = seen.send(format!("{text}, paused: {paused}"));
}

#[tokio::test]
async fn handlers_and_hooks_reach_the_client_and_the_groups() {
    let (app, mut received) = app();
    let (client_id, mut told) = mpsc::unbounded_channel();
    let app = app
        .set("rocketmq.client.client-ip", "10.1.2.3")
        .set("rocketmq.client.unit-name", "unit-1")
        .set("rocketmq.producer.instance-name", "it")
        .set("rocketmq.consumer.instance-name", "it")
        .listen("one", "careful", one_at_a_time)
        .on_start(move |context| async move {
            assert!(!context.pause("careful"), "it is not at work yet");
            client_id.send(context.client().ok_or("no client")?.client_id().to_owned())?;
            Ok::<_, BoxError>(())
        })
        .on_ready(|context| async move {
            assert!(context.set_concurrency("careful", 2) && !context.set_concurrency("other", 2));
            Ok::<_, BoxError>(())
        });
    let running = start(app).await;
    assert_eq!(told.recv().await.as_deref(), Some("10.1.2.3@it@unit-1"));
    let (template, context) = (template(&running), running.context().clone());
    let stored = template.send("one", Text("a".into())).await.unwrap();
    assert_eq!(next(&mut received).await, "a, paused: true");
    assert!(running.resume("careful"));
    let client = context.client().expect("of the producer");
    let found = client.view_message("one", stored.offset_message_id()).await.unwrap();
    assert_eq!(found.text(), Some("a"));
    let members = client.consumer_connection("careful").await.unwrap();
    assert_eq!(members.connection_set[0].client_id, client.client_id(), "they share it");
    running.shutdown().await;
    assert!(!context.resume("careful"), "it has ended");
}

#[tokio::test]
async fn a_group_is_split_by_the_strategy_of_the_program() {
    let (app, mut received) = app();
    let app = app.listen("one", "archive", async |Text(text): Text, State(seen): State<Seen>| {
        let _ = seen.send(text);
    });
    let nobodys = rocketmq_client::consumer::Configured::default();
    let running = start(app.allocate("archive", nobodys)).await;
    template(&running).send("one", Text("a".into())).await.unwrap();
    let client = running.context().client().expect("of the producer");
    let info = client.running_info("archive", client.client_id(), false).await.unwrap();
    assert!(info.mq_table.keys().all(|queue| queue.topic != "one"), "{info:?}");
    running.shutdown().await;
    assert!(received.try_recv().is_err());
}

#[tokio::test]
async fn several_producers_have_templates_of_their_own() {
    let (app, _received) = app();
    let running = start(app.configure(|properties| {
        let mut audit = properties.producer.clone();
        audit.group = Some("audit".to_owned());
        properties.producers.insert("audit".to_owned(), audit);
    }))
    .await;
    let audit = running.context().named_template("audit").expect("it is configured");
    assert_eq!(audit.producer().group(), "audit");
    assert_eq!(audit.producer().client().client_id(), running.context().client().unwrap().client_id());
    assert!(running.context().named_template("other").is_none());
    audit.send("audited", 1).await.unwrap();
    running.shutdown().await;
}

#[tokio::test]
async fn settings_of_tls_are_judged_as_the_program_leaves_them() {
    let half = || app().0.set("rocketmq.tls.cert", "c.pem");
    start(half().configure(|properties| properties.tls.key = Some("c.key".into()))).await.shutdown().await;
    let error = half().configure(|properties| properties.tls.server_name = None).start().await.unwrap_err();
    assert!(error.to_string().contains("`rocketmq.tls.key` is missing"), "{error}");
    let spoilt = app().0.configure(|properties| properties.tls.cert = Some("c.pem".into()));
    assert!(spoilt.start().await.is_err());
}

#[tokio::test]
async fn messages_can_be_taken_one_by_one() {
    let (app, _received) = app();
    let running =
        start(app.set("rocketmq.pull-consumer.group", "reader").set("rocketmq.pull-consumer.topic", "rows"))
            .await;
    let template = template(&running);
    assert_eq!(template.receive::<Json<u32>>(Duration::from_millis(1)).await.unwrap(), None);
    for row in [1, 2] {
        template.send("rows", row).await.unwrap();
    }
    let mut rows = Vec::new();
    for _ in 0..2 {
        rows.push(template.receive::<Json<u32>>(LIMIT).await.unwrap().expect("a row").0);
    }
    rows.sort_unstable();
    assert_eq!(rows, [1, 2]);
    running.shutdown().await;
    assert!(template.receive::<Json<u32>>(LIMIT).await.is_err());
}

#[tokio::test]
async fn messages_are_taken_by_a_condition() {
    let (app, _received) = app();
    let pull = |key: &str| format!("rocketmq.pull-consumer.{key}");
    let app = app.set(pull("group"), "picky").set(pull("topic"), "rows");
    let app = app.set(pull("selector-type"), "SQL92").set(pull("selector-expression"), "TAGS = 'wanted'");
    let running = start(app).await;
    let template = template(&running);
    assert_eq!(template.receive::<Json<u32>>(Duration::from_millis(1)).await.unwrap(), None);
    template.send("rows:other", 1).await.unwrap();
    template.send("rows:wanted", 2).await.unwrap();
    let row = template.receive::<Json<u32>>(LIMIT).await.unwrap().expect("the row that is wanted").0;
    assert_eq!(row, 2);
    running.shutdown().await;
}

#[tokio::test]
async fn an_embedded_store_can_be_kept() {
    let folder = tempfile::tempdir().unwrap();
    for expected in [0, 1] {
        let (app, _received) = app();
        let running =
            start(app.set("rocketmq.embedded.store-path", folder.path().display().to_string())).await;
        let receipt = template(&running).send("kept", 1).ordered_by("one queue").await.unwrap();
        assert_eq!(receipt.queue_offset(), expected);
        running.shutdown().await;
    }
}

/// Keeps messages with the tag `secret` back.
struct NoSecrets;

#[async_trait]
impl Layer for NoSecrets {
    async fn send(&self, messages: Vec<Message>, next: NextSend<'_>) -> Result<(), BoxError> {
        if messages.iter().any(|message| message.properties().tags() == Some("secret")) {
            return Err("secrets stay here".into());
        }
        next.send(messages).await
    }
}

#[tokio::test]
async fn layers_lie_around_every_kind_of_send_and_around_handlers() {
    let (app, mut received) = app();
    let noting = async |Text(text): Text, State(seen): State<Seen>| -> Result<(), BoxError> {
        seen.send(text)?;
        Ok(())
    };
    let listener = Listener::new("layered", "layered", noting).layer(Deduplicate::in_memory());
    let running = start(app.layer(NoSecrets).listener(listener)).await;
    let template = template(&running);
    let vetoes = [
        template.send("layered:secret", 1).await.map(drop),
        template.send_oneway("layered:secret", 1).await,
        template.begin("layered:secret", 1).await.map(drop),
    ];
    for veto in vetoes {
        let error = veto.expect_err("kept back");
        assert_eq!(error.kind(), SendErrorKind::Vetoed);
        assert!(error.to_string().contains("secrets stay here"), "{error}");
    }
    assert!(template.send_batch("layered:secret", [1, 2]).await.is_err());
    assert!(template.request::<Text>("layered:secret", 1).await.is_err());
    template.send("layered", "first").key(7).await.expect("sent");
    assert_eq!(next(&mut received).await, "first");
    until_health(&running, |health| health.listeners[0].handled == 1).await;
    template.send("layered", "second").key(7).await.expect("sent");
    template.send("layered", "third").key(8).await.expect("sent");
    assert_eq!(next(&mut received).await, "third");
    until_health(&running, |health| health.listeners[0].handled == 3).await;
    assert!(received.try_recv().is_err(), "a key reaches the handler once");
    running.shutdown().await;
}
