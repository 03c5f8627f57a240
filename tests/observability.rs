//! Tests what applications observe of their clients: spans, contexts in messages, metrics, interceptors.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use parking_lot::Mutex;
use rocketmq_client::consumer::FlowLimits;
use rocketmq_client::remoting::requests::group::ConsumeMessageDirectlyRequest;
use rocketmq_client::remoting::{Request as _, ResponseCode};
use rocketmq_client::{
    BoxError, Client, Delivery, FromWhere, Interceptor, Listen, Message, Outcome, Receipt, SendError,
    SendErrorKind,
};
use rocketmq_tests::{Cluster, Inbox, PATIENCE, TestResult, eventually, serve_by_pop, unique_group};
use tokio::sync::{AcquireError, Semaphore};
use tracing::Instrument as _;
use tracing_subscriber::layer::SubscriberExt as _;

async fn consume(
    client: &Client,
    topic: &str,
    inbox: &Inbox,
    decide: fn(&Delivery) -> Outcome,
) -> TestResult<rocketmq_client::Running> {
    let consumer = client.push_consumer(unique_group()).subscribe(topic, "*");
    Ok(consumer.from_where(FromWhere::FirstOffset).listen(inbox.decide(decide)).await?)
}

fn accept(_: &Delivery) -> Outcome {
    tracing::info!("inside the handler");
    Outcome::Ack
}

/// Returns a span's value for a name.
fn attribute(span: &SpanData, name: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key.as_str() == name);
    found.map(|attribute| attribute.value.as_str().into_owned())
}

#[tokio::test]
async fn spans_surround_sends_and_handlers_and_one_trace_holds_both() -> TestResult {
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    // Keeps a second subscriber. With only one, the thread that first meets a span decides for all threads if it is
    // enabled; that may be a thread of another test, without a subscriber.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _subscribed = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));

    let cluster = Cluster::embedded().await?;
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 1).await?;
    let producer = client.producer(unique_group()).build().await?;
    let request = tracing::info_span!("request");
    let message = Message::new(&topic, "one").tag("t").key("k");
    let sent = producer.send(message).into_future().instrument(request).await?;
    producer.send_batch(vec![Message::new(&topic, "two"), Message::new(&topic, "three")]).await?;
    let failed = producer.send(Message::new("no topic", "x")).await;
    assert!(failed.is_err());
    let inbox = Inbox::default();
    let running = consume(&client, &topic, &inbox, accept).await?;
    inbox.expect(3).await;
    assert!(inbox.all()[0].property("traceparent").is_some(), "the context travels as W3C has it");
    running.shutdown().await;
    let mut lite = client
        .lite_consumer("lite")
        .subscribe(&topic, "*")
        .from_where(FromWhere::FirstOffset)
        .build()
        .await?;
    let taken =
        lite.poll(PATIENCE).await?.and_then(|batch| batch.into_iter().next()).ok_or("nothing to take")?;
    taken.process_span("lite").in_scope(|| tracing::info!("by hand"));
    lite.shutdown().await;

    let spans = exporter.get_finished_spans()?;
    let named = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    let (sends, processes) = (named(&format!("send {topic}")), named(&format!("process {topic}")));
    assert_eq!((sends.len(), processes.len()), (2, 4), "{spans:#?}");
    let send = sends[0];
    assert_eq!(send.parent_span_id, named("request")[0].span_context.span_id());
    let expected = [
        ("messaging.system", "rocketmq"),
        ("messaging.destination.name", &topic),
        ("messaging.message.id", sent.message_id()),
        ("messaging.rocketmq.client_group", producer.group()),
        ("messaging.rocketmq.message.tag", "t"),
        ("messaging.rocketmq.message.keys", "k"),
    ];
    for (name, value) in expected {
        assert_eq!(attribute(send, name).as_deref(), Some(value), "{name}");
    }
    let process = processes[0];
    assert_eq!(
        process.parent_span_id,
        send.span_context.span_id(),
        "the handler goes on where the sender was"
    );
    assert_eq!(process.span_context.trace_id(), send.span_context.trace_id());
    assert_eq!(attribute(process, "messaging.rocketmq.delivery_attempt").as_deref(), Some("1"));
    assert_eq!(attribute(process, "messaging.rocketmq.outcome").as_deref(), Some("ack"));
    assert!(
        process.events.iter().any(|event| event.name == "inside the handler"),
        "handlers run in their span"
    );
    assert_eq!(attribute(sends[1], "messaging.batch.message_count").as_deref(), Some("2"));
    let by_hand = processes[3];
    assert_eq!(by_hand.parent_span_id, send.span_context.span_id());
    assert_eq!(attribute(by_hand, "messaging.consumer.group.name").as_deref(), Some("lite"));
    assert!(processes[1..3].iter().all(|span| span.parent_span_id == sends[1].span_context.span_id()));
    let refused = named("send no topic");
    assert_eq!(attribute(refused[0], "error.type").as_deref(), Some("InvalidMessage"));
    Ok(())
}

