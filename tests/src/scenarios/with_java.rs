//! Groups with a member of this project and members of the official Java client.

use std::collections::BTreeSet;

use rocketmq_client::consumer::{
    AllocateError, AllocateStrategy, Allocation, Averagely, AveragelyByCircle, ConsistentHash, MachineRoom,
    MachineRoomNearby, RoomResolver,
};
use rocketmq_client::remoting::body::ConsumerRunningInfo;
use rocketmq_client::remoting::fastjson;
use rocketmq_client::remoting::requests::group::GetConsumerRunningInfoRequest;
use rocketmq_client::{Client, FromWhere, Message, MessageQueue, Running};

use crate::cluster::ask;
use crate::java::{JavaMember, Membership};
use crate::{Cluster, Inbox, PATIENCE, TestResult, eventually, unique_group};

const QUEUES: i32 = 8;
const MESSAGES_PER_QUEUE: i32 = 5;

/// Says how a group splits its queues, and where its members are.
#[derive(Debug, Clone, Copy)]
struct Split {
    /// Strategy, as `Member.java` names it.
    strategy: &'static str,
    /// Machine room of this project's member.
    room: &'static str,
    /// Number of queues of this project's member, where it is known in advance.
    ours: Option<usize>,
}

const fn split(strategy: &'static str, room: &'static str, ours: Option<usize>) -> Split {
    Split { strategy, room, ours }
}

const ANYWHERE: [Split; 7] = [
    split("AVG", "near", Some(4)),
    split("AVG_BY_CIRCLE", "near", Some(4)),
    split("CONSISTENT_HASH", "near", None),
    split("MACHINE_ROOM_NEARBY", "near", Some(4)),
    split("MACHINE_ROOM_NEARBY", "far", Some(0)),
    split("MACHINE_ROOM_NEARBY/far", "near", Some(8)),
    split("CONFIG", "near", Some(4)),
];

