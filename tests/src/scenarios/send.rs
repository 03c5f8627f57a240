//! Sends that succeed, in every way.

use bytes::Bytes;
use rocketmq_client::remoting::compress::Compression;
use rocketmq_client::remoting::message::{MessageRecord, SysFlag};
use rocketmq_client::remoting::requests::query::ViewMessageRequest;
use rocketmq_client::remoting::subscription::java_string_hash;
use rocketmq_client::{Client, Delivery, Message, Producer, SendStatus};

use crate::cluster::ask;
use crate::{Cluster, TestResult, collect, unique_group};

async fn producer(client: &Client) -> TestResult<Producer> {
    Ok(client.producer(unique_group()).build().await?)
}

/// All parts of a message arrive, and the receipt names its place.
pub async fn one_by_one(cluster: &Cluster) -> TestResult {
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 1).await?;
    let message = Message::new(&topic, "Grüße, 世界")
        .tag("früh")
        .key("key-1")
        .key("key-2")
        .property("Größe", "名前 🦀 ={}\"\\")
        .flag(-7);
    let receipt = producer(&client).await?.send(message).await?;
    assert_eq!((receipt.status(), receipt.queue(), receipt.queue_offset()), (SendStatus::Ok, 0, 0));

    let seen = collect(&client, &topic, 1).await?;
    let [delivery] = seen.as_slice() else { panic!("delivered more than once: {seen:?}") };
    assert_eq!(delivery.text(), Some("Grüße, 世界"));
    assert_eq!((delivery.topic(), delivery.tag(), delivery.flag()), (topic.as_str(), Some("früh"), -7));
    assert_eq!(delivery.keys().collect::<Vec<_>>(), ["key-1", "key-2"]);
    assert_eq!(delivery.property("Größe"), Some("名前 🦀 ={}\"\\"));
    assert_eq!(delivery.message_id(), receipt.message_id());
    assert_eq!(delivery.offset_message_id(), receipt.offset_message_id());
    Ok(())
}

/// Messages sent at about the same time share a request, each with a receipt of its own. A shutdown sends the last
/// ones.
pub async fn lingering(cluster: &Cluster) -> TestResult {
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 2).await?;
    let producer =
        client.producer(unique_group()).linger(std::time::Duration::from_millis(20)).build().await?;
    let sent: Vec<_> = (100..150)
        .map(|number| {
            let (producer, topic) = (producer.clone(), topic.clone());
            tokio::spawn(async move { producer.send(Message::new(topic, number.to_string())).await })
        })
        .collect();
    let mut places = std::collections::BTreeSet::new();
    for receipt in sent {
        let receipt = receipt.await??;
        assert_eq!(receipt.status(), SendStatus::Ok);
        places.insert((receipt.queue(), receipt.queue_offset()));
    }
    producer.shutdown().await;
    let seen = collect(&client, &topic, 50).await?;
    let mut texts = texts(&seen);
    texts.sort();
    assert_eq!(texts, (100..150).map(|number| number.to_string()).collect::<Vec<_>>());
    let stored: std::collections::BTreeSet<_> =
        seen.iter().map(|delivery| (delivery.queue().queue_id, delivery.queue_offset())).collect();
    assert_eq!(places, stored, "each receipt says where its message is");
    Ok(())
}

/// One-way messages arrive too.
pub async fn one_way(cluster: &Cluster) -> TestResult {
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 4).await?;
    let producer = producer(&client).await?;
    for number in 0..10 {
        producer.send_oneway(Message::new(&topic, number.to_string())).await?;
    }
    let seen = collect(&client, &topic, 10).await?;
    let mut texts = texts(&seen);
    texts.sort();
    assert_eq!(texts, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    Ok(())
}

/// A batch is stored in one queue, in order, with a receipt for each message.
pub async fn batch(cluster: &Cluster) -> TestResult {
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 4).await?;
    let numbers: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    let messages = numbers.iter().map(|body| Message::new(&topic, body.clone()).tag("t").key(body));
    let receipts = producer(&client).await?.send_batch(messages.collect()).await?;
    let offsets: Vec<_> = receipts.iter().map(|receipt| receipt.queue_offset()).collect();
    assert_eq!(offsets, (0..100).collect::<Vec<_>>());

    let mut seen = collect(&client, &topic, 100).await?;
    seen.sort_by_key(Delivery::queue_offset);
    assert_eq!(texts(&seen), numbers);
    let ids = |delivery: &Delivery| delivery.message_id().to_owned();
    let sent: Vec<_> = receipts.iter().map(|receipt| receipt.message_id().to_owned()).collect();
    assert_eq!(seen.iter().map(ids).collect::<Vec<_>>(), sent);
    Ok(())
}

