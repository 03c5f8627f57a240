//! The producer against a real broker: the embedded one.
#![allow(clippy::disallowed_methods, reason = "tests stand outside the client and look at the real time")]

use std::time::{Duration, SystemTime};

use rocketmq_client::{
    Client, DelayLevel, Delivery, Message, Offset, Producer, Pulled, TransactionState, connect,
};
use rocketmq_server::Embedded;

async fn start() -> (Embedded, Client, Producer) {
    let cluster = Embedded::start().await.expect("an embedded cluster");
    let client = connect(cluster.name_server()).await.expect("a client");
    let producer = client.producer("p").build().await.expect("a producer");
    (cluster, client, producer)
}

/// Everything a topic holds now.
async fn stored(client: &Client, topic: &str) -> Vec<Delivery> {
    let pull = client.pull_consumer("reader").build().await.expect("a consumer");
    let mut all = Vec::new();
    for queue in pull.queues(topic).await.expect("queues") {
        let mut offset = 0;
        while let Pulled::Found { messages, next } =
            pull.pull(&queue, Offset::At(offset)).await.expect("pulled")
        {
            all.extend(messages);
            offset = next;
        }
    }
    all
}

/// Waits until a topic holds `count` messages, moving the cluster's clock a second at a time.
async fn until(cluster: &Embedded, client: &Client, topic: &str, count: usize) -> Vec<Delivery> {
    for _ in 0..400 {
        let all = stored(client, topic).await;
        if all.len() >= count {
            return all;
        }
        cluster.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{topic} never held {count} messages");
}

#[tokio::test]
async fn what_is_sent_is_stored_as_it_was() {
    let (_cluster, client, producer) = start().await;
    let message =
        Message::new("orders", "42").tag("created").keys(["a", "b"]).property("kunde", "Jürgen 标签").flag(9);
    let receipt = producer.send(message).await.expect("stored");
    let seen = stored(&client, "orders").await;
    assert_eq!(
        (seen.len(), seen[0].text(), seen[0].tag(), seen[0].flag()),
        (1, Some("42"), Some("created"), 9)
    );
    assert_eq!(seen[0].keys().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(
        (seen[0].property("kunde"), seen[0].message_id()),
        (Some("Jürgen 标签"), receipt.message_id())
    );
    assert_eq!(seen[0].offset_message_id(), receipt.offset_message_id());
    assert_eq!((seen[0].queue_offset(), seen[0].queue().queue_id), (receipt.queue_offset(), receipt.queue()));
}

#[tokio::test]
async fn large_bodies_come_back_whole() {
    let (_cluster, client, producer) = start().await;
    let body: Vec<u8> = (0..200_000_u32).map(|n| (n / 7) as u8).collect();
    producer.send(Message::new("large", body.clone())).await.expect("stored");
    assert_eq!(stored(&client, "large").await[0].body(), &body);
}

#[tokio::test]
async fn equal_keys_keep_their_order() {
    let (_cluster, client, producer) = start().await;
    for n in 0..20 {
        producer.send(Message::new("steps", n.to_string())).ordered_by("customer-7").await.expect("stored");
    }
    let seen = stored(&client, "steps").await;
    let texts: Vec<_> = seen.iter().filter_map(Delivery::text).collect();
    assert_eq!(texts, (0..20).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn batches_and_lingering_sends_are_stored_one_by_one() {
    let (_cluster, client, producer) = start().await;
    let batch = (0..10).map(|n| Message::new("batch", n.to_string()).key(n)).collect();
    let receipts = producer.send_batch(batch).await.expect("stored");
    let seen = stored(&client, "batch").await;
    for receipt in &receipts {
        assert!(seen.iter().any(|delivery| delivery.offset_message_id() == receipt.offset_message_id()
            && delivery.message_id() == receipt.message_id()
            && delivery.queue_offset() == receipt.queue_offset()));
    }
    let linger =
        client.producer("linger").linger(Duration::from_millis(2)).build().await.expect("a producer");
    let sends = (0..50).map(|n| linger.send(Message::new("linger", n.to_string())).into_future());
    for sent in futures_util::future::join_all(sends).await {
        sent.expect("stored");
    }
    assert_eq!(stored(&client, "linger").await.len(), 50);
}

#[tokio::test]
async fn a_oneway_message_arrives() {
    let (cluster, client, producer) = start().await;
    producer.send(Message::new("logs", "first")).await.expect("stored");
    producer.send_oneway(Message::new("logs", "second")).await.expect("written");
    assert_eq!(until(&cluster, &client, "logs", 2).await.len(), 2);
}

#[tokio::test]
async fn a_delayed_message_waits_for_the_clock() {
    let (cluster, client, producer) = start().await;
    producer.send(Message::new("later", "now")).await.expect("stored");
    producer.send(Message::new("later", "level").deliver_after(DelayLevel::H2)).await.expect("stored");
    producer.send(Message::new("later", "timer").delay(Duration::from_secs(7_200))).await.expect("stored");
    assert_eq!(stored(&client, "later").await.len(), 1);
    cluster.advance(Duration::from_secs(7_200));
    assert_eq!(until(&cluster, &client, "later", 3).await.len(), 3);
}

#[tokio::test]
async fn a_timer_message_can_be_recalled() {
    let cluster = Embedded::builder().set("recallMessageEnable", true).start().await.expect("a cluster");
    let client = connect(cluster.name_server()).await.expect("a client");
    let producer = client.producer("p").build().await.expect("a producer");
    producer.send(Message::new("recall", "stays")).await.expect("stored");
    let at = SystemTime::now() + Duration::from_secs(3_600);
    let receipt = producer.send(Message::new("recall", "goes").deliver_at(at)).await.expect("stored");
    let handle = receipt.recall_handle().expect("a timer message has one");
    let recalled = producer.recall("recall", handle).await.expect("recalled");
    assert_eq!(recalled, receipt.message_id());
    let after = at + Duration::from_secs(60);
    producer.send(Message::new("recall", "after").deliver_at(after)).await.expect("stored");
    cluster.advance(Duration::from_secs(3_700));
    let seen = until(&cluster, &client, "recall", 2).await;
    assert!(seen.iter().all(|delivery| delivery.text() != Some("goes")));
    let error = producer.recall("recall", "junk").await.expect_err("no handle");
    assert!(error.to_string().contains("recall handle"), "{error}");
}

#[tokio::test]
async fn a_transaction_is_visible_once_committed() {
    let (cluster, client, producer) = start().await;
    producer.send(Message::new("money", "plain")).await.expect("stored");
    let half = producer.begin(Message::new("money", "committed")).await.expect("stored");
    let other = producer.begin(Message::new("money", "rolled back")).await.expect("stored");
    other.rollback().await.expect("done");
    assert_eq!(stored(&client, "money").await.len(), 1);
    let id = half.message_id().to_owned();
    half.commit().await.expect("done");
    let seen = until(&cluster, &client, "money", 2).await;
    assert!(seen.iter().any(|delivery| delivery.text() == Some("committed") && delivery.message_id() == id));
    assert!(seen.iter().all(|delivery| delivery.text() != Some("rolled back")));
}

#[tokio::test]
async fn the_broker_asks_about_an_undecided_transaction() {
    let (cluster, client, _producer) = start().await;
    let builder = client.producer("checked").transaction_checker(|half| async move {
        match half.text() {
            Some("yes") => TransactionState::Commit,
            _ => TransactionState::Rollback,
        }
    });
    let producer = builder.build().await.expect("a producer");
    producer.send(Message::new("asked", "plain")).await.expect("stored");
    drop(producer.begin(Message::new("asked", "yes")).await.expect("stored"));
    drop(producer.begin(Message::new("asked", "no")).await.expect("stored"));
    let seen = until(&cluster, &client, "asked", 2).await;
    assert!(seen.iter().any(|delivery| delivery.text() == Some("yes")));
    assert!(seen.iter().all(|delivery| delivery.text() != Some("no")));
}

#[tokio::test]
async fn a_request_is_answered_through_the_broker() {
    let (cluster, client, producer) = start().await;
    producer.send(Message::new("ask", "route, please")).await.expect("stored");
    let server = connect(cluster.name_server()).await.expect("a second client");
    let responder = server.producer("responder").build().await.expect("a producer");
    let asking = producer.clone();
    let request = tokio::spawn(async move {
        asking.request(Message::new("ask", "ping")).timeout(Duration::from_secs(20)).await
    });
    let seen = until(&cluster, &client, "ask", 2).await;
    let ping = seen.iter().find(|delivery| delivery.text() == Some("ping")).expect("the request");
    responder.reply(ping, "pong").await.expect("sent");
    let reply = request.await.expect("no panic").expect("a reply");
    assert_eq!(reply.text(), Some("pong"));
}

#[tokio::test]
async fn sends_go_on_after_a_broker_restart() {
    let (cluster, client, producer) = start().await;
    producer.send(Message::new("t", "before")).await.expect("stored");
    cluster.broker().restart().await.expect("restarted");
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while let Err(error) = producer.send(Message::new("t", "after")).await {
        assert!(tokio::time::Instant::now() < deadline, "{error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(stored(&client, "t").await.len(), 2);
}
