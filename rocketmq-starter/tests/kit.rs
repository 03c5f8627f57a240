//! The test kit, used as an application's own tests use it.

use futures_util::FutureExt;
use rocketmq_starter::testing::{Cluster, ResponseCode, rocketmq_test};
use rocketmq_starter::{App, Attempt, BoxError, DelayLevel, Json, Outcome, rocketmq_listener};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

type TestResult = Result<(), BoxError>;

#[rocketmq_listener(topic = "orders", group = "billing", selector = "created")]
async fn bill(Json(id): Json<u64>, Attempt(attempt): Attempt) -> Result<Outcome, BoxError> {
    match (id, attempt) {
        (13, _) => Ok(Outcome::DeadLetter),
        (7, 1) => Err("no such customer".into()),
        _ => Ok(Outcome::Ack),
    }
}

/// Returns the message with which an assertion fails.
async fn failure(assertion: impl Future) -> String {
    let panicked = AssertUnwindSafe(assertion).catch_unwind().await.err().expect("the assertion holds");
    panicked.downcast_ref::<String>().expect("a formatted message").clone()
}

fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing from: {text}");
    }
}

#[tokio::test]
async fn a_message_is_sent_received_and_handled() -> TestResult {
    let cluster = Cluster::start().await?;
    let _app = App::new().listener(bill).start_on(&cluster).await?;
    for id in [1, 2, 13] {
        cluster.send("orders:created", id).key(format!("order-{id}")).await?;
    }
    let received = cluster.topic("orders").received(3).await;
    assert_eq!(received.iter().filter_map(|it| it.text()).collect::<Vec<_>>(), ["1", "2", "13"]);
    let mut handled: Vec<_> = cluster.group("billing").handled(2).await;
    handled.sort_by_key(|it| it.text().map(str::to_owned));
    assert_eq!(handled.iter().filter_map(|it| it.text()).collect::<Vec<_>>(), ["1", "2"]);
    let dead = cluster.group("billing").dead_letters(1).await;
    assert_eq!((dead[0].text(), dead[0].keys().next()), (Some("13"), Some("order-13")));
    cluster.group("billing").lag(0).await;
    Ok(())
}

#[tokio::test]
async fn hours_of_delays_and_retries_pass_in_an_instant() -> TestResult {
    let cluster = Cluster::start().await?;
    let _app = App::new().listener(bill).start_on(&cluster).await?;
    cluster.send("orders:created", 7).deliver_after(DelayLevel::H2).await?;
    cluster.topic("orders").received(0).await;
    cluster.advance(Duration::from_secs(2 * 60 * 60));
    cluster.topic("orders").received(1).await;
    cluster.group("billing").retried(1).await;
    cluster.advance(Duration::from_secs(10));
    let handled = cluster.group("billing").handled(1).await;
    assert_eq!(handled[0].reconsume_times(), 1);
    Ok(())
}

#[tokio::test]
async fn a_failed_assertion_says_what_was_seen_instead() -> TestResult {
    let cluster = Cluster::start().await?;
    let _app = App::new().listener(bill).start_on(&cluster).await?;
    cluster.send("orders:created", 7).key("order-7").await?;
    cluster.send("orders:created", 8).await?;
    cluster.group("billing").handled(1).await;
    cluster.group("billing").retried(1).await;

    let short = Duration::from_millis(20);
    let text = failure(cluster.group("billing").within(short).handled(2)).await;
    assert_says(
        &text,
        &[
            "tests/kit.rs:",
            "after 20ms group `billing` has handled 1 message, not 2",
            "the listener `bill` (group `billing`, topic `orders`) is consuming",
            "orders:created order-7 \"7\": try 1 by `bill`: Retry, the handler failed: no such customer",
            "orders:created \"8\": try 1 by `bill`: Ack",
        ],
    );
    let text = failure(cluster.topic("orders").within(short).received(3)).await;
    assert_says(&text, &["topic `orders` has received 2 messages, not 3", "orders:created order-7 \"7\""]);
    let text = failure(cluster.topic("orders").received(1)).await;
    assert_says(&text, &["topic `orders` has received 2 messages, not 1"]);
    let text = failure(cluster.group("billing").within(short).dead_letters(1)).await;
    assert_says(&text, &["group `billing` has dead letters: 0 messages, not 1", "no such customer"]);
    let text = failure(cluster.group("billing").within(short).lag(5)).await;
    assert_says(&text, &["group `billing` lags behind by 0 messages, not 5"]);
    let text = failure(cluster.group("biling").handled(1)).await;
    assert_says(&text, &["no listener of group `biling`", "the groups are: `billing`"]);

    cluster.stop().await?;
    let text = failure(cluster.topic("orders").within(short).received(2)).await;
    assert_says(&text, &["the broker does not run"]);
    Ok(())
}

