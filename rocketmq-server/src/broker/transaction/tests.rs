//! Transactions: halves, ends, and what happens to those nobody ends.

use std::collections::BTreeSet;
use std::time::Duration;

use rocketmq_remoting::message::{MessageRecord, OffsetMessageId, Properties};
use rocketmq_remoting::requests::send::SendMessageResponse;
use rocketmq_remoting::requests::transaction::{EndTransactionRequest, ResumeCheckHalfMessageRequest};
use rocketmq_remoting::{RequestCode, ResponseCode};

use crate::broker::names::{HALF_TOPIC, TRANS_CHECK_MAX_TIME_TOPIC};
use crate::broker::tests::rig::{Client, Rig, START};
use crate::broker::tests::transaction_rig::{COMMIT, ROLLBACK, answer_to, end_of, half};
use crate::store::FlushMode;

async fn visible(client: &Client) -> Vec<MessageRecord> {
    client.pull("t", 0, 0).await.messages
}

#[tokio::test]
async fn a_half_is_invisible_until_it_is_committed_and_committed_once() {
    let rig = Rig::start().await;
    let client = rig.connect();
    let sent = half(&client, "x", &[]).await;
    assert!(visible(&client).await.is_empty());
    for _ in 0..2 {
        let answer = client.ask(&end_of(&sent, COMMIT)).await;
        assert_eq!(answer.response_code(), ResponseCode::SUCCESS, "{:?}", answer.remark);
    }
    let messages = visible(&client).await;
    assert_eq!(messages.len(), 1);
    let message = &messages[0];
    assert_eq!((&message.body[..], message.queue_id), (&b"x"[..], 0));
    assert!(message.sys_flag.has(COMMIT));
    assert_eq!(message.prepared_transaction_offset, end_of(&sent, COMMIT).commit_log_offset);
    let properties = Properties::parse(&message.properties);
    assert_eq!(properties.get("REAL_TOPIC"), None);
    assert_eq!(properties.get("TRAN_MSG"), Some("true"));
}

/// A half that was asked about once and then given up; its copy in the topic for such.
async fn given_up(rig: &Rig, client: &Client) -> (SendMessageResponse, MessageRecord) {
    client.producer_heartbeat("c", "p").await;
    let sent = half(client, "x", &[]).await;
    rig.advance(Duration::from_secs(30));
    client.next_of(RequestCode::CHECK_TRANSACTION_STATE).await;
    rig.advance(Duration::from_secs(30));
    rig.when_topic_exists(TRANS_CHECK_MAX_TIME_TOPIC).await;
    let copy = client.drain(TRANS_CHECK_MAX_TIME_TOPIC, 0, 1).await.remove(0);
    (sent, copy)
}

async fn end_code(client: &Client, sent: &SendMessageResponse, decision: i32) -> ResponseCode {
    client.ask(&end_of(sent, decision)).await.response_code()
}

#[tokio::test]
async fn a_late_commit_of_what_was_given_up_delivers_once() {
    let rig = Rig::with(|settings| settings.live.transaction_check_max = 1).await;
    let client = rig.connect();
    let (sent, _) = given_up(&rig, &client).await;
    for _ in 0..2 {
        assert_eq!(end_code(&client, &sent, COMMIT).await, ResponseCode::SUCCESS);
    }
    assert_eq!(visible(&client).await.len(), 1);
    assert_eq!(end_code(&client, &sent, ROLLBACK).await, ResponseCode::ILLEGAL_OPERATION);
}

#[tokio::test]
async fn an_end_of_what_was_given_up_before_the_start_is_no_success() {
    let rig = Rig::with(|settings| settings.live.transaction_check_max = 1).await;
    let (sent, _) = given_up(&rig, &rig.connect()).await;
    let rig = rig.restart().await;
    let client = rig.connect();
    for decision in [COMMIT, ROLLBACK] {
        let answer = client.ask(&end_of(&sent, decision)).await;
        assert_eq!(answer.response_code(), ResponseCode::ILLEGAL_OPERATION);
        assert!(answer.remark.unwrap().contains(TRANS_CHECK_MAX_TIME_TOPIC));
    }
    assert!(visible(&client).await.is_empty());
}

