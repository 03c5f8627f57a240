//! Sends that fail, each with one error that names the thing, the value and the remedy.

use rocketmq_client::{Message, MessageQueue, Producer, SendError, SendErrorKind};

use crate::{Cluster, TestResult, unique_group};

async fn producer(cluster: &Cluster) -> TestResult<(Producer, String)> {
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 4).await?;
    // Without retries: a final refusal must show at once.
    let producer = client.producer(unique_group()).configure(|config| {
        config.retries = 0;
        config.max_message_size = 8 << 20;
        config.compress_threshold = usize::MAX;
    });
    Ok((producer.build().await?, topic))
}

fn assert_says(error: &SendError, kind: SendErrorKind, parts: &[&str]) {
    let text = error.to_string();
    assert_eq!(error.kind(), kind, "{text}");
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing from {text:?}");
    }
}

/// The topic has an illegal character.
pub async fn illegal_topic(cluster: &Cluster) -> TestResult {
    let (producer, _) = producer(cluster).await?;
    let error = producer.send(Message::new("or ders", "42")).await.expect_err("a blank in a topic");
    assert_says(&error, SendErrorKind::InvalidMessage, &["or ders", "' '", "allowed"]);
    assert!(!error.is_retryable());
    Ok(())
}

/// The body is empty.
pub async fn empty_body(cluster: &Cluster) -> TestResult {
    let (producer, topic) = producer(cluster).await?;
    let error = producer.send(Message::new(&topic, "")).await.expect_err("an empty body");
    assert_says(&error, SendErrorKind::InvalidMessage, &[&topic, "empty", "at least one byte"]);
    Ok(())
}

/// The message exceeds the producer's limit.
pub async fn body_over_the_limit(cluster: &Cluster) -> TestResult {
    let (producer, topic) = producer(cluster).await?;
    let error =
        producer.send(Message::new(&topic, vec![0; (8 << 20) + 1])).await.expect_err("8 MiB and a byte");
    assert_says(&error, SendErrorKind::InvalidMessage, &[&topic, "8388609", "8388608", "max_message_size"]);
    Ok(())
}

/// The message exceeds the broker's limit: the caller gets the broker's refusal, and the producer works on.
pub async fn body_over_the_brokers_limit(cluster: &Cluster) -> TestResult {
    let (producer, topic) = producer(cluster).await?;
    let error = producer.send(Message::new(&topic, vec![0; 5 << 20])).await.expect_err("5 MiB");
    assert_says(&error, SendErrorKind::Refused, &[&topic, "broker-a"]);
    assert!(!error.is_retryable(), "{error}");
    producer.send(Message::new(&topic, "small")).await?;
    Ok(())
}

/// The message exceeds what a frame carries, and no limit on either side forbids it: it is refused by name, and sends beside it
/// go on.
pub async fn body_over_a_frame(cluster: &Cluster) -> TestResult {
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 4).await?;
    let producer = client.producer(unique_group()).configure(|config| {
        config.max_message_size = 32 << 20;
        config.compress_threshold = usize::MAX;
    });
    let producer = producer.build().await?;
    let small = async {
        for _ in 0..100 {
            producer.send(Message::new(&topic, "small")).await?;
        }
        Ok::<(), SendError>(())
    };
    let large = async {
        for _ in 0..3 {
            let error = producer.send(Message::new(&topic, vec![7; 20 << 20])).await.expect_err("20 MiB");
            assert_says(
                &error,
                SendErrorKind::InvalidMessage,
                &[&topic, "the frame is 20971520 bytes long", "16777216"],
            );
            assert!(!error.is_retryable(), "{error}");
        }
    };
    tokio::join!(small, large).0?;
    Ok(())
}

/// The queue does not exist.
pub async fn unknown_queue(cluster: &Cluster) -> TestResult {
    let (producer, topic) = producer(cluster).await?;
    let queue = MessageQueue::new(&topic, "broker-a", 99);
    let error = producer.send(Message::new(&topic, "42")).to_queue(&queue).await.expect_err("queue 99");
    assert_says(&error, SendErrorKind::Refused, &[&topic, "99"]);
    let queue = MessageQueue::new(&topic, "no-such-broker", 0);
    let error = producer.send(Message::new(&topic, "42")).to_queue(&queue).await.expect_err("no such broker");
    assert!(error.to_string().contains("no-such-broker"), "{error}");
    Ok(())
}
