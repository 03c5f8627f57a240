//! Requests of administrators about messages and consumers.

use std::sync::Arc;
use std::time::Duration;

use rocketmq_client::client::Querying;
use rocketmq_client::remoting::body::{ConsumeResult, ConsumeStats, ConsumerRunningInfo};
use rocketmq_client::remoting::requests::group::GetConsumeStatsRequest;
use rocketmq_client::remoting::{ResponseCode, fastjson};
use rocketmq_client::{
    CallErrorKind, Client, Delivery, FromWhere, Message, Outcome, PushConsumerBuilder, Receipt, Running,
};
use tokio::sync::{AcquireError, Semaphore};

use crate::cluster::{Feature, ask, serve_by_pop};
use crate::wait::{PATIENCE, eventually};
use crate::{Cluster, Inbox, TestResult, collect, unique_group};

struct Stage {
    client: Client,
    topic: String,
    group: String,
}

impl Stage {
    async fn set(cluster: &Cluster) -> TestResult<Self> {
        let client = cluster.client().await?;
        let topic = cluster.topic(&client, 2).await?;
        Ok(Self { client, topic, group: unique_group() })
    }

    async fn consume(&self, inbox: &Inbox, outcome: Outcome) -> TestResult<Running> {
        let consumer = self.client.push_consumer(&self.group).subscribe(&self.topic, "*");
        let handler = inbox.decide(move |_| outcome);
        Ok(consumer.from_where(FromWhere::FirstOffset).listen(handler).await?)
    }

    async fn send(&self, message: Message) -> TestResult<Receipt> {
        let producer = self.client.producer(unique_group()).build().await?;
        let receipt = producer.send(message).await?;
        producer.shutdown().await;
        Ok(receipt)
    }

    /// Returns the member's running info. With `jstack` it lists the running handlers.
    async fn info(&self, jstack: bool) -> TestResult<ConsumerRunningInfo> {
        Ok(self.client.running_info(&self.group, self.client.client_id(), jstack).await?)
    }

    /// Starts a consumer of the kind that `mode` selects. Its handlers run until the gate lets them end.
    async fn consume_slowly(
        &self,
        mode: impl FnOnce(PushConsumerBuilder) -> PushConsumerBuilder,
    ) -> TestResult<(Running, Arc<Semaphore>)> {
        let gate = Arc::new(Semaphore::new(0));
        let held = gate.clone();
        let handler = move |_| {
            let gate = held.clone();
            async move {
                gate.acquire().await?.forget();
                Ok::<_, AcquireError>(Outcome::Ack)
            }
        };
        let consumer = self.client.push_consumer(&self.group).subscribe(&self.topic, "*");
        let running = mode(consumer.from_where(FromWhere::FirstOffset)).listen(handler).await?;
        Ok((running, gate))
    }

    fn query(&self, key: &str) -> Querying {
        self.client.query_messages(&self.topic, key)
    }

    /// Waits until a key has `count` messages: brokers index a message a little after they store it.
    async fn indexed(&self, key: &str, count: usize) -> TestResult<Vec<Delivery>> {
        let what = format!("{count} messages under {key}");
        eventually(&what, PATIENCE, async || self.query(key).await.is_ok_and(|found| found.len() == count))
            .await;
        Ok(self.query(key).await?)
    }

    /// Lets this client's member of the group handle a stored message.
    async fn directly(&self, message: &Delivery) -> TestResult<ConsumeResult> {
        let (member, id) = (self.client.client_id(), message.offset_message_id());
        Ok(self.client.consume_directly(&self.group, member, &id).await?.consume_result)
    }
}

fn texts(found: &[Delivery]) -> Vec<&str> {
    found.iter().filter_map(Delivery::text).collect()
}

/// Queries find messages by key, by unique key and by offset id.
pub async fn queries(cluster: &Cluster) -> TestResult {
    let Stage { client, topic, .. } = Stage::set(cluster).await?;
    found_again(&client, &topic).await
}

/// Runs [`queries`] on a topic, under the name that the client uses.
pub(super) async fn found_again(client: &Client, topic: &str) -> TestResult {
    let producer = client.producer(unique_group()).build().await?;
    let long = "two ".repeat(2000);
    producer.send(Message::new(topic, "one").key("k1").key("both")).await?;
    let receipt = producer.send(Message::new(topic, long.clone()).key("k2").key("both")).await?;
    eventually("both by a key they share", PATIENCE, async || {
        client.query_messages(topic, "both").await.is_ok_and(|found| found.len() == 2)
    })
    .await;
    assert_eq!(texts(&client.query_messages(topic, "both").await?), ["one", &long]);
    assert_eq!(texts(&client.query_messages(topic, "k2").await?), [&long]);
    assert!(client.query_messages(topic, "k3").await?.is_empty());

    let by_id = client.find_message(topic, receipt.message_id()).await?.ok_or("nothing under its id")?;
    let by_place = client.view_message(topic, receipt.offset_message_id()).await?;
    for message in [by_id, by_place] {
        assert_eq!((message.text(), message.topic()), (Some(long.as_str()), topic));
        assert_eq!(message.queue().broker_name, receipt.broker());
        assert_eq!(message.offset_message_id(), receipt.offset_message_id());
        assert_eq!(message.message_id(), receipt.message_id());
    }
    assert!(client.find_message(topic, "0A000005123418B4AAC20A4CB87B000A").await?.is_none());
    let no_place = client.view_message(topic, receipt.message_id()).await.expect_err("no offset id");
    assert_eq!(no_place.kind(), CallErrorKind::InvalidRequest);
    Ok(())
}

