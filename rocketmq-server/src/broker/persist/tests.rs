//! Positions kept in `config/` after the log they belong to is gone: each is set to where its queue really is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rocketmq_remoting::body::offset::{ConsumerOffsetWrapper, DelayOffsetWrapper};
use rocketmq_remoting::fastjson;
use rocketmq_remoting::requests::offset::UpdateConsumerOffsetRequest;
use rocketmq_remoting::requests::pop::PopMessageRequest;
use rocketmq_remoting::{RequestCode, ResponseCode};

use crate::broker::tests::pop_rig::{HIDDEN, Popper};
use crate::broker::tests::rig::{Client, Rig};
use crate::broker::tests::transaction_rig::{COMMIT, answer_to, end_of, half};

/// Folders that an operator deletes to empty a store while `config/` stays.
const EMPTIED: [&[&str]; 2] = [&["commitlog"], &["commitlog", "consumequeue", "index"]];

/// Longer than messages are hidden and late acknowledgements waited for.
const AFTER: Duration = Duration::from_millis(HIDDEN as u64 + 2_001);

async fn bodies(client: &Client, topic: &str, count: usize) -> Vec<String> {
    let messages = client.drain(topic, 0, count).await;
    messages.iter().map(|message| String::from_utf8_lossy(&message.body).into_owned()).collect()
}

async fn commit(client: &Client, group: &str, offset: i64) {
    client.heartbeat("c", group, &["t"]).await;
    let update = UpdateConsumerOffsetRequest {
        consumer_group: group.into(),
        topic: "t".into(),
        queue_id: 0,
        commit_offset: offset,
    };
    assert_eq!(client.ask(&update).await.response_code(), ResponseCode::SUCCESS);
}

fn kept_offset(rig: &Rig, key: &str) -> Option<i64> {
    let text = std::fs::read(rig.path().join("config/consumerOffset.json")).unwrap();
    let kept: ConsumerOffsetWrapper = fastjson::from_slice(&text).unwrap();
    kept.offset_table.get(key)?.get(&0).copied()
}

#[tokio::test]
async fn transactions_are_committed_and_asked_about_after_the_log_is_gone() {
    for emptied in EMPTIED {
        let rig = Rig::start().await;
        let client = rig.connect();
        client.producer_heartbeat("c", "p").await;
        for body in ["a", "b", "c"] {
            let sent = half(&client, body, &[]).await;
            client.ask(&end_of(&sent, COMMIT)).await;
        }
        half(&client, "open", &[]).await;
        rig.advance(Duration::from_secs(30));
        client.next_of(RequestCode::CHECK_TRANSACTION_STATE).await;

        let rig = rig.restart_without(emptied).await;
        let client = rig.connect();
        client.producer_heartbeat("c", "p").await;
        for _ in 0..12 {
            let sent = half(&client, "x", &[]).await;
            let answer = client.ask(&end_of(&sent, COMMIT)).await;
            assert_eq!(answer.response_code(), ResponseCode::SUCCESS, "{:?}", answer.remark);
        }
        assert_eq!(client.drain("t", 0, 12).await.len(), 12);
        half(&client, "asked", &[]).await;
        rig.advance(Duration::from_secs(30));
        let check = client.next_of(RequestCode::CHECK_TRANSACTION_STATE).await;
        assert_eq!(check.ext.get("transactionId"), Some("asked"));
        client.ask(&answer_to(&check, COMMIT)).await;
        assert_eq!(bodies(&client, "t", 13).await[12], "asked");
    }
}

#[tokio::test]
async fn delayed_messages_of_every_level_arrive_after_the_log_is_gone() {
    for emptied in EMPTIED {
        let rig = Rig::start().await;
        let client = rig.connect();
        for level in ["1", "1", "1", "1", "1", "3", "3", "3", "3", "3"] {
            client.send("t", "x", &[("DELAY", level)]).await;
        }
        rig.advance(Duration::from_secs(10));
        client.drain("t", 0, 10).await;

        let rig = rig.restart_without(emptied).await;
        let text = std::fs::read(rig.path().join("config/delayOffset.json")).unwrap();
        let kept: DelayOffsetWrapper = fastjson::from_slice(&text).unwrap();
        assert!(kept.offset_table.values().all(|offset| *offset == 0), "{kept:?}");
        let client = rig.connect();
        for level in ["1", "2", "3", "4"] {
            client.send("t", "y", &[("DELAY", level)]).await;
        }
        rig.advance(Duration::from_secs(30));
        assert_eq!(client.drain("t", 0, 4).await.len(), 4);
    }
}

#[tokio::test]
async fn timers_are_delivered_after_the_log_is_gone() {
    for emptied in EMPTIED {
        let rig = Rig::start().await;
        let client = rig.connect();
        for _ in 0..5 {
            client.send("t", "x", &[("TIMER_DELAY_MS", "1000")]).await;
        }
        client.send("t", "x", &[("TIMER_DELAY_MS", "90000")]).await;
        rig.advance(Duration::from_secs(1));
        client.drain("t", 0, 5).await;

        let rig = rig.restart_without(emptied).await;
        let client = rig.connect();
        // Before the service has its first turn: the position must be right by then.
        client.send("t", "y", &[("TIMER_DELAY_MS", "1000")]).await;
        let rig = rig.crash().await;
        rig.advance(Duration::from_secs(1));
        assert_eq!(bodies(&rig.connect(), "t", 1).await, ["y"]);
    }
}

