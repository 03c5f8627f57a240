//! Sends transactions: a half message and its commit, repeatedly.

use rocketmq_client::{Message, Producer, TransactionState};

use crate::Failure;
use crate::measure::Load;
use crate::produce::connect;

pub async fn run(name_server: &str, topic: &str, load: Load<'_>) -> Result<String, Failure> {
    let client = connect(name_server).await?;
    let producer =
        client.producer("bench_transactions").configure(|config| config.compress_threshold = usize::MAX);
    let checked = producer.topics([topic]).transaction_checker(|_| async { TransactionState::Commit });
    let producer = checked.build().await?;
    let message = Message::new(topic, load.bytes());
    let line = load.drive(|_| {
        let (producer, message) = (producer.clone(), message.clone());
        move || commit(producer.clone(), message.clone())
    });
    let line = line.await;
    producer.shutdown().await;
    client.shutdown().await;
    line
}

/// Counts a transaction after the broker has confirmed its commit. The Java client does not wait for that answer.
async fn commit(producer: Producer, message: Message) -> Option<u64> {
    producer.begin(message).await.ok()?.commit().await.ok().map(|()| 1)
}
