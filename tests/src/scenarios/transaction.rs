//! Transactions: their sender decides them, or a member that the broker asks.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rocketmq_client::{Delivery, FromWhere, Message, TransactionState};

use crate::{Cluster, Inbox, TestResult, collect, unique_group};

/// Two rounds of checks with the settings of the harness: the first after 6 s, then every 30 s.
const TWO_ROUNDS: Duration = Duration::from_secs(75);

/// Committed messages are delivered, others never.
pub async fn decided_by_the_sender(cluster: &Cluster) -> TestResult {
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 1).await?;
    let producer = client.producer(unique_group()).build().await?;
    let dropped = producer.begin(Message::new(&topic, "rolled back")).await?;
    let kept =
        producer.begin(Message::new(&topic, "committed").tag("t").key("42").property("p", "v")).await?;
    let id = kept.message_id().to_owned();
    producer.send(Message::new(&topic, "between")).await?;
    dropped.rollback().await?;
    kept.commit().await?;

    let seen = collect(&client, &topic, 2).await?;
    let texts: Vec<_> = seen.iter().filter_map(Delivery::text).collect();
    assert_eq!(texts, ["between", "committed"], "a half message is placed when it is committed");
    let committed = &seen[1];
    assert_eq!((committed.tag(), committed.property("p")), (Some("t"), Some("v")));
    assert_eq!((committed.topic(), committed.message_id()), (topic.as_str(), id.as_str()));
    Ok(())
}

/// A broker checks an undecided transaction with its group until it is decided, and not again.
pub async fn decided_by_the_checker(cluster: &Cluster) -> TestResult {
    let (client, asked) = (cluster.client().await?, Arc::new(Mutex::new(Vec::<String>::new())));
    let (topic, questions) = (cluster.topic(&client, 1).await?, asked.clone());
    let checker = move |half: Delivery| {
        let text = half.text().unwrap_or_default().to_owned();
        let mut questions = questions.lock();
        let before = questions.iter().filter(|asked| **asked == text).count();
        questions.push(text.clone());
        let state = match (text.as_str(), before) {
            ("commit", _) | ("later", 1) => TransactionState::Commit,
            ("later", _) => TransactionState::Unknown,
            _ => TransactionState::Rollback,
        };
        async move { state }
    };
    let producer = client.producer(unique_group()).transaction_checker(checker).build().await?;
    for body in ["commit", "later", "rollback"] {
        drop(producer.begin(Message::new(&topic, body)).await?);
    }
    let inbox = Inbox::default();
    let consumer = client.push_consumer(unique_group()).subscribe(&topic, "*");
    let running = consumer.from_where(FromWhere::FirstOffset).listen(inbox.accept()).await?;
    cluster.later(TWO_ROUNDS, "both committed messages", async || inbox.len() >= 2).await;
    running.shutdown().await;
    assert_eq!(inbox.texts(), ["commit", "later"]);
    let mut asked = asked.lock().clone();
    asked.sort();
    assert_eq!(asked, ["commit", "later", "later", "rollback"]);
    Ok(())
}

/// The broker can ask any member of the group about the transaction of a member that is gone.
pub async fn decided_by_another_member(cluster: &Cluster) -> TestResult {
    let (gone, stays) = (cluster.client().await?, cluster.client().await?);
    let (topic, group) = (cluster.topic(&gone, 1).await?, unique_group());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let checker = |name: &'static str| {
        let asked = asked.clone();
        move |half: Delivery| {
            asked.lock().push((name, half.text().unwrap_or_default().to_owned()));
            async { TransactionState::Commit }
        }
    };
    let sender = gone.producer(&group).transaction_checker(checker("the sender")).build().await?;
    // A broker knows a producer that sends to it, or that names one of its topics at the start.
    let other = stays.producer(&group).topics([&topic]).transaction_checker(checker("the other"));
    let _other = other.build().await?;
    drop(sender.begin(Message::new(&topic, "left open")).await?);
    sender.shutdown().await;
    drop(gone);
    let inbox = Inbox::default();
    let consumer = stays.push_consumer(unique_group()).subscribe(&topic, "*");
    let running = consumer.from_where(FromWhere::FirstOffset).listen(inbox.accept()).await?;
    cluster.later(TWO_ROUNDS, "the committed message", async || !inbox.is_empty()).await;
    running.shutdown().await;
    assert_eq!(*asked.lock(), [("the other", "left open".to_owned())]);
    Ok(())
}
