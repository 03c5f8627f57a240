//! The producer against scripted brokers.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rocketmq_remoting::Request as _;
use rocketmq_remoting::message::batch;
use rocketmq_remoting::message::{MessageRecord, Properties};
use rocketmq_remoting::requests::reply::PushReplyMessageRequest;
use rocketmq_remoting::requests::transaction::{CheckTransactionStateRequest, EndTransactionRequest};
use rocketmq_remoting::route::MessageQueue;
use rocketmq_remoting::{Command, RequestCode, ResponseCode};

use crate::error::SendErrorKind;
use crate::messages::{DelayLevel, Message};
use crate::producer::select::index_of_key;
use crate::producer::{ProducerConfig, RequestErrorKind};
use crate::testkit::{
    FakeCluster, FakeServer, Reply, StillClock, answer, eventually, healthy, refuse, stored,
};
use crate::{Producer, SendStatus, TransactionState};

const SEND: RequestCode = RequestCode::SEND_MESSAGE_V2;
const BATCH: RequestCode = RequestCode::SEND_BATCH_MESSAGE;

async fn cluster(scripts: Vec<fn(&Command) -> Reply>) -> FakeCluster {
    let mut brokers = Vec::new();
    for script in scripts {
        brokers.push(FakeServer::start(script).await);
    }
    FakeCluster::start(brokers, 4).await
}

async fn producer(cluster: &FakeCluster) -> Producer {
    cluster.client.producer("p").build().await.expect("a producer")
}

fn sends(cluster: &FakeCluster) -> usize {
    cluster.brokers.iter().map(|broker| broker.seen(SEND).len()).sum()
}

#[tokio::test]
async fn a_stored_message_gives_a_receipt_and_the_request_has_javas_fields() {
    let cluster = cluster(vec![healthy]).await;
    let message = Message::new("t", "body").tag("TagA").key("k").flag(7);
    let receipt = producer(&cluster).await.send(message).await.expect("stored");
    assert_eq!((receipt.status(), receipt.queue_offset(), receipt.broker()), (SendStatus::Ok, 5, "broker-0"));
    let request = cluster.brokers[0].expect(SEND, 1).await.remove(0);
    let field = |name| request.ext.get(name).unwrap_or("-").to_owned();
    assert_eq!(
        (field("a"), field("b"), field("c"), field("d")),
        ("p".into(), "t".into(), "TBW102".into(), "4".into())
    );
    assert_eq!((field("e"), field("f"), field("h")), (receipt.queue().to_string(), "0".into(), "7".into()));
    assert_eq!(
        (field("m"), field("n"), &request.body[..]),
        ("false".into(), "broker-0".into(), &b"body"[..])
    );
    let properties = Properties::parse(&field("i"));
    assert_eq!((properties.tags(), properties.unique_key()), (Some("TagA"), Some(receipt.message_id())));
}

#[tokio::test]
async fn a_send_may_take_as_long_as_it_likes() {
    let cluster = cluster(vec![healthy]).await;
    let sent = producer(&cluster).await.send(Message::new("t", "b")).timeout(Duration::MAX).await;
    assert_eq!(sent.expect("stored").status(), SendStatus::Ok);
}

#[tokio::test]
async fn a_refusing_broker_is_left_for_another_and_not_asked_twice() {
    let cluster = cluster(vec![|_| refuse(ResponseCode::SERVICE_NOT_AVAILABLE, "disk full"), healthy]).await;
    let producer = producer(&cluster).await;
    for _ in 0..8 {
        let receipt = producer.send(Message::new("t", "b")).await.expect("stored elsewhere");
        assert_eq!(receipt.broker(), "broker-1");
    }
    assert_eq!(cluster.brokers[1].seen(SEND).len(), 8);
}

#[tokio::test]
async fn when_every_try_fails_each_is_in_the_error() {
    let cluster = cluster(vec![|_| refuse(ResponseCode::SYSTEM_ERROR, "boom"); 2]).await;
    let error = producer(&cluster).await.send(Message::new("t", "b")).await.expect_err("nobody stores");
    assert_eq!(
        (error.kind(), error.attempts().len(), error.is_retryable()),
        (SendErrorKind::Refused, 3, true)
    );
    let brokers: Vec<_> = error.attempts().iter().map(|attempt| attempt.broker.as_str()).collect();
    assert!(brokers[0] != brokers[1] && brokers[1] != brokers[2], "{brokers:?}");
    assert!(error.to_string().contains("boom") && error.attempts()[0].address.starts_with("127.0.0.1:"));
}

