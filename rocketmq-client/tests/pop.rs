//! Consuming by POP, against the embedded broker.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, UNIX_EPOCH};

use rocketmq_client::consumer::{Popped, SimpleConsumer};
use rocketmq_client::remoting::body::{MessageRequestMode, MessageRequestModeBody};
use rocketmq_client::remoting::{Command, RequestCode, fastjson};
use rocketmq_client::{Client, Delivery, FromWhere, Message, Outcome, connect};
use rocketmq_server::Embedded;
use rocketmq_server::clock::Clock as _;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_broker_assigns_for_popping_is_handled_and_retried() {
    let cluster = Embedded::start().await.expect("an embedded cluster");
    let client = connect(cluster.name_server()).await.expect("a client");
    let producer = client.producer("p").build().await.expect("a producer");
    producer.send(Message::new("orders", "fails once")).await.expect("sent");
    let mode = MessageRequestModeBody {
        topic: "orders".into(),
        consumer_group: "g".into(),
        mode: MessageRequestMode::Pop,
        ..MessageRequestModeBody::default()
    };
    let command = Command::request(RequestCode::SET_MESSAGE_REQUEST_MODE);
    let command = command.with_body(fastjson::to_vec(&mode).expect("a body"));
    let broker = cluster.broker().address().to_string();
    client.call(&broker, command, Duration::from_secs(3)).await.expect("the mode is set");

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
