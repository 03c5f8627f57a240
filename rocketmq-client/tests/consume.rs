//! Every way of consuming, against the embedded broker over loopback.
#![allow(clippy::disallowed_methods, reason = "tests stand outside the client and look at the real time")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rocketmq_client::consumer::MessageQueue;
use rocketmq_client::{
    BoxError, Client, DelayLevel, Delivery, FromWhere, Message, Offset, Outcome, Pulled, PushConsumerBuilder,
    Running, connect,
};
use rocketmq_server::Embedded;

/// What handlers saw, in order.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<(String, u32)>>>);

impl Seen {
    fn note(&self, delivery: &Delivery) {
        let text = delivery.text().expect("text").to_owned();
        self.0.lock().expect("no panic while held").push((text, delivery.reconsume_times()));
    }

    fn all(&self) -> Vec<(String, u32)> {
        self.0.lock().expect("no panic while held").clone()
    }

    fn texts(&self) -> Vec<String> {
        self.all().into_iter().map(|(text, _)| text).collect()
    }

    fn count(&self) -> usize {
        self.all().len()
    }
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds().await {
        assert!(Instant::now() < deadline, "not within 30 s: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn start() -> (Embedded, Client) {
    let cluster = Embedded::start().await.expect("an embedded cluster");
    let client = connect(cluster.name_server()).await.expect("a client");
    (cluster, client)
}

async fn send(client: &Client, topic: &str, texts: impl IntoIterator<Item = String>) {
    let producer = client.producer("p").build().await.expect("a producer");
    for text in texts {
        producer.send(Message::new(topic, text)).await.expect("sent");
    }
    producer.shutdown().await;
}

fn numbered(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|n| format!("{n:04}"))
}

/// Acknowledges everything.
async fn collect(consumer: PushConsumerBuilder, seen: &Seen) -> Running {
    let seen = seen.clone();
    let handler = move |delivery: Delivery| {
        seen.note(&delivery);
        async { Ok::<_, BoxError>(Outcome::Ack) }
    };
    consumer.from_where(FromWhere::FirstOffset).listen(handler).await.expect("a running consumer")
}

async fn committed(client: &Client, group: &str, topic: &str) -> i64 {
    let pull = client.pull_consumer(group).build().await.expect("a pull consumer");
    let mut sum = 0;
    for queue in pull.queues(topic).await.expect("queues") {
        sum += pull.committed(&queue).await.expect("an offset").unwrap_or(0);
    }
    sum
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_is_handled_once_and_shutdown_commits_it() {
    let (_cluster, client) = start().await;
    send(&client, "orders", numbered(200)).await;
    let seen = Seen::default();
    let running = collect(client.push_consumer("g").subscribe("orders", "*"), &seen).await;
    until("all handled", async || seen.count() >= 200).await;
    assert!(running.shutdown().await);
    assert_eq!(seen.texts().into_iter().collect::<BTreeSet<_>>(), numbered(200).collect());
    assert_eq!(seen.count(), 200);
    assert_eq!(committed(&client, "g", "orders").await, 200);

    send(&client, "orders", ["later".to_owned()]).await;
    let running = collect(client.push_consumer("g").subscribe("orders", "*"), &seen).await;
    until("the later one", async || seen.count() > 200).await;
    assert_eq!(seen.texts()[200..], ["later"]);
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_choose_messages() {
    let (_cluster, client) = start().await;
    let producer = client.producer("p").build().await.expect("a producer");
    // "Aa" and "BB" have the same hash in Java: only the text tells them apart.
    for (text, tag) in [("1", "Aa"), ("2", "BB"), ("3", "paid"), ("4", "other")] {
        producer.send(Message::new("orders", text).tag(tag)).await.expect("sent");
    }
    let seen = Seen::default();
    let running = collect(client.push_consumer("g").subscribe("orders", "Aa || paid"), &seen).await;
    until("both", async || seen.count() >= 2).await;
    until("all offsets", async || {
        running.info().mq_table.values().map(|q| q.commit_offset).sum::<i64>() == 4
    })
    .await;
    assert_eq!(seen.texts().into_iter().collect::<BTreeSet<_>>(), ["1".to_owned(), "3".to_owned()].into());
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_messages_come_back_and_end_among_the_dead_letters() {
    let (cluster, client) = start().await;
    let seen = Seen::default();
    let log = seen.clone();
    let handler = move |delivery: Delivery| {
        log.note(&delivery);
        let (text, tries) = (delivery.text().expect("text").to_owned(), delivery.reconsume_times());
        assert_eq!(delivery.topic(), "orders", "the retry topic is not shown");
        async move {
            match (text.as_str(), tries) {
                ("dead", _) => Ok(Outcome::DeadLetter),
                ("soon", 0) => Ok(Outcome::RetryAfter(DelayLevel::S1)),
                ("fails", _) => Err("refused"),
                _ => Ok(Outcome::Ack),
            }
        }
    };
    let consumer = client.push_consumer("g").subscribe("orders", "*").max_reconsume_times(1);
    send(&client, "orders", ["dead", "soon", "fails", "fine"].map(str::to_owned)).await;
    let running = consumer.from_where(FromWhere::FirstOffset).listen(handler).await.expect("a consumer");
    until("first tries", async || seen.count() >= 4).await;
    // The broker's ladder starts at ten seconds.
    until("second tries", async || {
        cluster.advance(Duration::from_secs(2));
        seen.count() >= 6
    })
    .await;
    let tries: BTreeMap<String, u32> = seen.all().into_iter().collect();
    assert_eq!((tries["soon"], tries["fails"], tries["fine"]), (1, 1, 0));

    let pull = client.pull_consumer("dlq").build().await.expect("a pull consumer");
    until("two dead letters", async || {
        let Ok(queues) = pull.queues("%DLQ%g").await else { return false };
        match pull.pull(&queues[0], Offset::First).max(32).await {
            Ok(Pulled::Found { messages, .. }) => {
                let texts: BTreeSet<_> = messages.iter().filter_map(Delivery::text).collect();
                texts == ["dead", "fails"].into()
            }
            _ => false,
        }
    })
    .await;
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_order_a_failed_message_holds_up_its_queue() {
    let (_cluster, client) = start().await;
    let producer = client.producer("p").build().await.expect("a producer");
    for n in 0..30 {
        let message = Message::new("orders", format!("{}-{n:02}", n % 3));
        producer.send(message).ordered_by(n % 3).await.expect("sent");
    }
    let seen = Seen::default();
    let log = seen.clone();
    let handler = move |delivery: Delivery| {
        log.note(&delivery);
        let fails = delivery.text() == Some("1-10") && delivery.reconsume_times() < 2;
        async move { if fails { Err("not yet") } else { Ok(Outcome::Ack) } }
    };
    let consumer = client.push_consumer("g").subscribe("orders", "*").orderly();
    let consumer = consumer.configure(|config| config.suspend = Duration::from_millis(20));
    let running = consumer.from_where(FromWhere::FirstOffset).listen(handler).await.expect("a consumer");
    until("all handled", async || seen.count() >= 32).await;
    for key in ["0", "1", "2"] {
        let mut of_key: Vec<String> = seen.texts().into_iter().filter(|text| text.starts_with(key)).collect();
        of_key.dedup();
        assert!(of_key.is_sorted(), "{of_key:?}");
        assert_eq!(of_key.len(), 10);
    }
    running.shutdown().await;
    assert_eq!(committed(&client, "g", "orders").await, 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_share_the_queues_and_one_that_leaves_hands_them_over() {
    let (cluster, first) = start().await;
    let second = connect(cluster.name_server()).await.expect("a client");
    send(&first, "orders", numbered(8)).await;
    let seen = Seen::default();
    let one = collect(first.push_consumer("g").subscribe("orders", "*"), &seen).await;
    until("the first alone", async || seen.count() == 8).await;
    let two = collect(second.push_consumer("g").subscribe("orders", "*"), &seen).await;
    let of = |running: &Running| -> Vec<MessageQueue> {
        running.queues().into_iter().filter(|queue| queue.topic == "orders").collect()
    };
    until("an even split", async || of(&one).len() == 2 && of(&two).len() == 2).await;
    assert!(of(&one).iter().all(|queue| !of(&two).contains(queue)));
    until("offsets handed over", async || {
        two.info()
            .mq_table
            .iter()
            .filter(|(queue, _)| queue.topic == "orders")
            .all(|(_, q)| q.commit_offset > 0)
    })
    .await;
    one.shutdown().await;
    until("the second alone", async || of(&two).len() == 4).await;
    send(&first, "orders", numbered(8)).await;
    until("all handled", async || seen.count() >= 16).await;
    two.shutdown().await;
    assert_eq!(committed(&first, "g", "orders").await, 16);
    assert_eq!(seen.count(), 16, "nothing twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broadcast_reaches_every_member_and_goes_on_from_its_file() {
    let (cluster, first) = start().await;
    let second = connect(cluster.name_server()).await.expect("a client");
    let folders = [tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
    send(&first, "news", numbered(10)).await;
    let (a, b) = (Seen::default(), Seen::default());
    let consumer = |client: &Client, folder: usize| {
        client.push_consumer("g").subscribe("news", "*").broadcasting().offset_folder(folders[folder].path())
    };
    let one = collect(consumer(&first, 0), &a).await;
    let two = collect(consumer(&second, 1), &b).await;
    until("both have all", async || a.count() == 10 && b.count() == 10).await;
    one.shutdown().await;
    send(&second, "news", ["missed".to_owned()]).await;
    let one = collect(consumer(&first, 0), &a).await;
    until("the missed one", async || a.count() >= 11).await;
    assert_eq!(a.texts()[10..], ["missed"]);
    one.shutdown().await;
    two.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lite_consumer_hands_out_batches_commits_and_seeks() {
    let (_cluster, client) = start().await;
    send(&client, "orders", numbered(40)).await;
    let builder = client.lite_consumer("g").subscribe("orders", "*").from_where(FromWhere::FirstOffset);
    let mut lite = builder.auto_commit(false).build().await.expect("a lite consumer");
    let mut seen = BTreeSet::new();
    while seen.len() < 40 {
        let batch = lite.next_batch().await.expect("a batch").expect("running");
        seen.extend(batch.iter().map(|delivery| delivery.text().expect("text").to_owned()));
        batch.commit().await.expect("committed");
    }
    assert_eq!(seen, numbered(40).collect());
    assert_eq!(committed(&client, "g", "orders").await, 40);

    let queue = lite.assignment()[0].clone();
    lite.seek(&queue, Offset::First).await.expect("a seek");
    let again = lite.next_batch().await.expect("a batch").expect("running");
    assert_eq!((again.queue(), again.iter().next().map(Delivery::queue_offset)), (&queue, Some(0)));
    assert!(lite.seek(&queue, Offset::At(1_000_000)).await.is_err());
    lite.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_lite_consumer_was_given_last_is_given_again_after_a_crash() {
    let (_cluster, client) = start().await;
    send(&client, "orders", numbered(1)).await;
    for _ in 0..2 {
        let builder = client.lite_consumer("g").subscribe("orders", "*").from_where(FromWhere::FirstOffset);
        let mut lite = builder.build().await.expect("a lite consumer");
        let batch = lite.next_batch().await.expect("a batch").expect("running");
        assert_eq!(batch.into_iter().next().expect("one").text(), Some("0000"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_finds_waits_and_is_corrected() {
    let (_cluster, client) = start().await;
    send(&client, "orders", numbered(4)).await;
    let pull = client.pull_consumer("g").build().await.expect("a pull consumer");
    let queues = pull.queues("orders").await.expect("queues");
    let queue = &queues[0];
    let end = pull.offset(queue, Offset::Last).await.expect("an offset");
    let Pulled::Found { messages, next } = pull.pull(queue, Offset::First).await.expect("an answer") else {
        panic!("nothing found")
    };
    assert_eq!((messages.len() as i64, next), (end, end));
    assert!(matches!(pull.pull(queue, Offset::Last).await, Ok(Pulled::Empty { next }) if next == end));
    assert!(matches!(pull.pull(queue, Offset::At(99)).await, Ok(Pulled::OffsetMoved { to }) if to == end));
    pull.commit(queue, end).await.expect("committed");
    assert_eq!(pull.committed(queue).await.expect("an offset"), Some(end));
    let no_tag = pull.pull(queue, Offset::First).tags("none").await;
    assert!(matches!(no_tag, Ok(Pulled::Empty { next }) if next == end), "{no_tag:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_listener_gives_each_message_its_outcome() {
    let (_cluster, client) = start().await;
    send(&client, "orders", numbered(64)).await;
    let seen = Seen::default();
    let log = seen.clone();
    let handler = move |batch: Vec<Delivery>| {
        batch.iter().for_each(|delivery| log.note(delivery));
        let odd = |delivery: &Delivery| {
            delivery.text().is_some_and(|text| text.ends_with(['1', '3', '5', '7', '9']))
        };
        let outcomes =
            batch.iter().map(|d| if odd(d) { Outcome::DeadLetter } else { Outcome::Ack }).collect();
        async move { Ok::<Vec<Outcome>, BoxError>(outcomes) }
    };
    let consumer =
        client.push_consumer("g").subscribe("orders", "*").batch(10).from_where(FromWhere::FirstOffset);
    let running = consumer.listen_batch(handler).await.expect("a consumer");
    until("all handled", async || seen.count() >= 64).await;
    until("all settled", async || running.info().mq_table.values().all(|queue| queue.cached_msg_count == 0))
        .await;
    running.shutdown().await;
    let pull = client.pull_consumer("dlq").build().await.expect("a pull consumer");
    until("the dead letter topic", async || pull.queues("%DLQ%g").await.is_ok()).await;
    let queues = pull.queues("%DLQ%g").await.expect("the dead letter topic");
    assert_eq!(pull.offset(&queues[0], Offset::Last).await.expect("an offset"), 32);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistakes_are_refused_before_anything_is_consumed() {
    let (_cluster, client) = start().await;
    let handler = |_: Delivery| async { Ok::<_, BoxError>(Outcome::Ack) };
    let refused =
        |builder: PushConsumerBuilder| async move { builder.listen(handler).await.unwrap_err().to_string() };
    assert!(refused(client.push_consumer("g")).await.contains("subscribe"));
    assert!(refused(client.push_consumer("no blanks").subscribe("t", "*")).await.contains("\"no blanks\""));
    assert!(refused(client.push_consumer("g").subscribe("a b", "*")).await.contains("\"a b\""));
    let many = client.push_consumer("g").subscribe("t", "*").concurrency(5000);
    assert!(refused(many).await.contains("concurrency is 5000"));
    let running = client.push_consumer("g").subscribe("t", "*").listen(handler).await.expect("a consumer");
    assert!(refused(client.push_consumer("g").subscribe("t", "*")).await.contains("\"g\""));
    running.shutdown().await;
    let again = client.push_consumer("g").subscribe("t", "*").listen(handler).await;
    again.expect("the group is free again").shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_restarts_is_consumed_on_by_itself() {
    let (cluster, client) = start().await;
    send(&client, "orders", numbered(20)).await;
    let seen = Seen::default();
    let running = collect(client.push_consumer("g").subscribe("orders", "*"), &seen).await;
    until("before", async || seen.count() == 20).await;
    cluster.broker().restart().await.expect("restarted");
    let producer = client.producer("p").build().await.expect("a producer");
    until("sent", async || producer.send(Message::new("orders", "after")).await.is_ok()).await;
    until("after", async || seen.texts().contains(&"after".to_owned())).await;
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_consumer_follows_a_reset_of_its_offsets() {
    let (_cluster, client) = start().await;
    send(&client, "orders", numbered(12)).await;
    let seen = Seen::default();
    let running = collect(client.push_consumer("g").subscribe("orders", "*"), &seen).await;
    until("all handled", async || seen.count() == 12).await;
    client.reset_offsets("g", "orders", Offset::First).await.expect("a reset");
    // A pull that waits at the broker sees the reset when a message wakes it, or at the end of its wait.
    send(&client, "orders", numbered(12)).await;
    until("everything again", async || seen.count() >= 36).await;
    running.shutdown().await;
    assert_eq!(committed(&client, "g", "orders").await, 24);
}