#[tokio::test]
async fn flow_control_and_illegal_messages_are_not_retried() {
    for (code, remark, kind) in [
        (ResponseCode::SYSTEM_BUSY, "[TIMEOUT_CLEAN_QUEUE]broker busy", SendErrorKind::FlowControl),
        (ResponseCode(215), "", SendErrorKind::FlowControl),
        (ResponseCode::MESSAGE_ILLEGAL, "too long", SendErrorKind::Refused),
    ] {
        let broker = FakeServer::start(move |_| refuse(code, remark)).await;
        let cluster = FakeCluster::start(vec![broker], 4).await;
        let error = producer(&cluster).await.send(Message::new("t", "b")).await.expect_err("refused");
        assert_eq!((error.kind(), sends(&cluster)), (kind, 1));
        assert_eq!(error.refusal().map(|refusal| refusal.code), Some(code));
    }
}

#[tokio::test]
async fn the_budget_holds_whatever_the_broker_does() {
    let clock = StillClock::stop();
    let cluster = cluster(vec![|_| Reply::Silence]).await;
    let sending = producer(&cluster).await.send(Message::new("t", "b")).timeout(Duration::from_secs(10));
    let sending = tokio::spawn(sending.into_future());
    clock.pass(Duration::from_secs(9)).await;
    assert_eq!((sends(&cluster), sending.is_finished()), (1, false));
    clock.pass(Duration::from_secs(2)).await;
    let error = sending.await.expect("no panic").expect_err("silence");
    assert_eq!((error.kind(), error.attempts().len()), (SendErrorKind::Timeout, 1));
}

#[tokio::test]
async fn a_cap_on_each_try_leaves_time_for_the_next_broker() {
    let cluster = cluster(vec![|_| Reply::Silence, healthy]).await;
    let builder = cluster.client.producer("p");
    let cap = Some(Duration::from_millis(50));
    let producer =
        builder.configure(|config| config.attempt_timeout = cap).build().await.expect("a producer");
    for _ in 0..2 {
        let receipt = producer.send(Message::new("t", "b")).await.expect("the other broker");
        assert_eq!(receipt.broker(), "broker-1");
    }
}

#[tokio::test]
async fn a_broken_connection_is_no_lost_message() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let cluster = cluster(vec![|request| match request.request_code() {
        SEND if CALLS.fetch_add(1, Ordering::SeqCst) == 0 => Reply::Close,
        _ => healthy(request),
    }])
    .await;
    producer(&cluster).await.send(Message::new("t", "b")).await.expect("stored at the second try");
}

#[tokio::test]
async fn a_server_that_goes_away_is_asked_again_over_a_new_connection() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let cluster = cluster(vec![|request| match request.request_code() {
        SEND if CALLS.fetch_add(1, Ordering::SeqCst) == 0 => answer(ResponseCode::GO_AWAY),
        _ => healthy(request),
    }])
    .await;
    producer(&cluster).await.send(Message::new("t", "b")).await.expect("stored");
    assert_eq!(cluster.brokers[0].accepted(), 2);
}

#[tokio::test]
async fn weak_durability_is_a_receipt_unless_one_insists() {
    let script = |request: &Command| match request.request_code() {
        SEND => stored(request, ResponseCode::FLUSH_DISK_TIMEOUT),
        _ => answer(ResponseCode::SUCCESS),
    };
    let cluster = cluster(vec![script, healthy]).await;
    let lax = producer(&cluster).await;
    let queue = MessageQueue::new("t", "broker-0", 2);
    let receipt = lax.send(Message::new("t", "b")).to_queue(&queue).await.expect("stored");
    assert_eq!((receipt.status(), receipt.queue()), (SendStatus::FlushDiskTimeout, 2));
    let strict = cluster.client.producer("strict").configure(|config| config.retry_when_not_durable = true);
    let strict = strict.build().await.expect("a producer");
    for _ in 0..4 {
        assert_eq!(strict.send(Message::new("t", "b")).await.expect("stored").status(), SendStatus::Ok);
    }
}