#[tokio::test]
async fn a_commit_that_names_the_first_copy_delivers_after_a_restart_or_crash() {
    for crashes in [false, true] {
        let rig = Rig::start().await;
        let client = rig.connect();
        client.producer_heartbeat("c", "p").await;
        let sent = half(&client, "x", &[]).await;
        rig.advance(Duration::from_secs(30));
        client.next_of(RequestCode::CHECK_TRANSACTION_STATE).await;
        let rig = if crashes { rig.crash().await } else { rig.restart().await };
        let client = rig.connect();
        for _ in 0..2 {
            assert_eq!(end_code(&client, &sent, COMMIT).await, ResponseCode::SUCCESS);
        }
        assert_eq!(visible(&client).await.len(), 1);
    }
}

#[tokio::test]
async fn the_second_end_of_a_transaction_must_agree_with_the_first() {
    let mut rig = Rig::start().await;
    let client = rig.connect();
    let (kept, dropped) = (half(&client, "kept", &[]).await, half(&client, "dropped", &[]).await);
    end_code(&client, &kept, COMMIT).await;
    end_code(&client, &dropped, ROLLBACK).await;
    for _ in 0..2 {
        let client = rig.connect();
        for (sent, agrees, contradicts) in [(&kept, COMMIT, ROLLBACK), (&dropped, ROLLBACK, COMMIT)] {
            assert_eq!(end_code(&client, sent, agrees).await, ResponseCode::SUCCESS);
            assert_eq!(end_code(&client, sent, contradicts).await, ResponseCode::ILLEGAL_OPERATION);
        }
        assert_eq!(visible(&client).await.len(), 1);
        rig = rig.crash().await;
    }
}

#[tokio::test]
async fn halves_are_asked_about_when_the_clock_was_set_back() {
    let rig = Rig::start().await;
    rig.clock.set(START + 3_600_000);
    half(&rig.connect(), "under the wrong clock", &[]).await;
    rig.clock.set(START);
    let client = rig.connect();
    half(&client, "after it", &[]).await;
    let mut asked = BTreeSet::new();
    let asking = async {
        while asked.len() < 2 {
            let check = client.next_of(RequestCode::CHECK_TRANSACTION_STATE).await;
            asked.insert(check.ext.get("transactionId").unwrap().to_owned());
        }
    };
    let passing = async {
        while rig.clock_millis() < START + 3_000_000 {
            client.producer_heartbeat("c", "p").await;
            rig.advance(Duration::from_secs(30));
        }
        std::future::pending::<()>().await;
    };
    tokio::select! { () = asking => {}, () = passing => {} }
}

#[tokio::test]
async fn a_half_that_is_resumed_is_open_again_whatever_copy_an_end_names() {
    let rig = Rig::with(|settings| settings.live.transaction_check_max = 1).await;
    let client = rig.connect();
    let (sent, copy) = given_up(&rig, &client).await;
    let resume = |offset| {
        let id = OffsetMessageId { host: copy.store_host, offset };
        ResumeCheckHalfMessageRequest { topic: None, msg_id: Some(id.to_string()) }
    };
    client.send("t", "plain", &[]).await;
    let plain = visible(&client).await[0].physical_offset;
    assert_eq!(client.ask(&resume(plain)).await.response_code(), ResponseCode::INVALID_PARAMETER);
    assert_eq!(client.ask(&resume(copy.physical_offset)).await.response_code(), ResponseCode::SUCCESS);
    for _ in 0..2 {
        assert_eq!(end_code(&client, &sent, COMMIT).await, ResponseCode::SUCCESS);
    }
    half(&client, "next", &[]).await;
    rig.advance(Duration::from_secs(30));
    let check = client.next_of(RequestCode::CHECK_TRANSACTION_STATE).await;
    assert_eq!(check.ext.get("transactionId"), Some("next"), "the resumed one is not asked about");
    assert_eq!(visible(&client).await.len(), 2);
}

