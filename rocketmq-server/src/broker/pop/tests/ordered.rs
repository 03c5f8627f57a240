//! Ordered pops: one batch of a queue at a time.

use std::time::Duration;

use rocketmq_remoting::ResponseCode;
use rocketmq_remoting::requests::pop::PopMessageRequest;

use crate::broker::tests::pop_rig::{HIDDEN, PopAnswer, Popper};
use crate::broker::tests::rig::{Rig, START};

fn ordered(popper: &Popper, attempt: &str) -> PopMessageRequest {
    PopMessageRequest {
        order: true,
        max_msg_nums: 2,
        attempt_id: Some(attempt.into()),
        ..popper.request("t")
    }
}

async fn with_messages(rig: &Rig) -> (Popper, PopAnswer) {
    let popper = Popper::new(rig, "g");
    for body in ["a", "b", "c"] {
        popper.client.send("t", body, &[]).await;
    }
    let first = popper.ask(&ordered(&popper, "1")).await;
    assert_eq!((first.bodies(), first.header.revive_qid), (vec!["a", "b"], 999));
    assert_eq!(first.header.order_count_info.as_deref(), Some("0 0 0"));
    (popper, first)
}

#[tokio::test]
async fn a_queue_waits_for_all_acknowledgements() {
    let rig = Rig::start().await;
    let (popper, first) = with_messages(&rig).await;
    assert_eq!(popper.ask(&ordered(&popper, "2")).await.code, ResponseCode::POLLING_TIMEOUT);
    assert_eq!(popper.ask(&ordered(&popper, "1")).await.bodies(), ["a", "b"], "the same request again");
    popper.ack(&first.messages[1]).await;
    let waiting = PopMessageRequest { poll_time: 1_000_000, ..ordered(&popper, "3") };
    let (woken, ()) = tokio::join!(popper.ask(&waiting), async {
        popper.ack(&first.messages[0]).await;
    });
    assert_eq!(woken.bodies(), ["c"]);
}

#[tokio::test]
async fn when_time_is_over_the_same_messages_come_again_and_are_counted() {
    let rig = Rig::start().await;
    let (popper, first) = with_messages(&rig).await;
    popper.ack(&first.messages[0]).await;
    let waiting = PopMessageRequest { poll_time: 1_000_000, ..ordered(&popper, "2") };
    let (again, ()) = tokio::join!(popper.ask(&waiting), async {
        tokio::task::yield_now().await;
        rig.advance(Duration::from_millis(HIDDEN as u64));
    });
    assert_eq!(again.bodies(), ["b", "c"]);
    assert_eq!(again.header.order_count_info.as_deref(), Some("0 qo0%1 1;0 0 0"));
    assert_eq!(popper.ack(&first.messages[1]).await, ResponseCode::SUCCESS, "too late, and of no effect");
    assert_eq!(popper.ask(&ordered(&popper, "3")).await.code, ResponseCode::POLLING_TIMEOUT);
}

#[tokio::test]
async fn a_changed_time_frees_the_queue_sooner() {
    let rig = Rig::start().await;
    let (popper, first) = with_messages(&rig).await;
    popper.ack(&first.messages[0]).await;
    let changed = popper.hide(&first.messages[1], 5_000).await;
    assert_eq!(changed.receipt.split(' ').nth(2), Some("5000"));
    rig.advance(Duration::from_millis(5_000));
    assert_eq!(popper.ask(&ordered(&popper, "2")).await.bodies(), ["b", "c"]);
}

#[tokio::test]
async fn a_restart_remembers_what_is_handed_out() {
    let rig = Rig::start().await;
    let (_, first) = with_messages(&rig).await;
    let rig = rig.restart().await;
    let popper = Popper::new(&rig, "g");
    assert_eq!(popper.ask(&ordered(&popper, "2")).await.code, ResponseCode::POLLING_TIMEOUT);
    for popped in &first.messages {
        assert_eq!(popper.ack(popped).await, ResponseCode::SUCCESS);
    }
    assert_eq!(popper.ask(&ordered(&popper, "3")).await.bodies(), ["c"]);
}

#[tokio::test]
async fn a_message_that_was_not_handed_out_cannot_be_acknowledged() {
    let rig = Rig::start().await;
    let (popper, first) = with_messages(&rig).await;
    let mut stranger = first.messages[1].clone();
    stranger.message.queue_offset = 2;
    assert_eq!(popper.ack(&stranger).await, ResponseCode::MESSAGE_ILLEGAL);
}

#[tokio::test]
async fn a_queue_is_blocked_for_no_longer_when_the_clock_is_set_back() {
    let rig = Rig::start().await;
    rig.clock.set(START + 3_600_000);
    let (popper, first) = with_messages(&rig).await;
    rig.clock.set(START);
    popper.ack(&first.messages[0]).await;
    assert_eq!(popper.ask(&ordered(&popper, "2")).await.code, ResponseCode::POLLING_TIMEOUT);
    rig.advance(Duration::from_millis(HIDDEN as u64));
    assert_eq!(popper.ask(&ordered(&popper, "3")).await.bodies(), ["b", "c"]);
}