#[tokio::test]
async fn a_broker_is_paused_killed_and_started_again() -> TestResult {
    let cluster = Cluster::start().await?;
    let _app = App::new().listener(bill).start_on(&cluster).await?;
    cluster.send("orders:created", 1).await?;
    cluster.group("billing").handled(1).await;

    cluster.pause();
    let mut send = Box::pin(cluster.send("orders:created", 2).into_future());
    assert!((&mut send).now_or_never().is_none());
    cluster.topic("orders").received(1).await; // seen although the broker answers nobody
    cluster.resume();
    send.await?;
    cluster.group("billing").handled(2).await;
    cluster.group("billing").lag(0).await;

    cluster.kill().await;
    cluster.restart().await?;
    cluster.topic("orders").received(2).await;
    cluster.send("orders:created", 3).await?;
    cluster.group("billing").handled(3).await;
    Ok(())
}

/// Another cluster in the configuration is not reached.
#[tokio::test]
async fn an_application_of_a_test_uses_the_clusters_of_the_test_alone() -> TestResult {
    let cluster = Cluster::start().await?;
    let app = App::new()
        .set("rocketmq.name-server", "127.0.0.1:1")
        .set("rocketmq.producer.group", "shop")
        .set("rocketmq.producers.audit.group", "audit")
        .set("rocketmq.producers.audit.name-server", "127.0.0.1:1")
        .set("rocketmq.consumer.groups.billing.name-server", "127.0.0.1:1");
    let app = app.listener(bill).start_on(&cluster).await?;
    app.template().ok_or("no template")?.send("orders:created", 1).await?;
    app.context().named_template("audit").ok_or("no template")?.send("orders:created", 2).await?;
    cluster.group("billing").handled(2).await;
    Ok(())
}

#[rocketmq_test]
async fn a_refused_send_is_one_send(cluster: Cluster) -> TestResult {
    let fault = cluster.refuse_next_send(ResponseCode::MESSAGE_ILLEGAL);
    let error = cluster.send("orders", 1).await.expect_err("it is refused");
    assert_says(&error.to_string(), &["refuse_next_send"]);
    cluster.send("orders", 2).await?;
    assert_eq!(fault.times(), 1);
    drop(cluster.refuse_next_send(ResponseCode::MESSAGE_ILLEGAL));
    cluster.send("orders", 3).await?;
    cluster.topic("orders").received(2).await;
    Ok(())
}

#[rocketmq_test]
async fn a_lost_reply_makes_a_message_come_twice(cluster: Cluster) -> TestResult {
    let fault = cluster.lose_reply();
    cluster.send("orders", 1).key("order-1").await?;
    assert_eq!(fault.times(), 1);
    let twice = cluster.topic("orders").received(2).await;
    assert_eq!(twice[0].message_id(), twice[1].message_id());
    Ok(())
}

#[rocketmq_test]
async fn a_cluster_that_is_cut_off_comes_back(cluster: Cluster) -> TestResult {
    let _app = App::new().listener(bill).start_on(&cluster).await?;
    cluster.send("orders:created", 1).await?;
    cluster.group("billing").handled(1).await;
    let fault = cluster.disconnect();
    cluster.send("orders:created", 2).await.expect_err("no connection lives");
    assert!(fault.times() > 0);
    drop(fault);
    cluster.send("orders:created", 3).await?;
    cluster.group("billing").handled(2).await;
    Ok(())
}

#[rocketmq_test]
async fn a_full_disk_refuses_and_still_serves(cluster: Cluster) -> TestResult {
    cluster.send("orders:created", 1).await?;
    let fault = cluster.full_disk();
    cluster.send("orders:created", 2).await.expect_err("there is no room");
    assert!(fault.times() > 0);
    let _app = App::new()
        .set("rocketmq.consumer.groups.billing.from", "first")
        .listener(bill)
        .start_on(&cluster)
        .await?;
    cluster.group("billing").handled(1).await;
    drop(fault);
    cluster.send("orders:created", 3).await?;
    cluster.group("billing").handled(2).await;
    Ok(())
}

#[rocketmq_test(brokers = 2, timeout = "90s")]
async fn a_slow_cluster_answers_when_the_fault_is_over(cluster: Cluster) -> TestResult {
    assert_eq!(cluster.embedded().brokers().len(), 2);
    cluster.send("orders", 1).await?;
    let fault = cluster.slow(Duration::from_secs(3600));
    let send = cluster.send("orders", 2).into_future();
    let hit = async {
        while fault.times() == 0 {
            tokio::task::yield_now().await;
        }
        drop(fault);
    };
    let (sent, ()) = tokio::join!(send, hit);
    sent?;
    cluster.topic("orders").received(2).await;
    Ok(())
}

#[rocketmq_test(timeout = "20ms")]
#[should_panic = "`a_test_has_an_end` was not done after 20ms"]
async fn a_test_has_an_end(cluster: Cluster) {
    cluster.topic("orders").received(1).await;
}
