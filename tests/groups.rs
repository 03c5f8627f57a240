//! Groups that lose or double messages by how they are used: broker and members say so, and name who is concerned.

use std::time::Duration;

use rocketmq_client::consumer::TopicState;
use rocketmq_client::remoting::body::group::SubscriptionGroupConfig;
use rocketmq_client::remoting::{Command, RequestCode, fastjson};
use rocketmq_client::{Client, FromWhere, Message, PushConsumerBuilder, Running};
use rocketmq_server::Embedded;
use rocketmq_tests::{Cluster, Inbox, Log, PATIENCE, TestResult, eventually, unique_group};

/// The target of the broker's log lines.
const BROKER: &str = "rocketmq_server";
const CLIENT: &str = "rocketmq_client";

async fn named(cluster: &Cluster, instance: &str) -> TestResult<Client> {
    let builder = Client::builder(cluster.name_server());
    Ok(builder.configure(|config| config.instance_name = Some(instance.into())).connect().await?)
}

fn consumer(client: &Client, group: &str, topic: &str, tags: &str) -> PushConsumerBuilder {
    client.push_consumer(group).subscribe(topic, tags).from_where(FromWhere::FirstOffset)
}

async fn send(client: &Client, topic: &str, count: usize) -> TestResult {
    let producer = client.producer(unique_group()).build().await?;
    for number in 0..count {
        producer.send(Message::new(topic, format!("{number:03}"))).await?;
    }
    producer.shutdown().await;
    Ok(())
}

/// Waits for warnings that hold these words: one of the broker's and one of each member's.
async fn warned(log: &Log, words: &[&str]) {
    let count = |target| log.lines(&[words, &["WARN", target]].concat()).len();
    eventually("a warning of the broker and of both members", PATIENCE, async || {
        count(BROKER) >= 1 && count(CLIENT) >= 2
    })
    .await;
    assert_eq!(count(BROKER), 1, "no more than one a minute: {:?}", log.lines(&["WARN", BROKER]));
}

async fn stop(running: Vec<Running>) {
    for consumer in running {
        consumer.shutdown().await;
    }
}

#[tokio::test]
async fn two_clients_with_one_name_are_told() -> TestResult {
    let log = Log::start()?;
    let cluster = Cluster::embedded().await?;
    let (one, two) = (named(&cluster, "same").await?, named(&cluster, "same").await?);
    let topic = cluster.topic(&one, 4).await?;
    let (inbox, group) = (Inbox::default(), unique_group());
    let running = vec![
        consumer(&one, &group, &topic, "*").listen(inbox.accept()).await?,
        consumer(&two, &group, &topic, "*").listen(inbox.accept()).await?,
    ];
    warned(&log, &[&group, one.client_id(), "instance name"]).await;
    stop(running).await;
    Ok(())
}

