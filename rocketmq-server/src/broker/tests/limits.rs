//! Messages at the limits of what a record or a client may hold: none of them stops what is behind it.

use std::time::Duration;

use rocketmq_remoting::body::group::SubscriptionGroupConfig;
use rocketmq_remoting::message::MessageRecord;
use rocketmq_remoting::requests::pop::PopMessageRequest;
use rocketmq_remoting::requests::send::ConsumerSendMsgBackRequest;
use rocketmq_remoting::{RequestCode, ResponseCode};

use super::pop_rig::{HIDDEN, Popper};
use super::rig::{Client, Rig, START, eventually};
use super::transaction_rig::{COMMIT, answer_to, half};
use crate::broker::names::{HALF_TOPIC, SCHEDULE_TOPIC, TIMER_TOPIC, TRANS_CHECK_MAX_TIME_TOPIC};

/// Longer than messages are hidden and late acknowledgements waited for.
const AFTER: Duration = Duration::from_millis(HIDDEN as u64 + 2_001);

async fn send_large(client: &Client, topic: &str, properties: &[(&str, &str)]) -> ResponseCode {
    let request = client.send_request(topic, properties);
    client.send_raw(&request, vec![7; 200_000]).await.response_code()
}

/// As another broker, or damage, may have left it: parked for a topic that cannot be.
fn parked_for_nowhere(topic: &str, extra: &str) -> MessageRecord {
    MessageRecord {
        topic: topic.into(),
        properties: format!("REAL_TOPIC\u{1}../up\u{2}REAL_QID\u{1}0\u{2}{extra}"),
        body: "x".into(),
        ..MessageRecord::default()
    }
}

#[tokio::test]
async fn a_delayed_message_without_a_place_to_go_is_set_aside() {
    let rig = Rig::start().await;
    let client = rig.connect();
    let log = &rig.broker.domains.send.log;
    log.append(parked_for_nowhere(SCHEDULE_TOPIC, "DELAY\u{1}1\u{2}")).unwrap();
    log.append(MessageRecord { topic: SCHEDULE_TOPIC.into(), ..MessageRecord::default() }).unwrap();
    client.send("t", "behind", &[("DELAY", "1")]).await;
    rig.advance(Duration::from_secs(1));
    assert_eq!(client.drain("t", 0, 1).await.len(), 1);
    assert_eq!(log.stats.counters.totals().set_aside, 2);
}

/// As much as makes the property string of a record this long.
fn filled(properties: &str, len: usize) -> String {
    format!("{properties}pad\u{1}{}\u{2}", "x".repeat(len - properties.len() - 5))
}

const FULL: usize = 32_767;

#[tokio::test]
async fn a_timer_of_any_size_is_refused_at_the_send_or_delivered() {
    let rig = Rig::start().await;
    let client = rig.connect();
    let mut accepted = 0;
    for len in (32_000..=FULL).step_by(59) {
        let mut request = client.send_request("t", &[]);
        request.properties = Some(filled("TIMER_DELAY_MS\u{1}1000\u{2}", len));
        match client.send_raw(&request, "x").await.response_code() {
            ResponseCode::SUCCESS => accepted += 1,
            code => assert_eq!(code, ResponseCode::MESSAGE_ILLEGAL, "{len}"),
        }
    }
    assert!((1..14).contains(&accepted), "{accepted}");
    client.send("t", "behind", &[("TIMER_DELAY_MS", "1001")]).await;
    rig.advance(Duration::from_millis(1_001));
    assert_eq!(&client.drain("t", 0, accepted + 1).await[accepted].body[..], b"behind");
    assert_eq!(rig.broker.domains.send.log.stats.counters.totals().set_aside, 0);
}

