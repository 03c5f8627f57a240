//! Restarts, crashes, freezes, moves and removes brokers and name servers under load: no acknowledged message is lost,
//! and everything continues by itself.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rocketmq_client::remoting::requests::route::WipeWritePermRequest;
use rocketmq_client::remoting::{Request, ResponseCode};
use rocketmq_client::{
    CallErrorKind, Client, Delivery, FromWhere, Message, PushConsumerBuilder, Receipt, SendErrorKind,
    TransactionState,
};
use rocketmq_server::clock::System;
use rocketmq_server::config::{BrokerConfig, NamesrvConfig};
use rocketmq_server::namesrv::NameServer;
use rocketmq_server::{Embedded, Node};
use rocketmq_tests::{Cluster, Inbox, Load, PATIENCE, TestResult, eventually, serve_by_pop};

const TOPIC: &str = "orders";
const NEWCOMER: &str = "broker-new";

#[tokio::test]
async fn a_broker_restarts() -> TestResult {
    let cluster = Embedded::start().await?;
    let mut load = Load::start(cluster.name_server(), TOPIC).await?;
    for _ in 0..3 {
        load.send(20).await;
        cluster.broker().restart().await?;
    }
    load.send(20).await;
    load.finish().await;
    Ok(())
}

#[tokio::test]
async fn a_broker_crashes_and_comes_back() -> TestResult {
    let cluster = Embedded::start().await?;
    let mut load = Load::start(cluster.name_server(), TOPIC).await?;
    for _ in 0..3 {
        load.send(20).await;
        cluster.broker().kill().await;
        cluster.broker().restart().await?;
    }
    load.send(20).await;
    load.finish().await;
    Ok(())
}

#[tokio::test]
async fn a_broker_freezes_for_a_while() -> TestResult {
    let cluster = Embedded::start().await?;
    let mut load = Load::start(cluster.name_server(), TOPIC).await?;
    load.send(20).await;
    cluster.broker().pause();
    let producer = load.client.producer("impatient").build().await?;
    let send = producer.send(Message::new(TOPIC, "frozen")).timeout(Duration::from_millis(200));
    let error = send.await.expect_err("nobody answers");
    assert_eq!(error.kind(), SendErrorKind::Timeout, "{error}");
    cluster.broker().resume();
    load.send(20).await;
    load.finish().await;
    Ok(())
}

#[tokio::test]
async fn a_broker_moves_to_another_address() -> TestResult {
    let name_server = NameServer::start(NamesrvConfig::ephemeral(), Arc::new(System)).await?;
    let folder = tempfile::tempdir()?;
    let start = async || {
        let mut config = BrokerConfig::loopback(folder.path());
        config.name_servers = vec![name_server.address().to_string()];
        config.network.shutdown_wait = Duration::from_millis(100);
        let node = Node::start(config, Arc::new(System)).await?;
        node.registered().await;
        TestResult::Ok(node)
    };
    let mut node = start().await?;
    let mut load = Load::start(name_server.address().to_string(), TOPIC).await?;
    for _ in 0..2 {
        load.send(20).await;
        // Keeps its port taken until the broker runs at another one.
        let taken = node.address();
        node.shutdown().await?;
        let _taken = TcpListener::bind(taken);
        node = start().await?;
        assert_ne!(node.address(), taken);
    }
    load.send(20).await;
    load.finish().await;
    Ok(())
}

#[tokio::test]
async fn the_only_name_server_restarts() -> TestResult {
    let cluster = Embedded::start().await?;
    let mut load = Load::start(cluster.name_server(), TOPIC).await?;
    let server = &cluster.name_servers()[0];
    server.stop().await;
    // A client that knows the route needs no name server.
    load.send_all(20).await;
    server.restart().await?;
    eventually("a route for newcomers", PATIENCE, async || {
        let newcomer = rocketmq_client::connect(cluster.name_server()).await;
        match newcomer {
            Ok(client) => client.route(TOPIC).await.is_ok(),
            Err(_) => false,
        }
    })
    .await;
    load.send(20).await;
    load.finish().await;
    Ok(())
}

#[tokio::test]
async fn one_of_two_name_servers_is_gone() -> TestResult {
    let cluster = Embedded::builder().name_servers(2).start().await?;
    for server in cluster.name_servers() {
        server.stop().await;
        let client = rocketmq_client::connect(cluster.name_server()).await?;
        let producer = client.producer("p").build().await?;
        producer.send(Message::new(TOPIC, "42")).await?;
        client.shutdown().await;
        server.restart().await?;
        eventually("the broker's return to it", PATIENCE, async || {
            let newcomer = rocketmq_client::connect(server.address().to_string()).await;
            match newcomer {
                Ok(client) => client.route("TBW102").await.is_ok(),
                Err(_) => false,
            }
        })
        .await;
    }
    Ok(())
}

