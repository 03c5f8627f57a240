//! Pulling: checks, statuses, filters, and waiting for what is not there yet.

use std::time::Duration;

use bytes::BytesMut;
use rocketmq_remoting::body::heartbeat::{ConsumeType, ConsumerData, HeartbeatData};
use rocketmq_remoting::message::PullFlag;
use rocketmq_remoting::requests::offset::QueryConsumerOffsetRequest;
use rocketmq_remoting::requests::pull::PullMessageRequest;
use rocketmq_remoting::{Request, RequestCode, ResponseCode, frame};
use tokio::io::AsyncWriteExt;

use crate::broker::tests::rig::{Client, Pulled, Rig, eventually};

fn waiting(client: &Client, topic: &str, offset: i64, tags: &str) -> PullMessageRequest {
    let mut request = client.pull_request(topic, 0, offset, tags);
    request.sys_flag |= PullFlag::SUSPEND;
    request.suspend_timeout_millis = 15_000;
    request
}

#[tokio::test]
async fn the_status_table_of_a_queue_with_two_messages() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.send("t", "a", &[("TAGS", "x")]).await;
    client.send("t", "b", &[("TAGS", "y")]).await;
    let pull = async |offset, tags: &str| {
        let answer = client.ask(&client.pull_request("t", 0, offset, tags)).await;
        assert_eq!(answer.ext.get("minOffset"), Some("0"));
        assert_eq!(answer.ext.get("maxOffset"), Some("2"));
        let pulled = Pulled::of(answer);
        (pulled.code, pulled.next, pulled.remark, pulled.messages.len())
    };
    assert_eq!(pull(0, "*").await, (ResponseCode::SUCCESS, 2, "FOUND".into(), 2));
    assert_eq!(pull(0, "y").await, (ResponseCode::SUCCESS, 2, "FOUND".into(), 1));
    assert_eq!(pull(0, "z").await, (ResponseCode::PULL_RETRY_IMMEDIATELY, 2, "NO_MATCHED_MESSAGE".into(), 0));
    assert_eq!(pull(2, "*").await, (ResponseCode::PULL_NOT_FOUND, 2, "OFFSET_OVERFLOW_ONE".into(), 0));
    assert_eq!(pull(9, "*").await, (ResponseCode::PULL_OFFSET_MOVED, 2, "OFFSET_OVERFLOW_BADLY".into(), 0));
    assert_eq!(pull(-1, "*").await, (ResponseCode::PULL_OFFSET_MOVED, 0, "OFFSET_TOO_SMALL".into(), 0));
}

#[tokio::test]
async fn the_first_pull_of_an_empty_queue_finds_nothing_new() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.send("t", "a", &[]).await;
    let pulled = client.pull("t", 1, 0).await;
    assert_eq!((pulled.code, pulled.next), (ResponseCode::PULL_NOT_FOUND, 0));
    assert_eq!(client.pull("t", 1, 7).await.code, ResponseCode::PULL_OFFSET_MOVED);
}

#[tokio::test]
async fn consumers_that_pull_by_themselves_are_refused_where_none_are_wanted() {
    let rig = Rig::with(|settings| settings.live.reject_pull_consumers = true).await;
    let client = rig.connect();
    client.send("t", "a", &[]).await;
    assert_eq!(client.pull("t", 0, 0).await.code, ResponseCode::SUBSCRIPTION_NOT_EXIST);
    let pulling = ConsumerData {
        group_name: "g".into(),
        consume_type: ConsumeType::Actively,
        ..ConsumerData::default()
    };
    let heartbeat = |consumer: ConsumerData| HeartbeatData {
        client_id: "c".into(),
        consumer_data_set: vec![consumer],
        ..HeartbeatData::default()
    };
    client.ask_json(RequestCode::HEART_BEAT, &heartbeat(pulling.clone())).await;
    assert_eq!(client.pull("t", 0, 0).await.code, ResponseCode::SUBSCRIPTION_NOT_EXIST);
    let pushed_to = ConsumerData { consume_type: ConsumeType::Passively, ..pulling };
    client.ask_json(RequestCode::HEART_BEAT, &heartbeat(pushed_to)).await;
    assert_eq!(client.pull("t", 0, 0).await.code, ResponseCode::SUCCESS);
}

#[tokio::test]
async fn refusals_name_what_is_forbidden() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.send("t", "a", &[]).await;
    assert_eq!(client.pull("nowhere", 0, 0).await.code, ResponseCode::TOPIC_NOT_EXIST);
    assert_eq!(client.pull("t", 4, 0).await.code, ResponseCode::INVALID_PARAMETER);

    let mut request = client.pull_request("t", 0, 0, "*");
    request.sys_flag = 0;
    assert_eq!(client.ask(&request).await.response_code(), ResponseCode::SUBSCRIPTION_NOT_EXIST);
    client.heartbeat("c", "g", &["other"]).await;
    assert_eq!(client.ask(&request).await.response_code(), ResponseCode::SUBSCRIPTION_NOT_EXIST);
    client.heartbeat("c", "g", &["t"]).await;
    assert_eq!(client.ask(&request).await.response_code(), ResponseCode::SUCCESS);
    request.sub_version = 6;
    assert_eq!(client.ask(&request).await.response_code(), ResponseCode::SUBSCRIPTION_NOT_LATEST);
    request.consumer_group = "a b".into();
    assert_eq!(client.ask(&request).await.response_code(), ResponseCode::SUBSCRIPTION_GROUP_NOT_EXIST);

    let mut sql = client.pull_request("t", 0, 0, "a >");
    sql.expression_type = Some("SQL92".into());
    assert_eq!(client.ask(&sql).await.response_code(), ResponseCode::SUBSCRIPTION_PARSE_FAILED);
}