/// As a broker that reserves no room may have left them in the store.
#[tokio::test]
async fn timers_without_room_or_place_stop_none_behind_them() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.send("t", "a topic", &[]).await;
    let log = &rig.broker.domains.send.log;
    let due = format!("TIMER_OUT_MS\u{1}{}\u{2}", START + 1_000);
    let full = MessageRecord {
        topic: TIMER_TOPIC.into(),
        properties: filled(&format!("REAL_TOPIC\u{1}t\u{2}REAL_QID\u{1}0\u{2}{due}"), FULL),
        body: "full".into(),
        ..MessageRecord::default()
    };
    log.append(parked_for_nowhere(TIMER_TOPIC, &due)).unwrap();
    log.append(full.clone()).unwrap();
    log.append(MessageRecord { topic: TIMER_TOPIC.into(), ..MessageRecord::default() }).unwrap();
    client.send("t", "behind", &[("TIMER_DELAY_MS", "1001")]).await;
    rig.advance(Duration::from_millis(1_001));
    let messages = client.drain("t", 0, 3).await;
    assert_eq!((&messages[1].body[..], &messages[2].body[..]), (&b"full"[..], &b"behind"[..]));
    assert_eq!(messages[1].properties, full.properties, "there was no room for a note");
    assert_eq!(log.stats.counters.totals().set_aside, 2);
}

#[tokio::test]
async fn a_half_of_any_size_is_refused_at_the_send_or_asked_about_and_delivered() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.producer_heartbeat("c", "p").await;
    let mut accepted = 0;
    for len in (32_000..=FULL).step_by(59) {
        let mut request = client.send_request("t", &[]);
        let named = format!("TRAN_MSG\u{1}true\u{2}PGROUP\u{1}p\u{2}UNIQ_KEY\u{1}{len}\u{2}");
        request.properties = Some(filled(&named, len));
        match client.send_raw(&request, "x").await.response_code() {
            ResponseCode::SUCCESS => accepted += 1,
            code => assert_eq!(code, ResponseCode::MESSAGE_ILLEGAL, "{len}"),
        }
    }
    assert!((1..14).contains(&accepted), "{accepted}");
    rig.advance(Duration::from_secs(30));
    for _ in 0..accepted {
        let check = client.next_of(RequestCode::CHECK_TRANSACTION_STATE).await;
        client.ask(&answer_to(&check, COMMIT)).await;
    }
    assert_eq!(client.drain("t", 0, accepted).await.len(), accepted);
}

/// As a broker that reserves no room may have left them in the store.
#[tokio::test]
async fn halves_without_room_or_place_stop_none_behind_them() {
    let rig = Rig::with(|settings| settings.live.transaction_check_max = 2).await;
    let client = rig.connect();
    client.producer_heartbeat("c", "p").await;
    let log = &rig.broker.domains.send.log;
    let named = "PGROUP\u{1}p\u{2}UNIQ_KEY\u{1}full\u{2}REAL_TOPIC\u{1}t\u{2}REAL_QID\u{1}0\u{2}";
    let full = MessageRecord {
        topic: HALF_TOPIC.into(),
        properties: filled(named, FULL),
        ..MessageRecord::default()
    };
    log.append(full).unwrap();
    log.append(MessageRecord { topic: HALF_TOPIC.into(), ..MessageRecord::default() }).unwrap();
    half(&client, "behind", &[]).await;
    for round in 0..2 {
        rig.advance(Duration::from_secs(30));
        for expected in if round == 0 { &["full", "behind"][..] } else { &["full"] } {
            let check = client.next_of(RequestCode::CHECK_TRANSACTION_STATE).await;
            assert_eq!(check.ext.get("transactionId"), Some(*expected));
            if *expected == "behind" {
                client.ask(&answer_to(&check, COMMIT)).await;
                assert_eq!(&client.drain("t", 0, 1).await[0].body[..], b"behind");
            }
        }
    }
    // Three halves, their copies, and the copies of the two that are still open: the round is over.
    eventually(|| log.store.max_offset(HALF_TOPIC, 0) == 8).await;
    rig.advance(Duration::from_secs(30));
    rig.when_topic_exists(TRANS_CHECK_MAX_TIME_TOPIC).await;
    assert_eq!(client.drain(TRANS_CHECK_MAX_TIME_TOPIC, 0, 2).await.len(), 2, "both were given up");
}

fn send_back(offset: i64, delay_level: i32) -> ConsumerSendMsgBackRequest {
    ConsumerSendMsgBackRequest {
        offset,
        group: "g".into(),
        delay_level,
        origin_msg_id: None,
        origin_topic: None,
        unit_mode: None,
        max_reconsume_times: None,
    }
}

