//! Stops the broker, in order or not, and looks at what is still there.

use std::collections::BTreeMap;
use std::time::Duration;

use rocketmq_remoting::body::group::SubscriptionGroupWrapper;
use rocketmq_remoting::body::offset::DelayOffsetWrapper;
use rocketmq_remoting::body::topic::TopicConfigWrapper;
use rocketmq_remoting::requests::offset::{QueryConsumerOffsetRequest, UpdateConsumerOffsetRequest};
use rocketmq_remoting::requests::topic::DeleteTopicRequest;
use rocketmq_remoting::{Command, ResponseCode, fastjson};

use super::pop_rig::{HIDDEN, Popper};
use super::rig::{Client, Rig, START, eventually};
use super::transaction_rig::half;
use crate::broker::names::HALF_TOPIC;
use crate::broker::{DelayLevels, Settings};

async fn commit(client: &Client, offset: i64) -> Command {
    let update = UpdateConsumerOffsetRequest {
        consumer_group: "g".into(),
        topic: "t".into(),
        queue_id: 0,
        commit_offset: offset,
    };
    client.ask(&update).await
}

async fn committed(client: &Client) -> Option<String> {
    let query = QueryConsumerOffsetRequest {
        consumer_group: "g".into(),
        topic: "t".into(),
        queue_id: 0,
        set_zero_if_not_found: Some(false),
    };
    client.ask(&query).await.ext.get("offset").map(str::to_owned)
}

#[tokio::test]
async fn messages_topics_groups_and_offsets_survive_a_restart() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.heartbeat("c", "g", &["t"]).await;
    client.send("t", "x", &[]).await;
    commit(&client, 1).await;
    let rig = rig.restart().await;
    let client = rig.connect();
    assert_eq!(client.drain("t", 0, 1).await.len(), 1);
    assert_eq!(committed(&client).await.as_deref(), Some("1"));
    assert_eq!(client.send("t", "y", &[]).await.queue_offset, 1);
    assert!(rig.broker.topics().topic_config_table.contains_key("%RETRY%g"));
}

#[tokio::test]
async fn an_acknowledged_message_survives_a_crash_and_offsets_those_of_the_last_interval() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.heartbeat("c", "g", &["t"]).await;
    for _ in 0..8 {
        client.send("t", "x", &[]).await;
    }
    commit(&client, 7).await;
    let file = rig.path().join("config/consumerOffset.json");
    rig.advance(Duration::from_secs(5));
    eventually(|| file.exists()).await;
    commit(&client, 8).await;
    let rig = rig.crash().await;
    let client = rig.connect();
    assert_eq!(client.drain("t", 0, 8).await.len(), 8);
    assert_eq!(committed(&client).await.as_deref(), Some("7"));
}

#[tokio::test]
async fn offsets_are_saved_after_the_clock_was_set_back() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.heartbeat("c", "g", &["t"]).await;
    client.send("t", "x", &[]).await;
    rig.clock.set(START - 3_600_000);
    commit(&client, 1).await;
    rig.advance(Duration::from_secs(5));
    let file = rig.path().join("config/consumerOffset.json");
    eventually(|| file.exists()).await;
}

#[tokio::test]
async fn the_files_have_apaches_names_and_members() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.heartbeat("c", "g", &["t"]).await;
    client.send("t", "x", &[("DELAY", "1")]).await;
    rig.advance(Duration::from_secs(1));
    client.drain("t", 0, 1).await;
    commit(&client, 1).await;
    let rig = rig.restart().await;
    let read = |name: &str| std::fs::read(rig.path().join("config").join(name)).unwrap();
    let text = String::from_utf8(read("consumerOffset.json")).unwrap();
    assert!(text.contains("\t\t\"t@g\":{\n\t\t\t0:1\n\t\t}"), "{text}");
    let delays: DelayOffsetWrapper = fastjson::from_slice(&read("delayOffset.json")).unwrap();
    assert_eq!(delays.offset_table, BTreeMap::from([(1, 1)]));
    let topics: TopicConfigWrapper = fastjson::from_slice(&read("topics.json")).unwrap();
    assert_eq!(topics.topic_config_table["t"].write_queue_nums, 4);
    let groups: SubscriptionGroupWrapper = fastjson::from_slice(&read("subscriptionGroup.json")).unwrap();
    assert_eq!(groups.subscription_group_table["g"].retry_max_times, 16);
}

