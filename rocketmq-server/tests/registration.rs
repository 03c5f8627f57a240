//! A broker's presence at its name servers.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rocketmq_remoting::body::TopicConfigWrapper;
use rocketmq_server::clock::{Clock, Manual, System};
use rocketmq_server::config::NamesrvConfig;
use rocketmq_server::namesrv::NameServer;
use rocketmq_server::net::Outgoing;
use rocketmq_server::registration::{Identity, Registration, Timing, TopicSource};
use support::{Peer, body, eventually, within};
use tokio::sync::watch;

struct Topics {
    names: Mutex<Vec<&'static str>>,
    changes: watch::Sender<u64>,
}

impl Topics {
    fn new() -> Arc<Self> {
        Arc::new(Self { names: Mutex::new(vec!["T", "U"]), changes: watch::Sender::new(0) })
    }

    fn add(&self, name: &'static str) {
        self.names.lock().push(name);
        self.changes.send_modify(|count| *count += 1);
    }
}

impl TopicSource for Topics {
    fn topics(&self) -> TopicConfigWrapper {
        let mut topics = body(&self.names.lock()).topic_config_serialize_wrapper;
        topics.data_version.counter = i64::try_from(topics.topic_config_table.len()).unwrap();
        topics
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn announced(&self, _change: u64) {}
}

async fn name_server(port: u16) -> NameServer {
    let mut config = NamesrvConfig::ephemeral();
    config.network.listen_port = port;
    NameServer::start(config, Arc::new(System)).await.unwrap()
}

fn register(servers: &[SocketAddr], topics: &Arc<Topics>, clock: Arc<dyn Clock>) -> Registration {
    let identity = Identity {
        cluster: "C".into(),
        broker_name: "broker-a".into(),
        broker_id: 0,
        address: "127.0.0.1:10911".into(),
        ha_address: "127.0.0.1:10912".into(),
        login: None,
    };
    let servers: Vec<_> = servers.iter().map(SocketAddr::to_string).collect();
    Registration::start(identity, &servers, Outgoing::default(), topics.clone(), Timing::default(), clock)
}

async fn knows(server: SocketAddr, topic: &str) -> bool {
    Peer::dial(server).await.route(topic).await.is_some()
}

#[tokio::test]
async fn every_name_server_is_told_and_told_again_when_topics_change() {
    let (one, two) = (name_server(0).await, name_server(0).await);
    let topics = Topics::new();
    let registration = register(&[one.address(), two.address()], &topics, Arc::new(Manual::new(0)));
    within(registration.registered()).await;
    assert!(knows(one.address(), "T").await && knows(two.address(), "U").await);

    topics.add("V");
    eventually("the new topic", || async {
        knows(one.address(), "V").await && knows(two.address(), "V").await
    })
    .await;
}

#[tokio::test]
async fn leaving_is_said() {
    let server = name_server(0).await;
    let registration = register(&[server.address()], &Topics::new(), Arc::new(Manual::new(0)));
    within(registration.registered()).await;
    within(registration.shutdown()).await;
    assert!(!knows(server.address(), "T").await);
}

#[tokio::test]
async fn a_name_server_that_restarts_is_told_again() {
    let server = name_server(0).await;
    let address = server.address();
    let registration = register(&[address], &Topics::new(), Arc::new(Manual::new(0)));
    within(registration.registered()).await;
    within(server.shutdown()).await;
    let _again = name_server(address.port()).await;
    eventually("the route's return", || knows(address, "T")).await;
}

#[tokio::test]
async fn a_name_server_that_comes_late_is_told_then() {
    let late = name_server(0).await;
    let address = late.address();
    within(late.shutdown()).await;
    let topics = Topics::new();
    let registration = register(&[address], &topics, Arc::new(Manual::new(0)));
    let _now = name_server(address.port()).await;
    within(registration.registered()).await;
    assert!(knows(address, "T").await);
}

#[tokio::test]
async fn the_registration_is_renewed_by_the_clock() {
    let server = name_server(0).await;
    let clock = Manual::new(0);
    let registration = register(&[server.address()], &Topics::new(), Arc::new(clock.clone()));
    within(registration.registered()).await;
    let delete = [("topic", "T")];
    let delete = support::request(rocketmq_remoting::RequestCode::DELETE_TOPIC_IN_NAMESRV, &delete);
    Peer::dial(server.address()).await.call(delete).await;
    assert!(!knows(server.address(), "T").await);
    eventually("the renewal", || {
        clock.advance(Duration::from_secs(30));
        knows(server.address(), "T")
    })
    .await;
}

#[tokio::test]
async fn leaving_does_not_wait_for_a_name_server_that_is_not_there() {
    let gone = name_server(0).await;
    within(gone.shutdown()).await;
    let registration = register(&[gone.address()], &Topics::new(), Arc::new(Manual::new(0)));
    within(registration.shutdown()).await;
}