#[tokio::test]
async fn a_client_that_connects_anew_is_no_conflict() -> TestResult {
    let log = Log::start()?;
    let embedded = Embedded::start().await?;
    let cluster = Cluster::Embedded(embedded);
    let group = unique_group();
    let client = named(&cluster, "same").await?;
    let topic = cluster.topic(&client, 1).await?;
    for start in 1..=3 {
        let (client, inbox) = (named(&cluster, "same").await?, Inbox::default());
        let running = consumer(&client, &group, &topic, "*").listen(inbox.accept()).await?;
        send(&client, &topic, 1).await?;
        inbox.expect(1).await;
        if start < 3 {
            // As after a crash: nobody says goodbye.
            drop(running);
            drop(client);
        }
    }
    assert_eq!(log.lines(&["instance name"]), Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn members_with_other_topics_are_named_to_each_other() -> TestResult {
    let log = Log::start()?;
    let cluster = Cluster::embedded().await?;
    let (one, two) = (cluster.client().await?, cluster.client().await?);
    let (a, b) = (cluster.topic(&one, 4).await?, cluster.topic(&one, 4).await?);
    let (inbox, group) = (Inbox::default(), unique_group());
    let running = vec![
        consumer(&one, &group, &a, "*").listen(inbox.accept()).await?,
        consumer(&two, &group, &b, "*").listen(inbox.accept()).await?,
    ];
    warned(&log, &[&group, one.client_id(), two.client_id(), &a, &b]).await;
    stop(running).await;
    Ok(())
}

#[tokio::test]
async fn members_with_other_tags_are_named_to_each_other() -> TestResult {
    let log = Log::start()?;
    let cluster = Cluster::embedded().await?;
    let (one, two) = (cluster.client().await?, cluster.client().await?);
    let topic = cluster.topic(&one, 4).await?;
    let (inbox, group) = (Inbox::default(), unique_group());
    let running = vec![
        consumer(&one, &group, &topic, "a || b").listen(inbox.accept()).await?,
        consumer(&two, &group, &topic, "c").listen(inbox.accept()).await?,
    ];
    let words = ["by \"a || b\"", "by \"c\""];
    warned(&log, &[&[&*group, one.client_id(), two.client_id()], &words[..]].concat()).await;
    stop(running).await;
    Ok(())
}

#[tokio::test]
async fn lite_consumers_are_told_as_well() -> TestResult {
    let log = Log::start()?;
    let cluster = Cluster::embedded().await?;
    let (one, two) = (cluster.client().await?, cluster.client().await?);
    let (a, b) = (cluster.topic(&one, 4).await?, cluster.topic(&one, 4).await?);
    let group = unique_group();
    let first = one.lite_consumer(&group).subscribe(&a, "*").build().await?;
    let second = two.lite_consumer(&group).subscribe(&b, "*").build().await?;
    warned(&log, &[&group, one.client_id(), two.client_id(), &a, &b]).await;
    first.shutdown().await;
    second.shutdown().await;
    Ok(())
}

/// Members that broadcast never ask who else there is: they hear it with their heartbeats.
#[tokio::test]
async fn members_that_broadcast_hear_it_with_their_heartbeats() -> TestResult {
    let log = Log::start()?;
    let cluster = Cluster::embedded().await?;
    let often = |config: &mut rocketmq_client::ClientConfig| {
        config.heartbeat_interval = Duration::from_millis(50);
    };
    let connect = || Client::builder(cluster.name_server()).configure(often).connect();
    let (one, two) = (connect().await?, connect().await?);
    let (a, b) = (cluster.topic(&one, 1).await?, cluster.topic(&one, 1).await?);
    let (inbox, group, folder) = (Inbox::default(), unique_group(), tempfile::tempdir()?);
    let broadcasting =
        |client, topic| consumer(client, &group, topic, "*").broadcasting().offset_folder(folder.path());
    let running = vec![
        broadcasting(&one, &a).listen(inbox.accept()).await?,
        broadcasting(&two, &b).listen(inbox.accept()).await?,
    ];
    warned(&log, &[&group, one.client_id(), two.client_id(), &a, &b]).await;
    stop(running).await;
    Ok(())
}

#[tokio::test]
async fn a_group_that_does_not_exist_is_an_error_until_it_does() -> TestResult {
    let log = Log::start()?;
    let embedded = Embedded::builder().set("autoCreateSubscriptionGroup", false).start().await?;
    let broker = embedded.broker().address().to_string();
    let cluster = Cluster::Embedded(embedded);
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 1).await?;
    let (inbox, group) = (Inbox::default(), unique_group());
    let running = consumer(&client, &group, &topic, "*").listen(inbox.accept()).await?;
    eventually("an error of the client", PATIENCE, async || {
        !log.lines(&["ERROR", CLIENT, &group, "updateSubGroup"]).is_empty()
    })
    .await;
    assert_eq!(running.health().topics()[0].state, TopicState::Refused);
    assert_eq!(log.lines(&["WARN", BROKER, &group, "does not exist"]).len(), 1);

    let config = SubscriptionGroupConfig { group_name: group, ..SubscriptionGroupConfig::default() };
    let create = Command::request(RequestCode::UPDATE_AND_CREATE_SUBSCRIPTIONGROUP);
    client.call(&broker, create.with_body(fastjson::to_vec(&config)?), PATIENCE).await?;
    send(&client, &topic, 1).await?;
    inbox.expect(1).await;
    running.shutdown().await;
    Ok(())
}
