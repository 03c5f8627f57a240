//! Message traces: the records of producers and consumers in the trace topic.

use rocketmq_client::{Client, FromWhere, Message, Offset, Outcome, Pulled, TraceConfig};

use crate::cluster::queues;
use crate::{Cluster, Feature, Inbox, PATIENCE, TestResult, eventually, unique_group};

/// One record: its fields, the kind first.
type Record = Vec<String>;

/// Reads every record of a trace topic.
async fn records(client: &Client, topic: &str) -> TestResult<Vec<Record>> {
    let (reader, queues) = queues(client, topic).await?;
    let mut records = Vec::new();
    for queue in queues {
        let mut offset = 0;
        while let Pulled::Found { messages, next } = reader.pull(&queue, Offset::At(offset)).await? {
            for message in messages {
                let text = message.text().ok_or("a trace that is no text")?.to_owned();
                let ended = text.strip_suffix('\u{2}').ok_or("a trace without its end")?;
                records.extend(
                    ended.split('\u{2}').map(|r| r.split('\u{1}').map(str::to_owned).collect::<Record>()),
                );
            }
            offset = next;
        }
    }
    Ok(records)
}

/// Does the same as [`records`], after the expected ones are among them: brokers fill their queues a moment after they
/// answer.
async fn records_when(
    client: &Client,
    topic: &str,
    complete: impl Fn(&[Record]) -> bool,
) -> TestResult<Vec<Record>> {
    let mut all = Vec::new();
    eventually("every record of the trace", PATIENCE, async || {
        all = records(client, topic).await.unwrap_or_default();
        complete(&all)
    })
    .await;
    Ok(all)
}

/// Connects a client that traces to a topic of its own.
async fn traced(cluster: &Cluster) -> TestResult<(Client, String)> {
    let topic = cluster.topic(&cluster.client().await?, 1).await?;
    let builder = Client::builder(cluster.name_server()).trace(TraceConfig::to_topic(&topic));
    Ok((builder.connect().await?, topic))
}

/// Each stored message and each call of a handler yields its records. A shutdown loses none.
pub async fn sends_and_handlers(cluster: &Cluster) -> TestResult {
    if !cluster.has(Feature::StoredRegion) {
        return Ok(());
    }
    let (client, traces) = traced(cluster).await?;
    let topic = cluster.topic(&client, 1).await?;
    let producer = client.producer(unique_group()).build().await?;
    let sent = producer.send(Message::new(&topic, "traced").tag("t").keys(["k1", "k2"])).await?;
    producer.send_oneway(Message::new(&topic, "one way")).await?;
    let bad = producer.send(Message::new(&topic, "bad")).await?;
    let batch = producer.send_batch(vec![Message::new(&topic, "b1"), Message::new(&topic, "b2")]).await?;

    let inbox = Inbox::default();
    let judge = |d: &rocketmq_client::Delivery| match d.text() {
        Some("bad") => Outcome::DeadLetter,
        _ => Outcome::Ack,
    };
    let consumer = client.push_consumer(unique_group()).subscribe(&topic, "*");
    let running = consumer.from_where(FromWhere::FirstOffset).listen(inbox.decide(judge)).await?;
    let group = running.group().to_owned();
    inbox.expect(5).await;
    assert!(running.shutdown().await);
    producer.shutdown().await;
    assert_eq!(producer.dropped_traces(), 0);

    let handled = [sent.message_id(), bad.message_id()];
    let records = records_when(&client, &traces, |all| {
        let stored = all.iter().filter(|record| record[0] == "Pub").count();
        let after = |id: &&str| all.iter().any(|record| record[0] == "SubAfter" && record[2] == *id);
        stored >= 4 && handled.iter().all(after)
    })
    .await?;
    let of = |kind: &str, at: usize, id: &str| {
        let found: Vec<&Record> = records.iter().filter(|r| r[0] == kind && r[at] == id).collect();
        assert_eq!(found.len(), 1, "{kind} of {id} in {records:?}");
        found[0].clone()
    };
    let stored = of("Pub", 5, sent.message_id());
    let expected = ["DefaultRegion", producer.group(), &topic, sent.message_id(), "t", "k1 k2"];
    assert_eq!(stored[2..8], expected);
    assert!(stored[8].starts_with("127.0.0.1:"), "the broker's address: {stored:?}");
    assert_eq!(
        (stored[9].as_str(), &stored[11..]),
        ("6", &["0", sent.offset_message_id(), "true"].map(str::to_owned)[..])
    );
    for receipt in &batch {
        assert_eq!(of("Pub", 5, receipt.message_id())[6..8], ["null", "null"]);
    }
    assert_eq!(
        records.iter().filter(|r| r[0] == "Pub").count(),
        4,
        "nobody knows what became of a one-way send"
    );
    for (id, success, code) in [(sent.message_id(), "true", "0"), (bad.message_id(), "false", "4")] {
        let (before, after) = (of("SubBefore", 5, id), of("SubAfter", 2, id));
        assert_eq!((before[3].as_str(), before[6].as_str()), (group.as_str(), "0"));
        assert_eq!((&before[4], after[4].as_str(), after[6].as_str()), (&after[1], success, code));
        assert_eq!(after[8], group);
    }
    Ok(())
}