/// Starts two brokers, and a load on a topic of both.
async fn two_brokers() -> TestResult<(Cluster, Load)> {
    let cluster = Cluster::Embedded(Embedded::builder().brokers(2).start().await?);
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 4).await?;
    client.shutdown().await;
    let load = Load::start(cluster.name_server(), &topic).await?;
    Ok((cluster, load))
}

fn embedded(cluster: &Cluster) -> TestResult<&Embedded> {
    match cluster {
        Cluster::Embedded(embedded) => Ok(embedded),
        Cluster::Apache { .. } => Err("not one of ours".into()),
    }
}

/// Sends go to the remaining broker without a failure, and to the other again once it is back.
#[tokio::test]
async fn one_of_two_brokers_crashes_and_comes_back() -> TestResult {
    let (cluster, mut load) = two_brokers().await?;
    let broker = &embedded(&cluster)?.brokers()[1];
    load.send_until_taken_by(broker.name()).await;
    for _ in 0..2 {
        broker.kill().await;
        load.send_all(40).await;
        assert!(!load.last_brokers(40).contains(broker.name()));
        broker.restart().await?;
        load.send_until_taken_by(broker.name()).await;
    }
    load.finish().await;
    Ok(())
}

/// A query asks every broker of a topic and joins the answers. Without one of the brokers, only the lookup of a message
/// that it alone stores fails.
#[tokio::test]
async fn queries_of_two_brokers_of_which_one_goes() -> TestResult {
    let cluster = Cluster::Embedded(Embedded::builder().brokers(2).start().await?);
    let topic = cluster.topic(&cluster.client().await?, 1).await?;
    // Keeps the client's route for the whole test.
    let builder =
        Client::builder(cluster.name_server()).configure(|config| config.route_refresh = 60 * PATIENCE);
    let client = builder.connect().await?;
    let producer = client.producer("shop").build().await?;
    let mut receipts = Vec::new();
    for body in ["0", "1", "2", "3"] {
        receipts.push(producer.send(Message::new(&topic, body).key("k")).await?);
        embedded(&cluster)?.advance(Duration::from_millis(5));
    }
    let found = async || -> TestResult<Vec<_>> {
        let found = client.query_messages(&topic, "k").await?;
        Ok(found.iter().filter_map(|message| message.text().map(str::to_owned)).collect())
    };
    eventually("all of them", PATIENCE, async || found().await.is_ok_and(|found| found.len() == 4)).await;
    assert_eq!(found().await?, ["0", "1", "2", "3"], "oldest first, whoever has it");
    let newest = client.query_messages(&topic, "k").max(3).await?;
    assert_eq!(newest.iter().map(Delivery::message_id).collect::<Vec<_>>(), ids(&receipts[1..]));

    let gone = &embedded(&cluster)?.brokers()[1];
    gone.kill().await;
    let (lost, left): (Vec<_>, Vec<_>) = receipts.into_iter().partition(|it| it.broker() == gone.name());
    assert_eq!((lost.len(), left.len(), found().await?.len()), (2, 2, 2));
    for receipt in &left {
        assert!(client.find_message(&topic, receipt.message_id()).await?.is_some());
    }
    let error = client.find_message(&topic, lost[0].message_id()).await.expect_err("nobody else has it");
    assert_eq!(error.kind(), CallErrorKind::Unreachable, "{error}");
    Ok(())
}

fn ids(receipts: &[Receipt]) -> Vec<&str> {
    receipts.iter().map(Receipt::message_id).collect()
}

/// Starts one more broker, with a store of its own.
async fn newcomer(name_server: String, folder: &Path) -> TestResult<Node> {
    let mut config = BrokerConfig::loopback(folder);
    config.settings.fixed.broker_name = NEWCOMER.into();
    config.name_servers = vec![name_server];
    config.network.shutdown_wait = Duration::from_millis(100);
    let node = Node::start(config, Arc::new(System)).await?;
    node.registered().await;
    Ok(node)
}

