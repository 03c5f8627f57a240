//! Tests faults around a client: servers that are absent, refuse, stop answering, come back, or come back at another
//! address. Each wrong input gives one error that names the thing, the value and the remedy; each outage ends by
//! itself.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rocketmq_client::error::{ConnectErrorKind, StartErrorKind};
use rocketmq_client::remoting::net::{Answer, Connection, Handler};
use rocketmq_client::remoting::route::{BrokerData, Perm, QueueData, TopicRoute};
use rocketmq_client::remoting::{Command, RequestCode, ResponseCode, fastjson};
use rocketmq_client::{Client, FromWhere, Message, SendErrorKind};
use rocketmq_server::clock::System;
use rocketmq_server::config::{BrokerConfig, NamesrvConfig};
use rocketmq_server::namesrv::NameServer;
use rocketmq_server::net::{Listener, Server};
use rocketmq_server::{Embedded, Node};
use rocketmq_starter::{App, error::MistakeKind};
use rocketmq_tests::{Inbox, PATIENCE, TestResult, eventually};

const TOPIC: &str = "orders";

/// Returns an address at which nothing listens.
fn nobody() -> TestResult<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

fn assert_says(error: &impl std::fmt::Display, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing from {text:?}");
    }
}

mod wrong_input {
    use super::*;

    #[tokio::test]
    async fn a_name_server_that_is_not_there() -> TestResult {
        let (one, two) = (nobody()?, nobody()?);
        let error = rocketmq_client::connect(format!("{one};{two}")).await.expect_err("nobody listens");
        assert_eq!(error.kind(), ConnectErrorKind::Unreachable);
        assert_says(&error, &[&one, &two, "start one, or correct the addresses"]);

        let app = App::new().environment::<String, String>([]).set("rocketmq.name-server", &one);
        let error = app.set("rocketmq.producer.group", "p").start().await.expect_err("nobody listens");
        assert_eq!(error.mistakes()[0].kind(), MistakeKind::Connect);
        assert_says(&error, &[&one]);
        Ok(())
    }

    #[tokio::test]
    async fn a_client_that_may_wait_for_its_name_server() -> TestResult {
        let client = Client::builder(nobody()?).lazy().connect().await?;
        let producer = client.producer("p").build().await?;
        let error = producer.send(Message::new(TOPIC, "42")).await.expect_err("nobody listens");
        assert_eq!(error.kind(), SendErrorKind::NoRoute, "{error}");
        assert!(error.is_retryable());
        Ok(())
    }

    #[tokio::test]
    async fn a_missing_or_illegal_group() -> TestResult {
        let client = Client::builder("127.0.0.1:9876").lazy().connect().await?;
        for group in ["", "or ders", "DEFAULT_PRODUCER"] {
            let error = client.producer(group).build().await.expect_err(group);
            assert_eq!(error.kind(), StartErrorKind::InvalidConfig, "{error}");
            assert_says(&error, &["group", group]);
        }
        let inbox = Inbox::default();
        let error = client.push_consumer("").subscribe(TOPIC, "*").listen(inbox.accept()).await;
        assert_says(&error.expect_err("no group"), &["group"]);

        let app = App::new().environment::<String, String>([]).set("rocketmq.name-server", "127.0.0.1:9876");
        let error = app.listen(TOPIC, "", || async {}).start().await.expect_err("no group");
        assert_says(&error, &["group"]);
        Ok(())
    }

    #[tokio::test]
    async fn an_illegal_topic_in_a_subscription() -> TestResult {
        let client = Client::builder("127.0.0.1:9876").lazy().connect().await?;
        let inbox = Inbox::default();
        let error = client.push_consumer("g").subscribe("or ders", "*").listen(inbox.accept()).await;
        assert_says(&error.expect_err("a blank in a topic"), &["or ders", "allowed"]);
        Ok(())
    }

    #[tokio::test]
    async fn a_port_in_use() -> TestResult {
        let taken = TcpListener::bind("127.0.0.1:0")?;
        let (folder, port) = (tempfile::tempdir()?, taken.local_addr()?.port());
        let mut config = BrokerConfig::loopback(folder.path());
        config.network.listen_port = port;
        let error = Node::start(config, Arc::new(System)).await.expect_err("the port is taken");
        assert_says(&error, &[&port.to_string(), "listenPort"]);

        let mut config = NamesrvConfig::ephemeral();
        config.network.listen_port = port;
        let error = NameServer::start(config, Arc::new(System)).await.expect_err("the port is taken");
        assert_says(&error, &[&port.to_string(), "listenPort"]);
        Ok(())
    }

