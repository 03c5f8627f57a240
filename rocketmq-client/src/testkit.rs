//! Scripted servers over loopback, for tests of everything above the connection.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::time::{Duration, UNIX_EPOCH};

use parking_lot::Mutex;
use rocketmq_remoting::net::{Answer, Connection, ConnectionConfig, Handler};
use rocketmq_remoting::route::{BrokerData, Perm, QueueData, TopicRoute};
use rocketmq_remoting::{Command, RequestCode, ResponseCode, fastjson};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::client::{Client, connect};
use crate::clock::Clock;

/// The answer of a scripted server to a request.
pub(crate) enum Reply {
    Answer(Command),
    Silence,
    Close,
}

type Script = dyn Fn(&Command) -> Reply + Send + Sync;

/// A server that answers by script and remembers what it was asked.
pub(crate) struct FakeServer {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Command>>>,
    connections: Arc<Mutex<Vec<Connection>>>,
    accepting: JoinHandle<()>,
}

struct Scripted {
    script: Arc<Script>,
    seen: Arc<Mutex<Vec<Command>>>,
}

impl Handler for Scripted {
    fn handle(&self, connection: &Connection, request: Command) -> Answer {
        let reply = (self.script)(&request);
        let (opaque, codec, oneway) = (request.opaque, request.codec, request.is_oneway());
        self.seen.lock().push(request);
        match reply {
            Reply::Answer(answer) if !oneway => Answer::Now(answer.answer(opaque, codec)),
            Reply::Answer(_) | Reply::Silence => Answer::None,
            Reply::Close => {
                connection.close();
                Answer::None
            }
        }
    }
}

impl FakeServer {
    pub(crate) async fn start(script: impl Fn(&Command) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (seen, connections) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<Mutex<Vec<_>>>::default());
        let handler: Arc<dyn Handler> = Arc::new(Scripted { script: Arc::new(script), seen: seen.clone() });
        let accepted = connections.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((socket, peer)) = listener.accept().await {
                let config = ConnectionConfig::default();
                let connection = Connection::spawn(socket, peer, address, handler.clone(), config);
                accepted.lock().push(connection);
            }
        });
        Self { address, seen, connections, accepting }
    }

    /// Requests of this code so far.
    pub(crate) fn seen(&self, code: RequestCode) -> Vec<Command> {
        self.seen.lock().iter().filter(|request| request.request_code() == code).cloned().collect()
    }

    /// Waits until `count` requests of this code have come.
    pub(crate) async fn expect(&self, code: RequestCode, count: usize) -> Vec<Command> {
        eventually(|| self.seen(code).len() >= count).await;
        self.seen(code)
    }

    /// Returns the connections that were accepted and still live.
    pub(crate) fn connections(&self) -> Vec<Connection> {
        self.connections.lock().iter().filter(|connection| !connection.is_closed()).cloned().collect()
    }
}

impl FakeServer {
    /// Counts the connections that were accepted.
    pub(crate) fn accepted(&self) -> usize {
        self.connections.lock().len()
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.accepting.abort();
        self.connections.lock().iter().for_each(Connection::close);
    }
}

/// Polls until `done`, and fails the test after ten seconds.
pub(crate) async fn eventually(done: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("did not happen within ten seconds");
}

/// Returns any answer of a code.
pub(crate) fn answer(code: ResponseCode) -> Reply {
    Reply::Answer(Command::response(code))
}

/// Returns a refusal with its reason.
pub(crate) fn refuse(code: ResponseCode, remark: &str) -> Reply {
    Reply::Answer(Command::response(code).with_remark(remark))
}

/// Makes a broker's answer to a send that it stored in the wanted queue.
pub(crate) fn stored(request: &Command, status: ResponseCode) -> Reply {
    let mut response = Command::response(status);
    let count = if request.ext.get("m") == Some("true") { 3 } else { 1 };
    let ids = vec!["7F00000100002A9F0000000000000010"; count].join(",");
    response.ext.push("msgId", &ids);
    response.ext.push("queueId", request.ext.get("e").unwrap_or("0"));
    response.ext.push("queueOffset", "5");
    Reply::Answer(response)
}