/// A producer and a consumer use a new broker without a restart. They leave it without a failure after it is closed for
/// writing, read to its end and stopped.
#[tokio::test]
async fn a_broker_joins_under_load_and_leaves_again() -> TestResult {
    let cluster = Cluster::Embedded(Embedded::start().await?);
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 4).await?;
    let mut load = Load::start(cluster.name_server(), &topic).await?;
    load.send_all(20).await;

    let folder = tempfile::tempdir()?;
    let broker = newcomer(cluster.name_server(), folder.path()).await?;
    load.send_all(20).await;
    cluster.topic_named(&client, &topic, 4).await?;
    load.send_until_taken_by(NEWCOMER).await;
    load.send_all(40).await;
    load.assert_all_arrive().await;
    assert!(reads_newcomer(&load));

    let closing = WipeWritePermRequest { broker_name: NEWCOMER.into() };
    let answer = client.call(&cluster.name_server(), closing.to_command()?, PATIENCE).await?;
    assert_eq!(answer.response_code(), ResponseCode::SUCCESS, "{:?}", answer.remark);
    eventually("no message for it any more", PATIENCE, async || {
        load.send_all(8).await;
        !load.last_brokers(8).contains(NEWCOMER)
    })
    .await;
    load.assert_all_arrive().await;
    broker.shutdown().await?;
    load.send_all(40).await;
    eventually("its queues given up", 2 * PATIENCE, async || !reads_newcomer(&load)).await;
    load.finish().await;
    Ok(())
}

fn reads_newcomer(load: &Load) -> bool {
    load.running.queues().iter().any(|queue| queue.broker_name == NEWCOMER && queue.topic == load.topic())
}

/// A retry goes to another broker than the silent one.
#[tokio::test]
async fn one_of_two_brokers_freezes() -> TestResult {
    let (cluster, mut load) = two_brokers().await?;
    let broker = &embedded(&cluster)?.brokers()[0];
    load.send_until_taken_by(broker.name()).await;
    broker.pause();
    load.send_all(8).await;
    assert!(!load.last_brokers(8).contains(broker.name()));
    broker.resume();
    load.send_until_taken_by(broker.name()).await;
    load.finish().await;
    Ok(())
}

/// Half of the default timeout is left for the other broker.
#[tokio::test]
async fn a_frozen_broker_fails_no_send_with_default_options() -> TestResult {
    let (cluster, load) = two_brokers().await?;
    let broker = &embedded(&cluster)?.brokers()[0];
    let producer = load.client.producer("plain").build().await?;
    broker.pause();
    // At least one of them goes to the silent broker first.
    for _ in 0..6 {
        let receipt = producer.send(Message::new(load.topic(), "42")).await?;
        assert_ne!(receipt.broker(), broker.name());
    }
    broker.resume();
    load.running.shutdown().await;
    Ok(())
}

/// With latency fault tolerance one slow answer is enough: the next sends avoid that broker until the detector receives
/// an answer from it.
#[tokio::test]
async fn a_frozen_broker_is_spared_until_it_answers_again() -> TestResult {
    let (cluster, mut load) = two_brokers().await?;
    let broker = &embedded(&cluster)?.brokers()[0];
    let producer = load.client.producer("careful").configure(|config| {
        config.attempt_timeout = Some(Duration::from_millis(600));
        config.latency_fault_tolerance = true;
        config.latency_fault_detector = true;
    });
    let producer = producer.build().await?;
    let taken_by_it = async || {
        let receipt = producer.send(Message::new(load.topic(), "42")).await;
        receipt.is_ok_and(|receipt| receipt.broker() == broker.name())
    };
    eventually("a message for the first broker", PATIENCE, taken_by_it).await;
    broker.pause();
    // One of these sends meets the silent broker.
    for _ in 0..8 {
        producer.send(Message::new(load.topic(), "42")).await?;
    }
    let begun = Instant::now();
    for _ in 0..40 {
        let receipt = producer.send(Message::new(load.topic(), "42")).await?;
        assert_ne!(receipt.broker(), broker.name());
    }
    // Sends in turn to both brokers would have taken the time of twenty attempts.
    assert!(begun.elapsed() < Duration::from_secs(6), "a spared broker was tried");
    broker.resume();
    eventually("its return", PATIENCE, taken_by_it).await;
    load.send_all(8).await;
    load.running.shutdown().await;
    Ok(())
}

/// A name server that accepts connections and is silent is worse than an absent one; the client must use the other.
#[tokio::test]
async fn one_of_two_name_servers_freezes() -> TestResult {
    let cluster = Embedded::builder().name_servers(2).start().await?;
    let mut load = Load::start(cluster.name_server(), TOPIC).await?;
    for server in cluster.name_servers() {
        server.pause();
        load.send_all(20).await;
        let builder = Client::builder(cluster.name_server());
        let newcomer = builder.configure(|config| config.api_timeout = Duration::from_secs(3));
        let newcomer = newcomer.connect().await?;
        let producer = newcomer.producer("p").build().await?;
        producer.send(Message::new(TOPIC, "42")).await?;
        newcomer.shutdown().await;
        server.resume();
    }
    load.finish().await;
    Ok(())
}

