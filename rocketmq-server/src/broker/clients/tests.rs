//! Groups: who is in them, who is told, who holds which queue.

use std::time::Duration;

use rocketmq_remoting::body::assignment::{QueryAssignmentBody, QueryAssignmentResult};
use rocketmq_remoting::body::lock::{LockBatchBody, LockBatchResult};
use rocketmq_remoting::requests::heartbeat::UnregisterClientRequest;
use rocketmq_remoting::requests::send::ConsumerSendMsgBackRequest;
use rocketmq_remoting::route::MessageQueue;
use rocketmq_remoting::{RequestCode, ResponseCode, fastjson};

use crate::broker::tests::rig::{Client, Rig, START};

#[tokio::test]
async fn members_hear_of_each_other_coming_and_going() {
    let rig = Rig::start().await;
    let (one, two) = (rig.connect(), rig.connect());
    let answer = one.heartbeat("c1", "g", &["t"]).await;
    assert_eq!(answer.ext.get("IS_SUPPORT_HEART_BEAT_V2"), Some("true"));
    assert_eq!(one.members("g").await, ["c1"]);
    one.next_of(RequestCode::NOTIFY_CONSUMER_IDS_CHANGED).await;

    two.heartbeat("c2", "g", &["t"]).await;
    let told = one.next_of(RequestCode::NOTIFY_CONSUMER_IDS_CHANGED).await;
    assert!(told.is_oneway());
    assert_eq!(told.ext.get("consumerGroup"), Some("g"));
    assert_eq!(one.members("g").await.len(), 2);

    let leave = UnregisterClientRequest {
        client_id: "c2".into(),
        producer_group: None,
        consumer_group: Some("g".into()),
    };
    two.ask(&leave).await;
    one.next_of(RequestCode::NOTIFY_CONSUMER_IDS_CHANGED).await;
    assert_eq!(one.members("g").await, ["c1"]);
}

#[tokio::test]
async fn a_lost_connection_leaves_its_groups_at_once() {
    let rig = Rig::start().await;
    let (one, two) = (rig.connect(), rig.connect());
    one.heartbeat("c1", "g", &["t"]).await;
    two.heartbeat("c2", "g", &["t"]).await;
    one.next_of(RequestCode::NOTIFY_CONSUMER_IDS_CHANGED).await;
    one.next_of(RequestCode::NOTIFY_CONSUMER_IDS_CHANGED).await;
    two.connection.close();
    one.next_of(RequestCode::NOTIFY_CONSUMER_IDS_CHANGED).await;
    assert_eq!(one.members("g").await, ["c1"]);
}

#[tokio::test]
async fn a_silent_client_is_forgotten_and_disconnected() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.heartbeat("c1", "g", &["t"]).await;
    let closed = client.connection.closed();
    let time = async {
        while !client.connection.is_closed() {
            rig.advance(Duration::from_secs(10));
            tokio::task::yield_now().await;
        }
    };
    let (_, ()) = tokio::join!(closed, time);
    assert!(rig.clock_millis() >= START + 120_000);
    assert!(rig.connect().members("g").await.is_empty());
}

async fn lock(client: &Client, id: &str, queues: &[i32]) -> usize {
    let answer = client.ask_json(RequestCode::LOCK_BATCH_MQ, &body(id, queues)).await;
    let held: LockBatchResult = fastjson::from_slice(&answer.body).unwrap();
    held.lock_ok_mq_set.len()
}

fn body(id: &str, queues: &[i32]) -> LockBatchBody {
    LockBatchBody {
        client_id: id.into(),
        consumer_group: "g".into(),
        mq_set: queues.iter().map(|queue| MessageQueue::new("t", "broker-a", *queue)).collect(),
        only_this_broker: false,
    }
}

#[tokio::test]
async fn a_queue_lock_ends_sixty_seconds_after_its_last_renewal() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.heartbeat("a", "g", &["t"]).await;
    client.send("t", "x", &[]).await;
    assert_eq!(lock(&client, "a", &[0, 1]).await, 2);
    assert_eq!(lock(&client, "a", &[-1, 4711, i32::MAX]).await, 0, "there are no such queues");
    assert_eq!(lock(&client, "b", &[0, 1]).await, 0);
    rig.advance(Duration::from_secs(60));
    assert_eq!(lock(&client, "a", &[0]).await, 1);
    rig.advance(Duration::from_millis(1));
    assert_eq!(lock(&client, "b", &[0, 1]).await, 1);
    client.ask_json(RequestCode::UNLOCK_BATCH_MQ, &body("a", &[0])).await;
    assert_eq!(lock(&client, "b", &[0]).await, 1);
}

