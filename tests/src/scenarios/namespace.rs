//! Applications that share a cluster without meeting: 4.x namespaces are part of every name, 5.x ones of every request.

use rocketmq_client::{Client, ClientBuilder, Message};

use crate::{Cluster, TestResult, collect, unique_group};

const NAMESPACE: &str = "MQ_INST_tests";

fn within(cluster: &Cluster) -> ClientBuilder {
    Client::builder(cluster.name_server()).namespace(NAMESPACE)
}

async fn send(client: &Client, topic: &str, body: &'static str) -> TestResult {
    client.producer(unique_group()).build().await?.send(Message::new(topic, body)).await?;
    Ok(())
}

/// A topic that a client within knows by the shorter name.
async fn topic(cluster: &Cluster) -> TestResult<(String, String)> {
    let inside = crate::unique_topic();
    let outside = format!("{NAMESPACE}%{inside}");
    cluster.topic_named(&cluster.client().await?, &outside, 1).await?;
    Ok((inside, outside))
}

/// Within, names are what the application says; from outside they bear the namespace.
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