/// Records every metric by its name and labels.
#[derive(Default, Clone)]
struct Kept {
    numbers: Arc<Mutex<BTreeMap<String, Arc<AtomicU64>>>>,
    samples: Arc<Mutex<BTreeMap<String, Arc<Samples>>>>,
    described: Arc<Mutex<BTreeMap<String, Option<Unit>>>>,
}

#[derive(Default)]
struct Samples(AtomicU64);

impl HistogramFn for Samples {
    fn record(&self, _: f64) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn title(key: &Key) -> String {
    let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
    format!("{}{{{}}}", key.name(), labels.join(","))
}

impl Kept {
    fn number(&self, key: &Key) -> Arc<AtomicU64> {
        self.numbers.lock().entry(title(key)).or_default().clone()
    }

    fn describe(&self, key: &KeyName, unit: Option<Unit>) {
        self.described.lock().insert(key.as_str().to_owned(), unit);
    }

    fn value(&self, title: &str) -> u64 {
        self.numbers.lock().get(title).map_or(0, |number| number.load(Ordering::Relaxed))
    }

    fn sampled(&self, title: &str) -> u64 {
        self.samples.lock().get(title).map_or(0, |samples| samples.0.load(Ordering::Relaxed))
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&key, unit);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&key, unit);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&key, unit);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.number(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.number(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.samples.lock().entry(title(key)).or_default().clone())
    }
}

#[tokio::test]
async fn every_metric_counts_and_has_a_description() -> TestResult {
    let kept = Kept::default();
    let _recording = metrics::set_default_local_recorder(&kept);
    let cluster = Cluster::embedded().await?;
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 1).await?;
    let producer = client.producer(unique_group()).build().await?;
    producer.send(Message::new(&topic, "good")).await?;
    producer.send_batch(vec![Message::new(&topic, "good"), Message::new(&topic, "bad")]).await?;
    assert!(producer.send(Message::new(&topic, "")).await.is_err());
    let inbox = Inbox::default();
    let judge = |delivery: &Delivery| match delivery.text() {
        Some("bad") => Outcome::DeadLetter,
        _ => Outcome::Ack,
    };
    let running = consume(&client, &topic, &inbox, judge).await?;
    let group = running.group().to_owned();
    inbox.expect(3).await;
    running.shutdown().await;

    let value = |name: &str, labels: &str| kept.value(&format!("rocketmq_{name}{{{labels}}}"));
    let (sent, seen) = (format!("topic={topic},outcome="), format!("topic={topic},group={group}"));
    assert_eq!(value("producer_sends_total", &format!("{sent}ok")), 3);
    assert_eq!(value("producer_sends_total", &format!("{sent}invalid_message")), 1);
    assert_eq!(kept.sampled(&format!("rocketmq_producer_send_seconds{{{sent}ok}}")), 2);
    assert_eq!(value("consumer_messages_total", &format!("{seen},outcome=ack")), 2);
    assert_eq!(value("consumer_messages_total", &format!("{seen},outcome=dead_letter")), 1);
    assert_eq!(kept.sampled(&format!("rocketmq_consumer_handler_seconds{{{seen},outcome=ack}}")), 2);
    assert_eq!(value("consumer_pulled_messages_total", &seen), 3);
    assert_eq!(value("consumer_dead_letters_total", &seen), 1);
    assert_eq!(value("consumer_rebalances_total", &seen), 1);
    assert_eq!(value("consumer_handlers_running", &format!("group={group}")), 0, "none runs any more");
    assert!(
        kept.numbers.lock().keys().any(|title| title.starts_with("rocketmq_client_connects_total{address="))
    );
    let described = kept.described.lock();
    for title in kept.numbers.lock().keys().chain(kept.samples.lock().keys()) {
        let name = title.split('{').next().unwrap_or_default();
        assert!(described.get(name).is_some_and(Option::is_some), "{name} has a description with a unit");
        assert!(
            include_str!("../docs/observability.md").contains(name),
            "{name} is in docs/observability.md"
        );
    }
    Ok(())
}

