//! Sending: what is stored, what is answered, what is refused.

use std::time::Duration;

use rocketmq_remoting::frame::MAX_BODY;
use rocketmq_remoting::message::batch;
use rocketmq_remoting::message::{BatchMessage, OffsetMessageId, Properties};
use rocketmq_remoting::requests::send::{SendMessageRequest, SendMessageV1Request};
use rocketmq_remoting::{Request, RequestCode, ResponseCode};

use crate::broker::names::{SCHEDULE_TOPIC, TEMPLATE_TOPIC};
use crate::broker::tests::rig::Rig;
use crate::broker::{Apache, Live, Role};
use crate::store::FlushMode;

#[tokio::test]
async fn a_message_can_be_pulled_with_what_the_broker_added() {
    let rig = Rig::start().await;
    let client = rig.connect();
    let sent = client.send("t", "hello", &[("TAGS", "a"), ("UNIQ_KEY", "k1")]).await;
    assert_eq!((sent.queue_id, sent.queue_offset), (0, 0));
    assert_eq!(sent.transaction_id.as_deref(), Some("k1"));
    assert_eq!(sent.msg_region.as_deref(), Some("DefaultRegion"));
    assert_eq!(sent.trace_on.as_deref(), Some("true"));

    let pulled = client.pull("t", 0, 0).await;
    assert_eq!((pulled.code, pulled.next), (ResponseCode::SUCCESS, 1));
    let message = &pulled.messages[0];
    assert_eq!(&message.body[..], b"hello");
    assert!(message.is_intact());
    let properties = Properties::parse(&message.properties);
    assert_eq!(properties.get("CLUSTER"), Some("DefaultCluster"));
    assert_eq!(properties.unique_key(), Some("k1"));
    let id: OffsetMessageId = sent.msg_id.unwrap().parse().unwrap();
    assert_eq!(id.offset, message.physical_offset);
    assert_eq!(id.host, message.store_host);
}

#[tokio::test]
async fn many_sends_in_flight_get_dense_offsets() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.send("t", "first", &[]).await;
    let request = client.send_request("t", &[]);
    let sends = (0..200).map(|_| client.send_raw(&request, "x"));
    for answer in futures_util::future::join_all(sends).await {
        assert_eq!(answer.response_code(), ResponseCode::SUCCESS);
    }
    let all = client.drain("t", 0, 201).await;
    assert!(all.iter().enumerate().all(|(at, message)| message.queue_offset == at as i64));
}

#[tokio::test]
async fn the_long_names_of_old_producers_work_too() {
    let rig = Rig::start().await;
    let client = rig.connect();
    let old: SendMessageV1Request = client.send_request("t", &[]).into();
    let answer = client.call(old.to_command().unwrap().with_body("old")).await;
    assert_eq!(answer.response_code(), ResponseCode::SUCCESS);
    assert_eq!(&client.pull("t", 0, 0).await.messages[0].body[..], b"old");
}

#[tokio::test]
async fn a_message_without_a_key_is_given_one() {
    let rig = Rig::start().await;
    let client = rig.connect();
    let sent = client.send("t", "x", &[]).await;
    let stored = client.pull("t", 0, 0).await.messages.remove(0);
    assert_eq!(Properties::parse(&stored.properties).unique_key(), sent.transaction_id.as_deref());
    assert!(sent.transaction_id.is_some());
}

