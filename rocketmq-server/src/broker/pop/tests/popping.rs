//! Popping: what is handed out, in which words, and to whom it is refused.

use rocketmq_remoting::ResponseCode;
use rocketmq_remoting::requests::offset::QueryConsumerOffsetRequest;
use rocketmq_remoting::requests::pop::{
    AckMessageRequest, PeekMessageRequest, PollingInfoRequest, PopMessageRequest,
};

use crate::broker::tests::pop_rig::Popper;
use crate::broker::tests::rig::{Pulled, Rig, START};

#[tokio::test]
async fn a_pop_hands_out_hides_and_commits() {
    let rig = Rig::start().await;
    let popper = Popper::new(&rig, "g");
    for body in ["a", "b", "c", "d"] {
        popper.client.send("t", body, &[]).await;
    }
    let answer = popper.pop("t").await;
    assert_eq!(answer.code, ResponseCode::SUCCESS);
    assert_eq!(answer.bodies(), ["a", "b", "c", "d"]);
    let header = &answer.header;
    assert_eq!((header.pop_time, header.invisible_time, header.rest_num), (START, 60_000, 0));
    assert_eq!(header.start_offset_info.as_deref(), Some("0 0 0"));
    assert_eq!(header.msg_offset_info.as_deref(), Some("0 0 0,1,2,3"));
    assert_eq!(header.order_count_info, None);
    assert_eq!(popper.pop("t").await.code, ResponseCode::POLLING_TIMEOUT);

    let query = QueryConsumerOffsetRequest {
        consumer_group: "g".into(),
        topic: "t".into(),
        ..QueryConsumerOffsetRequest::default()
    };
    assert_eq!(popper.client.ask(&query).await.ext.get("offset"), Some("4"));
}

#[tokio::test]
async fn all_queues_are_visited_and_the_rest_is_counted() {
    let rig = Rig::start().await;
    let popper = Popper::new(&rig, "g");
    for queue in 0..4 {
        for _ in 0..10 {
            let mut request = popper.client.send_request("t", &[]);
            request.queue_id = queue;
            popper.client.send_raw(&request, "x").await;
        }
    }
    let first = popper.pop("t").await;
    assert_eq!((first.messages.len(), first.header.rest_num), (32, 8));
    let second = popper.pop("t").await;
    assert_eq!((second.messages.len(), second.header.rest_num), (8, 0));
    let one_queue = PopMessageRequest { queue_id: 2, ..Popper::new(&rig, "h").request("t") };
    let other = PopMessageRequest { consumer_group: "h".into(), max_msg_nums: 4, ..one_queue };
    let answer = popper.ask(&other).await;
    assert_eq!(answer.header.msg_offset_info.as_deref(), Some("0 2 0,1,2,3"));
    assert_eq!(answer.header.rest_num, 6);
}

#[tokio::test]
async fn refusals_have_apaches_codes_and_zeros() {
    let rig = Rig::start().await;
    let popper = Popper::new(&rig, "g");
    popper.client.send("t", "a", &[]).await;
    let base = popper.request("t");
    let cases = [
        (PopMessageRequest { max_msg_nums: 33, ..base.clone() }, ResponseCode::INVALID_PARAMETER),
        (PopMessageRequest { queue_id: 99, ..base.clone() }, ResponseCode::INVALID_PARAMETER),
        (PopMessageRequest { topic: "none".into(), ..base.clone() }, ResponseCode::TOPIC_NOT_EXIST),
        (
            PopMessageRequest { consumer_group: "g g".into(), ..base.clone() },
            ResponseCode::SUBSCRIPTION_GROUP_NOT_EXIST,
        ),
        (PopMessageRequest { born_time: START - 501, ..base.clone() }, ResponseCode::POLLING_TIMEOUT),
        (sql(&base, "a >"), ResponseCode::SUBSCRIPTION_PARSE_FAILED),
    ];
    for (request, code) in cases {
        let answer = popper.client.ask(&request).await;
        assert_eq!(answer.response_code(), code, "{:?}", answer.remark);
        assert_eq!((answer.ext.get("popTime"), answer.ext.get("restNum")), (Some("0"), Some("0")));
    }
    assert_eq!(popper.pop("t").await.messages.len(), 1, "nothing was taken meanwhile");
}

fn sql(request: &PopMessageRequest, condition: &str) -> PopMessageRequest {
    PopMessageRequest { exp_type: Some("SQL92".into()), exp: Some(condition.into()), ..request.clone() }
}

#[tokio::test]
async fn without_timers_there_is_no_pop() {
    let rig = Rig::with(|settings| settings.fixed.timers = false).await;
    let popper = Popper::new(&rig, "g");
    popper.client.send("t", "a", &[]).await;
    assert_eq!(popper.pop("t").await.code, ResponseCode::SYSTEM_ERROR);
}