/// Returns a handler that keeps its messages, and waits at the gate for those that are `slow`.
fn gated(inbox: &Inbox, gate: &Arc<Semaphore>, slow: fn(&Delivery) -> bool) -> impl Listen + use<> {
    let (seen, gate) = (inbox.clone(), gate.clone());
    move |delivery: Delivery| {
        let (gate, waits) = (gate.clone(), slow(&delivery));
        seen.keep(delivery);
        async move {
            if waits {
                gate.acquire().await?.forget();
            }
            Ok::<_, AcquireError>(Outcome::Ack)
        }
    }
}

/// A limit on the messages that a consumer holds. The consumer pulls one message at a time.
struct Limit {
    set: fn(&mut FlowLimits),
    /// Bytes of each of the ten messages.
    body: usize,
    /// Selects the messages that wait for the gate.
    slow: fn(&Delivery) -> bool,
    /// Label of the metric.
    kind: &'static str,
    /// Number of messages pulled at the limit.
    pulled: usize,
    /// Reason in the log.
    reason: &'static str,
}

/// Asserts that a consumer at its limit pulls nothing until handlers finish. Each look at the limit counts, and the
/// first one writes a line to the log.
async fn assert_held(limit: Limit) -> TestResult {
    let (kept, log) = (Kept::default(), tempfile::NamedTempFile::new()?);
    let _recording = metrics::set_default_local_recorder(&kept);
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Arc::new(log.reopen()?));
    let _subscribed = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines));
    let cluster = Cluster::embedded().await?;
    let client = cluster.client().await?;
    let (topic, group) = (cluster.topic(&client, 1).await?, unique_group());
    let (inbox, gate) = (Inbox::default(), Arc::new(Semaphore::new(0)));
    let consumer = client.push_consumer(&group).subscribe(&topic, "*").from_where(FromWhere::FirstOffset);
    let consumer = consumer.configure(|config| {
        config.pull_batch = 1;
        (limit.set)(&mut config.flow);
    });
    let running = consumer.listen(gated(&inbox, &gate, limit.slow)).await?;
    // The limit of a topic is shared with the queue of the group's retries.
    eventually("both queues", PATIENCE, async || running.queues().len() == 2).await;
    let producer = client.producer(unique_group()).build().await?;
    for _ in 0..10 {
        producer.send(Message::new(&topic, vec![b'x'; limit.body])).await?;
    }

    let labels = format!("topic={topic},group={group}");
    let throttled = format!("rocketmq_consumer_throttled_total{{{labels},limit={}}}", limit.kind);
    eventually("three looks", PATIENCE, async || kept.value(&throttled) >= 3).await;
    let pulled = format!("rocketmq_consumer_pulled_messages_total{{{labels}}}");
    assert_eq!((kept.value(&pulled), inbox.len()), (limit.pulled as u64, limit.pulled));
    gate.add_permits(10);
    inbox.expect(10).await;
    running.shutdown().await;
    let log = std::fs::read_to_string(log.path())?;
    let lines: Vec<_> = log.lines().filter(|line| line.contains("pulling waits for the handlers")).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains(limit.reason), "{}", lines[0]);
    Ok(())
}