/// Transactions begun before an outage are decided after it, by their sender or by a checker.
#[tokio::test]
async fn a_broker_restarts_in_the_middle_of_transactions() -> TestResult {
    let cluster = Cluster::Embedded(Embedded::start().await?);
    let client = cluster.client().await?;
    let topic = cluster.topic(&client, 1).await?;
    let checker = |half: Delivery| async move {
        if half.text() == Some("asked") { TransactionState::Commit } else { TransactionState::Rollback }
    };
    let producer = client.producer("p").transaction_checker(checker).build().await?;
    let inbox = Inbox::default();
    let consumer = client.push_consumer("g").subscribe(&topic, "*").from_where(FromWhere::FirstOffset);
    let running = consumer.listen(inbox.accept()).await?;
    let mut wanted = Vec::new();
    for round in 0..2 {
        let kept = producer.begin(Message::new(&topic, format!("kept {round}"))).await?;
        let dropped = producer.begin(Message::new(&topic, format!("dropped {round}"))).await?;
        wanted.push(format!("kept {round}"));
        match round {
            0 => embedded(&cluster)?.broker().restart().await?,
            _ => {
                embedded(&cluster)?.broker().kill().await;
                embedded(&cluster)?.broker().restart().await?;
            }
        }
        kept.commit().await?;
        dropped.rollback().await?;
    }
    drop(producer.begin(Message::new(&topic, "asked")).await?);
    embedded(&cluster)?.broker().restart().await?;
    wanted.push("asked".into());
    // After a restart the broker knows a producer only from its next heartbeat or message.
    let known = async || producer.send(Message::new(&topic, "between")).await.is_ok();
    eventually("the broker's return", PATIENCE, known).await;
    let all = || wanted.iter().all(|text| inbox.texts().contains(text));
    cluster.later(Duration::from_secs(75), "every committed message", async || all()).await;
    running.shutdown().await;
    assert!(!inbox.texts().iter().any(|text| text.starts_with("dropped")), "{:?}", inbox.texts());
    Ok(())
}

/// The broker loses the locks, and the consumer takes them again; each key keeps its order.
#[tokio::test]
async fn a_broker_comes_and_goes_under_ordered_consumption() -> TestResult {
    let cluster = Embedded::start().await?;
    let mut load = Load::ordered(cluster.name_server(), TOPIC).await?;
    comes_and_goes(&cluster, &mut load).await?;
    load.assert_all_arrive().await;
    load.assert_order();
    load.running.shutdown().await;
    Ok(())
}

/// Stops the broker in order and kills it, in turns. Sends messages before, between and after.
async fn comes_and_goes(cluster: &Embedded, load: &mut Load) -> TestResult {
    for killed in [false, true, false, true] {
        load.send(20).await;
        if killed {
            cluster.broker().kill().await;
        }
        cluster.broker().restart().await?;
    }
    load.send(20).await;
    Ok(())
}

/// Unacknowledged popped messages come again, whether the broker could save its state or not.
#[tokio::test]
async fn a_broker_comes_and_goes_under_pop() -> TestResult {
    let cluster = Embedded::start().await?;
    let client = rocketmq_client::connect(cluster.name_server()).await?;
    client.producer("p").build().await?.send(Message::new(TOPIC, "first")).await?;
    serve_by_pop(&client, TOPIC, "g").await?;
    let by_pop = |consumer: PushConsumerBuilder| consumer.configure(|config| config.broker_assignment = true);
    let mut load = Load::shaped(cluster.name_server(), TOPIC, by_pop).await?;
    comes_and_goes(&cluster, &mut load).await?;
    let mut moved = Instant::now();
    let revived = async {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            // Advances by more than the invisible time, repeatedly: a message may be popped and lost once more.
            if moved.elapsed() > Duration::from_secs(1) {
                cluster.advance(Duration::from_secs(70));
                moved = Instant::now();
            }
        }
    };
    tokio::select! {
        () = load.assert_all_arrive() => {}
        () = revived => {}
    }
    let all = load.inbox.all();
    let pulled: Vec<_> = all.iter().filter(|delivery| delivery.property("POP_CK").is_none()).collect();
    assert!(pulled.is_empty(), "{} of {} were pulled: {pulled:#?}", pulled.len(), all.len());
    load.running.shutdown().await;
    Ok(())
}