#[tokio::test]
async fn filters_take_what_matches_and_move_past_the_rest() {
    let rig = Rig::start().await;
    let popper = Popper::new(&rig, "g");
    for (body, tag, price) in [("a", "x", "1"), ("b", "y", "2"), ("c", "x", "3"), ("d", "y", "9")] {
        popper.client.send("t", body, &[("TAGS", tag), ("price", price)]).await;
    }
    let tags = PopMessageRequest { exp: Some("x || z".into()), ..popper.request("t") };
    let answer = popper.ask(&tags).await;
    assert_eq!(answer.bodies(), ["a", "c"]);
    assert_eq!(answer.header.msg_offset_info.as_deref(), Some("0 0 0,2"));
    assert_eq!(popper.ask(&tags).await.code, ResponseCode::POLLING_TIMEOUT);
    assert_eq!(popper.pop("t").await.code, ResponseCode::POLLING_TIMEOUT, "b and d are behind");

    let other = Popper::new(&rig, "h");
    let answer = other.ask(&sql(&other.request("t"), "price BETWEEN 2 AND 3")).await;
    assert_eq!(answer.bodies(), ["b", "c"]);
}

#[tokio::test]
async fn a_new_group_may_begin_at_the_end_of_an_old_queue_only() {
    let rig = Rig::start().await;
    let popper = Popper::new(&rig, "g");
    popper.client.send("t", "a", &[]).await;
    let from_end = PopMessageRequest { init_mode: 1, ..popper.request("t") };
    assert_eq!(popper.ask(&from_end).await.bodies(), ["a"], "the queue still has its first message");
}

#[tokio::test]
async fn acknowledgements_of_what_cannot_be_are_refused() {
    let rig = Rig::start().await;
    let popper = Popper::new(&rig, "g");
    popper.client.send("t", "a", &[]).await;
    let popped = popper.pop("t").await.messages.remove(0);
    let good = AckMessageRequest {
        consumer_group: "g".into(),
        topic: "t".into(),
        queue_id: 0,
        extra_info: popped.receipt.clone(),
        offset: 0,
    };
    let broken = popped.receipt.replacen(" 0 broker-a", " broker-a", 1);
    let elsewhere = format!("0 {START} 60000 77 0 broker-a 0 0");
    let cases = [
        (AckMessageRequest { topic: "none".into(), ..good.clone() }, ResponseCode::TOPIC_NOT_EXIST),
        (AckMessageRequest { queue_id: 99, ..good.clone() }, ResponseCode::MESSAGE_ILLEGAL),
        (AckMessageRequest { offset: 9_999, ..good.clone() }, ResponseCode::NO_MESSAGE),
        (AckMessageRequest { extra_info: broken, ..good.clone() }, ResponseCode::SYSTEM_ERROR),
        (AckMessageRequest { extra_info: elsewhere, ..good.clone() }, ResponseCode::MESSAGE_ILLEGAL),
        (good.clone(), ResponseCode::SUCCESS),
        (good, ResponseCode::SUCCESS),
    ];
    for (request, code) in cases {
        let answer = popper.client.ask(&request).await;
        assert_eq!(answer.response_code(), code, "{:?}", answer.remark);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn messages_that_only_the_disk_has_are_popped_once_too() {
    let rig = Rig::with(|settings| settings.fixed.store.hot_tail = 0).await;
    let popper = Popper::new(&rig, "g");
    for body in ["a", "b", "c"] {
        popper.client.send("t", body, &[]).await;
    }
    rig.forget_messages();
    assert!(!rig.broker.store().is_hot("t", 0, 0));
    assert_eq!(popper.pop("t").await.bodies(), ["a", "b", "c"]);
    assert_eq!(popper.pop("t").await.code, ResponseCode::POLLING_TIMEOUT);
}

#[tokio::test]
async fn peeking_takes_nothing() {
    let rig = Rig::start().await;
    let popper = Popper::new(&rig, "g");
    popper.client.send("t", "a", &[]).await;
    let request =
        PeekMessageRequest { topic: "t".into(), queue_id: -1, max_msg_nums: 5, consumer_group: "g".into() };
    for _ in 0..2 {
        let answer = Pulled::of(popper.client.ask(&request).await);
        assert_eq!((answer.code, answer.messages.len()), (ResponseCode::SUCCESS, 1));
    }
    assert_eq!(popper.pop("t").await.bodies(), ["a"]);
    assert_eq!(popper.client.ask(&request).await.response_code(), ResponseCode::PULL_NOT_FOUND);
    let waiting = PollingInfoRequest { topic: "t".into(), queue_id: -1, consumer_group: "g".into() };
    assert_eq!(popper.client.ask(&waiting).await.ext.get("pollingNum"), Some("0"));
}

#[tokio::test]
async fn a_reset_of_the_group_is_followed_at_once() {
    let rig = Rig::start().await;
    let popper = Popper::new(&rig, "g");
    for body in ["a", "b"] {
        popper.client.send("t", body, &[]).await;
    }
    assert_eq!(popper.pop("t").await.bodies(), ["a", "b"]);
    let mut ext = rocketmq_remoting::ExtFields::new();
    for (name, value) in [
        ("topic", "t"),
        ("group", "g"),
        ("queueId", "0"),
        ("timestamp", "0"),
        ("offset", "1"),
        ("isForce", "true"),
    ] {
        ext.push(name, value);
    }
    let reset =
        rocketmq_remoting::Command::request(rocketmq_remoting::RequestCode::INVOKE_BROKER_TO_RESET_OFFSET);
    let answer = popper.client.call(reset.with_ext(ext)).await;
    assert_eq!(answer.response_code(), ResponseCode::SUCCESS, "{:?}", answer.remark);
    assert_eq!(popper.pop("t").await.bodies(), ["b"]);
    assert_eq!(popper.pop("t").await.code, ResponseCode::POLLING_TIMEOUT);
}