#[tokio::test]
async fn a_queue_holds_no_more_messages_than_allowed() -> TestResult {
    let set = |flow: &mut FlowLimits| flow.queue_count = 3;
    let reason = "4 messages cached, limit 3";
    assert_held(Limit { set, body: 1, slow: |_| true, kind: "count", pulled: 4, reason }).await
}

#[tokio::test]
async fn a_queue_holds_no_more_bytes_than_allowed() -> TestResult {
    let set = |flow: &mut FlowLimits| flow.queue_bytes = 1 << 20;
    let reason = "1200000 bytes cached, limit 1048576";
    assert_held(Limit { set, body: 300_000, slow: |_| true, kind: "bytes", pulled: 4, reason }).await
}

#[tokio::test]
async fn a_queue_does_not_run_away_from_its_oldest_message() -> TestResult {
    let set = |flow: &mut FlowLimits| flow.max_span = 5;
    let slow = |delivery: &Delivery| delivery.queue_offset() == 0;
    let reason = "6 offsets behind the newest, limit 5";
    assert_held(Limit { set, body: 1, slow, kind: "span", pulled: 7, reason }).await
}

#[tokio::test]
async fn queues_share_what_the_topic_may_hold() -> TestResult {
    let set = |flow: &mut FlowLimits| flow.topic_count = Some(8);
    let reason = "5 messages cached, limit 4";
    assert_held(Limit { set, body: 1, slow: |_| true, kind: "count", pulled: 5, reason }).await
}

/// A POP consumer at its limit pops nothing. Each look at the limit counts, and the first one writes a line to the log.
#[tokio::test]
async fn popping_that_waits_for_handlers_is_counted_and_logged() -> TestResult {
    let (kept, log) = (Kept::default(), tempfile::NamedTempFile::new()?);
    let _recording = metrics::set_default_local_recorder(&kept);
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Arc::new(log.reopen()?));
    let _subscribed = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines));
    let cluster = Cluster::embedded().await?;
    let client = cluster.client().await?;
    let (topic, group) = (cluster.topic(&client, 1).await?, unique_group());
    serve_by_pop(&client, &topic, &group).await?;
    let producer = client.producer(unique_group()).build().await?;
    producer.send_batch((0..8).map(|_| Message::new(&topic, "waits")).collect()).await?;

    let (inbox, gate) = (Inbox::default(), Arc::new(Semaphore::new(0)));
    let handler = gated(&inbox, &gate, |_| true);
    let consumer = client.push_consumer(&group).subscribe(&topic, "*").from_where(FromWhere::FirstOffset);
    let consumer = consumer.configure(|config| {
        (config.broker_assignment, config.pop.batch, config.pop.threshold) = (true, 4, 3);
    });
    let running = consumer.listen(handler).await?;
    let title =
        format!("rocketmq_consumer_throttled_total{{topic={topic},group={group},limit=unacknowledged}}");
    eventually("two looks", PATIENCE, async || kept.value(&title) >= 2).await;
    assert_eq!(inbox.len(), 4, "nothing is popped meanwhile");
    gate.add_permits(8);
    inbox.expect(8).await;
    running.shutdown().await;
    let log = std::fs::read_to_string(log.path())?;
    let lines: Vec<_> = log.lines().filter(|line| line.contains("popping waits for the handlers")).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("4 messages are not acknowledged, more than 3"), "{}", lines[0]);
    Ok(())
}

