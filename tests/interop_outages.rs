//! Kills, freezes and restarts Apache's broker and name server while this project's client sends and consumes: no
//! acknowledged message is lost, and everything continues by itself.
//!
//! Runs if `ROCKETMQ_JAVA` names a version, whose jars `tests/interop/apache install VERSION` fetches.

use std::time::Duration;

use rocketmq_client::{Message, SendErrorKind};
use rocketmq_tests::{ApacheProcesses, Load, TestResult, java};

const TOPIC: &str = "orders";
/// A crash must lose nothing, and a restarted name server must soon learn of its broker.
const SETTINGS: [&str; 2] = ["flushDiskType=SYNC_FLUSH", "registerNameServerPeriod=10000"];

#[tokio::test]
async fn apaches_broker_is_killed_and_comes_back() -> TestResult {
    let Some(version) = java() else { return Ok(()) };
    let mut apache = ApacheProcesses::start(&version, &SETTINGS).await?;
    let mut load = Load::start(apache.name_server(), TOPIC).await?;
    for _ in 0..2 {
        load.send(50).await;
        apache.kill_broker().await?;
        apache.start_broker()?;
    }
    load.send(50).await;
    load.finish().await;
    Ok(())
}

/// The broker loses the locks, and the consumer takes them again; each key keeps its order.
#[tokio::test]
async fn apaches_broker_is_killed_under_ordered_consumption() -> TestResult {
    let Some(version) = java() else { return Ok(()) };
    let mut apache = ApacheProcesses::start(&version, &SETTINGS).await?;
    let mut load = Load::ordered(apache.name_server(), TOPIC).await?;
    load.send(50).await;
    apache.kill_broker().await?;
    apache.start_broker()?;
    load.send(50).await;
    load.assert_all_arrive().await;
    load.assert_order();
    load.running.shutdown().await;
    Ok(())
}

#[tokio::test]
async fn apaches_broker_freezes_for_a_while() -> TestResult {
    let Some(version) = java() else { return Ok(()) };
    let apache = ApacheProcesses::start(&version, &SETTINGS).await?;
    let mut load = Load::start(apache.name_server(), TOPIC).await?;
    for _ in 0..2 {
        load.send(50).await;
        apache.freeze_broker().await?;
        let producer = load.client.producer("impatient").build().await?;
        let send = producer.send(Message::new(TOPIC, "frozen")).timeout(Duration::from_millis(200));
        let error = send.await.expect_err("nobody answers");
        assert_eq!(error.kind(), SendErrorKind::Timeout, "{error}");
        apache.thaw_broker().await?;
    }
    load.send(50).await;
    load.finish().await;
    Ok(())
}

#[tokio::test]
async fn apaches_only_name_server_is_killed_and_comes_back() -> TestResult {
    let Some(version) = java() else { return Ok(()) };
    let mut apache = ApacheProcesses::start(&version, &SETTINGS).await?;
    let mut load = Load::start(apache.name_server(), TOPIC).await?;
    load.send(50).await;
    apache.kill_name_server().await?;
    // A client that knows the route needs no name server.
    load.send(50).await;
    apache.start_name_server()?;
    apache.ready().await;
    load.send(50).await;
    load.finish().await;
    Ok(())
}