/// Does what `Member.java` does under the same name. Of configured queues this project's member has those with odd
/// numbers.
#[derive(Debug)]
struct AsJava(&'static str);

impl AllocateStrategy for AsJava {
    fn name(&self) -> String {
        self.0.to_owned()
    }

    fn allocate(&self, a: &Allocation<'_>) -> Result<Vec<MessageQueue>, AllocateError> {
        match self.0 {
            "AVG" => Averagely.allocate(a),
            "AVG_BY_CIRCLE" => AveragelyByCircle.allocate(a),
            "CONSISTENT_HASH" => ConsistentHash::default().allocate(a),
            "MACHINE_ROOM" => MachineRoom(["near".into()].into()).allocate(a),
            "CONFIG" => Ok(a.queues.iter().filter(|queue| queue.queue_id % 2 == 1).cloned().collect()),
            _ => MachineRoomNearby::new(Averagely, Rooms).allocate(a),
        }
    }
}

/// Places the brokers in the room `near`.
struct Rooms;

impl RoomResolver for Rooms {
    fn room_of_queue(&self, _: &MessageQueue) -> Option<String> {
        Some("near".into())
    }

    fn room_of_member(&self, client_id: &str) -> Option<String> {
        Some(if client_id.contains("@far") { "far" } else { "near" }.into())
    }
}

/// A group, and this project's member of it.
struct Mixed {
    split: Split,
    client: Client,
    topic: String,
    group: String,
    inbox: Inbox,
    ours: Running,
}

impl Mixed {
    async fn start(cluster: &Cluster, split: Split) -> TestResult<Self> {
        let group = unique_group();
        let name = format!("{}-ours-{group}", split.room);
        let builder = Client::builder(cluster.name_server());
        let client = builder.configure(|config| config.instance_name = Some(name)).connect().await?;
        let topic = cluster.topic(&client, QUEUES).await?;
        let inbox = Inbox::default();
        let consumer = client.push_consumer(&group).subscribe(&topic, "*").from_where(FromWhere::FirstOffset);
        let ours = consumer.allocate(AsJava(split.strategy)).listen(inbox.accept()).await?;
        Ok(Self { split, client, topic, group, inbox, ours })
    }

    fn membership(&self) -> Membership {
        Membership {
            topic: self.topic.clone(),
            group: self.group.clone(),
            strategy: self.split.strategy.to_owned(),
        }
    }

    /// Returns the topic's queues of this project's member.
    fn mine(&self) -> BTreeSet<i32> {
        ids(self.ours.queues().iter(), &self.topic)
    }

    /// Returns the topic's queues of the Java member, as its running info lists them.
    async fn theirs(&self, java: &JavaMember) -> Option<BTreeSet<i32>> {
        let request = GetConsumerRunningInfoRequest {
            consumer_group: self.group.clone(),
            client_id: java.client_id(&self.topic)?,
            jstack_enable: false,
        };
        let answer = ask(&self.client, &self.topic, &request).await.ok()?;
        let info: ConsumerRunningInfo = fastjson::from_slice(&answer.body).ok()?;
        Some(ids(info.mq_table.keys(), &self.topic))
    }

    /// Waits until each queue has one reader. Returns the queues of this project's member.
    async fn settled(&self, java: &JavaMember) -> BTreeSet<i32> {
        let mut mine = BTreeSet::new();
        let what = format!("a split by {:?}", self.split);
        // A Java member that misses a notification looks again after 20 s.
        eventually(&what, 3 * PATIENCE, async || {
            let Some(theirs) = self.theirs(java).await else { return false };
            mine = self.mine();
            let expected = match self.split.ours {
                Some(share) => mine.len() == share,
                None => !mine.is_empty() && !theirs.is_empty(),
            };
            expected && mine.is_disjoint(&theirs) && mine.len() + theirs.len() == QUEUES as usize
        })
        .await;
        mine
    }

    /// Sends some messages to each queue. Returns their queues and bodies.
    async fn send(&self, round: &str) -> TestResult<Vec<(i32, String)>> {
        let producer = self.client.producer(unique_group()).build().await?;
        let (_, queues) = crate::queues(&self.client, &self.topic).await?;
        let mut sent = Vec::new();
        for queue in &queues {
            for number in 0..MESSAGES_PER_QUEUE {
                let text = format!("{round} {} {number}", queue.queue_id);
                producer.send(Message::new(&self.topic, text.clone())).to_queue(queue).await?;
                sent.push((queue.queue_id, text));
            }
        }
        producer.shutdown().await;
        sent.sort();
        Ok(sent)
    }

    fn seen(&self) -> Vec<(i32, String)> {
        let all = self.inbox.all();
        all.iter().map(|one| (one.queue().queue_id, one.text().unwrap_or_default().to_owned())).collect()
    }

    /// Asserts that each message comes once, to the member that has its queue.
    async fn messages_go_to_the_owners(&self, java: &JavaMember, mine: &BTreeSet<i32>) -> TestResult {
        let sent = self.send("shared").await?;
        let arrived = async || self.inbox.len() + java.seen(&self.topic).len() >= sent.len();
        // A Java member whose heartbeat fails at its first split reads only after the next heartbeat, 30 s later.
        eventually("every message", 3 * PATIENCE, arrived).await;
        let (for_ours, for_java): (Vec<_>, Vec<_>) =
            sent.into_iter().partition(|(queue, _)| mine.contains(queue));
        assert_eq!(sorted(self.seen()), for_ours, "{:?}", self.split);
        assert_eq!(sorted(java.seen(&self.topic)), for_java, "{:?}", self.split);
        Ok(())
    }

    /// After the Java member has left, this project's member has all queues that are not configured for another.
    async fn alone(self) -> TestResult {
        let (seen, configured) = (self.inbox.len(), self.split.strategy == "CONFIG");
        let wanted = if configured { 4 } else { QUEUES as usize };
        let what = format!("the queues that Java had, by {:?}", self.split);
        eventually(&what, PATIENCE, async || self.mine().len() == wanted).await;
        let mut sent = self.send("alone").await?;
        sent.retain(|(queue, _)| !configured || queue % 2 == 1);
        self.inbox.expect_within(2 * PATIENCE, seen + sent.len()).await;
        assert_eq!(sorted(self.seen().split_off(seen)), sent, "{:?}", self.split);
        self.ours.shutdown().await;
        Ok(())
    }
}

fn ids<'a>(queues: impl Iterator<Item = &'a MessageQueue>, topic: &str) -> BTreeSet<i32> {
    queues.filter(|queue| queue.topic == topic).map(|queue| queue.queue_id).collect()
}

