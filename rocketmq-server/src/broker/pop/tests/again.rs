//! A message that was popped and not acknowledged comes again, however consumer and broker end.

use std::time::Duration;

use rocketmq_remoting::body::group::SubscriptionGroupConfig;
use rocketmq_remoting::body::{BatchAck, BatchAckBody};
use rocketmq_remoting::message::{MessageRecord, Properties};
use rocketmq_remoting::{RequestCode, ResponseCode};

use crate::broker::tests::pop_rig::{HIDDEN, Popped, Popper};
use crate::broker::tests::rig::{Rig, START};

/// A little longer than messages are hidden and late acknowledgements waited for.
const AFTER: Duration = Duration::from_millis(HIDDEN as u64 + 2_001);

async fn sent_and_popped(rig: &Rig, bodies: &[&'static str]) -> (Popper, Vec<Popped>) {
    let popper = Popper::new(rig, "g");
    for body in bodies {
        popper.client.send("t", body, &[("TAGS", "x")]).await;
    }
    let messages = popper.pop("t").await.messages;
    assert_eq!(messages.len(), bodies.len());
    (popper, messages)
}

#[tokio::test]
async fn only_what_was_not_acknowledged_comes_again() {
    let rig = Rig::start().await;
    let (popper, messages) = sent_and_popped(&rig, &["a", "b", "c"]).await;
    assert_eq!(popper.ack(&messages[0]).await, ResponseCode::SUCCESS);
    assert_eq!(popper.ack(&messages[2]).await, ResponseCode::SUCCESS);
    rig.advance(AFTER);
    let again = popper.wait("t").await;
    assert_eq!(again.bodies(), ["b"]);
    let message = &again.messages[0].message;
    let properties = Properties::parse(&message.properties);
    assert_eq!((message.topic.as_str(), message.queue_id, message.reconsume_times), ("t", 0, 1));
    assert_eq!(properties.get("1ST_POP_TIME"), Some(START.to_string().as_str()));
    assert_eq!((properties.get("ORIGIN_GROUP"), properties.tags()), (Some("g"), Some("x")));
    assert_eq!(again.header.start_offset_info.as_deref(), Some("1 0 0"));
    assert_eq!(again.messages[0].stored_topic("g"), "%RETRY%g_t");

    assert_eq!(popper.ack(&again.messages[0]).await, ResponseCode::SUCCESS);
    rig.advance(AFTER);
    assert_eq!(popper.pop("t").await.code, ResponseCode::POLLING_TIMEOUT);
}

#[tokio::test]
async fn nothing_comes_again_before_its_time() {
    let rig = Rig::start().await;
    let (popper, _) = sent_and_popped(&rig, &["a"]).await;
    rig.advance(Duration::from_millis(HIDDEN as u64 - 1));
    tokio::task::yield_now().await;
    assert_eq!(popper.pop("t").await.code, ResponseCode::POLLING_TIMEOUT);
    rig.advance(Duration::from_millis(2_002));
    assert_eq!(popper.wait("t").await.bodies(), ["a"]);
}

#[tokio::test]
async fn the_death_of_a_consumer_loses_nothing() {
    let rig = Rig::start().await;
    let (popper, _) = sent_and_popped(&rig, &["a", "b"]).await;
    popper.client.connection.close();
    popper.client.connection.closed().await;
    let heir = Popper::new(&rig, "g");
    rig.advance(AFTER);
    let mut bodies = heir.wait("t").await.bodies().join(",");
    if bodies == "a" {
        bodies = format!("a,{}", heir.wait("t").await.bodies().join(","));
    }
    assert_eq!(bodies, "a,b");
}

#[tokio::test]
async fn the_death_of_the_broker_loses_neither_messages_nor_acknowledgements() {
    let rig = Rig::start().await;
    let (popper, messages) = sent_and_popped(&rig, &["a", "b", "c"]).await;
    popper.ack(&messages[0]).await;
    let rig = rig.crash().await;
    let popper = Popper::new(&rig, "g");
    assert_eq!(popper.ack(&messages[1]).await, ResponseCode::SUCCESS, "a receipt outlives the broker");
    rig.advance(AFTER);
    // The group's offset may be as old as the last time it was saved, so messages may come once more from their own
    // queue; what is open comes again from the retry topic.
    let mut from_retry = Vec::new();
    while from_retry.is_empty() {
        let answer = popper.wait("t").await;
        from_retry.extend(answer.messages.into_iter().filter(|popped| popped.message.reconsume_times > 0));
    }
    assert_eq!(from_retry.iter().map(Popped::body).collect::<Vec<_>>(), ["c"]);
}

#[tokio::test]
async fn an_orderly_restart_repeats_nothing() {
    let rig = Rig::start().await;
    let (_, messages) = sent_and_popped(&rig, &["a", "b"]).await;
    let rig = rig.restart().await;
    let popper = Popper::new(&rig, "g");
    assert_eq!(popper.pop("t").await.code, ResponseCode::POLLING_TIMEOUT);
    popper.ack(&messages[1]).await;
    rig.advance(AFTER);
    assert_eq!(popper.wait("t").await.bodies(), ["a"]);
    let rig = rig.restart().await;
    let popper = Popper::new(&rig, "g");
    assert_eq!(popper.pop("t").await.code, ResponseCode::POLLING_TIMEOUT);
    rig.advance(AFTER);
    let again = popper.wait("t").await;
    assert_eq!((again.bodies(), again.messages[0].message.reconsume_times), (vec!["a"], 2));
}

#[tokio::test]
async fn many_are_acknowledged_at_once() {
    let rig = Rig::start().await;
    let (popper, messages) = sent_and_popped(&rig, &["a", "b", "c", "d"]).await;
    let words: Vec<&str> = messages[0].receipt.split(' ').collect();
    let ack = BatchAck {
        bits: [0, 1, 3].into_iter().collect(),
        consumer_group: "g".into(),
        invisible_time: HIDDEN,
        pop_time: START,
        queue_id: 0,
        retry: "0".into(),
        revive_queue_id: words[3].parse().unwrap(),
        start_offset: 0,
        topic: "t".into(),
    };
    let body = BatchAckBody { acks: vec![ack], broker_name: "broker-a".into() };
    assert_eq!(popper.ack_many(&body).await, ResponseCode::SUCCESS);
    assert_eq!(popper.ack_many(&BatchAckBody::default()).await, ResponseCode::NO_MESSAGE);
    rig.advance(AFTER);
    assert_eq!(popper.wait("t").await.bodies(), ["c"]);
}

#[tokio::test]
async fn a_changed_time_replaces_the_first_one() {
    let rig = Rig::start().await;
    let (popper, messages) = sent_and_popped(&rig, &["longer", "shorter"]).await;
    let longer = popper.hide(&messages[0], 10 * HIDDEN).await;
    popper.hide(&messages[1], 1_000).await;
    rig.advance(Duration::from_millis(3_001));
    assert_eq!(popper.wait("t").await.bodies(), ["shorter"]);
    rig.advance(AFTER);
    assert_eq!(popper.wait("t").await.bodies(), ["shorter"], "the longer one is still hidden");
    popper.ack(&longer).await;
    rig.advance(Duration::from_millis(10 * HIDDEN as u64));
    assert_eq!(popper.wait("t").await.bodies(), ["shorter"]);
}

#[tokio::test]
async fn after_the_groups_last_try_a_message_is_given_up() {
    let rig = Rig::start().await;
    let popper = Popper::new(&rig, "g");
    let config = SubscriptionGroupConfig {
        group_name: "g".into(),
        retry_max_times: 1,
        ..SubscriptionGroupConfig::default()
    };
    popper.client.ask_json(RequestCode::UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, &config).await;
    popper.client.send("t", "poison", &[]).await;
    popper.pop("t").await;
    rig.advance(AFTER);
    assert_eq!(popper.wait("t").await.bodies(), ["poison"]);
    rig.advance(AFTER);
    let dead = popper.client.drain("%DLQ%g", 0, 1).await.remove(0);
    assert_eq!(dead.reconsume_times, 2);
    assert_eq!(Properties::parse(&dead.properties).retry_topic(), Some("t"));
    assert_eq!(popper.pop("t").await.code, ResponseCode::POLLING_TIMEOUT);
}

#[tokio::test]
async fn the_new_retry_topic_is_written_and_the_old_one_still_read() {
    let rig = Rig::with(|settings| settings.live.pop.retry_topic_v2 = true).await;
    let (popper, _) = sent_and_popped(&rig, &["a"]).await;
    rig.advance(AFTER);
    let again = popper.wait("t").await;
    assert_eq!(again.messages[0].stored_topic("g"), "%RETRY%g+t");
    assert_eq!(again.header.msg_offset_info.as_deref(), Some("2 0 0"));
}

#[tokio::test]
async fn the_revive_topic_holds_what_apache_would_read() {
    let rig = Rig::start().await;
    let (popper, messages) = sent_and_popped(&rig, &["a", "b"]).await;
    popper.ack(&messages[1]).await;
    rig.advance(AFTER);
    let queue = messages[0].receipt.split(' ').nth(3).unwrap().parse().unwrap();
    let records = popper.client.drain("rmq_sys_REVIVE_LOG_DefaultCluster", queue, 2).await;
    let due = START + HIDDEN;
    let parts = |record: &MessageRecord| {
        let properties = Properties::parse(&record.properties);
        let body = String::from_utf8(record.body.to_vec()).unwrap();
        (
            body,
            properties.unique_key().unwrap().to_owned(),
            properties.get("TIMER_DELIVER_MS").unwrap().parse::<i64>().unwrap(),
        )
    };
    let checkpoint = format!(
        r#"{{"bm":0,"bn":"broker-a","c":"g","d":[0,1],"it":{HIDDEN},"n":2,"pt":{START},"q":0,"reviveTime":{due},"ro":0,"so":0,"t":"t"}}"#
    );
    assert_eq!(parts(&records[0]), (checkpoint, format!("t@0@0@g@{START}@broker-a@ck"), due - 1_000));
    let ack = format!(r#"{{"ao":1,"bn":"broker-a","c":"g","pt":{START},"q":0,"so":0,"t":"t"}}"#);
    assert_eq!(parts(&records[1]), (ack, format!("t@0@1@g@{START}@broker-a@ack"), due));
}