#[tokio::test]
async fn an_answer_that_does_not_say_where_the_message_is_breaks_the_protocol() {
    let cluster = cluster(vec![|_| answer(ResponseCode::SUCCESS)]).await;
    let error = producer(&cluster).await.send(Message::new("t", "b")).await.expect_err("no queue offset");
    assert_eq!((error.kind(), error.is_retryable()), (SendErrorKind::Malformed, false));
    assert!(error.to_string().contains("queueOffset"), "{error}");
}

#[tokio::test]
async fn equal_keys_share_a_queue_and_have_one_try() {
    let cluster = cluster(vec![|request| match request.ext.get("e") {
        Some("3") => refuse(ResponseCode::SYSTEM_ERROR, ""),
        _ => healthy(request),
    }])
    .await;
    let producer = producer(&cluster).await;
    for key in ["a", "b", "c", "d", "e", "f"] {
        let before = sends(&cluster);
        match producer.send(Message::new("t", "b")).ordered_by(key).await {
            Ok(receipt) => assert_eq!(receipt.queue() as usize, index_of_key(key, 4)),
            Err(error) => assert_eq!((index_of_key(key, 4), error.attempts().len()), (3, 1)),
        }
        assert_eq!(sends(&cluster), before + 1);
    }
}

#[tokio::test]
async fn a_selector_sees_all_queues_and_a_bad_choice_is_an_error() {
    let cluster = cluster(vec![healthy, healthy]).await;
    let producer = producer(&cluster).await;
    let receipt =
        producer.send(Message::new("t", "b")).select_with(|queues| queues.len() - 1).await.expect("sent");
    assert_eq!((receipt.broker(), receipt.queue()), ("broker-1", 3));
    let error = producer.send(Message::new("t", "b")).select_with(|_| 99).await.expect_err("no such queue");
    assert_eq!(error.kind(), SendErrorKind::NoQueue);
}

#[tokio::test]
async fn bad_messages_never_leave() {
    let cluster = cluster(vec![healthy]).await;
    let producer = producer(&cluster).await;
    for bad in
        [Message::new("t", ""), Message::new("or ders", "b"), Message::new("t", "b").property("KEYS", "x")]
    {
        let error = producer.send(bad).await.expect_err("refused");
        assert_eq!((error.kind(), error.is_retryable()), (SendErrorKind::InvalidMessage, false));
    }
    assert_eq!(sends(&cluster), 0);
}

#[tokio::test]
async fn large_bodies_travel_compressed() {
    let cluster = cluster(vec![healthy]).await;
    producer(&cluster).await.send(Message::new("t", vec![b'x'; 4096])).await.expect("stored");
    let request = cluster.brokers[0].expect(SEND, 1).await.remove(0);
    assert_eq!((request.ext.get("f"), request.body.len() < 4096), (Some("769"), true));
}

#[tokio::test]
async fn a_oneway_send_is_done_once_written() {
    let cluster = cluster(vec![|_| Reply::Silence]).await;
    producer(&cluster).await.send_oneway(Message::new("t", "b")).ordered_by("k").await.expect("written");
    let request = cluster.brokers[0].expect(SEND, 1).await.remove(0);
    assert!(request.is_oneway());
}

#[tokio::test]
async fn a_batch_is_split_to_fit_and_each_message_has_its_receipt() {
    let cluster = cluster(vec![healthy]).await;
    let builder = cluster.client.producer("p");
    let producer =
        builder.configure(|config| config.max_message_size = 400).build().await.expect("a producer");
    let messages = (0..6).map(|n| Message::new("t", vec![n; 64])).collect();
    let receipts = producer.send_batch(messages).ordered_by("k").await.expect("stored");
    let requests = cluster.brokers[0].seen(BATCH);
    let members: Vec<_> =
        requests.iter().flat_map(|r| batch::decode(r.body.clone()).expect("a batch")).collect();
    assert_eq!((members.len(), receipts.len()), (6, 6));
    assert!(
        requests.len() > 1 && requests.iter().all(|r| r.body.len() <= 400 && r.ext.get("m") == Some("true"))
    );
    assert!(receipts.iter().all(|receipt| receipt.queue() == receipts[0].queue()));
    for (n, (member, receipt)) in members.iter().zip(&receipts).enumerate() {
        assert_eq!(member.body, vec![n as u8; 64]);
        assert_eq!(Properties::parse(&member.properties).unique_key(), Some(receipt.message_id()));
    }
    assert_eq!(receipts[1].queue_offset(), receipts[0].queue_offset() + 1);
}