#[tokio::test]
async fn an_end_must_name_the_half_it_ends() {
    let rig = Rig::start().await;
    let client = rig.connect();
    let sent = half(&client, "x", &[]).await;
    let good = end_of(&sent, COMMIT);
    let wrong = [
        EndTransactionRequest { producer_group: "q".into(), ..good.clone() },
        EndTransactionRequest { tran_state_table_offset: 9, ..good.clone() },
        EndTransactionRequest { commit_log_offset: 7, ..good.clone() },
        EndTransactionRequest { commit_or_rollback: 3, ..good.clone() },
    ];
    for end in wrong {
        assert_eq!(client.ask(&end).await.response_code(), ResponseCode::SYSTEM_ERROR, "{end:?}");
    }
    assert!(visible(&client).await.is_empty());
}

#[tokio::test]
async fn a_record_in_the_body_of_a_message_is_no_half() {
    let rig = Rig::start().await;
    let client = rig.connect();
    let theirs = half(&client, "x", &[]).await;
    let (place, body) = rig.forged(MessageRecord {
        topic: HALF_TOPIC.into(),
        queue_offset: theirs.queue_offset,
        properties: "REAL_TOPIC\u{1}mine\u{2}REAL_QID\u{1}0\u{2}PGROUP\u{1}q\u{2}".into(),
        ..MessageRecord::default()
    });
    client.send_raw(&client.send_request("mine", &[]), body).await;
    assert!(rig.broker.store().read_at(place).is_some(), "it looks like one");
    let end = EndTransactionRequest {
        producer_group: "q".into(),
        commit_log_offset: place,
        ..end_of(&theirs, ROLLBACK)
    };
    assert_eq!(client.ask(&end).await.response_code(), ResponseCode::SYSTEM_ERROR);
    client.ask(&end_of(&theirs, COMMIT)).await;
    assert_eq!(visible(&client).await.len(), 1, "the half was still open");
}

#[tokio::test]
async fn a_half_can_be_ended_before_the_disk_has_it() {
    let rig = Rig::with(|settings| settings.live.store.flush_mode = FlushMode::Sync).await;
    let client = rig.connect();
    let sent = half(&client, "x", &[("WAIT", "false")]).await;
    let answer = client.ask(&end_of(&sent, COMMIT)).await;
    assert_eq!(answer.response_code(), ResponseCode::SUCCESS, "{:?}", answer.remark);
    assert_eq!(client.drain("t", 0, 1).await.len(), 1);
}

#[tokio::test]
async fn an_undecided_half_is_asked_about_and_the_answer_counts() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.producer_heartbeat("c", "p").await;
    half(&client, "x", &[]).await;
    rig.advance(Duration::from_secs(30));
    let check = client.next_of(RequestCode::CHECK_TRANSACTION_STATE).await;
    assert!(check.is_oneway());
    assert_eq!(check.ext.get("transactionId"), Some("x"));
    let body = MessageRecord::decode(&mut check.body.clone()).unwrap();
    assert_eq!((body.topic.as_str(), &body.body[..]), ("t", &b"x"[..]));
    assert!(body.properties.contains("TRANSACTION_CHECK_TIMES\u{1}1\u{2}"));
    client.ask(&answer_to(&check, COMMIT)).await;
    assert_eq!(client.drain("t", 0, 1).await.len(), 1);
}

#[tokio::test]
async fn any_live_member_of_the_group_may_be_asked() {
    let rig = Rig::start().await;
    let (gone, alive) = (rig.connect(), rig.connect());
    gone.producer_heartbeat("c1", "p").await;
    half(&gone, "x", &[]).await;
    gone.connection.close();
    gone.connection.closed().await;
    alive.producer_heartbeat("c2", "p").await;
    rig.advance(Duration::from_secs(30));
    let check = alive.next_of(RequestCode::CHECK_TRANSACTION_STATE).await;
    alive.ask(&answer_to(&check, ROLLBACK)).await;
    assert!(visible(&alive).await.is_empty());
}

