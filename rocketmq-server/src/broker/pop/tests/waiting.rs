//! Pops and notifications that wait.

use std::time::Duration;

use rocketmq_remoting::body::{MessageRequestMode, QueryAssignmentBody, QueryAssignmentResult};
use rocketmq_remoting::requests::pop::{NotificationRequest, PollingInfoRequest, PopMessageRequest};
use rocketmq_remoting::{RequestCode, ResponseCode};

use crate::broker::tests::pop_rig::{HIDDEN, Popper};
use crate::broker::tests::rig::{Client, Rig};

/// Returns when so many pops wait for all queues of the topic.
async fn until_waiting(client: &Client, count: usize) {
    let request = PollingInfoRequest { topic: "t".into(), queue_id: -1, consumer_group: "g".into() };
    while client.ask(&request).await.ext.get("pollingNum") != Some(count.to_string().as_str()) {
        tokio::task::yield_now().await;
    }
}

async fn topic(rig: &Rig) -> Popper {
    let popper = Popper::new(rig, "g");
    popper.client.send("t", "old", &[("TAGS", "x")]).await;
    assert_eq!(popper.pop("t").await.bodies(), ["old"]);
    popper
}

#[tokio::test]
async fn a_message_wakes_one_pop() {
    let rig = Rig::start().await;
    let (sender, popper) = (rig.connect(), topic(&rig).await);
    let (answer, ()) = tokio::join!(popper.wait("t"), async {
        until_waiting(&sender, 1).await;
        sender.send("t", "new", &[]).await;
    });
    assert_eq!(answer.bodies(), ["new"]);
}

#[tokio::test]
async fn a_pop_waits_until_its_time_is_over_even_if_others_are_served() {
    let rig = Rig::start().await;
    let (sender, popper) = (rig.connect(), topic(&rig).await);
    let request = PopMessageRequest { poll_time: 10_000, exp: Some("x".into()), ..popper.request("t") };
    let (answer, ()) = tokio::join!(popper.ask(&request), async {
        until_waiting(&sender, 1).await;
        sender.send("t", "of no interest", &[("TAGS", "y")]).await;
        rig.advance(Duration::from_millis(10_000));
    });
    assert_eq!(answer.code, ResponseCode::POLLING_TIMEOUT);
    assert_eq!(popper.pop("t").await.code, ResponseCode::POLLING_TIMEOUT, "the group moved past it");
}

#[tokio::test]
async fn a_pop_behind_a_long_stretch_of_unwanted_messages_finds_its_own() {
    let rig = Rig::start().await;
    let popper = topic(&rig).await;
    for _ in 0..1_700 {
        let mut request = popper.client.send_request("t", &[("TAGS", "y")]);
        request.queue_id = 0;
        popper
            .client
            .connection
            .push(rocketmq_remoting::Request::to_command(&request).unwrap().oneway())
            .unwrap();
    }
    popper.client.send("t", "mine", &[("TAGS", "x")]).await;
    let request = PopMessageRequest { poll_time: 1_000_000, exp: Some("x".into()), ..popper.request("t") };
    assert_eq!(popper.ask(&request).await.bodies(), ["mine"]);
}

#[tokio::test]
async fn a_message_for_a_closed_connection_goes_to_the_next() {
    let rig = Rig::start().await;
    let (sender, popper) = (rig.connect(), topic(&rig).await);
    let gone = rig.connect();
    let request = PopMessageRequest { poll_time: 1_000, ..popper.request("t") };
    let command = rocketmq_remoting::Request::to_command(&request).unwrap();
    gone.connection.push(command).unwrap();
    until_waiting(&sender, 1).await;
    gone.connection.close();
    gone.connection.closed().await;
    let (answer, ()) = tokio::join!(popper.wait("t"), async {
        until_waiting(&sender, 1).await;
        sender.send("t", "new", &[]).await;
    });
    assert_eq!(answer.bodies(), ["new"]);
}

#[tokio::test]
async fn too_many_waiting_pops_are_told_so() {
    let rig = Rig::with(|settings| settings.live.pop.waiting = 0).await;
    let popper = topic(&rig).await;
    assert_eq!(popper.wait("t").await.code, ResponseCode::POLLING_FULL);
}

#[tokio::test]
async fn a_notification_says_that_there_is_something_and_takes_nothing() {
    let rig = Rig::start().await;
    let (sender, popper) = (rig.connect(), topic(&rig).await);
    let request = NotificationRequest {
        consumer_group: "g".into(),
        topic: "t".into(),
        queue_id: -1,
        ..NotificationRequest::default()
    };
    assert_eq!(popper.client.ask(&request).await.ext.get("hasMsg"), Some("false"));
    let waiting = NotificationRequest { poll_time: 1_000_000, ..request };
    let (answer, _) = tokio::join!(popper.client.ask(&waiting), sender.send("t", "new", &[]));
    assert_eq!(answer.ext.get("hasMsg"), Some("true"));
    assert_eq!(popper.pop("t").await.bodies(), ["new"]);
    rig.advance(Duration::from_millis(HIDDEN as u64 + 2_001));
    let answer = popper.client.ask(&NotificationRequest { born_time: 0, ..waiting }).await;
    assert_eq!(answer.ext.get("hasMsg"), Some("true"), "what comes again counts too");
}

/// The queues a member of the group is told to pop.
async fn assigned(popper: &Popper, client_id: &str) -> Vec<i32> {
    let body = QueryAssignmentBody {
        client_id: client_id.into(),
        consumer_group: "g".into(),
        strategy_name: "AVG".into(),
        topic: "t".into(),
        ..QueryAssignmentBody::default()
    };
    let answer = popper.client.ask_json(RequestCode::QUERY_ASSIGNMENT, &body).await;
    let result: QueryAssignmentResult = rocketmq_remoting::fastjson::from_slice(&answer.body).unwrap();
    let assignments = result.message_queue_assignments.unwrap();
    assert!(assignments.iter().all(|one| one.mode == MessageRequestMode::Pop));
    assignments.into_iter().map(|one| one.message_queue.queue_id).collect()
}

#[tokio::test]
async fn members_that_pop_share_all_queues_or_as_many_as_they_were_told() {
    let rig = Rig::start().await;
    let popper = topic(&rig).await;
    let members: Vec<Client> = (0..3).map(|_| rig.connect()).collect();
    for (member, id) in members.iter().zip(["c1", "c2", "c3"]) {
        member.heartbeat(id, "g", &["t"]).await;
    }
    popper.set_pop_mode("t", 8).await;
    assert_eq!(assigned(&popper, "c1").await, [-1]);
    popper.set_pop_mode("t", 1).await;
    assert_eq!(assigned(&popper, "c1").await, [0, 1, 2]);
    assert_eq!(assigned(&popper, "c3").await, [3, 0, 1]);
}