/// A query by key is limited by time and number, and compares the key itself where only the hashes are equal.
pub async fn queries_by_time(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    for text in ["one", "two", "three"] {
        // `Aa` and `BB` have the same hash in Java.
        stage.send(Message::new(&stage.topic, text).key("Aa")).await?;
        cluster.pass(Duration::from_millis(20)).await;
    }
    stage.send(Message::new(&stage.topic, "another").key("BB")).await?;
    let found = stage.indexed("Aa", 3).await?;
    let second = found[1].stored_at();
    assert_eq!(texts(&stage.indexed("BB", 1).await?), ["another"]);
    assert_eq!(texts(&stage.query("Aa").since(second).await?), ["two", "three"]);
    assert_eq!(texts(&stage.query("Aa").until(second).await?), ["one", "two"]);
    assert_eq!(texts(&stage.query("Aa").since(second).until(second).await?), ["two"]);
    assert_eq!(texts(&stage.query("Aa").until(second).max(1).await?), ["two"]);
    Ok(())
}

/// The running info of a consumer shows its queues and settings; the broker shows the group's progress.
pub async fn running_info(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let inbox = Inbox::default();
    let running = stage.consume(&inbox, Outcome::Ack).await?;
    for _ in 0..4 {
        stage.send(Message::new(&stage.topic, "x")).await?;
    }
    inbox.expect(4).await;
    let info = stage.info(false).await?;
    assert_eq!(info.jstack, None);
    assert_eq!(info.mq_table.keys().filter(|queue| queue.topic == stage.topic).count(), 2);
    assert_eq!(info.properties[ConsumerRunningInfo::PROP_CONSUME_TYPE], "CONSUME_PASSIVELY");
    for (name, value) in
        [("consumeThreadMin", "20"), ("pullThresholdForQueue", "1000"), ("consumeTimeout", "15")]
    {
        assert_eq!(info.properties[name], value, "{name}");
    }
    assert!(info.subscription_set.iter().any(|data| data.topic == stage.topic && data.sub_string == "*"));

    let members = stage.client.consumer_connection(&stage.group).await?;
    assert!(members.connection_set.iter().any(|member| member.client_id == stage.client.client_id()));
    running.shutdown().await;

    let request =
        GetConsumeStatsRequest { consumer_group: stage.group.clone(), topic: None, topic_list: None };
    let stats = ask(&stage.client, &stage.topic, &request).await?;
    let stats: ConsumeStats = fastjson::from_slice(&stats.body)?;
    let of_topic = stats.offset_table.iter().filter(|(queue, _)| queue.topic == stage.topic);
    let stored: i64 = of_topic.map(|(_, offsets)| offsets.broker_offset).sum();
    assert_eq!(stored, 4);

    let nobody = stage.client.consumer_connection(&stage.group).await.expect_err("nobody is left");
    assert_eq!(nobody.refusal().map(|refusal| refusal.code), Some(ResponseCode::CONSUMER_NOT_ONLINE));
    let unmet = stage.client.consumer_connection(&unique_group()).await.expect_err("there is no such group");
    assert_eq!(unmet.kind(), CallErrorKind::TopicNotFound);
    Ok(())
}

/// Consumers without a handler report running info as well.
pub async fn running_info_of_pullers(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let lite = stage.client.lite_consumer(&stage.group).subscribe(&stage.topic, "a || b").build().await?;
    eventually("its queues", PATIENCE, async || lite.assignment().len() == 2).await;
    let info = stage.info(true).await?;
    assert_eq!(info.properties[ConsumerRunningInfo::PROP_CONSUME_TYPE], "CONSUME_ACTIVELY");
    assert_eq!((info.mq_table.len(), info.properties["pullBatchSize"].as_str()), (2, "32"));
    assert_eq!(info.subscription_set[0].sub_string, "a || b");
    lite.shutdown().await;
    if !cluster.has(Feature::Pop) {
        return Ok(());
    }
    let stage = Stage { group: unique_group(), ..stage };
    let _simple = stage.client.simple_consumer(&stage.group).subscribe(&stage.topic, "a").build().await?;
    let info = stage.info(false).await?;
    assert_eq!(info.properties[ConsumerRunningInfo::PROP_CONSUME_TYPE], "CONSUME_POP");
    assert_eq!((info.subscription_set[0].sub_string.as_str(), info.mq_table.len()), ("a", 0));
    Ok(())
}