#[tokio::test]
async fn a_batch_that_brokers_would_refuse_never_leaves() {
    let cluster = cluster(vec![healthy]).await;
    let producer = producer(&cluster).await;
    let plain = || Message::new("t", "b");
    for bad in
        [Message::new("u", "b"), plain().delay(Duration::from_secs(1)), plain().deliver_after(DelayLevel::S1)]
    {
        let error = producer.send_batch(vec![plain(), bad]).await.expect_err("refused");
        assert_eq!(error.error().kind(), SendErrorKind::InvalidMessage);
    }
    assert!(producer.send_batch(Vec::new()).await.expect("nothing to do").is_empty());
    assert!(cluster.brokers[0].seen(BATCH).is_empty());
}

#[tokio::test]
async fn lingering_sends_leave_together_and_shutdown_loses_none() {
    let cluster = cluster(vec![healthy]).await;
    let producer =
        cluster.client.producer("p").linger(Duration::from_secs(60)).build().await.expect("a producer");
    let sends: Vec<_> = (0..3)
        .map(|n| {
            let producer = producer.clone();
            tokio::spawn(async move { producer.send(Message::new("t", vec![n; 8])).await })
        })
        .collect();
    let gathered = || producer.accumulator.as_ref().is_some_and(|a| a.len() == 3);
    eventually(gathered).await;
    producer.shutdown().await;
    for send in sends {
        send.await.expect("no panic").expect("stored at shutdown");
    }
    assert_eq!(cluster.brokers[0].seen(BATCH).len(), 1);
    let error = producer.send(Message::new("t", "b")).await.expect_err("shut down");
    assert_eq!(error.kind(), SendErrorKind::Closed);
}

#[tokio::test]
async fn a_full_bucket_does_not_linger_and_the_unsociable_go_alone() {
    let cluster = cluster(vec![healthy]).await;
    let builder = cluster.client.producer("p").linger(Duration::from_secs(60));
    let tight = |config: &mut ProducerConfig| {
        if let Some(linger) = &mut config.linger {
            linger.max_bytes = 64;
        }
    };
    let producer = builder.configure(tight).build().await.expect("a producer");
    producer.send(Message::new("t", vec![0; 100])).await.expect("a batch of one");
    producer.send(Message::new("t", "b").deliver_after(DelayLevel::S1)).await.expect("alone");
    assert_eq!((cluster.brokers[0].seen(BATCH).len(), cluster.brokers[0].seen(SEND).len()), (1, 1));
}

#[tokio::test]
async fn gathered_messages_never_exceed_what_one_request_may_hold() {
    let cluster = cluster(vec![healthy]).await;
    let builder = cluster.client.producer("p").linger(Duration::from_millis(50));
    let producer =
        builder.configure(|config| config.max_message_size = 1000).build().await.expect("a producer");
    let send = |size: usize| producer.send(Message::new("t", vec![0; size])).into_future();
    let (small, large, whole) = tokio::join!(biased; send(600), send(700), send(1000));
    for sent in [small, large, whole] {
        sent.expect("stored");
    }
    let broker = &cluster.brokers[0];
    let batches = broker.seen(BATCH);
    assert!(batches.iter().all(|batch| batch.body.len() <= 1000), "{batches:?}");
    assert_eq!((batches.len(), broker.seen(SEND).len()), (2, 1));
}

fn ends(broker: &FakeServer) -> Vec<EndTransactionRequest> {
    let requests = broker.seen(RequestCode::END_TRANSACTION);
    requests.iter().map(|r| EndTransactionRequest::from_ext(&r.ext).expect("an end")).collect()
}

