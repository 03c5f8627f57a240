//! Namespaces: applications share a cluster without meeting. A 4.x namespace is part of every name, a 5.x namespace
//! travels in every request.

use rocketmq_client::client::ClientBuilder;
use rocketmq_client::remoting::body::ConsumeResult;
use rocketmq_client::remoting::requests::heartbeat::GetConsumerListByGroupRequest;
use rocketmq_client::{Client, DelayLevel, FromWhere, Message, Outcome};

use super::tools;
use crate::cluster::ask;
use crate::{Cluster, Inbox, TestResult, collect, unique_group};

const NAMESPACE: &str = "MQ_INST_tests";

fn within(cluster: &Cluster) -> ClientBuilder {
    Client::builder(cluster.name_server()).namespace(NAMESPACE)
}

async fn send(client: &Client, topic: &str, body: &'static str) -> TestResult {
    client.producer(unique_group()).build().await?.send(Message::new(topic, body)).await?;
    Ok(())
}

/// Creates a topic. Returns its full name, and the short name that clients in the namespace use.
async fn topic(cluster: &Cluster) -> TestResult<(String, String)> {
    let inside = crate::unique_topic();
    let outside = format!("{NAMESPACE}%{inside}");
    cluster.topic_named(&cluster.client().await?, &outside, 1).await?;
    Ok((inside, outside))
}

/// Clients in the namespace use short names; other clients see the full ones.
pub async fn names_are_wrapped(cluster: &Cluster) -> TestResult {
    let (inside, outside) = topic(cluster).await?;
    let (client, stranger) = (within(cluster).connect().await?, cluster.client().await?);
    send(&client, &inside, "hello").await?;
    for (client, topic) in [(&client, &inside), (&stranger, &outside)] {
        let seen = collect(client, topic, 1).await?;
        assert_eq!((seen[0].text(), seen[0].topic()), (Some("hello"), topic.as_str()));
    }
    Ok(())
}

/// Brokers call a consumer by its full group name, and it unregisters with that name. A retry comes with the topic's
/// short name.
pub async fn brokers_reach_the_group(cluster: &Cluster) -> TestResult {
    let (inside, outside) = topic(cluster).await?;
    let (client, stranger) = (within(cluster).connect().await?, cluster.client().await?);
    let (inbox, group) = (Inbox::default(), unique_group());
    let consumer = client.push_consumer(&group).subscribe(&inside, "*").from_where(FromWhere::FirstOffset);
    let handler = inbox.decide(|delivery| match delivery.reconsume_times() {
        0 => Outcome::RetryAfter(DelayLevel::S1),
        _ => Outcome::Ack,
    });
    let running = consumer.listen(handler).await?;
    send(&client, &inside, "twice").await?;
    cluster.later(std::time::Duration::from_secs(1), "the retry", async || inbox.len() == 2).await;
    assert!(inbox.all().iter().all(|delivery| delivery.topic() == inside), "{:?}", inbox.all());

    let group_outside = format!("{NAMESPACE}%{group}");
    for (asker, group) in [(&client, &group), (&stranger, &group_outside)] {
        let info = asker.running_info(group, client.client_id(), false).await?;
        assert!(info.subscription_set.iter().any(|data| data.topic == outside), "{info:?}");
    }
    let first = inbox.all()[0].offset_message_id();
    let result = client.consume_directly(&group, client.client_id(), &first).await?;
    assert_eq!((result.consume_result, inbox.len()), (ConsumeResult::CrLater, 3));

    running.shutdown().await;
    let members = GetConsumerListByGroupRequest { consumer_group: group_outside };
    let gone = ask(&stranger, &outside, &members).await.expect_err("nobody is left in the group");
    assert!(gone.to_string().contains("no consumer for this group"), "{gone}");
    Ok(())
}

/// Queries in the namespace find messages by the topic's short name.
pub async fn queries(cluster: &Cluster) -> TestResult {
    let (inside, _) = topic(cluster).await?;
    tools::found_again(&within(cluster).connect().await?, &inside).await
}

/// A 5.x namespace changes no name and travels with each request. No broker separates such namespaces.
pub async fn in_every_request(cluster: &Cluster) -> TestResult {
    let (builder, stranger) = (Client::builder(cluster.name_server()), cluster.client().await?);
    let within = builder.configure(|config| config.namespace_v2 = Some(NAMESPACE.into())).connect().await?;
    let topic = cluster.topic(&stranger, 1).await?;
    send(&within, &topic, "hello").await?;
    for client in [&within, &stranger] {
        let seen = collect(client, &topic, 1).await?;
        assert_eq!((seen[0].text(), seen[0].topic()), (Some("hello"), topic.as_str()));
    }
    Ok(())
}
