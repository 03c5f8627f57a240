//! Groups with several members, which share the queues or receive every message.

use std::collections::BTreeSet;
use std::time::Duration;

use rocketmq_client::consumer::{Averagely, AveragelyByCircle, ConsistentHash};
use rocketmq_client::remoting::body::ConsumerConnection;
use rocketmq_client::remoting::fastjson;
use rocketmq_client::remoting::requests::group::GetConsumerConnectionListRequest;
use rocketmq_client::{Client, FromWhere, Message, MessageQueue, PushConsumerBuilder, Running};

use crate::cluster::ask;
use crate::{Cluster, Inbox, PATIENCE, TestResult, eventually, unique_group, unique_topic};

fn consumer(client: &Client, group: &str, topic: &str) -> PushConsumerBuilder {
    client.push_consumer(group).subscribe(topic, "*").from_where(FromWhere::FirstOffset)
}

async fn send(client: &Client, topic: &str, bodies: std::ops::Range<u32>) -> TestResult {
    let producer = client.producer(unique_group()).build().await?;
    for body in bodies {
        producer.send(Message::new(topic, format!("{body:03}"))).await?;
    }
    producer.shutdown().await;
    Ok(())
}

fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|body| format!("{body:03}")).collect()
}

/// Returns the member's queues of the topic itself; it also has some of the group's retry topic.
fn owned(running: &Running, topic: &str) -> BTreeSet<MessageQueue> {
    running.queues().into_iter().filter(|queue| queue.topic == topic).collect()
}

/// Two members have half of the queues each. When one leaves, the other has all, and no message is lost.
pub async fn queues_follow_the_members(cluster: &Cluster) -> TestResult {
    let (client, other) = (cluster.client().await?, cluster.client().await?);
    let topic = cluster.topic(&client, 8).await?;
    let (inbox, group) = (Inbox::default(), unique_group());
    let first = consumer(&client, &group, &topic).listen(inbox.accept()).await?;
    eventually("all queues for the only member", PATIENCE, async || owned(&first, &topic).len() == 8).await;

    let second = consumer(&other, &group, &topic).listen(inbox.accept()).await?;
    let halved = || owned(&first, &topic).len() == 4 && owned(&second, &topic).len() == 4;
    eventually("half of the queues for each", PATIENCE, async || halved()).await;
    assert!(owned(&first, &topic).is_disjoint(&owned(&second, &topic)));
    send(&client, &topic, 0..40).await?;
    inbox.expect(40).await;

    second.shutdown().await;
    eventually("all queues for the one that stays", PATIENCE, async || owned(&first, &topic).len() == 8)
        .await;
    send(&client, &topic, 40..80).await?;
    inbox.expect(80).await;
    first.shutdown().await;
    assert_eq!(inbox.sorted(), numbers(0..80));
    Ok(())
}

/// Two clients with one name both read everything: a list that names them twice would give both the first half.
pub async fn one_name_twice(cluster: &Cluster) -> TestResult {
    let name = unique_group();
    let connect = || {
        let builder = Client::builder(cluster.name_server());
        builder.configure(|config| config.instance_name = Some(name.clone())).connect()
    };
    let (client, other) = (connect().await?, connect().await?);
    let topic = cluster.topic(&client, 4).await?;
    let (inbox, group) = (Inbox::default(), unique_group());
    let first = consumer(&client, &group, &topic).listen(inbox.accept()).await?;
    let second = consumer(&other, &group, &topic).listen(inbox.accept()).await?;
    let all = || owned(&first, &topic).len() == 4 && owned(&second, &topic).len() == 4;
    eventually("all queues for both", PATIENCE, async || all()).await;
    send(&client, &topic, 0..40).await?;
    eventually("every message", PATIENCE, async || {
        let texts: BTreeSet<String> = inbox.texts().into_iter().collect();
        texts.into_iter().eq(numbers(0..40))
    })
    .await;
    first.shutdown().await;
    second.shutdown().await;
    Ok(())
}