#[tokio::test]
async fn a_transaction_is_a_half_message_and_a_decision() {
    let cluster = cluster(vec![healthy]).await;
    let producer = producer(&cluster).await;
    let transaction =
        producer.begin(Message::new("t", "b").deliver_after(DelayLevel::S1)).await.expect("stored");
    let half = cluster.brokers[0].expect(SEND, 1).await.remove(0);
    let properties = Properties::parse(half.ext.get("i").unwrap_or_default());
    assert_eq!(half.ext.get("f"), Some("4"));
    assert_eq!(
        (properties.is_transaction(), properties.producer_group(), properties.delay_level()),
        (true, Some("p"), 0)
    );
    let id = transaction.message_id().to_owned();
    transaction.commit().await.expect("confirmed");
    producer.begin(Message::new("t", "b")).await.expect("stored").rollback().await.expect("confirmed");
    let ends = ends(&cluster.brokers[0]);
    assert_eq!((ends[0].commit_or_rollback, ends[1].commit_or_rollback), (8, 12));
    assert_eq!((ends[0].commit_log_offset, ends[0].tran_state_table_offset, &ends[0].msg_id), (16, 5, &id));
}

#[tokio::test]
async fn a_half_message_stored_badly_is_rolled_back() {
    let cluster = cluster(vec![|request| match request.request_code() {
        SEND => stored(request, ResponseCode::SLAVE_NOT_AVAILABLE),
        _ => answer(ResponseCode::SUCCESS),
    }])
    .await;
    let error = producer(&cluster).await.begin(Message::new("t", "b")).await.expect_err("not durable");
    assert_eq!(error.kind(), SendErrorKind::HalfNotDurable);
    assert_eq!(ends(&cluster.brokers[0])[0].commit_or_rollback, 12);
}

fn question(group: &str) -> Command {
    let record = MessageRecord {
        topic: "t".into(),
        properties: format!("PGROUP\u{1}{group}\u{2}UNIQ_KEY\u{1}ID\u{2}"),
        body: bytes::Bytes::from_static(b"half"),
        ..MessageRecord::default()
    };
    let mut body = bytes::BytesMut::new();
    record.seal().encode(&mut body).expect("a record");
    let header = CheckTransactionStateRequest {
        tran_state_table_offset: 11,
        commit_log_offset: 22,
        transaction_id: Some("ID".into()),
        ..CheckTransactionStateRequest::default()
    };
    header.to_command().expect("a request").with_body(body.freeze()).oneway()
}

#[tokio::test]
async fn a_brokers_question_is_answered_by_the_checker() {
    let cluster = cluster(vec![healthy]).await;
    let checked = cluster.client.producer("p").transaction_checker(|half| async move {
        assert_eq!(half.text(), Some("half"));
        TransactionState::Commit
    });
    let panics = cluster.client.producer("q").transaction_checker(|_| async { panic!("a bug") });
    let producers = (checked.build().await.expect("a producer"), panics.build().await.expect("a producer"));
    producers.0.send(Message::new("t", "b")).await.expect("a connection");
    let broker = &cluster.brokers[0];
    broker.connections()[0].push(question("p")).expect("pushed");
    eventually(|| ends(broker).len() == 1).await;
    let end = ends(broker).remove(0);
    assert_eq!((end.commit_or_rollback, end.from_transaction_check, end.msg_id.as_str()), (8, true, "ID"));
    assert_eq!((end.tran_state_table_offset, end.commit_log_offset), (11, 22));
    broker.connections()[0].push(question("q")).expect("pushed");
    eventually(|| ends(broker).len() == 2).await;
    assert_eq!(ends(broker)[1].commit_or_rollback, 0);
}