    #[tokio::test]
    async fn a_store_folder_in_use() -> TestResult {
        let folder = tempfile::tempdir()?;
        let first = Embedded::builder().store(folder.path()).start().await?;
        let error = Embedded::builder().store(folder.path()).start().await.expect_err("the folder is in use");
        let place = folder.path().join("broker-a").display().to_string();
        assert_says(&error, &[&place, "in use by another broker", "storePathRootDir"]);
        // The first cluster works on.
        let client = rocketmq_client::connect(first.name_server()).await?;
        client.producer("p").build().await?.send(Message::new(TOPIC, "42")).await?;
        Ok(())
    }
}

/// A disk above its limit refuses messages with a clear error, and still serves the stored ones.
#[tokio::test]
async fn a_full_disk() -> TestResult {
    let folder = tempfile::tempdir()?;
    let cluster = Embedded::builder().store(folder.path()).start().await?;
    let client = rocketmq_client::connect(cluster.name_server()).await?;
    client.producer("p").build().await?.send(Message::new(TOPIC, "42")).await?;
    client.shutdown().await;
    cluster.shutdown().await?;

    // Every disk is more than 1 % full.
    let full = Embedded::builder().store(folder.path()).set("diskSpaceWarningLevelRatio", 1).start().await?;
    let client = rocketmq_client::connect(full.name_server()).await?;
    let producer = client.producer("p").retries(0).build().await?;
    eventually("the full disk's refusal", PATIENCE, async || {
        // The broker looks at the disk every ten seconds.
        full.advance(Duration::from_secs(10));
        producer
            .send(Message::new(TOPIC, "43"))
            .await
            .is_err_and(|error| error.to_string().contains("% full"))
    })
    .await;
    let inbox = Inbox::default();
    let consumer = client.push_consumer("g").subscribe(TOPIC, "*").from_where(FromWhere::FirstOffset);
    let running = consumer.listen(inbox.accept()).await?;
    eventually("what it has", PATIENCE, async || inbox.texts().iter().any(|text| text == "42")).await;
    running.shutdown().await;
    Ok(())
}

/// A name server and broker in one. It knows every topic, and answers everything else with one code.
struct Odd {
    server: Server,
    asked: Arc<AtomicUsize>,
}

struct OddHandler {
    address: std::net::SocketAddr,
    code: ResponseCode,
    /// Number of a consumer's questions for the members of its group.
    asked: Arc<AtomicUsize>,
}

impl Odd {
    async fn start(code: i32) -> TestResult<Self> {
        let network = NamesrvConfig::ephemeral().network;
        let listener = Listener::bind(network.bind_address, 0).await?;
        let asked = Arc::<AtomicUsize>::default();
        let handler =
            OddHandler { address: listener.address(), code: ResponseCode(code), asked: asked.clone() };
        Ok(Self { server: listener.serve(Arc::new(handler), &network), asked })
    }
}

impl OddHandler {
    fn route(&self) -> TopicRoute {
        let broker = BrokerData {
            broker_name: "odd".into(),
            cluster: "c".into(),
            broker_addrs: [(0, self.address.to_string())].into(),
            ..BrokerData::default()
        };
        let queues = QueueData {
            broker_name: "odd".into(),
            perm: Perm(Perm::READ | Perm::WRITE),
            read_queue_nums: 1,
            write_queue_nums: 1,
            topic_sys_flag: 0,
        };
        TopicRoute { queue_datas: vec![queues], broker_datas: vec![broker], ..TopicRoute::default() }
    }
}

impl Handler for OddHandler {
    fn handle(&self, _connection: &Connection, request: Command) -> Answer {
        let answer = match request.request_code() {
            RequestCode::GET_ROUTEINFO_BY_TOPIC => {
                let body = fastjson::to_vec(&self.route()).unwrap_or_default();
                Command::response_to(&request, ResponseCode::SUCCESS).with_body(body)
            }
            code => {
                let members = code == RequestCode::GET_CONSUMER_LIST_BY_GROUP;
                self.asked.fetch_add(usize::from(members), Ordering::Relaxed);
                Command::response_to(&request, self.code).with_remark("as you like it")
            }
        };
        Answer::Now(answer)
    }
}

/// An unknown code reaches the producer's caller unchanged, and a consumer survives it.
#[tokio::test]
async fn a_broker_that_answers_with_an_unknown_code() -> TestResult {
    let odd = Odd::start(4711).await?;
    let client = rocketmq_client::connect(odd.server.address().to_string()).await?;
    let producer = client.producer("p").build().await?;
    let error = producer.send(Message::new(TOPIC, "42")).await.expect_err("an unknown code");
    assert_eq!(error.kind(), SendErrorKind::Refused, "{error}");
    assert_says(&error, &["odd", "4711", "as you like it", TOPIC]);

    let inbox = Inbox::default();
    let running = client.push_consumer("g").subscribe(TOPIC, "*").listen(inbox.accept()).await?;
    let asked = || odd.asked.load(Ordering::Relaxed) > 0;
    eventually("the question for the members", PATIENCE, async || asked()).await;
    assert!(running.shutdown_within(Duration::from_secs(1)).await);
    assert!(inbox.is_empty());
    Ok(())
}
