//! The beginning of a group without an offset, for every state that a queue can be in.

use std::time::Duration;

use rocketmq_remoting::ResponseCode;
use rocketmq_remoting::requests::offset::{QueryConsumerOffsetRequest, UpdateConsumerOffsetRequest};

use crate::broker::tests::rig::{Client, Rig};
use crate::clock::Clock;

const DAY: Duration = Duration::from_secs(86_400);

fn query(topic: &str, queue_id: i32) -> QueryConsumerOffsetRequest {
    QueryConsumerOffsetRequest {
        consumer_group: "g".into(),
        topic: topic.into(),
        queue_id,
        set_zero_if_not_found: None,
    }
}

/// The offset the broker names; `None` when it says that there is none.
async fn asked(client: &Client, query: &QueryConsumerOffsetRequest) -> Option<i64> {
    let answer = client.ask(query).await;
    match answer.response_code() {
        ResponseCode::SUCCESS => Some(answer.ext.get("offset").unwrap().parse().unwrap()),
        code => {
            assert_eq!(code, ResponseCode::QUERY_NOT_FOUND, "{:?}", answer.remark);
            None
        }
    }
}

#[tokio::test]
async fn a_group_begins_at_zero_unless_the_queue_has_lost_or_outlived_its_first_message() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.send("t", "a", &[]).await;
    assert_eq!(asked(&client, &query("t", 0)).await, Some(0), "the first message is in memory");
    assert_eq!(
        asked(&client, &query("t", 1)).await,
        Some(0),
        "an empty queue: its first message comes later"
    );
    assert_eq!(asked(&client, &query("t", 99)).await, Some(0), "no such queue");
    assert_eq!(asked(&client, &query("nowhere", 0)).await, Some(0), "no such topic");
}

#[tokio::test]
async fn a_group_that_wants_no_zero_is_told_that_it_has_no_offset() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.send("t", "a", &[]).await;
    for queue in [0, 1] {
        let query = QueryConsumerOffsetRequest { set_zero_if_not_found: Some(false), ..query("t", queue) };
        assert_eq!(asked(&client, &query).await, None, "queue {queue}");
    }
}

#[tokio::test]
async fn a_queue_whose_first_message_is_far_from_the_end_is_not_young_and_an_empty_one_is() {
    let rig = Rig::with(|settings| settings.live.in_memory_percent = 0).await;
    let client = rig.connect();
    client.send("t", "a", &[]).await;
    assert_eq!(asked(&client, &query("t", 0)).await, None);
    assert_eq!(asked(&client, &query("t", 1)).await, Some(0));
}

#[tokio::test]
async fn a_queue_that_retention_has_emptied_is_not_young() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.send("t", "a", &[]).await;
    outlive_what_is_stored(&rig, &client).await;
    assert_eq!(asked(&client, &query("t", 0)).await, None);
    assert_eq!(asked(&client, &query("t", 1)).await, Some(0), "nothing was ever lost there");
}

/// Fills the log past its first file, and lets that expire.
async fn outlive_what_is_stored(rig: &Rig, client: &Client) {
    for _ in 0..8 {
        client.send_raw(&client.send_request("filler", &[]), vec![b'x'; 1 << 20]).await;
    }
    let today = Duration::from_millis((crate::clock::System.now_ms() - rig.clock_millis()) as u64);
    rig.advance(today + 5 * DAY);
    rig.broker.store().request_deletion();
    rig.broker.store().delete_expired().unwrap();
    assert_eq!((rig.broker.store().min_offset("t", 0), rig.broker.store().max_offset("t", 0)), (1, 1));
}

#[tokio::test]
async fn an_offset_is_kept_for_groups_and_topics_that_exist() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.send("t", "a", &[]).await;
    let mut update = UpdateConsumerOffsetRequest {
        consumer_group: "g".into(),
        topic: "t".into(),
        queue_id: 1,
        commit_offset: 4,
    };
    assert_eq!(client.ask(&update).await.response_code(), ResponseCode::SUBSCRIPTION_GROUP_NOT_EXIST);
    client.heartbeat("c", "g", &["t"]).await;
    assert_eq!(client.ask(&update).await.response_code(), ResponseCode::SUCCESS);
    assert_eq!(asked(&client, &query("t", 1)).await, Some(4));
    update.topic = "nowhere".into();
    assert_eq!(client.ask(&update).await.response_code(), ResponseCode::TOPIC_NOT_EXIST);
}