/// Records every call, and acts as the bodies of messages say.
#[derive(Default, Clone)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn add(&self, text: String) {
        self.0.lock().push(text);
    }

    fn count(&self, text: &str) -> usize {
        self.0.lock().iter().filter(|note| *note == text).count()
    }
}

impl Interceptor for Notes {
    fn before_send(&self, message: &mut Message) -> Result<(), BoxError> {
        match &message.body()[..] {
            b"veto" => return Err("not this one".into()),
            b"panic" => panic!("before the send"),
            _ => {}
        }
        *message = message.clone().property("seen", "yes");
        self.add("before send".into());
        Ok(())
    }

    fn after_send(&self, _: &str, result: Result<Option<&Receipt>, &SendError>) {
        self.add(match result {
            Ok(Some(_)) => "stored".into(),
            Ok(None) => "written".into(),
            Err(error) => format!("{:?}", error.kind()),
        });
        if result.is_ok() {
            panic!("after the send");
        }
    }

    fn before_consume(&self, _: &str, deliveries: &[Delivery]) -> ControlFlow<Outcome> {
        self.add("before handler".into());
        match deliveries[0].text() {
            Some("spare") => ControlFlow::Break(Outcome::Ack),
            _ => ControlFlow::Continue(()),
        }
    }

    fn after_consume(&self, _: &str, deliveries: &[Delivery], outcomes: &[Outcome]) {
        self.add(format!("{:?} {outcomes:?}", deliveries[0].text().unwrap_or_default()));
        panic!("after the handler");
    }
}

#[tokio::test]
async fn interceptors_see_every_kind_of_send_and_their_panics_are_caught() -> TestResult {
    let (cluster, notes) = (Cluster::embedded().await?, Notes::default());
    let client = Client::builder(cluster.name_server()).interceptor(notes.clone()).connect().await?;
    let topic = cluster.topic(&client, 1).await?;
    let producer = client.producer(unique_group()).build().await?;
    producer.send(Message::new(&topic, "one")).await?;
    producer.send_oneway(Message::new(&topic, "one way")).await?;
    producer.send_batch(vec![Message::new(&topic, "b1"), Message::new(&topic, "b2")]).await?;
    producer.begin(Message::new(&topic, "half")).await?.commit().await?;
    let unanswered = producer.request(Message::new(&topic, "request")).timeout(Duration::from_secs(2));
    assert!(unanswered.await.is_err(), "nobody replies");
    let gathering = client.producer(unique_group()).linger(Duration::from_millis(5)).build().await?;
    gathering.send(Message::new(&topic, "gathered")).await?;
    for (body, text) in [("veto", "not this one"), ("panic", "panicked")] {
        let error = producer.send(Message::new(&topic, body)).await.expect_err("kept back");
        assert_eq!(error.kind(), SendErrorKind::Vetoed);
        assert!(error.to_string().contains(text), "{error}");
    }
    assert_eq!(notes.count("before send"), 7);
    assert_eq!((notes.count("stored"), notes.count("written"), notes.count("Vetoed")), (6, 1, 2));
    let inbox = Inbox::default();
    let running = consume(&client, &topic, &inbox, accept).await?;
    inbox.expect(7).await;
    assert!(inbox.all().iter().all(|delivery| delivery.property("seen") == Some("yes")));
    running.shutdown().await;
    Ok(())
}

/// Replaces every message, as an interceptor that encrypts or wraps must.
#[derive(Debug)]
struct Wraps;

impl Interceptor for Wraps {
    fn before_send(&self, message: &mut Message) -> Result<(), BoxError> {
        *message = Message::new(message.topic(), [b"wrapped ", &message.body()[..]].concat());
        Ok(())
    }
}

