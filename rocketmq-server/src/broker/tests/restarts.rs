//! Stops the broker, in order or not, and looks at what is still there.

use std::collections::BTreeMap;
use std::time::Duration;

use rocketmq_remoting::body::group::SubscriptionGroupWrapper;
use rocketmq_remoting::body::offset::DelayOffsetWrapper;
use rocketmq_remoting::body::topic::TopicConfigWrapper;
use rocketmq_remoting::requests::offset::{QueryConsumerOffsetRequest, UpdateConsumerOffsetRequest};
use rocketmq_remoting::{Command, ResponseCode, fastjson};

use super::rig::{Client, Rig, START, eventually};

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