#[tokio::test]
async fn a_retry_of_an_ordered_group_goes_to_the_dead_letters() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.heartbeat("c", "g", &["t"]).await;
    client.send("%RETRY%g", "again", &[("DELAY", "3")]).await;
    client.send("t", "x", &[]).await;
    assert_eq!(lock(&client, "c", &[0]).await, 1);
    client.send("%RETRY%g", "dead", &[("DELAY", "3")]).await;
    let dead = client.drain("%DLQ%g", 0, 1).await;
    assert_eq!(&dead[0].body[..], b"dead");
}

#[tokio::test]
async fn a_message_sent_back_too_often_is_a_dead_letter() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.heartbeat("c", "g", &["t"]).await;
    client.send("t", "x", &[("TAGS", "a"), ("UNIQ_KEY", "k")]).await;
    let original = client.drain("t", 0, 1).await.remove(0);
    let mut back = ConsumerSendMsgBackRequest {
        offset: original.physical_offset,
        group: "g".into(),
        max_reconsume_times: Some(1),
        origin_topic: Some("made-up".into()),
        ..ConsumerSendMsgBackRequest::default()
    };
    assert_eq!(client.ask(&back).await.response_code(), ResponseCode::SUCCESS);
    rig.advance(Duration::from_secs(10));
    let retried = client.drain("%RETRY%g", 0, 1).await.remove(0);
    assert_eq!(retried.reconsume_times, 1);
    assert_eq!(retried.born_timestamp, original.born_timestamp);

    back.offset = retried.physical_offset;
    assert_eq!(client.ask(&back).await.response_code(), ResponseCode::SUCCESS);
    let dead = client.drain("%DLQ%g", 0, 1).await.remove(0);
    assert_eq!((dead.reconsume_times, &dead.body[..]), (2, &b"x"[..]));
    assert!(dead.properties.contains("RETRY_TOPIC\u{1}t\u{2}"));

    let counted =
        |key: &str| rig.broker.domains.send.log.stats.traffic.data("SNDBCK_PUT_NUMS", key).is_some();
    assert!(counted("t@g") && !counted("made-up@g"), "the message says where it began, not the request");

    back.offset = 1;
    let lost = client.ask(&back).await;
    assert_eq!(lost.remark.as_deref(), Some("look message by offset failed, 1"));
}

#[tokio::test]
async fn the_broker_shares_out_its_queues() {
    let rig = Rig::start().await;
    let (one, two) = (rig.connect(), rig.connect());
    one.send("t", "x", &[]).await;
    one.heartbeat("c1", "g", &["t"]).await;
    two.heartbeat("c2", "g", &["t"]).await;
    let share = async |id: &str| {
        let body = QueryAssignmentBody {
            client_id: id.into(),
            consumer_group: "g".into(),
            strategy_name: "AVG".into(),
            topic: "t".into(),
            ..QueryAssignmentBody::default()
        };
        let answer = one.ask_json(RequestCode::QUERY_ASSIGNMENT, &body).await;
        let result: QueryAssignmentResult = fastjson::from_slice(&answer.body).unwrap();
        let queues = result.message_queue_assignments?;
        Some(queues.into_iter().map(|assignment| assignment.message_queue.queue_id).collect::<Vec<_>>())
    };
    assert_eq!(share("c1").await, Some(vec![0, 1]));
    assert_eq!(share("c2").await, Some(vec![2, 3]));
    assert_eq!(share("stranger").await, None);
}

#[tokio::test]
async fn setting_the_clock_neither_ends_nor_prolongs_leases() {
    for hour in [3_600_000, -3_600_000] {
        let rig = Rig::start().await;
        let (one, two) = (rig.connect(), rig.connect());
        one.heartbeat("a", "g", &["t"]).await;
        two.heartbeat("b", "g", &["t"]).await;
        one.send("t", "x", &[]).await;
        assert_eq!(lock(&one, "a", &[0]).await, 1);
        rig.clock.set(START + hour);
        rig.advance(Duration::from_secs(60));
        assert_eq!(lock(&two, "b", &[0]).await, 0, "{hour}");
        assert_eq!(one.members("g").await.len(), 2, "{hour}");
        rig.advance(Duration::from_millis(1));
        assert_eq!(lock(&two, "b", &[0]).await, 1, "{hour}");
        rig.advance(Duration::from_secs(70));
        tokio::time::timeout(Duration::from_secs(10), one.connection.closed()).await.unwrap();
    }
}