#[tokio::test]
async fn a_condition_is_evaluated_on_the_properties() {
    let rig = Rig::start().await;
    let client = rig.connect();
    for amount in ["3", "5", "7"] {
        client.send("t", "x", &[("amount", amount)]).await;
    }
    let mut request = client.pull_request("t", 0, 0, "amount > 4");
    request.expression_type = Some("SQL92".into());
    let pulled = Pulled::of(client.ask(&request).await);
    assert_eq!((pulled.messages.len(), pulled.next), (2, 3));
}

#[tokio::test]
async fn a_parked_pull_is_woken_by_a_message_it_wants() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.send("t", "old", &[]).await;
    let request = waiting(&client, "t", 1, "wanted");
    let pull = client.ask(&request);
    let sends = async {
        eventually(|| rig.parked() == 1).await;
        client.send("t", "no", &[("TAGS", "other")]).await;
        assert_eq!(rig.parked(), 1, "a tag it does not want leaves it parked");
        client.send("t", "yes", &[("TAGS", "wanted")]).await;
    };
    let (answer, ()) = tokio::join!(pull, sends);
    let pulled = Pulled::of(answer);
    assert_eq!((pulled.code, pulled.next), (ResponseCode::SUCCESS, 3));
    assert_eq!(&pulled.messages[0].body[..], b"yes");
}

#[tokio::test]
async fn a_parked_pull_moves_past_unwanted_messages_within_five_seconds() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.send("t", "old", &[]).await;
    let request = waiting(&client, "t", 1, "wanted");
    let pull = client.ask(&request);
    let sends = async {
        eventually(|| rig.parked() == 1).await;
        client.send("t", "no", &[("TAGS", "other")]).await;
        eventually(|| {
            rig.advance(Duration::from_millis(500));
            rig.parked() == 0
        })
        .await;
    };
    let (answer, ()) = tokio::join!(pull, sends);
    let pulled = Pulled::of(answer);
    assert_eq!((pulled.code, pulled.next), (ResponseCode::PULL_RETRY_IMMEDIATELY, 2));
}

#[tokio::test]
async fn a_parked_pull_ends_with_its_time() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.send("t", "old", &[]).await;
    let request = waiting(&client, "t", 1, "*");
    let pull = client.ask(&request);
    let time = async {
        eventually(|| rig.parked() == 1).await;
        rig.advance(Duration::from_secs(15));
        eventually(|| {
            rig.advance(Duration::from_millis(500));
            rig.parked() == 0
        })
        .await;
    };
    let (answer, ()) = tokio::join!(pull, time);
    assert_eq!(answer.response_code(), ResponseCode::PULL_NOT_FOUND);
}

#[tokio::test]
async fn pulls_of_a_closed_connection_are_forgotten() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.send("t", "old", &[]).await;
    let mut pipe = rig.connect_raw();
    let mut frame = BytesMut::new();
    frame::encode(&waiting(&client, "t", 1, "*").to_command().unwrap(), &mut frame).unwrap();
    pipe.write_all(&frame).await.unwrap();
    eventually(|| rig.parked() == 1).await;
    drop(pipe);
    eventually(|| rig.parked() == 0).await;
}

#[tokio::test]
async fn a_pull_commits_the_offset_it_carries() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.send("t", "a", &[]).await;
    let mut request = client.pull_request("t", 0, 0, "*");
    request.sys_flag |= PullFlag::COMMIT_OFFSET;
    request.commit_offset = 1;
    client.ask(&request).await;
    let query = QueryConsumerOffsetRequest {
        consumer_group: "g".into(),
        topic: "t".into(),
        queue_id: 0,
        set_zero_if_not_found: None,
    };
    assert_eq!(client.ask(&query).await.ext.get("offset"), Some("1"));
}

#[tokio::test]
async fn a_subscription_is_checked_before_it_is_used() {
    use rocketmq_remoting::body::heartbeat::CheckClientConfigBody;
    use rocketmq_remoting::subscription::SubscriptionData;
    let rig = Rig::start().await;
    let client = rig.connect();
    let check = async |subscription_data| {
        let body = CheckClientConfigBody { subscription_data, ..CheckClientConfigBody::default() };
        client.ask_json(RequestCode::CHECK_CLIENT_CONFIG, &body).await.response_code()
    };
    assert_eq!(check(SubscriptionData::parse("t", "*").unwrap()).await, ResponseCode::SUCCESS);
    assert_eq!(check(SubscriptionData::sql92("t", "a > 1").unwrap()).await, ResponseCode::SUCCESS);
    let bad = SubscriptionData::sql92("t", "a >").unwrap();
    assert_eq!(check(bad).await, ResponseCode::SUBSCRIPTION_PARSE_FAILED);
}