/// Answers as a broker that stores everything and takes every heartbeat.
pub(crate) fn healthy(request: &Command) -> Reply {
    match request.request_code() {
        RequestCode::SEND_MESSAGE_V2
        | RequestCode::SEND_BATCH_MESSAGE
        | RequestCode::SEND_REPLY_MESSAGE_V2 => stored(request, ResponseCode::SUCCESS),
        _ => answer(ResponseCode::SUCCESS),
    }
}

/// Returns a topic with `queues` queues on each of the brokers, named `broker-0`, `broker-1` …
pub(crate) fn route(brokers: &[SocketAddr], queues: i32) -> TopicRoute {
    let names = || (0..brokers.len()).map(|n| format!("broker-{n}"));
    let queue_datas = names().map(|broker_name| QueueData {
        broker_name,
        perm: Perm(Perm::READ | Perm::WRITE),
        read_queue_nums: queues,
        write_queue_nums: queues,
        topic_sys_flag: 0,
    });
    let broker_datas = names().zip(brokers).map(|(broker_name, address)| BrokerData {
        broker_name,
        cluster: "c".into(),
        broker_addrs: BTreeMap::from([(0, address.to_string())]),
        ..BrokerData::default()
    });
    TopicRoute {
        queue_datas: queue_datas.collect(),
        broker_datas: broker_datas.collect(),
        ..TopicRoute::default()
    }
}

/// Returns a name server with the same route for every topic whose name `knows` accepts.
pub(crate) async fn name_server(
    route: TopicRoute,
    knows: impl Fn(&str) -> bool + Send + Sync + 'static,
) -> FakeServer {
    let body = fastjson::to_vec(&route).expect("a route");
    FakeServer::start(move |request| match request.ext.get("topic") {
        Some(topic) if knows(topic) => {
            Reply::Answer(Command::response(ResponseCode::SUCCESS).with_body(body.clone()))
        }
        _ => refuse(ResponseCode::TOPIC_NOT_EXIST, "No topic route info"),
    })
    .await
}

/// A cluster of scripted brokers behind one name server, and a client of it.
pub(crate) struct FakeCluster {
    pub(crate) name_server: FakeServer,
    pub(crate) brokers: Vec<FakeServer>,
    pub(crate) client: Client,
}

impl FakeCluster {
    /// Starts a cluster in which every topic exists, with `queues` queues on each broker.
    pub(crate) async fn start(brokers: Vec<FakeServer>, queues: i32) -> Self {
        let addresses: Vec<_> = brokers.iter().map(|broker| broker.address).collect();
        let name_server = name_server(route(&addresses, queues), |_| true).await;
        let client = connect(name_server.address.to_string()).await.expect("a client");
        Self { name_server, brokers, client }
    }
}

/// tokio's clock, which from now on moves by [`pass`](Self::pass) alone.
///
/// A clock that is merely paused jumps to the next timer whenever every task waits, also when they wait for a socket. It
/// does not while a blocking task runs: one is kept.
pub(crate) struct StillClock {
    since: Instant,
    _blocking: mpsc::Sender<()>,
}

impl StillClock {
    pub(crate) fn stop() -> Self {
        tokio::time::pause();
        let (blocking, until_dropped) = mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || until_dropped.recv());
        Self { since: Instant::now(), _blocking: blocking }
    }

    /// Returns the time of day by this clock.
    pub(crate) fn clock(&self) -> Clock {
        let since = self.since;
        Clock::new(move || UNIX_EPOCH + Duration::from_secs(1_700_000_000) + since.elapsed())
    }

    /// Lets time pass in small steps. In between everybody gets their turns, and what was sent over loopback arrives.
    pub(crate) async fn pass(&self, span: Duration) {
        let end = Instant::now() + span;
        while Instant::now() < end {
            tokio::time::advance(Duration::from_millis(50)).await;
            for _ in 0..30 {
                tokio::task::yield_now().await;
            }
        }
    }
}
