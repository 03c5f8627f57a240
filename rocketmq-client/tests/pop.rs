//! Consuming by POP, against the embedded broker.
#![allow(clippy::disallowed_methods, reason = "tests stand outside the client and look at the real time")]

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, UNIX_EPOCH};

use rocketmq_client::consumer::{Popped, SimpleConsumer};
use rocketmq_client::remoting::body::{MessageRequestMode, MessageRequestModeBody};
use rocketmq_client::remoting::requests::topic::UpdateTopicRequest;
use rocketmq_client::remoting::{Command, Request as _, RequestCode, ResponseCode, fastjson};
use rocketmq_client::{Client, Delivery, FromWhere, Message, Outcome, connect};
use rocketmq_server::clock::Clock as _;
use rocketmq_server::{Embedded, EmbeddedBroker};

/// Client and broker in one time, which tests move.
fn clock_of(cluster: &Embedded) -> rocketmq_client::Clock {
    let clock = cluster.clock();
    rocketmq_client::Clock::new(move || UNIX_EPOCH + Duration::from_millis(clock.now_ms().unsigned_abs()))
}

async fn simple(client: &Client) -> SimpleConsumer {
    let builder = client.simple_consumer("g").subscribe("orders", "a").from_first();
    builder.build().await.expect("a simple consumer")
}

fn texts(messages: &[Popped]) -> Vec<&str> {
    messages.iter().filter_map(|message| message.text()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_hidden_until_acknowledged_or_out_of_time() {
    let cluster = Embedded::start().await.expect("an embedded cluster");
    let client = Client::builder(cluster.name_server()).configure(|config| config.clock = clock_of(&cluster));
    let client = client.connect().await.expect("a client");
    let producer = client.producer("p").build().await.expect("a producer");
    for text in ["1", "2"] {
        producer.send(Message::new("orders", text).tag("a")).await.expect("sent");
    }
    let consumer = simple(&client).await;
    let mut taken = Vec::new();
    while taken.len() < 2 {
        taken.extend(consumer.receive(32).invisible(Duration::from_secs(30)).await.expect("messages"));
    }
    assert!(taken.iter().all(|message| message.reconsume_times() == 0 && !message.is_expired()));
    consumer.ack(&taken[0]).await.expect("acknowledged");
    let none = consumer.receive(32).wait(Duration::from_millis(100)).await.expect("an answer");
    assert_eq!(texts(&none), Vec::<&str>::new());

    cluster.advance(Duration::from_secs(40));
    assert!(taken.iter().all(Popped::is_expired));
    let mut again = Vec::new();
    for _ in 0..50 {
        again.extend(consumer.receive(32).wait(Duration::from_millis(200)).await.expect("an answer"));
        if !again.is_empty() {
            break;
        }
        cluster.advance(Duration::from_secs(1));
    }
    assert_eq!(texts(&again), [taken[1].text().expect("text")]);
    assert_eq!(again[0].reconsume_times(), 1);
    assert_eq!(again[0].topic(), "orders");
    consumer.renew(&mut again[0], Duration::from_secs(60)).await.expect("renewed");
    consumer.ack_all(&again).await.expect("acknowledged");
    consumer.shutdown().await;
}

/// Of two brokers the first hands its queue out, the second, which nobody told to, lets it be pulled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_broker_says_how_its_own_queues_are_read() {
    let cluster = Embedded::builder().brokers(2).start().await.expect("an embedded cluster");
    let client = connect(cluster.name_server()).await.expect("a client");
    let topic = UpdateTopicRequest {
        topic: "orders".into(),
        read_queue_nums: 1,
        write_queue_nums: 1,
        perm: 6,
        topic_filter_type: "SINGLE_TAG".into(),
        ..UpdateTopicRequest::default()
    };
    for broker in cluster.brokers() {
        ask(&client, broker, topic.to_command().expect("a command")).await;
    }
    until("both brokers", async || client.route("orders").await.is_ok_and(|r| r.broker_datas.len() == 2))
        .await;
    let popped = cluster.brokers()[0].name().to_owned();
    ask(&client, &cluster.brokers()[0], pop_mode()).await;

    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let log = seen.clone();
    let handler = move |delivery: Delivery| {
        let how = (delivery.queue().broker_name.clone(), delivery.property("POP_CK").is_some());
        log.lock().expect("no panic while held").insert(how);
        async { Ok::<_, Infallible>(Outcome::Ack) }
    };
    let consumer = client.push_consumer("g").subscribe("orders", "*").from_where(FromWhere::FirstOffset);
    let consumer = consumer.configure(|config| config.broker_assignment = true);
    let running = consumer.listen(handler).await.expect("a consumer");
    let producer = client.producer("p").build().await.expect("a producer");
    for _ in 0..8 {
        producer.send(Message::new("orders", "o")).await.expect("sent");
    }
    until("both queues", async || seen.lock().expect("no panic while held").len() == 2).await;
    running.shutdown().await;
    let seen = seen.lock().expect("no panic while held").clone();
    assert!(seen.iter().all(|(broker, by_pop)| *by_pop == (*broker == popped)), "{seen:?}, {popped} pops");
}

async fn ask(client: &Client, broker: &EmbeddedBroker, command: Command) {
    let answer = client.call(&broker.address().to_string(), command, Duration::from_secs(3)).await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.response_code(), ResponseCode::SUCCESS, "{:?}", answer.remark);
}

async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so().await {
        assert!(Instant::now() < deadline, "{what} did not come about");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The request that has a broker serve group `g` by POP.
fn pop_mode() -> Command {
    let mode = MessageRequestModeBody {
        topic: "orders".into(),
        consumer_group: "g".into(),
        mode: MessageRequestMode::Pop,
        ..MessageRequestModeBody::default()
    };
    let command = Command::request(RequestCode::SET_MESSAGE_REQUEST_MODE);
    command.with_body(fastjson::to_vec(&mode).expect("a body"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_broker_assigns_for_popping_is_handled_and_retried() {
    let cluster = Embedded::start().await.expect("an embedded cluster");
    let client = connect(cluster.name_server()).await.expect("a client");
    let producer = client.producer("p").build().await.expect("a producer");
    producer.send(Message::new("orders", "fails once")).await.expect("sent");
    ask(&client, cluster.broker(), pop_mode()).await;

    let tries = Arc::new(Mutex::new(Vec::new()));
    let log = tries.clone();
    let handler = move |delivery: Delivery| {
        let (tries, popped) = (delivery.reconsume_times(), delivery.property("POP_CK").is_some());
        log.lock().expect("no panic while held").push((tries, popped));
        async move { if tries == 0 { Err("not yet") } else { Ok(Outcome::Ack) } }
    };
    let consumer = client.push_consumer("g").subscribe("orders", "*").from_where(FromWhere::FirstOffset);
    let consumer = consumer.configure(|config| config.broker_assignment = true);
    let running = consumer.listen(handler).await.expect("a consumer");
    let deadline = Instant::now() + Duration::from_secs(30);
    while tries.lock().expect("no panic while held").len() < 2 {
        assert!(Instant::now() < deadline, "not retried: {tries:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
        cluster.advance(Duration::from_secs(1));
    }
    assert_eq!(tries.lock().expect("no panic while held")[..2], [(0, true), (1, true)]);
    assert!(running.info().mq_pop_table.keys().any(|queue| queue.topic == "orders"));
    running.shutdown().await;
}