#[tokio::test]
async fn popped_messages_come_again_after_the_log_is_gone() {
    for emptied in EMPTIED {
        let rig = Rig::start().await;
        let popper = Popper::new(&rig, "g");
        for round in 0..16 {
            popper.client.send("t", "x", &[]).await;
            let answer = popper.pop("t").await;
            assert_eq!(popper.ack(&answer.messages[0]).await, ResponseCode::SUCCESS, "{round}");
        }
        rig.advance(AFTER);
        popper.client.send("t", "waits", &[]).await;
        popper.pop("t").await;

        let mut rig = rig.restart_without(emptied).await;
        for _ in 0..2 {
            let popper = Popper::new(&rig, "g");
            for _ in 0..8 {
                popper.client.send("t", "y", &[]).await;
                assert_eq!(popper.pop("t").await.bodies(), ["y"]);
            }
            rig.advance(AFTER);
            let mut seen = 0;
            while seen < 8 {
                let again = popper.wait("t").await;
                for message in &again.messages {
                    popper.ack(message).await;
                }
                seen += again.messages.len();
            }
            rig.advance(AFTER);
            rig = rig.restart().await;
        }
    }
}

#[tokio::test]
async fn an_ordered_pop_of_messages_that_are_gone_blocks_nobody() {
    let rig = Rig::start().await;
    let popper = Popper::new(&rig, "g");
    for body in ["a", "b"] {
        popper.client.send("t", body, &[]).await;
    }
    let ordered = PopMessageRequest { order: true, ..popper.request("t") };
    assert_eq!(popper.ask(&ordered).await.bodies(), ["a", "b"]);

    let rig = rig.restart_without(EMPTIED[1]).await;
    let popper = Popper::new(&rig, "g");
    popper.client.send("t", "new", &[]).await;
    let answer = popper.ask(&ordered).await;
    assert_eq!(answer.bodies(), ["new"]);
    assert_eq!(answer.header.order_count_info.as_deref(), Some("0 0 0"), "it was never handed out before");
}

#[tokio::test]
async fn a_group_goes_on_at_the_end_of_a_queue_that_became_shorter() {
    let rig = Rig::start().await;
    let client = rig.connect();
    for _ in 0..3 {
        client.send("t", "x", &[]).await;
    }
    for (group, offset) in [("ahead", 3), ("behind", 1)] {
        commit(&client, group, offset).await;
    }
    let rig = rig.restart().await;
    assert_eq!((kept_offset(&rig, "t@ahead"), kept_offset(&rig, "t@behind")), (Some(3), Some(1)));
    let rig = rig.restart_without(EMPTIED[0]).await;
    assert_eq!((kept_offset(&rig, "t@ahead"), kept_offset(&rig, "t@behind")), (Some(0), Some(0)));
    let client = rig.connect();
    client.send("t", "new", &[]).await;
    let rig = rig.restart().await;
    assert_eq!(kept_offset(&rig, "t@ahead"), Some(0), "what is right stays");
}

/// A broker with something in every table that it keeps.
async fn busy() -> Rig {
    let rig = Rig::start().await;
    let popper = Popper::new(&rig, "g");
    for (name, value) in [("DELAY", "1"), ("TIMER_DELAY_MS", "1000"), ("TIMER_DELAY_MS", "90000")] {
        popper.client.send("t", "x", &[(name, value)]).await;
    }
    rig.advance(Duration::from_secs(1));
    popper.client.drain("t", 0, 2).await;
    commit(&popper.client, "g", 1).await;
    let ordered = PopMessageRequest { order: true, ..popper.request("t") };
    popper.ask(&ordered).await;
    popper.client.send("gone", "x", &[]).await;
    rig.broker.store().delete_topic("gone").unwrap();
    rig.restart().await
}

/// The tables below `config/`, with their text.
fn tables(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = std::fs::read_dir(root.join("config")).unwrap().map(|entry| entry.unwrap().path());
    let tables = files.filter(|file| file.extension().is_some_and(|kind| kind == "json"));
    tables.map(|file| (file.clone(), std::fs::read(file).unwrap())).collect()
}

/// `FLIPS=1000` flips so many bits in each table.
#[tokio::test]
async fn a_flipped_bit_of_any_table_is_mended_when_the_broker_starts() {
    let flips = std::env::var("FLIPS").ok().and_then(|flips| flips.parse().ok()).unwrap_or(4);
    let mut rig = busy().await;
    let before = tables(rig.path());
    let names: Vec<_> = before.keys().filter_map(|file| file.file_stem()?.to_str()).collect();
    let kept = ["consumerOffset", "consumerOrderInfo", "delayOffset", "deletedTopics", "subscriptionGroup"];
    assert!(kept.iter().chain(&["timerProgress", "topics"]).all(|kind| names.contains(kind)), "{names:?}");
    let mut chance = StdRng::seed_from_u64(8);
    for _ in 0..flips {
        let mut damaged = before.clone();
        for (file, text) in &mut damaged {
            let bit = chance.random_range(0..text.len() * 8);
            text[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(&before[file], text);
        }
        rig = rig
            .crash_and(|_| damaged.iter().for_each(|(file, text)| std::fs::write(file, text).unwrap()))
            .await;
        assert_eq!(tables(rig.path()), before);
    }
}

#[tokio::test]
async fn a_broker_starts_without_the_offsets_that_it_cannot_read() {
    let rig = busy().await;
    let rig = rig
        .crash_and(|root| {
            std::fs::write(root.join("config/consumerOffset.json"), "{\"offsetTable\":{\"t@g\"").unwrap();
            let _ = std::fs::remove_file(root.join("config/consumerOffset.json.bak"));
        })
        .await;
    let client = rig.connect();
    assert_eq!(client.drain("t", 0, 2).await.len(), 2, "reads go on");
    commit(&client, "g", 1).await;
    assert!(rig.path().join("config/consumerOffset.json.damaged").exists());
}