#[tokio::test]
async fn a_message_that_has_no_room_for_a_retry_becomes_a_dead_letter() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.heartbeat("c", "g", &["t"]).await;
    for delay_level in [0, -1] {
        client.send("t", "place", &[]).await;
        let log = &rig.broker.domains.send.log;
        let full =
            MessageRecord { topic: "t".into(), properties: filled("", FULL), ..MessageRecord::default() };
        let stored = log.append(full.clone()).unwrap();
        let answer = client.ask(&send_back(stored.physical_offset, delay_level)).await;
        assert_eq!(answer.response_code(), ResponseCode::SUCCESS, "{:?}", answer.remark);
    }
    let dead = client.drain("%DLQ%g", 0, 2).await;
    assert!(dead.iter().all(|message| message.properties == filled("", FULL)));
}

#[tokio::test]
async fn a_popped_message_that_has_no_room_for_a_receipt_becomes_a_dead_letter() {
    let rig = Rig::start().await;
    let popper = Popper::new(&rig, "g");
    popper.client.send("t", "behind", &[]).await;
    let log = &rig.broker.domains.send.log;
    let of_len =
        |len| MessageRecord { topic: "t".into(), properties: filled("", len), ..MessageRecord::default() };
    // Room for 1ST_POP_TIME and ORIGIN_GROUP, and what is kept free for POP_CK.
    let fits = FULL - 256 - 42;
    for len in [fits - 1, fits, fits + 1, FULL - 1, FULL] {
        log.append(of_len(len)).unwrap();
    }
    assert_eq!(popper.pop("t").await.messages.len(), 6);
    rig.advance(AFTER);
    let mut again = Vec::new();
    while again.len() < 3 {
        again.extend(popper.wait("t").await.messages);
    }
    assert!(again.iter().all(|popped| popped.message.topic == "t"), "with its receipt");
    assert_eq!(popper.client.drain("%DLQ%g", 0, 3).await.len(), 3);
    assert_eq!(log.stats.counters.totals().set_aside, 0);
}

#[tokio::test]
async fn an_ordered_message_that_fills_its_record_comes_again() {
    let rig = Rig::start().await;
    let popper = Popper::new(&rig, "g");
    popper.client.send("t", "place", &[]).await;
    let full = MessageRecord { topic: "t".into(), properties: filled("", FULL), ..MessageRecord::default() };
    rig.broker.domains.send.log.append(full).unwrap();
    let in_order = PopMessageRequest { order: true, queue_id: 0, ..popper.request("t") };
    for _ in 0..2 {
        assert_eq!(popper.ask(&in_order).await.messages.len(), 2);
        assert!(popper.ask(&in_order).await.messages.is_empty());
        rig.advance(Duration::from_millis(HIDDEN as u64 + 1));
    }
}

/// The longest names that clients may give: what is derived from them still has a place in the log.
#[tokio::test]
async fn messages_with_the_longest_names_go_every_way() {
    let (topic, group) = ("t".repeat(127), "g".repeat(120));
    let rig = Rig::start().await;
    let popper = Popper::new(&rig, group.clone().leak());
    let client = &popper.client;
    client.heartbeat("c", &group, &[&topic]).await;
    client.producer_heartbeat("c", "p").await;
    for properties in [
        &[][..],
        &[("DELAY", "1")],
        &[("TIMER_DELAY_MS", "1000")],
        &[("TRAN_MSG", "true"), ("PGROUP", "p"), ("UNIQ_KEY", "half")],
    ] {
        client.send(&topic, "x", properties).await;
    }
    rig.advance(Duration::from_secs(30));
    let check = client.next_of(RequestCode::CHECK_TRANSACTION_STATE).await;
    client.ask(&answer_to(&check, COMMIT)).await;
    let all = client.drain(&topic, 0, 4).await;

    for (offset, delay_level) in [(all[0].physical_offset, 1), (all[1].physical_offset, -1)] {
        let back = ConsumerSendMsgBackRequest { group: group.clone(), ..send_back(offset, delay_level) };
        assert_eq!(client.ask(&back).await.response_code(), ResponseCode::SUCCESS);
    }
    rig.advance(Duration::from_secs(1));
    assert_eq!(client.drain(&format!("%RETRY%{group}"), 0, 1).await.len(), 1);
    assert_eq!(client.drain(&format!("%DLQ%{group}"), 0, 1).await.len(), 1);

    assert_eq!(popper.pop(&topic).await.messages.len(), 4);
    rig.advance(AFTER);
    let mut again = 0;
    while again < 4 {
        again += popper.wait(&topic).await.messages.len();
    }
}