#[tokio::test]
async fn a_request_waits_for_its_reply_and_no_longer_than_asked() {
    let cluster = cluster(vec![healthy]).await;
    let producer = producer(&cluster).await;
    let asking = producer.clone();
    let request = tokio::spawn(async move { asking.request(Message::new("t", "ping")).await });
    let sent = cluster.brokers[0].expect(SEND, 1).await.remove(0);
    let asked = Properties::parse(sent.ext.get("i").unwrap_or_default());
    assert_eq!(asked.get("REPLY_TO_CLIENT"), Some(cluster.client.client_id()));
    let correlation = asked.correlation_id().expect("an id").to_owned();
    let header = PushReplyMessageRequest {
        topic: "c_REPLY_TOPIC".into(),
        properties: Some(format!("CORRELATION_ID\u{1}{correlation}\u{2}")),
        ..PushReplyMessageRequest::default()
    };
    let push = header.to_command().expect("a request").with_body("pong");
    let pushed = cluster.brokers[0].connections()[0].call(push, Duration::from_secs(5)).await.expect("taken");
    assert_eq!(pushed.response_code(), ResponseCode::SUCCESS);
    let reply = request.await.expect("no panic").expect("a reply");
    assert_eq!(reply.text(), Some("pong"));
    let late = producer.request(Message::new("t", "ping")).timeout(Duration::from_secs(1)).await;
    assert_eq!(late.expect_err("nobody").kind(), RequestErrorKind::NoReply);
}

#[tokio::test]
async fn a_reply_goes_back_through_the_brokers_reply_topic() {
    let cluster = cluster(vec![healthy]).await;
    let producer = producer(&cluster).await;
    let plain = crate::Delivery::sample(Message::new("t", "ping"), 0);
    assert!(producer.reply(&plain, "pong").await.is_err_and(|e| e.to_string().contains("is no request")));
    let request = Message::new("t", "ping")
        .reserved("CLUSTER", "c".into())
        .reserved("CORRELATION_ID", "1".into())
        .reserved("REPLY_TO_CLIENT", "them".into())
        .reserved("TTL", "3000".into());
    producer.reply(&crate::Delivery::sample(request, 0), "pong").await.expect("sent");
    let reply = cluster.brokers[0].expect(RequestCode::SEND_REPLY_MESSAGE_V2, 1).await.remove(0);
    let properties = Properties::parse(reply.ext.get("i").unwrap_or_default());
    assert_eq!((reply.ext.get("b"), properties.get("MSG_TYPE")), (Some("c_REPLY_TOPIC"), Some("reply")));
    assert_eq!((properties.get("REPLY_TO_CLIENT"), properties.get("TTL")), (Some("them"), Some("3000")));
}

#[tokio::test]
async fn members_are_announced_once_and_leave_with_a_word() {
    let cluster = cluster(vec![healthy]).await;
    let first = producer(&cluster).await;
    first.send(Message::new("t", "b")).await.expect("stored");
    let beat = cluster.brokers[0].expect(RequestCode::HEART_BEAT, 1).await.remove(0);
    assert!(String::from_utf8_lossy(&beat.body).contains(r#""groupName":"p""#));
    assert!(cluster.client.producer("p").build().await.is_err_and(|e| e.to_string().contains("\"p\"")));
    first.shutdown().await;
    let leave = cluster.brokers[0].expect(RequestCode::UNREGISTER_CLIENT, 1).await.remove(0);
    assert_eq!(leave.ext.get("producerGroup"), Some("p"));
    cluster.client.producer("p").build().await.expect("the group is free again");
}

#[tokio::test]
async fn too_much_in_flight_is_said_within_the_budget() {
    let cluster = cluster(vec![|request| match request.request_code() {
        SEND => Reply::Silence,
        _ => answer(ResponseCode::SUCCESS),
    }])
    .await;
    let one = |config: &mut ProducerConfig| config.max_in_flight = 1;
    let producer = cluster.client.producer("p").configure(one).build().await.expect("a producer");
    let busy = producer.clone();
    let held = tokio::spawn(async move { busy.send(Message::new("t", "b")).await });
    cluster.brokers[0].expect(SEND, 1).await;
    let error = producer.send(Message::new("t", "b")).timeout(Duration::from_millis(50)).await;
    assert_eq!(error.expect_err("no room").kind(), SendErrorKind::Overloaded);
    held.abort();
    let _ = held.await;
    let sending = producer.send(Message::new("t", "b")).timeout(Duration::from_millis(500));
    assert_eq!(sending.await.expect_err("room, and silence").kind(), SendErrorKind::Timeout);
}