#[tokio::test]
async fn refusals_have_apaches_codes_in_apaches_order() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.send("t", "x", &[]).await;
    let refused = async |change: &dyn Fn(&mut rocketmq_remoting::requests::send::SendMessageRequest)| {
        let mut request = client.send_request("t", &[]);
        change(&mut request);
        let answer = client.send_raw(&request, "x").await;
        assert_eq!(answer.ext.get("MSG_REGION"), Some("DefaultRegion"));
        answer.response_code()
    };
    assert_eq!(refused(&|r| r.topic = "a b".into()).await, ResponseCode::INVALID_PARAMETER);
    assert_eq!(refused(&|r| r.topic = SCHEDULE_TOPIC.into()).await, ResponseCode::NO_PERMISSION);
    assert_eq!(refused(&|r| r.queue_id = 8).await, ResponseCode::INVALID_PARAMETER);
    assert_eq!(
        refused(&|r| {
            r.topic = "u".into();
            r.default_topic = "nowhere".into();
        })
        .await,
        ResponseCode::TOPIC_NOT_EXIST
    );
    assert_eq!(
        refused(&|r| r.properties = Some("DELAY\u{1}x\u{2}".into())).await,
        ResponseCode::SYSTEM_ERROR
    );
    assert_eq!(refused(&|r| r.topic = TEMPLATE_TOPIC.into()).await, ResponseCode::SUCCESS);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_an_empty_one_too() {
    let rig = Rig::with(|settings| settings.live.max_message_size = 1024).await;
    let client = rig.connect();
    let request = client.send_request("t", &[]);
    let long = client.send_raw(&request, vec![7; 1025]).await;
    assert_eq!(long.response_code(), ResponseCode::MESSAGE_ILLEGAL);
    let empty = client.send_raw(&request, "").await;
    assert_eq!(empty.response_code(), ResponseCode::SYSTEM_ERROR);
    assert!(client.pull("t", 0, 0).await.messages.is_empty());
}

/// The answer that carries it to a consumer would be too long.
#[tokio::test]
async fn a_body_that_no_consumer_can_be_given_is_refused_whatever_the_limit() {
    let rig = Rig::with(|settings| settings.live.max_message_size = 32 << 20).await;
    let client = rig.connect();
    let request = client.send_request("t", &[]);
    let long = client.send_raw(&request, vec![7; MAX_BODY + 1]).await;
    assert_eq!(long.response_code(), ResponseCode::MESSAGE_ILLEGAL);
    assert!(long.remark.as_deref().is_some_and(|remark| remark.contains("frame")), "{:?}", long.remark);
    let longest = client.send_raw(&request, vec![7; MAX_BODY]).await;
    assert!(longest.remark.as_deref().is_none_or(|remark| !remark.contains("frame")), "{:?}", longest.remark);
}

#[tokio::test]
async fn a_changed_limit_holds_at_once_for_single_messages_and_batches() {
    let rig = Rig::start().await;
    let (client, admin) = (rig.connect(), &rig.broker.domains.admin);
    let single = client.send_request("t", &[]);
    let batch = SendMessageRequest { batch: Some(true), ..single.clone() };
    let body = batch_of(40);
    let raise_to = |max_message_size: usize| {
        let mut live = (*admin.settings.live()).clone();
        live.max_message_size = max_message_size;
        admin.tune(live).unwrap();
    };
    for (limit, expected) in [
        (body.len() - 1, ResponseCode::MESSAGE_ILLEGAL),
        (body.len(), ResponseCode::SUCCESS),
        (0, ResponseCode::MESSAGE_ILLEGAL),
    ] {
        raise_to(limit);
        assert_eq!(client.send_raw(&single, body.clone()).await.response_code(), expected, "{limit}");
        assert_eq!(client.send_raw(&batch, body.clone()).await.response_code(), expected, "{limit}");
    }
}

fn batch_of(count: usize) -> bytes::Bytes {
    let message = |at: usize| BatchMessage {
        flag: 0,
        body: format!("m{at}").into(),
        properties: format!("UNIQ_KEY\u{1}k{at}\u{2}"),
    };
    batch::encode(&(0..count).map(message).collect::<Vec<_>>()).unwrap()
}

#[tokio::test]
async fn a_batch_becomes_as_many_messages() {
    let rig = Rig::start().await;
    let client = rig.connect();
    let mut request = client.send_request("t", &[]);
    request.batch = Some(true);
    let mut command = request.to_command().unwrap().with_body(batch_of(3));
    command.code = RequestCode::SEND_BATCH_MESSAGE.0;
    let answer = client.call(command).await;
    assert_eq!(answer.response_code(), ResponseCode::SUCCESS);
    assert_eq!(answer.ext.get("msgId").unwrap().split(',').count(), 3);
    let messages = client.pull("t", 0, 0).await.messages;
    let bodies: Vec<_> = messages.iter().map(|message| message.body.clone()).collect();
    assert_eq!(bodies, ["m0", "m1", "m2"]);
    assert_eq!(Properties::parse(&messages[2].properties).unique_key(), Some("k2"));
}

