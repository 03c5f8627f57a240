//! Groups that start on a queue whose first message they cannot have: it is far from memory, or retention has deleted it.
//!
//! As with Apache's broker a group then begins where its consumer asks to, at the end by default. Queues that are empty or young
//! are in `scenarios::beginnings`.

use std::time::{Duration, Instant};

use rocketmq_client::consumer::Offset;
use rocketmq_client::remoting::requests::broker::DeleteExpiredCommitLogRequest;
use rocketmq_client::{Client, FromWhere, LiteConsumer, Message};
use rocketmq_server::Embedded;
use rocketmq_tests::{Cluster, Inbox, PATIENCE, TestResult, ask, serve_by_pop, unique_group};

/// The reason why the first message is not to be had.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Queue {
    Far,
    Emptied,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Push,
    Pop,
    Lite,
    Broadcasting,
}

/// A topic of one queue, into which `old 0` and `old 1` were sent.
struct Stage {
    cluster: Cluster,
    client: Client,
    topic: String,
}

impl Stage {
    async fn set(queue: Queue) -> TestResult<Self> {
        let shape =
            Embedded::builder().set("mappedFileSizeCommitLog", 65_536).set("cleanResourceInterval", 50);
        let shape = match queue {
            Queue::Far => shape.set("accessMessageInMemoryMaxRatio", 0),
            Queue::Emptied => shape,
        };
        let cluster = Cluster::Embedded(shape.start().await?);
        let client = cluster.client().await?;
        let topic = cluster.topic(&client, 1).await?;
        let stage = Self { cluster, client, topic };
        stage.send(&["old 0".into(), "old 1".into()]).await?;
        if queue == Queue::Emptied {
            stage.outlive().await?;
        }
        Ok(stage)
    }

    async fn send(&self, texts: &[String]) -> TestResult {
        let producer = self.client.producer(unique_group()).build().await?;
        for text in texts {
            producer.send(Message::new(&self.topic, text.clone())).await?;
        }
        producer.shutdown().await;
        Ok(())
    }

    /// Fills the first file of the log with another topic's message, and lets it expire.
    async fn outlive(&self) -> TestResult {
        let filler = self.cluster.topic(&self.client, 1).await?;
        let producer = self.client.producer(unique_group());
        let producer = producer.configure(|config| config.compress_threshold = usize::MAX).build().await?;
        for _ in 0..2 {
            producer.send(Message::new(&filler, vec![b'x'; 40_000])).await?;
        }
        producer.shutdown().await;
        if let Cluster::Embedded(embedded) = &self.cluster {
            embedded.advance(Duration::from_secs(5 * 86_400));
        }
        let deadline = Instant::now() + PATIENCE;
        while self.first().await? < 2 {
            assert!(Instant::now() < deadline, "retention deleted nothing");
            ask(&self.client, &self.topic, &DeleteExpiredCommitLogRequest {}).await?;
        }
        Ok(())
    }

    async fn first(&self) -> TestResult<i64> {
        let (pull, queues) = rocketmq_tests::queues(&self.client, &self.topic).await?;
        Ok(pull.offset(&queues[0], Offset::First).await?)
    }

    /// Starts a new group and sends `new 0`, `new 1` and so on until one comes. Returns what came.
    async fn begin(&self, kind: Kind, from: FromWhere) -> TestResult<Vec<String>> {
        let group = unique_group();
        if kind == Kind::Lite {
            let builder = self.client.lite_consumer(group).subscribe(&self.topic, "*").from_where(from);
            return self.poll(builder.build().await?).await;
        }
        if kind == Kind::Pop {
            serve_by_pop(&self.client, &self.topic, &group).await?;
        }
        let (inbox, folder) = (Inbox::default(), tempfile::tempdir()?);
        let builder = self.client.push_consumer(group).subscribe(&self.topic, "*").from_where(from);
        let builder = match kind {
            Kind::Pop => builder.configure(|config| config.broker_assignment = true),
            Kind::Broadcasting => builder.broadcasting().offset_folder(folder.path()),
            Kind::Push | Kind::Lite => builder,
        };
        let running = builder.listen(inbox.accept()).await?;
        let mut sent = 0;
        let deadline = Instant::now() + PATIENCE;
        while !inbox.texts().iter().any(|text| text.starts_with("new")) {
            assert!(Instant::now() < deadline, "{kind:?} received {:?} of {sent} new ones", inbox.texts());
            self.send(&[format!("new {sent}")]).await?;
            sent += 1;
        }
        running.shutdown().await;
        Ok(inbox.texts())
    }

    async fn poll(&self, mut consumer: LiteConsumer) -> TestResult<Vec<String>> {
        let (mut came, mut sent) = (Vec::<String>::new(), 0);
        let deadline = Instant::now() + PATIENCE;
        while !came.iter().any(|text| text.starts_with("new")) {
            assert!(Instant::now() < deadline, "lite received {came:?} of {sent} new ones");
            self.send(&[format!("new {sent}")]).await?;
            sent += 1;
            let batch = consumer.poll(Duration::from_millis(100)).await?.into_iter().flatten();
            came.extend(batch.filter_map(|delivery| delivery.text().map(str::to_owned)));
        }
        consumer.shutdown().await;
        Ok(came)
    }
}

/// Returns the old messages among the texts.
fn old(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).filter(|text| text.starts_with("old")).collect()
}

const KINDS: [Kind; 4] = [Kind::Push, Kind::Pop, Kind::Lite, Kind::Broadcasting];

#[tokio::test]
async fn a_new_group_begins_at_the_end_of_a_queue_whose_first_message_is_far_away() -> TestResult {
    for kind in KINDS {
        let stage = Stage::set(Queue::Far).await?;
        let came = stage.begin(kind, FromWhere::LastOffset).await?;
        // POP begins one message before the end, as Apache's does; new ones may come before its first look.
        let begin = if kind == Kind::Pop { "old 1" } else { "new" };
        assert!(old(&came).iter().all(|text| text.starts_with(begin)), "{kind:?} received {came:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_new_group_that_asks_for_the_first_message_gets_it_though_it_is_far_away() -> TestResult {
    for kind in KINDS {
        let came = Stage::set(Queue::Far).await?.begin(kind, FromWhere::FirstOffset).await?;
        assert_eq!(old(&came), ["old 0", "old 1"], "{kind:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_new_group_receives_what_is_new_on_a_queue_that_retention_has_emptied() -> TestResult {
    for from in [FromWhere::LastOffset, FromWhere::FirstOffset] {
        for kind in KINDS {
            let came = Stage::set(Queue::Emptied).await?.begin(kind, from).await?;
            assert_eq!(old(&came), [""; 0], "{kind:?}, {from:?}");
            if from == FromWhere::FirstOffset {
                assert_eq!(came[0], "new 0", "{kind:?} begins behind what is gone");
            }
        }
    }
    Ok(())
}
