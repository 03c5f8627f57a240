//! Requests and their replies.

use std::time::Duration;

use rocketmq_client::producer::RequestErrorKind;
use rocketmq_client::remoting::subscription::java_string_hash;
use rocketmq_client::{BoxError, Client, DelayLevel, Delivery, FromWhere, Message, Outcome, Running};

use crate::{Cluster, PATIENCE, TestResult, unique_group};

/// Each of several concurrent requests gets its own reply.
pub async fn answered(cluster: &Cluster) -> TestResult {
    let (client, server) = (cluster.client().await?, cluster.client().await?);
    let topic = cluster.topic(&client, 4).await?;
    let replier = server.producer(unique_group()).build().await?;
    let listener = move |request: Delivery| {
        let replier = replier.clone();
        async move {
            let body = format!("re: {}", request.text().unwrap_or_default());
            replier.reply(&request, body).await?;
            Ok::<_, BoxError>(Outcome::Ack)
        }
    };
    let consumer = server.push_consumer(unique_group()).subscribe(&topic, "*");
    let running = consumer.from_where(FromWhere::FirstOffset).listen(listener).await?;
    let requester = client.producer(unique_group()).build().await?;
    let ask = async |question: &'static str| {
        requester.request(Message::new(&topic, question)).timeout(PATIENCE).await
    };
    let (a, b, c) = tokio::try_join!(ask("a"), ask("b"), ask("c"))?;
    assert_eq!([a.text(), b.text(), c.text()], [Some("re: a"), Some("re: b"), Some("re: c")]);
    running.shutdown().await;
    Ok(())
}

/// Requests with one ordering key go to one queue, in their order.
pub async fn in_the_order_of_a_key(cluster: &Cluster) -> TestResult {
    let (client, server) = (cluster.client().await?, cluster.client().await?);
    let topic = cluster.topic(&client, 4).await?;
    let running = replying(&server, &topic).await?;
    let requester = client.producer(unique_group()).build().await?;
    let expected = java_string_hash("customer-7").checked_abs().map_or(0, |hash| hash % 4);
    for question in ["a", "b", "c"] {
        let request = requester.request(Message::new(&topic, question)).ordered_by("customer-7");
        let reply = request.timeout(PATIENCE).await?;
        assert_eq!(reply.text(), Some(format!("re: {question} in {expected}").as_str()));
    }
    running.shutdown().await;
    Ok(())
}

/// A request may be delayed; its reply comes later.
pub async fn after_a_delay(cluster: &Cluster) -> TestResult {
    let (client, server) = (cluster.client().await?, cluster.client().await?);
    let topic = cluster.topic(&client, 1).await?;
    let running = replying(&server, &topic).await?;
    let requester = client.producer(unique_group()).build().await?;
    let request = requester.request(Message::new(&topic, "later").deliver_after(DelayLevel::S1));
    let (reply, ()) = tokio::join!(request.timeout(PATIENCE), cluster.pass(Duration::from_secs(1)));
    assert_eq!(reply?.text(), Some("re: later in 0"));
    running.shutdown().await;
    Ok(())
}

/// Starts a consumer that replies to each request with its queue.
async fn replying(server: &Client, topic: &str) -> TestResult<Running> {
    let replier = server.producer(unique_group()).build().await?;
    let listener = move |request: Delivery| {
        let replier = replier.clone();
        async move {
            let body = format!("re: {} in {}", request.text().unwrap_or_default(), request.queue().queue_id);
            replier.reply(&request, body).await?;
            Ok::<_, BoxError>(Outcome::Ack)
        }
    };
    let consumer = server.push_consumer(unique_group()).subscribe(topic, "*");
    Ok(consumer.from_where(FromWhere::FirstOffset).listen(listener).await?)
}

/// Without a reply the error names the request and the time waited.
pub async fn unanswered(cluster: &Cluster) -> TestResult {
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 1).await?;
    let requester = client.producer(unique_group()).build().await?;
    let request = requester.request(Message::new(&topic, "hello?")).timeout(Duration::from_secs(3));
    let error = request.await.expect_err("a reply from nobody");
    assert_eq!(error.kind(), RequestErrorKind::NoReply, "{error}");
    assert!(error.to_string().contains(&topic) && error.to_string().contains("3000 ms"), "{error}");
    Ok(())
}

/// Only a request can be replied to.
pub async fn a_reply_to_nothing(cluster: &Cluster) -> TestResult {
    let client = cluster.client().await?;
    let replier = client.producer(unique_group()).build().await?;
    let error = replier.reply(&Delivery::sample(Message::new("t", "b"), 0), "re").await;
    let error = error.expect_err("a reply to a message that asks nothing");
    assert!(error.to_string().contains("no request"), "{error}");
    Ok(())
}