#[tokio::test]
async fn a_message_that_an_interceptor_replaces_stays_half_or_a_request() -> TestResult {
    let cluster = Cluster::embedded().await?;
    let client = Client::builder(cluster.name_server()).interceptor(Wraps).connect().await?;
    let topic = cluster.topic(&client, 1).await?;
    let producer = client.producer(unique_group()).build().await?;
    producer.begin(Message::new(&topic, "half")).await?.rollback().await?;
    let inbox = Inbox::default();
    let running = consume(&client, &topic, &inbox, accept).await?;
    let asked = producer.request(Message::new(&topic, "question")).timeout(PATIENCE);
    let (answer, replied) = tokio::join!(asked.into_future(), async {
        inbox.expect(1).await;
        producer.reply(&inbox.all()[0], "answer").await
    });
    replied?;
    assert_eq!(answer?.text(), Some("wrapped answer"));
    assert_eq!(inbox.sorted(), ["wrapped question"], "what was rolled back stays unseen");
    running.shutdown().await;
    Ok(())
}

#[tokio::test]
async fn interceptors_decide_before_handlers_of_every_kind() -> TestResult {
    let (cluster, notes) = (Cluster::embedded().await?, Notes::default());
    let client = Client::builder(cluster.name_server()).interceptor(notes.clone()).connect().await?;
    let topic = cluster.topic(&client, 1).await?;
    let producer = client.producer(unique_group()).build().await?;
    for body in ["handle", "spare", "end"] {
        producer.send(Message::new(&topic, body)).await?;
    }
    for orderly in [false, true] {
        let inbox = Inbox::default();
        let consumer = client.push_consumer(unique_group()).subscribe(&topic, "*");
        let consumer =
            consumer.from_where(FromWhere::FirstOffset).configure(|config| config.orderly = orderly);
        let running = consumer.listen(inbox.accept()).await?;
        let told = 1 + usize::from(orderly);
        for body in ["handle", "spare", "end"] {
            let note = format!("{body:?} [Ack]");
            eventually(&note, PATIENCE, async || notes.count(&note) == told).await;
        }
        assert_eq!(inbox.sorted(), ["end", "handle"], "one was spared, orderly: {orderly}");
        running.shutdown().await;
    }
    Ok(())
}

/// Lets the consumer of `group` at `client` handle a stored message.
async fn handle_directly(client: &Client, group: &str, topic: &str, receipt: &Receipt) -> TestResult {
    let request = ConsumeMessageDirectlyRequest {
        consumer_group: group.to_owned(),
        client_id: Some(client.client_id().to_owned()),
        msg_id: Some(receipt.offset_message_id().to_owned()),
        ..ConsumeMessageDirectlyRequest::default()
    };
    let route = client.route(topic).await?;
    let broker = route.broker_datas[0].master().ok_or("no master")?;
    let answer = client.call(broker, request.to_command()?, PATIENCE).await?;
    assert_eq!(answer.response_code(), ResponseCode::SUCCESS, "{:?}", answer.remark);
    Ok(())
}

#[tokio::test]
async fn interceptors_also_decide_about_direct_consumption() -> TestResult {
    let (cluster, notes) = (Cluster::embedded().await?, Notes::default());
    let client = Client::builder(cluster.name_server()).interceptor(notes.clone()).connect().await?;
    let (topic, group, inbox) = (cluster.topic(&client, 1).await?, unique_group(), Inbox::default());
    let producer = client.producer(unique_group()).build().await?;
    let handled = producer.send(Message::new(&topic, "handle")).await?;
    let spared = producer.send(Message::new(&topic, "spare")).await?;
    let consumer = client.push_consumer(&group).subscribe(&topic, "*");
    let running = consumer.from_where(FromWhere::FirstOffset).listen(inbox.accept()).await?;
    inbox.expect(1).await;
    for receipt in [&handled, &spared] {
        handle_directly(&client, &group, &topic, receipt).await?;
    }
    for note in ["\"handle\" [Ack]", "\"spare\" [Ack]"] {
        eventually(note, PATIENCE, async || notes.count(note) == 2).await;
    }
    assert_eq!(inbox.sorted(), ["handle", "handle"], "the other was spared twice");
    running.shutdown().await;
    Ok(())
}