/// The messages of a batch have ordering keys of their own: each goes to the queue of its key, in the order of the batch,
/// and the receipts are in the order of the messages.
pub async fn batch_by_keys(cluster: &Cluster) -> TestResult {
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 4).await?;
    let producer = producer(&client).await?;
    let keys: Vec<_> =
        (0..40).map(|number| (number % 7 != 0).then(|| format!("customer-{}", number % 5))).collect();
    let messages =
        || (0..40).map(|number| Message::new(&topic, number.to_string()).key(number)).collect::<Vec<_>>();
    let receipts = producer.send_batch(messages()).ordered_by_each(keys.clone()).await?;
    for (key, receipt) in keys.iter().zip(&receipts) {
        if let Some(key) = key {
            assert_eq!(
                receipt.queue(),
                java_string_hash(key).checked_abs().map_or(0, |hash| hash % 4),
                "{key}"
            );
        }
    }
    let mut seen = collect(&client, &topic, 40).await?;
    seen.sort_by_key(|delivery| delivery.text().and_then(|text| text.parse::<u32>().ok()));
    let places = seen.iter().map(|delivery| (delivery.queue().queue_id, delivery.queue_offset()));
    let expected = receipts.iter().map(|receipt| (receipt.queue(), receipt.queue_offset()));
    assert!(places.eq(expected), "each receipt is that of its message");
    for queue in 0..4 {
        let keyed =
            receipts.iter().zip(&keys).filter(|(receipt, key)| key.is_some() && receipt.queue() == queue);
        let offsets: Vec<_> = keyed.map(|(receipt, _)| receipt.queue_offset()).collect();
        assert!(offsets.is_sorted(), "queue {queue}: {offsets:?}");
    }
    let few = producer
        .send_batch(messages())
        .ordered_by_each([Some("a")])
        .await
        .expect_err("one key for 40 messages");
    assert!(few.to_string().contains("a batch of 40 messages has 1 ordering keys"), "{few}");
    Ok(())
}

/// A batch above the limit of a message goes out in several requests, and no message is lost.
pub async fn batch_over_the_limit(cluster: &Cluster) -> TestResult {
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 1).await?;
    let producer = client.producer(unique_group()).configure(|config| config.max_message_size = 4096);
    let producer = producer.build().await?;
    let messages = (0..50).map(|_| Message::new(&topic, vec![b'x'; 500]));
    let receipts = producer.send_batch(messages.collect()).await?;
    let offsets: Vec<_> = receipts.iter().map(|receipt| receipt.queue_offset()).collect();
    assert_eq!(offsets, (0..50).collect::<Vec<_>>());
    assert_eq!(collect(&client, &topic, 50).await?.len(), 50);
    Ok(())
}

/// Messages with equal keys share a queue: the one that Java would choose.
pub async fn by_key(cluster: &Cluster) -> TestResult {
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 4).await?;
    let producer = producer(&client).await?;
    for key in ["customer-7", "Größe", "polygenelubricants", ""] {
        // The hash of the last key but one is i32::MIN, whose absolute value Java cannot represent.
        let expected = java_string_hash(key).checked_abs().map_or(0, |hash| hash % 4);
        for body in ["a", "b"] {
            let receipt = producer.send(Message::new(&topic, body)).ordered_by(key).await?;
            assert_eq!(receipt.queue(), expected, "queue of key {key:?}");
        }
    }
    Ok(())
}

/// A send can name its queue, or select it by a function.
pub async fn to_a_queue(cluster: &Cluster) -> TestResult {
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 4).await?;
    let producer = producer(&client).await?;
    let chosen = producer.send(Message::new(&topic, "a")).select_with(|queues| queues.len() - 1).await?;
    let named = producer.send(Message::new(&topic, "b")).to_queue(chosen.message_queue()).await?;
    assert_eq!(named.message_queue(), chosen.message_queue());
    assert_eq!(named.queue_offset(), chosen.queue_offset() + 1);
    Ok(())
}

/// A large body is compressed on the wire, and whole for the handler.
pub async fn compressed(cluster: &Cluster) -> TestResult {
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 1).await?;
    let body = Bytes::from("RocketMQ ".repeat(100_000));
    for compression in [Compression::Zlib, Compression::Lz4] {
        let producer = client.producer(unique_group());
        let producer = producer.configure(move |config| config.compression = compression).build().await?;
        producer.send(Message::new(&topic, body.clone())).await?;
    }
    for delivery in collect(&client, &topic, 2).await? {
        assert!(*delivery.body() == body, "the body has changed on its way");
        assert!(!delivery.sys_flag().has(SysFlag::COMPRESSED));
        let view = ViewMessageRequest { offset: delivery.commit_log_offset(), topic: Some(topic.clone()) };
        let stored = MessageRecord::decode(&mut ask(&client, &topic, &view).await?.body)?;
        assert!(stored.body.len() < 100_000, "{} bytes are stored", stored.body.len());
    }
    Ok(())
}

fn texts(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(|delivery| delivery.text().unwrap_or("<no text>")).collect()
}
