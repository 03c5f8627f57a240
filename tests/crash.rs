//! Kills a broker under load: it keeps every acknowledged message exactly as sent, and serves nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use rocketmq_client::{Client, Message, Offset, Producer, Pulled};
use rocketmq_tests::{BrokerProcess, PATIENCE, TestResult, eventually};

const TOPIC: &str = "orders";
const SENDERS: u64 = 16;
const KILLS: usize = 4;
/// Acknowledged messages before each kill: a kill of a broker with an empty store would test nothing.
const ACKED_BEFORE_A_KILL: usize = 300;

/// The sent messages and their receipts.
#[derive(Debug, Default)]
struct Audit {
    next: AtomicU64,
    /// Body of each acknowledged message, by the queue and offset in its receipt.
    acked: Mutex<BTreeMap<(i32, i64), Vec<u8>>>,
}

/// Returns body `number`, of 1 to 2000 bytes. Its content shows whether it is complete.
fn body(number: u64) -> Vec<u8> {
    let mut text = format!("{number:012}").into_bytes();
    let length = 12 + (number.wrapping_mul(2_654_435_761) % 2_000) as usize;
    let mut state = number | 1;
    while text.len() < length {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        text.push((state >> 56) as u8);
    }
    text
}

fn number(body: &[u8]) -> Option<u64> {
    std::str::from_utf8(body.get(..12)?).ok()?.parse().ok()
}

/// Sends until `stop` is set or the broker is gone.
async fn load(producer: Producer, audit: Arc<Audit>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        let body = body(audit.next.fetch_add(1, Ordering::Relaxed));
        let Ok(receipt) = producer.send(Message::new(TOPIC, body.clone())).await else { return };
        let place = (receipt.queue(), receipt.queue_offset());
        let taken = audit.acked.lock().insert(place, body);
        assert!(taken.is_none(), "two messages were promised the place {place:?}");
    }
}

/// Loads the broker from several senders, and kills it in the middle.
async fn kill_under_load(broker: &mut BrokerProcess, audit: &Arc<Audit>) -> TestResult {
    let client = rocketmq_client::connect(broker.name_server()).await?;
    // Compression and retries are off: the test compares bodies with those on disk, and a failed send may have been
    // stored.
    let producer =
        client.producer("crash").retries(0).configure(|config| config.compress_threshold = 1 << 20);
    let producer = producer.build().await?;
    let stop = Arc::<AtomicBool>::default();
    let before = audit.acked.lock().len();
    let senders: Vec<_> =
        (0..SENDERS).map(|_| tokio::spawn(load(producer.clone(), audit.clone(), stop.clone()))).collect();
    eventually("enough acknowledged messages", PATIENCE, async || {
        audit.acked.lock().len() >= before + ACKED_BEFORE_A_KILL
    })
    .await;
    broker.kill().await?;
    stop.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.await?;
    }
    client.shutdown().await;
    Ok(())
}

/// Reads all messages of the broker, by queue and offset.
async fn stored(client: &Client) -> TestResult<BTreeMap<(i32, i64), Vec<u8>>> {
    let reader = client.pull_consumer("audit").build().await?;
    let mut all = BTreeMap::new();
    for queue in reader.queues(TOPIC).await? {
        let end = reader.offset(&queue, Offset::Last).await?;
        let mut at = reader.offset(&queue, Offset::First).await?;
        while at < end {
            let pulled = reader.pull(&queue, Offset::At(at)).max(1000).await?;
            let Pulled::Found { messages, next } = pulled else {
                return Err(format!("{queue:?} ends at {end}, but at {at} is {pulled:?}").into());
            };
            all.extend(messages.iter().map(|m| ((queue.queue_id, m.queue_offset()), m.body().to_vec())));
            at = next;
        }
    }
    Ok(all)
}

fn assert_kept(audit: &Audit, stored: &BTreeMap<(i32, i64), Vec<u8>>) {
    for (place, sent) in audit.acked.lock().iter() {
        assert_eq!(stored.get(place), Some(sent), "the acknowledged message at {place:?}");
    }
    let torn: Vec<_> =
        stored.iter().filter(|(_, kept)| number(kept).map(body).as_ref() != Some(*kept)).collect();
    assert!(torn.is_empty(), "served and never sent like that: {torn:?}");
    let numbers: BTreeSet<_> = stored.values().filter_map(|kept| number(kept)).collect();
    assert_eq!(numbers.len(), stored.len(), "a message is stored twice, and none was sent twice");
}

async fn survives_kills(settings: &str) -> TestResult {
    let mut broker = BrokerProcess::start(env!("CARGO_BIN_EXE_broker_under_test"), settings).await?;
    let audit = Arc::<Audit>::default();
    for _ in 0..KILLS {
        kill_under_load(&mut broker, &audit).await?;
        broker.restart().await?;
        let client = rocketmq_client::connect(broker.name_server()).await?;
        assert_kept(&audit, &stored(&client).await?);
        client.shutdown().await;
    }
    Ok(())
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_with_flushes_in_the_background() -> TestResult {
    survives_kills("flushDiskType=ASYNC_FLUSH").await
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_with_a_flush_before_each_answer() -> TestResult {
    survives_kills("flushDiskType=SYNC_FLUSH").await
}

/// The next start cuts off a record that a power cut left incomplete, and keeps the records before it.
#[tokio::test]
async fn a_torn_end_is_cut_and_not_served() -> TestResult {
    let settings = "flushDiskType=SYNC_FLUSH";
    let mut broker = BrokerProcess::start(env!("CARGO_BIN_EXE_broker_under_test"), settings).await?;
    let client = rocketmq_client::connect(broker.name_server()).await?;
    let producer = client.producer("crash").build().await?;
    let mut last = producer.send(Message::new(TOPIC, body(1))).await?;
    for number in 2..5 {
        last = producer.send(Message::new(TOPIC, body(number))).to_queue(last.message_queue()).await?;
    }
    client.shutdown().await;
    broker.kill().await?;
    tear(&broker, &last.offset_message_id()[16..])?;
    broker.restart().await?;

    let client = rocketmq_client::connect(broker.name_server()).await?;
    let bodies: Vec<_> = stored(&client).await?.into_values().collect();
    assert_eq!(bodies, [body(1), body(2), body(3)]);
    // The next message takes the place of the cut one.
    let producer = client.producer("crash").build().await?;
    let next = producer.send(Message::new(TOPIC, body(5))).to_queue(last.message_queue()).await?;
    assert_eq!(next.queue_offset(), last.queue_offset());
    Ok(())
}

/// Overwrites the record at this hexadecimal offset of the first log file, from its middle on.
fn tear(broker: &BrokerProcess, offset: &str) -> TestResult {
    use std::os::unix::fs::FileExt as _;
    let middle = u64::from_str_radix(offset, 16)? + 60;
    let file = broker.store().join("commitlog").join("0".repeat(20));
    let file = std::fs::OpenOptions::new().write(true).open(file)?;
    file.write_all_at(&[0; 4096], middle)?;
    Ok(())
}
