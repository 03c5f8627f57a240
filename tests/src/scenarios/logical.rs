//! Static topics: their queues do not belong to one broker for good. Only `mqadmin` creates them.

use std::collections::BTreeMap;
use std::time::Duration;

use rocketmq_client::{Client, Delivery, FromWhere, Message, Offset, Outcome, PushConsumerBuilder, Receipt};

use crate::java::admin;
use crate::{Cluster, Inbox, PATIENCE, TestResult, eventually, unique_group, unique_topic};

/// Name in place of a broker's name.
const NO_BROKER: &str = "__syslo__global__";

struct Stage {
    client: Client,
    topic: String,
    version: String,
    brokers: Vec<String>,
}

impl Stage {
    /// Creates a static topic with three queues on the first broker.
    async fn set(cluster: &Cluster, version: &str) -> TestResult<Self> {
        let client = cluster.client().await?;
        let brokers = client.route("TBW102").await?.broker_datas;
        let brokers = brokers.into_iter().map(|broker| broker.broker_name).collect();
        let stage = Self { client, topic: unique_topic(), version: version.to_owned(), brokers };
        stage.place("updateStaticTopic", &stage.brokers[0], &["-qn", "3"]).await?;
        Ok(stage)
    }

    async fn place(&self, command: &str, broker: &str, more: &[&str]) -> TestResult {
        let name_servers = self.client.name_servers().join(";");
        let args = [&[command, "-n", &name_servers, "-t", &self.topic, "-b", broker], more].concat();
        // A cold virtual machine on a busy computer may run into its own timeout. Repeating the command does no harm.
        eventually("a mapping that mqadmin wrote", 4 * PATIENCE, async || {
            admin(&self.version, &args).await.is_ok_and(|said| said.contains(".after"))
        })
        .await;
        eventually("the new place of the queues", PATIENCE, async || self.holds(broker).await).await;
        Ok(())
    }

    async fn holds(&self, broker: &str) -> bool {
        let mappings =
            self.client.route(&self.topic).await.ok().and_then(|route| route.topic_queue_mapping_by_broker);
        mappings.is_some_and(|mappings| {
            mappings.get(broker).is_some_and(|mapping| mapping.curr_id_map.len() == 3)
        })
    }

    fn consumer(&self, group: &str) -> PushConsumerBuilder {
        let consumer = self.client.push_consumer(group).subscribe(&self.topic, "*");
        consumer.from_where(FromWhere::FirstOffset)
    }

    /// Sends four messages to each queue.
    async fn send(&self, bodies: std::ops::Range<u32>) -> TestResult<Vec<Receipt>> {
        let producer = self.client.producer(unique_group()).build().await?;
        let mut receipts = Vec::new();
        for body in bodies {
            let message = Message::new(&self.topic, format!("{body:02}"));
            receipts.push(producer.send(message).select_with(move |_| body as usize % 3).await?);
        }
        Ok(receipts)
    }
}

fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|body| format!("{body:02}")).collect()
}

/// A static topic works like any other: sends, concurrent and orderly consumption, retries, pulls. Offsets count per
/// queue.
pub async fn as_any_topic(cluster: &Cluster, version: &str) -> TestResult {
    let stage = Stage::set(cluster, version).await?;
    let inbox = Inbox::default();
    let fails_once = |delivery: &Delivery| match (delivery.text(), delivery.reconsume_times()) {
        (Some("04"), 0) => Outcome::Retry,
        _ => Outcome::Ack,
    };
    let group = unique_group();
    let running = stage.consumer(&group).listen(inbox.decide(fails_once)).await?;
    let sent = stage.send(0..12).await?;
    let places: Vec<_> =
        sent.iter().map(|receipt| (receipt.broker(), receipt.queue(), receipt.queue_offset())).collect();
    let expected: Vec<_> = (0..12_i32).map(|body| (NO_BROKER, body % 3, i64::from(body / 3))).collect();
    assert_eq!(places, expected);

    cluster.later(Duration::from_secs(11), "all of them, one twice", async || inbox.len() == 13).await;
    running.shutdown().await;
    let again = inbox.all().into_iter().filter(|delivery| delivery.reconsume_times() == 1);
    assert_eq!(
        again.map(|again| (again.topic().to_owned(), again.text().map(str::to_owned))).collect::<Vec<_>>(),
        [(stage.topic.clone(), Some("04".to_owned()))]
    );
    let group = stage.client.pull_consumer(&group).build().await?;
    for queue in &group.queues(&stage.topic).await? {
        assert_eq!(group.committed(queue).await?, Some(4), "{queue:?}");
        assert_eq!(
            (group.offset(queue, Offset::First).await?, group.offset(queue, Offset::Last).await?),
            (0, 4)
        );
    }

    let ordered = Inbox::default();
    let running = stage.consumer(&unique_group()).orderly().listen(ordered.accept()).await?;
    ordered.expect(12).await;
    running.shutdown().await;
    assert_eq!(per_queue(&ordered), each_queue(0..4));
    Ok(())
}

/// Returns the offsets by queue, in the order of their arrival.
fn per_queue(inbox: &Inbox) -> BTreeMap<i32, Vec<i64>> {
    let mut queues = BTreeMap::<i32, Vec<i64>>::new();
    for delivery in inbox.all() {
        queues.entry(delivery.queue().queue_id).or_default().push(delivery.queue_offset());
    }
    queues
}

fn each_queue(offsets: std::ops::Range<i64>) -> BTreeMap<i32, Vec<i64>> {
    (0..3).map(|queue| (queue, offsets.clone().collect())).collect()
}

/// Queues that move to another broker take sends and reads there, and consumers' offsets go on.
pub async fn queues_move(cluster: &Cluster, version: &str) -> TestResult {
    let stage = Stage::set(cluster, version).await?;
    let Some(other) = stage.brokers.get(1) else {
        println!(
            "skipped: one broker only; `apache broker VERSION NAMESRV PORT brokerName=broker-b` adds one"
        );
        return Ok(());
    };
    let inbox = Inbox::default();
    let running = stage.consumer(&unique_group()).orderly().listen(inbox.accept()).await?;
    stage.send(0..6).await?;
    inbox.expect(6).await;
    stage.place("remappingStaticTopic", other, &[]).await?;
    let moved = stage.send(6..12).await?;
    inbox.expect_within(2 * PATIENCE, 12).await;
    running.shutdown().await;
    assert_eq!(inbox.sorted(), numbers(0..12));
    // The new broker of a queue leaves out some numbers, so that those of the old broker never reach its own.
    let sent: Vec<_> = moved.iter().map(|receipt| (receipt.queue(), receipt.queue_offset())).collect();
    for (queue, offsets) in per_queue(&inbox) {
        assert!(offsets.is_sorted_by(|a, b| a < b), "queue {queue}: {offsets:?}");
        let last = offsets[2..].iter().map(|offset| (queue, *offset));
        assert_eq!(
            last.collect::<Vec<_>>(),
            sent.iter().copied().filter(|sent| sent.0 == queue).collect::<Vec<_>>()
        );
    }
    Ok(())
}