fn sorted(mut messages: Vec<(i32, String)>) -> Vec<(i32, String)> {
    messages.sort();
    messages
}

/// A member of this project and one of the official Java client split the queues like two of a kind, by each strategy.
pub async fn queues(cluster: &Cluster, version: &str) -> TestResult {
    split_by(cluster, version, &ANYWHERE).await
}

/// Does the same for the strategy by the room in a broker's name.
pub async fn queues_of_a_room(cluster: &Cluster, version: &str) -> TestResult {
    split_by(cluster, version, &[split("MACHINE_ROOM", "near", Some(4))]).await
}

async fn split_by(cluster: &Cluster, version: &str, splits: &[Split]) -> TestResult {
    let mut groups = Vec::new();
    for split in splits {
        groups.push(Mixed::start(cluster, *split).await?);
    }
    let joined: Vec<_> = groups.iter().map(Mixed::membership).collect();
    let mut java = JavaMember::start(version, &cluster.name_server(), &joined)?;
    for mixed in &groups {
        let mine = mixed.settled(&java).await;
        mixed.messages_go_to_the_owners(&java, &mine).await?;
    }
    java.stop().await?;
    for mixed in groups {
        mixed.alone().await?;
    }
    Ok(())
}

/// The file of a broadcasting consumer: this project's continues where Java's stopped, and the reverse.
pub async fn offset_file(cluster: &Cluster, version: &str) -> TestResult {
    let (client, folder) = (cluster.client().await?, tempfile::tempdir()?);
    let (topic, group) = (cluster.topic(&client, 4).await?, unique_group());
    let producer = client.producer(unique_group()).build().await?;
    let send = async |bodies: std::ops::Range<u32>| -> TestResult {
        for body in bodies {
            producer.send(Message::new(&topic, format!("{body:02}"))).await?;
        }
        Ok(())
    };
    let numbers = |bodies: std::ops::Range<u32>| bodies.map(|body| format!("{body:02}")).collect::<Vec<_>>();
    let member = Membership { topic: topic.clone(), group: group.clone(), strategy: "BROADCAST".into() };
    let place = format!("-Drocketmq.client.localOffsetStoreDir={}", folder.path().display());
    // Returns the Java member's client id and the messages it read.
    let java = async |bodies: usize| -> TestResult<(String, Vec<String>)> {
        let joined = std::slice::from_ref(&member);
        let mut java = JavaMember::start_with(version, &cluster.name_server(), joined, &place)?;
        eventually("what the Java member has to read", 4 * PATIENCE, async || {
            java.seen(&topic).len() >= bodies
        })
        .await;
        let id = java.client_id(&topic).ok_or("a member says who it is")?;
        java.stop().await?;
        let mut seen: Vec<_> = java.seen(&topic).into_iter().map(|(_, body)| body).collect();
        seen.sort();
        Ok((id, seen))
    };

    send(0..20).await?;
    let (id, seen) = java(20).await?;
    assert_eq!(seen, numbers(0..20));
    send(20..30).await?;
    let (ip, instance) = id.split_once('@').ok_or("an id without an instance")?;
    let (ip, instance) = (ip.parse()?, instance.to_owned());
    let builder = Client::builder(cluster.name_server());
    let same = builder
        .configure(|it| (it.client_ip, it.instance_name) = (Some(ip), Some(instance)))
        .connect()
        .await?;
    assert_eq!(same.client_id(), id);
    let inbox = Inbox::default();
    let consumer =
        same.push_consumer(&group).subscribe(&topic, "*").broadcasting().offset_folder(folder.path());
    let running = consumer.from_where(FromWhere::FirstOffset).listen(inbox.accept()).await?;
    inbox.expect(10).await;
    running.shutdown().await;
    assert_eq!(inbox.sorted(), numbers(20..30));

    send(30..40).await?;
    let (_, seen) = java(10).await?;
    assert_eq!(seen, numbers(30..40));
    Ok(())
}