#[tokio::test]
async fn a_pop_may_hide_messages_no_longer_than_timers_wait() {
    let rig = Rig::start().await;
    let popper = Popper::new(&rig, "g");
    popper.client.send("t", "x", &[]).await;
    let too_long = PopMessageRequest { invisible_time: 259_200_001, ..popper.request("t") };
    assert_eq!(popper.ask(&too_long).await.code, ResponseCode::INVALID_PARAMETER);
    let longest = PopMessageRequest { invisible_time: 259_200_000, ..too_long };
    assert_eq!(popper.ask(&longest).await.bodies(), ["x"]);
}

#[tokio::test]
async fn what_was_accepted_is_delivered_after_the_limit_was_lowered() {
    let rig = Rig::start().await;
    let popper = Popper::new(&rig, "g");
    popper.client.heartbeat("c", "g", &["t"]).await;
    for properties in [
        &[("DELAY", "2")][..],
        &[("TIMER_DELAY_MS", "5000")],
        &[("TRAN_MSG", "true"), ("PGROUP", "p"), ("UNIQ_KEY", "half")],
    ] {
        assert_eq!(send_large(&popper.client, "t", properties).await, ResponseCode::SUCCESS);
    }
    assert_eq!(send_large(&popper.client, "popped", &[]).await, ResponseCode::SUCCESS);
    popper.pop("popped").await;

    let rig = rig.restart_with(|settings| settings.live.max_message_size = 65_536).await;
    let popper = Popper::new(&rig, "g");
    let client = &popper.client;
    assert_eq!(send_large(client, "t", &[]).await, ResponseCode::MESSAGE_ILLEGAL, "a client's own");
    client.producer_heartbeat("c", "p").await;
    for properties in [&[("DELAY", "2")][..], &[("TIMER_DELAY_MS", "5000")]] {
        client.send("t", "behind", properties).await;
    }
    rig.advance(Duration::from_secs(30));
    assert_eq!(
        client.drain("t", 0, 4).await.iter().filter(|message| message.body.len() == 200_000).count(),
        2
    );
    let check = client.next_of(RequestCode::CHECK_TRANSACTION_STATE).await;
    client.ask(&answer_to(&check, COMMIT)).await;
    let committed = client.drain("t", 0, 5).await.remove(4);
    assert_eq!(committed.body.len(), 200_000);

    let back = send_back(committed.physical_offset, 1);
    assert_eq!(client.ask(&back).await.response_code(), ResponseCode::SUCCESS);
    rig.advance(AFTER);
    assert_eq!(client.drain("%RETRY%g", 0, 1).await[0].body.len(), 200_000);
    assert_eq!(popper.wait("popped").await.messages[0].message.body.len(), 200_000);
}

/// A broker of 4.x made groups of up to 255 characters.
#[tokio::test]
async fn a_group_of_4x_with_a_longer_name_has_retries_and_dead_letters() {
    let group = "g".repeat(240);
    let rig = Rig::start().await;
    let config = SubscriptionGroupConfig { group_name: group.clone(), ..SubscriptionGroupConfig::default() };
    rig.broker.domains.groups.groups.put([config]).unwrap();
    let client = rig.connect();
    client.send("t", "x", &[]).await;
    let offset = client.drain("t", 0, 1).await[0].physical_offset;
    for (delay_level, topic) in [(1, format!("%RETRY%{group}")), (-1, format!("%DLQ%{group}"))] {
        let back = ConsumerSendMsgBackRequest { group: group.clone(), ..send_back(offset, delay_level) };
        let answer = client.ask(&back).await;
        assert_eq!(answer.response_code(), ResponseCode::SUCCESS, "{:?}", answer.remark);
        rig.advance(Duration::from_secs(1));
        assert_eq!(client.drain(&topic, 0, 1).await.len(), 1);
    }
}
