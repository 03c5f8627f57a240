//! What administrators ask about messages and consumers, and make them do.

use rocketmq_client::remoting::body::{
    ConsumeMessageDirectlyResult, ConsumeResult, ConsumeStats, ConsumerConnection, ConsumerRunningInfo,
};
use rocketmq_client::remoting::message::MessageRecord;
use rocketmq_client::remoting::requests::group::{
    ConsumeMessageDirectlyRequest, GetConsumeStatsRequest, GetConsumerConnectionListRequest,
    GetConsumerRunningInfoRequest,
};
use rocketmq_client::remoting::requests::query::{QueryMessageRequest, ViewMessageRequest};
use rocketmq_client::remoting::{Command, Request, fastjson};
use rocketmq_client::{Client, FromWhere, Message, Outcome, Running};

use crate::cluster::ask;
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

    async fn send(&self, message: Message) -> TestResult<String> {
        let producer = self.client.producer(unique_group()).build().await?;
        let receipt = producer.send(message).await?;
        producer.shutdown().await;
        Ok(receipt.message_id().to_owned())
    }

    async fn ask(&self, request: &impl Request) -> TestResult<Command> {
        ask(&self.client, &self.topic, request).await
    }

    /// The bodies of what is found under a key; the index is written a little later than the message.
    async fn found(&self, key: &str, unique: bool) -> Vec<String> {
        let request = QueryMessageRequest {
            topic: self.topic.clone(),
            key: key.to_owned(),
            max_num: 32,
            begin_timestamp: 0,
            end_timestamp: i64::MAX,
            unique_key_query: unique.then_some(true),
            index_type: None,
        };
        let Ok(answer) = self.ask(&request).await else { return Vec::new() };
        MessageRecord::decode_all(answer.body)
            .map(|record| String::from_utf8_lossy(&record.body).into_owned())
            .collect()
    }

    /// Has a member of the group handle a message that is stored somewhere.
    async fn directly(&self, offset_message_id: &str) -> TestResult<ConsumeMessageDirectlyResult> {
        let request = ConsumeMessageDirectlyRequest {
            consumer_group: self.group.clone(),
            client_id: Some(self.client.client_id().to_owned()),
            msg_id: Some(offset_message_id.to_owned()),
            ..ConsumeMessageDirectlyRequest::default()
        };
        Ok(fastjson::from_slice(&self.ask(&request).await?.body)?)
    }
}

/// Messages are found by key, by their own id and by where they are stored.
pub async fn queries(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    stage.send(Message::new(&stage.topic, "one").key("k1").key("both")).await?;
    let id = stage.send(Message::new(&stage.topic, "two").key("k2").key("both")).await?;
    eventually("both by a key they share", PATIENCE, async || {
        let mut found = stage.found("both", false).await;
        found.sort();
        found == ["one", "two"]
    })
    .await;
    assert_eq!(stage.found("k2", false).await, ["two"]);
    assert_eq!(stage.found(&id, true).await, ["two"]);
    assert_eq!(stage.found("k3", false).await, Vec::<String>::new());

    let stored = collect(&stage.client, &stage.topic, 2).await?;
    for delivery in stored {
        let view =
            ViewMessageRequest { offset: delivery.commit_log_offset(), topic: Some(stage.topic.clone()) };
        let record = MessageRecord::decode(&mut stage.ask(&view).await?.body)?;
        assert_eq!(record.body, delivery.body());
    }
    Ok(())
}

/// A running consumer shows its queues and settings, and the broker how far the group is.
pub async fn running_info(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let inbox = Inbox::default();
    let running = stage.consume(&inbox, Outcome::Ack).await?;
    for _ in 0..4 {
        stage.send(Message::new(&stage.topic, "x")).await?;
    }
    inbox.expect(4).await;
    let request = GetConsumerRunningInfoRequest {
        consumer_group: stage.group.clone(),
        client_id: stage.client.client_id().to_owned(),
        jstack_enable: false,
    };
    let info: ConsumerRunningInfo = fastjson::from_slice(&stage.ask(&request).await?.body)?;
    assert_eq!(info.mq_table.keys().filter(|queue| queue.topic == stage.topic).count(), 2);
    assert_eq!(info.properties[ConsumerRunningInfo::PROP_CONSUME_TYPE], "CONSUME_PASSIVELY");
    assert!(info.subscription_set.iter().any(|data| data.topic == stage.topic && data.sub_string == "*"));

    let request = GetConsumerConnectionListRequest { consumer_group: stage.group.clone() };
    let members: ConsumerConnection = fastjson::from_slice(&stage.ask(&request).await?.body)?;
    assert!(members.connection_set.iter().any(|member| member.client_id == stage.client.client_id()));
    running.shutdown().await;

    let request =
        GetConsumeStatsRequest { consumer_group: stage.group.clone(), topic: None, topic_list: None };
    let stats: ConsumeStats = fastjson::from_slice(&stage.ask(&request).await?.body)?;
    let of_topic = stats.offset_table.iter().filter(|(queue, _)| queue.topic == stage.topic);
    let stored: i64 = of_topic.map(|(_, offsets)| offsets.broker_offset).sum();
    assert_eq!(stored, 4);
    Ok(())
}

/// An administrator has a member handle a message once more; its verdict is the answer.
pub async fn consumed_directly(cluster: &Cluster) -> TestResult {
    let stage = Stage::set(cluster).await?;
    let inbox = Inbox::default();
    let running = stage.consume(&inbox, Outcome::Ack).await?;
    stage.send(Message::new(&stage.topic, "again").tag("t").property("colour", "red")).await?;
    inbox.expect(1).await;
    let result = stage.directly(&inbox.all()[0].offset_message_id()).await?;
    assert_eq!(result.consume_result, ConsumeResult::CrSuccess);
    inbox.expect(2).await;
    let again = &inbox.all()[1];
    assert_eq!(
        (again.text(), again.tag(), again.property("colour")),
        (Some("again"), Some("t"), Some("red"))
    );
    running.shutdown().await;
    Ok(())
}

/// A dead letter is handled after all: directly by a member, or because it is sent to its topic again.
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
    let result = stage.directly(&letter.offset_message_id()).await?;
    assert_eq!(result.consume_result, ConsumeResult::CrSuccess);
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
