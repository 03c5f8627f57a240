//! Fills a store before it moves to another broker, and checks it there.

use std::time::Duration;

use rocketmq_client::remoting::message::MessageRecord;
use rocketmq_client::remoting::requests::query::QueryMessageRequest;
use rocketmq_client::{
    Client, DelayLevel, Delivery, FromWhere, Message, Outcome, PushConsumerBuilder, TransactionState,
};

use crate::cluster::ask;
use crate::wait::{PATIENCE, eventually};
use crate::{Cluster, Inbox, TestResult, collect};

/// Topic of all messages. It must exist.
pub const TOPIC: &str = "moved";
const GROUP: &str = "movers";
const PRODUCERS: &str = "undecided";
const MANY: usize = 20;
/// Delay that has not passed when the next broker starts.
const DELAY: DelayLevel = DelayLevel::S10;

fn consumer(client: &Client) -> PushConsumerBuilder {
    client.push_consumer(GROUP).subscribe(TOPIC, "*").from_where(FromWhere::FirstOffset)
}

fn handled(round: &str) -> Vec<String> {
    let many = (0..MANY).map(|number| format!("{round} handled {number:02}"));
    many.chain([format!("{round} refused")]).collect()
}

fn unread(round: &str) -> Vec<String> {
    (0..MANY).map(|number| format!("{round} unread {number:02}")).collect()
}

/// Returns the bodies of messages that are in no queue of the topic yet.
fn pending(round: &str, timers: bool) -> Vec<String> {
    let what = if timers { &["delayed", "timed", "half"][..] } else { &["delayed", "half"] };
    what.iter().map(|what| format!("{round} {what}")).collect()
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

/// Leaves handled messages, one message to retry, unread messages with keys, delayed messages, and an undecided
/// transaction.
pub async fn leave(cluster: &Cluster, round: &str, timers: bool) -> TestResult {
    let client = cluster.client().await?;
    let producer = client.producer(PRODUCERS).build().await?;
    for text in handled(round) {
        producer.send(Message::new(TOPIC, text)).await?;
    }
    let inbox = Inbox::default();
    let decide = inbox.decide(|delivery: &Delivery| {
        let refused = delivery.text().is_some_and(|text| text.ends_with("refused"));
        if refused { Outcome::RetryAfter(DELAY) } else { Outcome::Ack }
    });
    let running = consumer(&client).listen(decide).await?;
    inbox.expect_within(3 * PATIENCE, handled(round).len()).await;
    running.shutdown().await;

    for text in unread(round) {
        producer.send(Message::new(TOPIC, text.clone()).key(text.replace(' ', "-"))).await?;
    }
    producer.send(Message::new(TOPIC, format!("{round} delayed")).deliver_after(DELAY)).await?;
    if timers {
        producer.send(Message::new(TOPIC, format!("{round} timed")).delay(Duration::from_secs(10))).await?;
    }
    drop(producer.begin(Message::new(TOPIC, format!("{round} half"))).await?);
    client.shutdown().await;
    Ok(())
}

/// Finds the messages that `round` left for its group, each once, and all messages of this and earlier rounds in the
/// topic.
pub async fn find(cluster: &Cluster, rounds: &[&str], timers: bool) -> TestResult {
    let client = cluster.client().await?;
    let round = rounds.last().ok_or("no round")?;
    let checker = |_: Delivery| async { TransactionState::Commit };
    let producer = client.producer(PRODUCERS).transaction_checker(checker).build().await?;
    // Registers the producer, so that the broker can check the transaction.
    producer.send(Message::new("elsewhere", "here I am")).await?;
    let inbox = Inbox::default();
    let running = consumer(&client).listen(inbox.accept()).await?;
    let waiting = [unread(round), pending(round, timers), vec![format!("{round} refused")]].concat();
    let wanted = sorted(waiting);
    let all = async || inbox.len() >= wanted.len();
    eventually("everything that waited", 3 * PATIENCE, all).await;
    running.shutdown().await;
    assert_eq!(inbox.sorted(), wanted);
    let retried =
        inbox.all().into_iter().find(|one| one.text().is_some_and(|text| text.ends_with("refused")));
    assert_eq!(retried.map(|one| one.reconsume_times()), Some(1));

    let parts = rounds.iter().map(|round| [handled(round), unread(round), pending(round, timers)].concat());
    let everything = sorted(parts.flatten().collect());
    let stored = collect(&client, TOPIC, everything.len()).await?;
    let texts = stored.iter().map(|one| one.text().unwrap_or_default().to_owned()).collect();
    assert_eq!(sorted(texts), everything);
    for text in rounds.iter().flat_map(|round| unread(round)) {
        assert_eq!(found(&client, &text.replace(' ', "-")).await?, [text]);
    }
    client.shutdown().await;
    Ok(())
}

/// Returns the bodies of the messages with a key.
async fn found(client: &Client, key: &str) -> TestResult<Vec<String>> {
    let request = QueryMessageRequest {
        topic: TOPIC.to_owned(),
        key: key.to_owned(),
        max_num: 32,
        begin_timestamp: 0,
        end_timestamp: i64::MAX,
        unique_key_query: None,
        index_type: None,
    };
    let answer = ask(client, TOPIC, &request).await?;
    let records = MessageRecord::decode_all(answer.body);
    Ok(records.map(|record| String::from_utf8_lossy(&record.body).into_owned()).collect())
}