#[tokio::test]
async fn a_commit_that_cannot_be_kept_is_not_answered_with_success() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.heartbeat("c", "g", &["t"]).await;
    client.send("t", "x", &[]).await;
    let in_the_way = rig.path().join("config/consumerOffset.json.tmp");
    std::fs::create_dir_all(&in_the_way).unwrap();
    commit(&client, 1).await;
    rig.advance(Duration::from_secs(5));
    eventually(|| rig.broker.domains.offsets.offsets.lock().save_failed()).await;
    let answer = commit(&client, 1).await;
    assert_eq!(answer.response_code(), ResponseCode::SYSTEM_ERROR);
    assert!(answer.remark.unwrap_or_default().contains("consumerOffset.json"));
    std::fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(commit(&client, 1).await.response_code(), ResponseCode::SUCCESS);
    let rig = rig.crash().await;
    assert_eq!(committed(&rig.connect()).await.as_deref(), Some("1"));
}

#[tokio::test]
async fn what_is_deleted_before_a_group_read_it_is_counted() {
    let rig = Rig::with(|settings| {
        settings.fixed.store.commit_log_file_size = 4096;
        settings.live.store.disk_clean_forcibly = 0.0;
    })
    .await;
    let client = rig.connect();
    client.heartbeat("c", "g", &["t"]).await;
    for _ in 0..200 {
        client.send("t", "a body of no importance", &[]).await;
    }
    commit(&client, 2).await;
    rig.broker.store().delete_expired().unwrap();
    let min = rig.broker.store().min_offset("t", 0);
    assert!(min > 2, "{min}");
    let counted = rig.broker.domains.send.log.stats.counters.totals().deleted_unread;
    assert_eq!(i64::try_from(counted).unwrap(), min - 2);
}

#[tokio::test]
async fn a_topic_made_again_after_a_restart_holds_only_what_is_new() {
    for crash in [false, true] {
        let rig = Rig::start().await;
        let client = rig.connect();
        client.heartbeat("c", "g", &["t"]).await;
        for _ in 0..10 {
            client.send("t", "old", &[]).await;
        }
        commit(&client, 10).await;
        let delete = DeleteTopicRequest { topic: "t".into() };
        assert_eq!(client.ask(&delete).await.response_code(), ResponseCode::SUCCESS);
        let rig = if crash { rig.crash().await } else { rig.restart().await };
        let client = rig.connect();
        client.heartbeat("c", "g", &["t"]).await;
        client.send("t", "new", &[]).await;
        let begin = rig.broker.store().min_offset("t", 0);
        let pulled = client.pull("t", 0, begin).await;
        assert_eq!(pulled.messages.iter().map(|m| &m.body[..]).collect::<Vec<_>>(), [b"new"], "{crash}");
        let next = committed(&client).await.map_or(0, |offset| offset.parse().unwrap());
        assert!(next <= begin, "the group's offset is behind the new message: {next}");
    }
}

#[tokio::test]
async fn what_was_accepted_for_longer_comes_after_the_longest_delay_was_lowered() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.heartbeat("c", "g", &["t"]).await;
    client.send("t", "timer", &[("TIMER_DELAY_SEC", "200000")]).await;
    let rig = rig.restart_with(|settings| settings.live.timer_max_delay = Duration::from_secs(60)).await;
    rig.advance(Duration::from_secs(200_000));
    assert_eq!(&rig.connect().drain("t", 0, 1).await[0].body[..], b"timer");
}

#[tokio::test]
async fn timers_come_after_timers_were_switched_off() {
    let rig = Rig::start().await;
    rig.connect().send("t", "timer", &[("TIMER_DELAY_SEC", "60")]).await;
    let rig = rig.restart_with(|settings| settings.fixed.timers = false).await;
    let client = rig.connect();
    let refused = client.send_raw(&client.send_request("t", &[("TIMER_DELAY_SEC", "60")]), "x").await;
    assert_eq!(refused.response_code(), ResponseCode::SYSTEM_ERROR);
    rig.advance(Duration::from_secs(60));
    assert_eq!(&client.drain("t", 0, 1).await[0].body[..], b"timer");
}

#[tokio::test]
async fn popped_messages_come_again_after_timers_were_switched_off() {
    let rig = Rig::start().await;
    let popper = Popper::new(&rig, "g");
    for body in ["acked", "open"] {
        popper.client.send("t", body, &[]).await;
    }
    let popped = popper.pop("t").await.messages;
    assert_eq!(popper.ack(&popped[0]).await, ResponseCode::SUCCESS);
    let rig = rig.restart_with(|settings| settings.fixed.timers = false).await;
    rig.advance(Duration::from_millis(HIDDEN as u64 + 2_001));
    let again = rig.connect().drain("%RETRY%g_t", 0, 1).await;
    assert_eq!(again.iter().map(|message| &message.body[..]).collect::<Vec<_>>(), [b"open"]);
}