/// A lite consumer records a successful handling for each message, here in the form and topic of Alibaba's cloud.
pub async fn lite_in_the_cloud(cluster: &Cluster) -> TestResult {
    if !cluster.has(Feature::StoredRegion) {
        return Ok(());
    }
    let builder = Client::builder(cluster.name_server()).trace(TraceConfig::to_topic("ignored"));
    let client = builder.configure(|config| config.cloud = true).connect().await?;
    let topic = cluster.topic(&client, 1).await?;
    // The broker creates this topic: nobody else may create one of this name.
    let traces = "rmq_sys_TRACE_DATA_DefaultRegion";
    let producer = client.producer(unique_group()).build().await?;
    let sent = producer.send(Message::new(&topic, "traced")).await?;
    producer.shutdown().await;
    let lite = client.lite_consumer(unique_group()).subscribe(&topic, "*");
    let mut lite = lite.from_where(FromWhere::FirstOffset).build().await?;
    let batch = lite.poll(PATIENCE).await?.ok_or("no batch")?;
    assert_eq!(batch.len(), 1);
    lite.shutdown().await;

    let is_mine = |record: &&Record| record.iter().any(|field| field == sent.message_id());
    let records = records_when(&client, traces, |all| all.iter().filter(is_mine).count() >= 3).await?;
    let mut mine: Vec<&Record> = records.iter().filter(is_mine).collect();
    // The cloud's topic has several queues, which keep no common order.
    let order = ["Pub", "SubBefore", "SubAfter"];
    mine.sort_by_key(|record| order.iter().position(|kind| *kind == record[0]));
    let kinds: Vec<&str> = mine.iter().map(|record| record[0].as_str()).collect();
    assert_eq!(kinds, order);
    let (before, after) = (mine[1], mine[2]);
    assert_eq!((&before[4], after[4].as_str(), after[6].as_str()), (&after[1], "true", "0"));
    assert_eq!(after[7..], [""], "neither time nor group");
    Ok(())
}

/// A transaction yields records of its half message and of its decision.
pub async fn transactions(cluster: &Cluster) -> TestResult {
    if !cluster.has(Feature::StoredRegion) {
        return Ok(());
    }
    let (client, traces) = traced(cluster).await?;
    let topic = cluster.topic(&client, 1).await?;
    let producer = client.producer(unique_group()).build().await?;
    let transaction = producer.begin(Message::new(&topic, "half").tag("t").key("k")).await?;
    let id = transaction.message_id().to_owned();
    transaction.commit().await?;
    producer.begin(Message::new(&topic, "dropped")).await?.rollback().await?;
    producer.shutdown().await;

    let records = records_when(&client, &traces, |all| all.len() >= 4).await?;
    let mine: Vec<&Record> = records.iter().filter(|record| record[5] == id).collect();
    assert_eq!((mine.len(), mine[0][0].as_str(), mine[0][11].as_str()), (2, "Pub", "1"));
    let decided = mine[1];
    let (head, tail) = (&decided[2..8], &decided[9..]);
    assert_eq!(head, ["DefaultRegion", producer.group(), &topic, &id, "t", "k"]);
    assert_eq!(
        (decided[0].as_str(), tail),
        ("EndTransaction", &["2", &id, "COMMIT_MESSAGE", "false"].map(str::to_owned)[..])
    );
    assert!(records.iter().any(|record| record.get(11).is_some_and(|state| state == "ROLLBACK_MESSAGE")));
    Ok(())
}

/// The official tool of `version` finds the records of this project's producer and consumer by message id, in the
/// default topic.
pub async fn read_by_mqadmin(cluster: &Cluster, version: &str) -> TestResult {
    if !cluster.has(Feature::StoredRegion) {
        return Ok(());
    }
    let client = Client::builder(cluster.name_server()).trace(TraceConfig::default()).connect().await?;
    let topic = cluster.topic(&client, 1).await?;
    let producer = client.producer(unique_group()).build().await?;
    let sent = producer.send(Message::new(&topic, "traced").key("k")).await?;
    let inbox = Inbox::default();
    let consumer = client.push_consumer(unique_group()).subscribe(&topic, "*").orderly();
    let running = consumer.from_where(FromWhere::FirstOffset).listen(inbox.accept()).await?;
    let group = running.group().to_owned();
    inbox.expect(1).await;
    running.shutdown().await;
    producer.shutdown().await;

    let name_server = cluster.name_server();
    let query = ["queryMsgTraceById", "-n", &name_server, "-i", sent.message_id()];
    let expected = ["Pub", producer.group(), "success", &group, "127.0.0.1"];
    eventually("the whole trace in mqadmin", 4 * PATIENCE, async || {
        let shown = crate::java::admin(version, &query).await.unwrap_or_default();
        expected.iter().all(|text| shown.contains(text))
    })
    .await;
    Ok(())
}