/// Members with heartbeat v2, which leaves out what the broker knows, share the queues as others do, and the broker
/// forgets nothing.
pub async fn brief_heartbeats(cluster: &Cluster) -> TestResult {
    let often = |config: &mut rocketmq_client::ClientConfig| {
        (config.heartbeat_v2, config.heartbeat_interval) = (true, Duration::from_millis(50));
    };
    let connect = || Client::builder(cluster.name_server()).configure(often).connect();
    let (client, other) = (connect().await?, connect().await?);
    let topic = cluster.topic(&client, 8).await?;
    let (inbox, group) = (Inbox::default(), unique_group());
    let first = consumer(&client, &group, &topic).listen(inbox.accept()).await?;
    let second = consumer(&other, &group, &topic).listen(inbox.accept()).await?;
    let halved = || owned(&first, &topic).len() == 4 && owned(&second, &topic).len() == 4;
    eventually("half of the queues for each", PATIENCE, async || halved()).await;
    cluster.pass(Duration::from_millis(500)).await;

    let request = GetConsumerConnectionListRequest { consumer_group: group };
    let answer = ask(&client, &topic, &request).await?;
    let known: ConsumerConnection = fastjson::from_slice(&answer.body)?;
    assert_eq!(known.connection_set.len(), 2);
    assert!(known.subscription_table.contains_key(&topic), "{:?}", known.subscription_table);
    send(&client, &topic, 0..40).await?;
    inbox.expect(40).await;
    assert!(halved());
    first.shutdown().await;
    second.shutdown().await;
    assert_eq!(inbox.sorted(), numbers(0..40));
    Ok(())
}

/// A client of a unit has the unit's name in its id, and topics that it causes to be created are marked.
pub async fn of_a_unit(cluster: &Cluster) -> TestResult {
    let client = Client::builder(cluster.name_server()).configure(|config| {
        (config.unit_mode, config.unit_name) = (true, Some("u1".into()));
    });
    let client = client.connect().await?;
    assert!(client.client_id().ends_with("@u1"), "{}", client.client_id());
    let (topic, group, inbox) = (unique_topic(), unique_group(), Inbox::default());
    let producer = client.producer(unique_group()).build().await?;
    producer.send(Message::new(&topic, "000")).await?;
    let running = consumer(&client, &group, &topic).listen(inbox.accept()).await?;
    inbox.expect(1).await;
    for (topic, flag) in [(topic, 1), (format!("%RETRY%{group}"), 2)] {
        let marked = async || {
            let queues = client.route(&topic).await.map(|route| route.queue_datas).unwrap_or_default();
            !queues.is_empty() && queues.iter().all(|queues| queues.topic_sys_flag == flag)
        };
        eventually("the mark of a unit", PATIENCE, marked).await;
    }
    running.shutdown().await;
    Ok(())
}

/// A member that vanishes is replaced: the other one gets all queues, and receives every message.
pub async fn a_member_that_vanishes(cluster: &Cluster) -> TestResult {
    let (client, other) = (cluster.client().await?, cluster.client().await?);
    let topic = cluster.topic(&client, 4).await?;
    let (inbox, group) = (Inbox::default(), unique_group());
    let survivor = consumer(&client, &group, &topic).listen(inbox.accept()).await?;
    let lost = Inbox::default();
    let vanishing = consumer(&other, &group, &topic).listen(lost.accept()).await?;
    eventually("half of the queues for it", PATIENCE, async || owned(&vanishing, &topic).len() == 2).await;
    drop(vanishing);
    other.shutdown().await;
    eventually("all queues for the survivor", PATIENCE, async || owned(&survivor, &topic).len() == 4).await;
    send(&client, &topic, 0..40).await?;
    inbox.expect(40).await;
    survivor.shutdown().await;
    assert_eq!(inbox.sorted(), numbers(0..40));
    Ok(())
}

/// Every member receives every message once, and continues by its own file.
pub async fn broadcasting(cluster: &Cluster) -> TestResult {
    let folder = tempfile::tempdir()?;
    let named = |name: &'static str| {
        let builder = rocketmq_client::Client::builder(cluster.name_server());
        builder.configure(move |config| config.instance_name = Some(name.into())).connect()
    };
    let (client, other) = (named("one").await?, named("two").await?);
    let topic = cluster.topic(&client, 4).await?;
    let (mine, theirs, group) = (Inbox::default(), Inbox::default(), unique_group());
    let start =
        |client: &Client| consumer(client, &group, &topic).broadcasting().offset_folder(folder.path());
    let first = start(&client).listen(mine.accept()).await?;
    let second = start(&other).listen(theirs.accept()).await?;
    send(&client, &topic, 0..20).await?;
    mine.expect(20).await;
    theirs.expect(20).await;
    second.shutdown().await;

    send(&client, &topic, 20..30).await?;
    let again = start(&other).listen(theirs.accept()).await?;
    mine.expect(30).await;
    theirs.expect(30).await;
    first.shutdown().await;
    again.shutdown().await;
    assert_eq!((mine.sorted(), theirs.sorted()), (numbers(0..30), numbers(0..30)));
    Ok(())
}