#[tokio::test]
async fn delayed_messages_of_every_level_come_after_levels_were_taken_away() {
    for crash in [false, true] {
        let rig = Rig::start().await;
        let client = rig.connect();
        for level in ["1", "4", "18"] {
            client.send("t", "x", &[("DELAY", level)]).await;
        }
        let fewer = |settings: &mut Settings| {
            settings.fixed.delay_levels = DelayLevels::parse("1s 5s").unwrap();
        };
        let rig = if crash { rig.crash_with(fewer).await } else { rig.restart_with(fewer).await };
        rig.advance(Duration::from_secs(7_200));
        let client = rig.connect();
        assert_eq!(client.drain("t", 0, 3).await.len(), 3);
        let rig = rig.restart().await;
        rig.connect().send("t", "y", &[("DELAY", "18")]).await;
        rig.advance(Duration::from_secs(5));
        assert_eq!(rig.connect().drain("t", 0, 4).await.len(), 4, "and once each");
    }
}

#[tokio::test]
async fn popped_messages_come_again_after_revive_queues_were_taken_away_or_added() {
    let rig = Rig::with(|settings| settings.fixed.revive_queues = 8).await;
    let popper = Popper::new(&rig, "g");
    let mut popped = Vec::new();
    for _ in 0..8 {
        popper.client.send("t", "x", &[]).await;
        popped.extend(popper.pop("t").await.messages);
    }
    let rig = rig.restart_with(|settings| settings.fixed.revive_queues = 2).await;
    let popper = Popper::new(&rig, "g");
    assert_eq!(popper.ack(&popped[7]).await, ResponseCode::SUCCESS);
    rig.advance(Duration::from_millis(HIDDEN as u64 + 2_001));
    let mut again = Vec::new();
    while again.len() < 7 {
        again.extend(popper.wait("t").await.messages);
    }
    let rig = rig.restart_with(|settings| settings.fixed.revive_queues = 16).await;
    rig.advance(Duration::from_millis(HIDDEN as u64 + 2_001));
    let popper = Popper::new(&rig, "g");
    let mut again = Vec::new();
    while again.len() < 7 {
        again.extend(popper.wait("t").await.messages);
    }
    assert_eq!(
        rig.broker.topics().topic_config_table["rmq_sys_REVIVE_LOG_DefaultCluster"].read_queue_nums,
        16
    );
}

#[tokio::test]
async fn what_waits_for_longer_than_the_log_is_kept_is_reported() {
    for restart in [false, true] {
        let rig = Rig::with(|settings| {
            settings.fixed.store.commit_log_file_size = 8192;
            settings.live.store.disk_clean_forcibly = 0.0;
        })
        .await;
        let popper = Popper::new(&rig, "g");
        let client = &popper.client;
        client.send("popped", "x", &[]).await;
        popper.pop("popped").await;
        client.send("t", "level", &[("DELAY", "18")]).await;
        client.send("t", "timer", &[("TIMER_DELAY_SEC", "7200")]).await;
        half(client, "open", &[]).await;
        rig.advance(Duration::from_secs(30));
        // The half was asked about, and stored again.
        eventually(|| rig.broker.store().max_offset(HALF_TOPIC, 0) == 2).await;
        delete_what_is_stored(&rig, client).await;

        let rig = if restart { rig.restart().await } else { rig };
        let client = rig.connect();
        client.send("t", "behind", &[("DELAY", "18")]).await;
        client.send("t", "behind", &[("TIMER_DELAY_SEC", "7200")]).await;
        rig.advance(Duration::from_secs(7_200));
        let delivered = client.drain("t", 0, 2).await;
        assert!(delivered.iter().all(|message| &message.body[..] != b"level"));
        // The checkpoint of the popped message is a timer too. A broker that goes on may still have some in memory.
        let least = if restart { 4 } else { 1 };
        let stats = &rig.broker.domains.send.log.stats.counters;
        eventually(|| stats.totals().set_aside >= least).await;
        assert!(stats.totals().set_aside <= 4);
    }
}

/// Fills the log, and lets the oldest files go as on a full disk.
async fn delete_what_is_stored(rig: &Rig, client: &Client) {
    let end = rig.broker.store().max_physical_offset();
    for _ in 0..500 {
        client.send("filler", "a body of no importance", &[]).await;
    }
    for _ in 0..100 {
        rig.broker.store().delete_expired().unwrap();
    }
    assert!(rig.broker.store().min_physical_offset() >= end);
}