/// A request for thread stacks lists the messages in handlers, for every kind of consumer.
pub async fn handlers_at_work(cluster: &Cluster) -> TestResult {
    named_while_handled(&Stage::set(cluster).await?, |consumer| consumer).await?;
    named_while_handled(&Stage::set(cluster).await?, PushConsumerBuilder::orderly).await?;
    if !cluster.has(Feature::Pop) {
        return Ok(());
    }
    let popped = Stage::set(cluster).await?;
    serve_by_pop(&popped.client, &popped.topic, &popped.group).await?;
    named_while_handled(&popped, |consumer| consumer.configure(|config| config.broker_assignment = true))
        .await
}

async fn named_while_handled(
    stage: &Stage,
    mode: impl FnOnce(PushConsumerBuilder) -> PushConsumerBuilder,
) -> TestResult {
    let sent = stage.send(Message::new(&stage.topic, "slow")).await?;
    let (running, gate) = stage.consume_slowly(mode).await?;
    let line = format!("message {} of {} at offset 0 of queue", sent.message_id(), stage.topic);
    let shows = async |text: &str| {
        let info = stage.info(true).await;
        info.is_ok_and(|info| info.jstack.is_some_and(|handlers| handlers.contains(text)))
    };
    eventually("the message among those handled", PATIENCE, async || shows(&line).await).await;
    gate.add_permits(1);
    eventually("no handler at work", PATIENCE, async || shows("handlers at work: 0").await).await;
    running.shutdown().await;
    Ok(())
}

/// The official tool of `version` shows settings and running handlers.
pub async fn status_by_mqadmin(cluster: &Cluster, version: &str) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let sent = stage.send(Message::new(&stage.topic, "slow")).await?;
    let (running, gate) = stage.consume_slowly(|consumer| consumer).await?;
    let (name_server, client) = (cluster.name_server(), stage.client.client_id().to_owned());
    let command = ["consumerStatus", "-n", &name_server, "-g", &stage.group, "-i", &client, "-s"];
    let expected = [
        "handlers at work: 1",
        sent.message_id(),
        "pullThresholdForQueue",
        "suspendCurrentQueueTimeMillis",
        &stage.topic,
    ];
    eventually("the consumer in mqadmin", 4 * PATIENCE, async || {
        let shown = crate::java::admin(version, &command).await.unwrap_or_default();
        expected.iter().all(|text| shown.contains(text))
    })
    .await;
    gate.add_permits(1);
    running.shutdown().await;
    Ok(())
}

/// An administrator lets a member handle a message again. The answer is the outcome.
pub async fn consumed_directly(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let inbox = Inbox::default();
    let running = stage.consume(&inbox, Outcome::Ack).await?;
    stage.send(Message::new(&stage.topic, "again").tag("t").property("colour", "red")).await?;
    inbox.expect(1).await;
    assert_eq!(stage.directly(&inbox.all()[0]).await?, ConsumeResult::CrSuccess);
    inbox.expect(2).await;
    let again = &inbox.all()[1];
    assert_eq!(
        (again.text(), again.tag(), again.property("colour")),
        (Some("again"), Some("t"), Some("red"))
    );
    running.shutdown().await;
    Ok(())
}

/// A dead letter is handled after all: by a member directly, or after it is sent to its topic again.
pub async fn dead_letter_resent(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let refused = Inbox::default();
    let running = stage.consume(&refused, Outcome::DeadLetter).await?;
    stage.send(Message::new(&stage.topic, "order 42").tag("t").key("42").property("colour", "red")).await?;
    refused.expect(1).await;
    running.shutdown().await;
    let dead = format!("%DLQ%{}", stage.group);
    eventually("the dead letter queue", PATIENCE, async || stage.client.route(&dead).await.is_ok()).await;
    let letter = collect(&stage.client, &dead, 1).await?.remove(0);

    let mended = Inbox::default();
    let running = stage.consume(&mended, Outcome::Ack).await?;
    assert_eq!(stage.directly(&letter).await?, ConsumeResult::CrSuccess);
    mended.expect(1).await;

    let topic = letter.property("RETRY_TOPIC").ok_or("a dead letter knows its topic")?;
    let message = Message::new(topic, letter.body().clone()).keys(letter.keys());
    let message = message.tag(letter.tag().unwrap_or_default()).property("colour", "red");
    stage.send(message).await?;
    mended.expect(2).await;
    running.shutdown().await;
    for delivery in mended.all() {
        assert_eq!((delivery.text(), delivery.tag()), (Some("order 42"), Some("t")));
        assert_eq!(delivery.property("colour"), Some("red"));
    }
    assert_eq!(mended.all()[1].topic(), stage.topic);
    Ok(())
}