/// A running consumer also reads queues that its topic gets later.
pub async fn more_queues(cluster: &Cluster) -> TestResult {
    let soon = std::time::Duration::from_secs(1);
    let client = Client::builder(cluster.name_server());
    let client = client.configure(|config| config.route_refresh = soon).connect().await?;
    let topic = cluster.topic(&client, 2).await?;
    let (inbox, group) = (Inbox::default(), unique_group());
    let running = consumer(&client, &group, &topic).listen(inbox.accept()).await?;
    eventually("both queues", PATIENCE, async || owned(&running, &topic).len() == 2).await;
    cluster.resize(&client, &topic, 6).await?;
    eventually("the new queues", 2 * PATIENCE, async || owned(&running, &topic).len() == 6).await;
    let sender = cluster.client().await?;
    eventually("the new route", PATIENCE, async || {
        sender.route(&topic).await.is_ok_and(|route| route.queue_datas[0].write_queue_nums == 6)
    })
    .await;
    send(&sender, &topic, 0..30).await?;
    inbox.expect(30).await;
    running.shutdown().await;
    assert_eq!(inbox.sorted(), numbers(0..30));
    let used: BTreeSet<i32> = inbox.all().iter().map(|delivery| delivery.queue().queue_id).collect();
    assert_eq!(used.len(), 6);
    Ok(())
}

/// Three members split the queues without gap or overlap, by each strategy.
pub async fn each_strategy(cluster: &Cluster) -> TestResult {
    let clients = [cluster.client().await?, cluster.client().await?, cluster.client().await?];
    let topic = cluster.topic(&clients[0], 32).await?;
    for strategy in Strategy::ALL {
        let group = unique_group();
        let mut members = Vec::new();
        for client in &clients {
            let member = strategy.of(consumer(client, &group, &topic));
            members.push(member.listen(Inbox::default().accept()).await?);
        }
        let what = format!("a split by {}", strategy.name());
        eventually(&what, PATIENCE, async || {
            let parts: Vec<_> = members.iter().map(|member| owned(member, &topic)).collect();
            let together: BTreeSet<_> = parts.iter().flatten().collect();
            together.len() == 32 && parts.iter().map(BTreeSet::len).sum::<usize>() == 32
        })
        .await;
        for member in members {
            member.shutdown().await;
        }
    }
    Ok(())
}

/// The strategies that need no machine rooms.
#[derive(Debug, Clone, Copy)]
pub enum Strategy {
    /// In blocks.
    Averagely,
    /// One by one in turn.
    ByCircle,
    /// By hashes on a ring.
    ConsistentHash,
}

impl Strategy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Averagely, Self::ByCircle, Self::ConsistentHash];

    /// Returns Java's name of the strategy.
    pub fn name(self) -> &'static str {
        match self {
            Self::Averagely => "AVG",
            Self::ByCircle => "AVG_BY_CIRCLE",
            Self::ConsistentHash => "CONSISTENT_HASH",
        }
    }

    fn of(self, consumer: PushConsumerBuilder) -> PushConsumerBuilder {
        match self {
            Self::Averagely => consumer.allocate(Averagely),
            Self::ByCircle => consumer.allocate(AveragelyByCircle),
            Self::ConsistentHash => consumer.allocate(ConsistentHash::default()),
        }
    }
}

/// A large backlog is handled at full speed: each message once, and none as a retry.
pub async fn backlog(cluster: &Cluster) -> TestResult {
    const MESSAGES: u32 = 28_000;
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 4).await?;
    let producer = client.producer(unique_group()).build().await?;
    for first in (0..MESSAGES).step_by(500) {
        let batch = (first..first + 500).map(|body| Message::new(&topic, format!("{body:05}")));
        producer.send_batch(batch.collect()).await?;
    }
    let inbox = Inbox::default();
    let running = consumer(&client, &unique_group(), &topic).listen(inbox.accept()).await?;
    inbox.expect_within(2 * PATIENCE, MESSAGES as usize).await;
    running.shutdown().await;
    assert_eq!(inbox.sorted(), (0..MESSAGES).map(|body| format!("{body:05}")).collect::<Vec<_>>());
    let retried = inbox.all().iter().filter(|delivery| delivery.reconsume_times() > 0).count();
    assert_eq!(retried, 0, "false retries");
    Ok(())
}