#[tokio::test]
async fn a_batch_to_a_retry_topic_or_cut_short_is_refused() {
    let rig = Rig::start().await;
    let client = rig.connect();
    let mut request = client.send_request("%RETRY%g", &[]);
    request.batch = Some(true);
    assert_eq!(client.send_raw(&request, batch_of(2)).await.response_code(), ResponseCode::MESSAGE_ILLEGAL);
    request.topic = "t".into();
    let whole = batch_of(2);
    let cut = client.send_raw(&request, whole.slice(..whole.len() - 3)).await;
    assert_eq!(cut.response_code(), ResponseCode::SYSTEM_ERROR);
}

#[tokio::test]
async fn an_unknown_request_is_answered_with_three() {
    let rig = Rig::start().await;
    let client = rig.connect();
    let answer = client.call(rocketmq_remoting::Command::request(RequestCode(4711))).await;
    assert_eq!(answer.response_code(), ResponseCode::REQUEST_CODE_NOT_SUPPORTED);
    assert_eq!(answer.remark.as_deref(), Some(" request type 4711 not supported"));
}

#[tokio::test]
async fn a_broker_that_is_told_to_flush_first_does_so_from_then_on() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.send("t", "w", &[]).await;
    let admin = &rig.broker.domains.admin;
    let mut live = (*admin.settings.live()).clone();
    live.store.flush_mode = FlushMode::Sync;
    admin.tune(live).unwrap();
    for body in ["x", "y"] {
        client.send("t", body, &[]).await;
        let store = rig.broker.store();
        assert_eq!(store.flushed_physical_offset(), store.max_physical_offset());
    }
}

#[tokio::test]
async fn settings_count_although_the_topics_cannot_be_written() {
    let rig = Rig::start().await;
    let admin = &rig.broker.domains.admin;
    // A folder stands where the new file is written.
    std::fs::create_dir_all(rig.path().join("config/topics.json.tmp")).unwrap();
    admin.tune(Live { auto_create_topics: false, reject_transactions: true, ..Live::default() }).unwrap_err();
    assert!(admin.settings.live().reject_transactions);
}

#[tokio::test]
async fn without_a_slave_a_sync_master_answers_as_apaches_does_and_keeps_the_message() {
    for (version, replicas, expected) in [
        (Apache::V4_9_7, 1, ResponseCode::SLAVE_NOT_AVAILABLE),
        (Apache::V5_4_0, 1, ResponseCode::SUCCESS),
        (Apache::V5_4_0, 2, ResponseCode::FLUSH_SLAVE_TIMEOUT),
    ] {
        let rig = Rig::with(|settings| {
            (settings.fixed.role, settings.fixed.apache_version) = (Role::SyncMaster, version);
            settings.live.in_sync_replicas = replicas;
        })
        .await;
        let client = rig.connect();
        let request = client.send_request("t", &[]);
        let time = async {
            client.drain("t", 0, 1).await;
            loop {
                rig.advance(Duration::from_secs(1));
                tokio::task::yield_now().await;
            }
        };
        let answer = tokio::select! {
            answer = client.send_raw(&request, "x") => answer,
            () = time => unreachable!("time does not end"),
        };
        assert_eq!(answer.response_code(), expected, "{version:?} {replicas}");
        assert_eq!(answer.ext.get("queueOffset"), Some("0"));
        let careless = client.send_request("t", &[("WAIT", "false")]);
        let answer = client.send_raw(&careless, "y").await;
        assert_eq!(answer.response_code(), ResponseCode::SUCCESS, "{version:?} {replicas}");
    }
}

#[tokio::test]
async fn with_sync_flush_the_answer_follows_the_disk() {
    let rig = Rig::with(|settings| settings.live.store.flush_mode = FlushMode::Sync).await;
    let client = rig.connect();
    client.send("t", "x", &[]).await;
    let store = rig.broker.store();
    assert_eq!(store.flushed_physical_offset(), store.max_physical_offset());
    client.send("t", "y", &[("WAIT", "false")]).await;
    assert_eq!(client.drain("t", 0, 2).await.len(), 2);
}