#[tokio::test]
async fn a_late_commit_by_the_first_offsets_still_delivers_once() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.producer_heartbeat("c", "p").await;
    let sent = half(&client, "x", &[]).await;
    rig.advance(Duration::from_secs(30));
    let check = client.next_of(RequestCode::CHECK_TRANSACTION_STATE).await;
    client.ask(&end_of(&sent, COMMIT)).await;
    client.ask(&answer_to(&check, COMMIT)).await;
    client.drain("t", 0, 1).await;
    assert_eq!(visible(&client).await.len(), 1);
}

#[tokio::test]
async fn after_the_last_check_a_half_is_given_up() {
    let rig = Rig::with(|settings| settings.live.transaction_check_max = 2).await;
    let client = rig.connect();
    client.producer_heartbeat("c", "p").await;
    half(&client, "x", &[]).await;
    for times in ["1", "2"] {
        rig.advance(Duration::from_secs(30));
        let check = client.next_of(RequestCode::CHECK_TRANSACTION_STATE).await;
        let body = MessageRecord::decode(&mut check.body.clone()).unwrap();
        assert_eq!(Properties::parse(&body.properties).get("TRANSACTION_CHECK_TIMES"), Some(times));
    }
    rig.advance(Duration::from_secs(30));
    rig.when_topic_exists(TRANS_CHECK_MAX_TIME_TOPIC).await;
    let given_up = client.drain(TRANS_CHECK_MAX_TIME_TOPIC, 0, 1).await;
    assert_eq!(&given_up[0].body[..], b"x");
    assert!(visible(&client).await.is_empty());
}

#[tokio::test]
async fn a_long_immunity_does_not_hold_up_others() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.producer_heartbeat("c", "p").await;
    half(&client, "patient", &[("CHECK_IMMUNITY_TIME_IN_SECONDS", "50")]).await;
    half(&client, "usual", &[]).await;
    rig.advance(Duration::from_secs(30));
    let check = client.next_of(RequestCode::CHECK_TRANSACTION_STATE).await;
    assert_eq!(check.ext.get("transactionId"), Some("usual"));
    client.ask(&answer_to(&check, COMMIT)).await;
    rig.advance(Duration::from_secs(30));
    let check = client.next_of(RequestCode::CHECK_TRANSACTION_STATE).await;
    assert_eq!(check.ext.get("transactionId"), Some("patient"));
}

#[tokio::test]
async fn what_was_decided_before_a_crash_is_not_asked_about_after_it() {
    let rig = Rig::start().await;
    let client = rig.connect();
    let first = half(&client, "decided", &[]).await;
    half(&client, "open", &[]).await;
    client.ask(&end_of(&first, COMMIT)).await;
    let rig = rig.crash().await;
    let client = rig.connect();
    client.producer_heartbeat("c", "p").await;
    rig.advance(Duration::from_secs(30));
    let check = client.next_of(RequestCode::CHECK_TRANSACTION_STATE).await;
    assert_eq!(check.ext.get("transactionId"), Some("open"));
    client.ask(&answer_to(&check, ROLLBACK)).await;
    assert_eq!(visible(&client).await.len(), 1);
}

#[tokio::test]
async fn a_delayed_transaction_waits_for_both() {
    let rig = Rig::start().await;
    let client = rig.connect();
    let sent = half(&client, "x", &[("DELAY", "1")]).await;
    client.ask(&end_of(&sent, COMMIT)).await;
    assert!(visible(&client).await.is_empty());
    rig.advance(Duration::from_secs(1));
    assert_eq!(client.drain("t", 0, 1).await.len(), 1);
}

#[tokio::test]
async fn transactions_can_be_refused() {
    let rig = Rig::with(|settings| settings.live.reject_transactions = true).await;
    let client = rig.connect();
    let request = client.send_request("t", &[("TRAN_MSG", "true")]);
    assert_eq!(client.send_raw(&request, "x").await.response_code(), ResponseCode::NO_PERMISSION);
    assert_eq!(client.pull(HALF_TOPIC, 0, 0).await.messages.len(), 0);
}
