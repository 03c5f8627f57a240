//! A broker in a temporary folder with a clock to move, and clients on in-memory connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rocketmq_remoting::body::heartbeat::{ConsumerData, ConsumerIdList, HeartbeatData, ProducerData};
use rocketmq_remoting::message::{MessageRecord, PullFlag, layout};
use rocketmq_remoting::net::{Answer, Connection, ConnectionConfig, Handler};
use rocketmq_remoting::requests::pull::PullMessageRequest;
use rocketmq_remoting::requests::send::{SendMessageRequest, SendMessageResponse};
use rocketmq_remoting::subscription::SubscriptionData;
use rocketmq_remoting::{Command, ExtFields, Header, Request, RequestCode, ResponseCode, fastjson};
use serde::Serialize;
use tempfile::TempDir;
use tokio::io::DuplexStream;
use tokio::sync::{Mutex, mpsc};

use crate::broker::{Broker, FixedConfig, Settings};
use crate::clock::{Clock, Manual};

/// No exchange in a test takes as long as this; it only keeps a failing test from hanging.
const PATIENCE: Duration = Duration::from_secs(10);
/// The time at which every test begins.
pub(crate) const START: i64 = 1_700_000_000_000;

pub(crate) struct Rig {
    pub broker: Broker,
    pub clock: Manual,
    dir: TempDir,
    settings: Settings,
}

impl Rig {
    /// Lets the kernel forget the messages: only the disk has them then.
    #[cfg(target_os = "linux")]
    pub(crate) fn forget_messages(&self) {
        for entry in std::fs::read_dir(self.dir.path().join("commitlog")).unwrap() {
            let file = std::fs::File::open(entry.unwrap().path()).unwrap();
            file.sync_all().unwrap();
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        }
    }

    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(adjust: impl FnOnce(&mut Settings)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = Settings::new(dir.path());
        let store = &mut settings.fixed.store;
        store.commit_log_file_size = 4 << 20;
        store.queue_file_units = 1000;
        store.index_slots = 1000;
        store.index_entries = 4000;
        adjust(&mut settings);
        let clock = Manual::new(START);
        let broker = open(&settings, &clock);
        Self { broker, clock, dir, settings }
    }

    /// Stops the broker and starts another on the same folder.
    pub(crate) async fn restart(self) -> Self {
        self.broker.shutdown().await.unwrap();
        let broker = open(&self.settings, &self.clock);
        Self { broker, ..self }
    }

    /// [`restart`](Self::restart) with other settings.
    pub(crate) async fn restart_with(mut self, adjust: impl FnOnce(&mut Settings)) -> Self {
        adjust(&mut self.settings);
        self.restart().await
    }

    /// Stops the broker, deletes folders of its store, and starts another.
    pub(crate) async fn restart_without(self, folders: &[&str]) -> Self {
        self.broker.shutdown().await.unwrap();
        for folder in folders {
            std::fs::remove_dir_all(self.dir.path().join(folder)).unwrap();
        }
        let broker = open(&self.settings, &self.clock);
        Self { broker, ..self }
    }

    /// Kills the broker and starts another on the same folder.
    pub(crate) async fn crash(self) -> Self {
        self.broker.kill().await;
        let broker = open(&self.settings, &self.clock);
        Self { broker, ..self }
    }

    /// [`crash`](Self::crash), and other settings.
    pub(crate) async fn crash_with(mut self, adjust: impl FnOnce(&mut Settings)) -> Self {
        adjust(&mut self.settings);
        self.crash().await
    }

    /// Kills the broker, damages its folder, and starts another.
    pub(crate) async fn crash_and(self, damage: impl FnOnce(&std::path::Path)) -> Self {
        self.broker.kill().await;
        damage(self.dir.path());
        let broker = open(&self.settings, &self.clock);
        Self { broker, ..self }
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        self.dir.path()
    }

    pub(crate) fn clock_millis(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Counts the parked pulls.
    pub(crate) fn parked(&self) -> usize {
        self.broker.domains.pull.parking.len()
    }

    /// Waits for a topic the broker makes by itself.
    pub(crate) async fn when_topic_exists(&self, topic: &str) {
        let mut changes = self.broker.topic_changes();
        while self.broker.domains.topics.topics.get(topic).is_none() {
            tokio::time::timeout(PATIENCE, changes.changed()).await.unwrap().unwrap();
        }
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// A body that is an intact record at the very place where it says it is, once it is the next message put; and
    /// that place.
    pub(crate) fn forged(&self, record: MessageRecord) -> (i64, Bytes) {
        // Behind the body of a record come the lengths of its topic and properties.
        let before_body = (layout::MIN_LEN - 3) as i64;
        let place = self.broker.store().max_physical_offset() + before_body;
        let mut body = BytesMut::new();
        MessageRecord { physical_offset: place, ..record }.seal().encode(&mut body).unwrap();
        (place, body.freeze())
    }

    /// The near end of a connection, for a client that does not behave.
    pub(crate) fn connect_raw(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(1 << 20);
        Connection::spawn(
            far,
            near_address(),
            far_address(),
            self.broker.handler(),
            ConnectionConfig::default(),
        )
        .detach();
        near
    }

    pub(crate) fn connect(&self) -> Client {
        let (sender, inbox) = mpsc::unbounded_channel();
        let inbox_handler = Arc::new(Inbox(sender));
        let near = self.connect_raw();
        let config = ConnectionConfig::default();
        let connection = Connection::spawn(near, far_address(), near_address(), inbox_handler, config);
        let inbox = Mutex::new(inbox);
        Client { connection, inbox, now: self.clock.now_ms() }
    }
}

/// Lets others run until something holds.
pub(crate) async fn eventually(mut holds: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !holds() {
        assert!(tokio::time::Instant::now() < deadline, "the condition never held");
        tokio::task::yield_now().await;
    }
}

fn near_address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 40_000))
}

pub(crate) fn far_address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 10_911))
}

fn open(settings: &Settings, clock: &Manual) -> Broker {
    Broker::start(settings.clone(), far_address(), Arc::new(FixedConfig), Arc::new(clock.clone())).unwrap()
}

/// Keeps what the broker asks of a client, and agrees to everything.
struct Inbox(mpsc::UnboundedSender<Command>);

impl Handler for Inbox {
    fn handle(&self, _connection: &Connection, request: Command) -> Answer {
        let _ = self.0.send(request);
        Answer::Now(Command::response(ResponseCode::SUCCESS))
    }
}

pub(crate) struct Client {
    pub connection: Connection,
    inbox: Mutex<mpsc::UnboundedReceiver<Command>>,
    now: i64,
}

impl Client {
    pub(crate) async fn call(&self, command: Command) -> Command {
        self.connection.call(command, PATIENCE).await.unwrap()
    }

    pub(crate) async fn ask<R: Request>(&self, request: &R) -> Command {
        self.call(request.to_command().unwrap()).await
    }

    pub(crate) async fn ask_json(&self, code: RequestCode, body: &impl Serialize) -> Command {
        let body = fastjson::to_vec(body).unwrap();
        self.call(Command::request(code).with_body(body)).await
    }

    /// The next request the broker starts.
    pub(crate) async fn next_request(&self) -> Command {
        let mut inbox = self.inbox.lock().await;
        tokio::time::timeout(PATIENCE, inbox.recv()).await.unwrap().unwrap()
    }

    /// The next request of this kind; others before it are dropped.
    pub(crate) async fn next_of(&self, code: RequestCode) -> Command {
        loop {
            let request = self.next_request().await;
            if request.request_code() == code {
                return request;
            }
        }
    }

    pub(crate) fn send_request(&self, topic: &str, properties: &[(&str, &str)]) -> SendMessageRequest {
        let wire: String =
            properties.iter().map(|(name, value)| format!("{name}\u{1}{value}\u{2}")).collect();
        SendMessageRequest {
            producer_group: "p".into(),
            topic: topic.into(),
            default_topic: "TBW102".into(),
            default_topic_queue_nums: 4,
            born_timestamp: self.now,
            properties: Some(wire),
            ..SendMessageRequest::default()
        }
    }

    pub(crate) async fn send_raw(&self, request: &SendMessageRequest, body: impl Into<Bytes>) -> Command {
        self.call(request.to_command().unwrap().with_body(body.into())).await
    }

    pub(crate) async fn send(
        &self,
        topic: &str,
        body: &'static str,
        properties: &[(&str, &str)],
    ) -> SendMessageResponse {
        let answer = self.send_raw(&self.send_request(topic, properties), body).await;
        assert_eq!(answer.response_code(), ResponseCode::SUCCESS, "{:?}", answer.remark);
        SendMessageResponse::from_fields(&answer.ext).unwrap()
    }

    /// A pull that carries its own subscription.
    pub(crate) fn pull_request(
        &self,
        topic: &str,
        queue: i32,
        offset: i64,
        tags: &str,
    ) -> PullMessageRequest {
        PullMessageRequest {
            consumer_group: "g".into(),
            topic: topic.into(),
            queue_id: queue,
            queue_offset: offset,
            max_msg_nums: 32,
            sys_flag: PullFlag::SUBSCRIPTION,
            subscription: Some(tags.into()),
            ..PullMessageRequest::default()
        }
    }

    pub(crate) async fn pull(&self, topic: &str, queue: i32, offset: i64) -> Pulled {
        Pulled::of(self.ask(&self.pull_request(topic, queue, offset, "*")).await)
    }

    /// Everything in a queue; waits until there are at least `count` messages.
    pub(crate) async fn drain(&self, topic: &str, queue: i32, count: usize) -> Vec<MessageRecord> {
        let mut all = Vec::new();
        while all.len() < count {
            let mut request = self.pull_request(topic, queue, all.len() as i64, "*");
            request.sys_flag |= PullFlag::SUSPEND;
            request.suspend_timeout_millis = 1_000_000_000;
            all.extend(Pulled::of(self.ask(&request).await).messages);
        }
        all
    }

    pub(crate) async fn heartbeat(&self, client_id: &str, group: &str, topics: &[&str]) -> Command {
        let subscriptions =
            topics.iter().map(|topic| SubscriptionData::parse(topic, "*").unwrap().with_version(5));
        let consumer = ConsumerData {
            group_name: group.into(),
            subscription_data_set: subscriptions.collect(),
            ..ConsumerData::default()
        };
        let data = HeartbeatData {
            client_id: client_id.into(),
            consumer_data_set: vec![consumer],
            ..HeartbeatData::default()
        };
        self.ask_json(RequestCode::HEART_BEAT, &data).await
    }

    pub(crate) async fn producer_heartbeat(&self, client_id: &str, group: &str) {
        let data = HeartbeatData {
            client_id: client_id.into(),
            producer_data_set: vec![ProducerData { group_name: group.into() }],
            ..HeartbeatData::default()
        };
        self.ask_json(RequestCode::HEART_BEAT, &data).await;
    }

    pub(crate) async fn members(&self, group: &str) -> Vec<String> {
        let mut ext = ExtFields::new();
        ext.push("consumerGroup", group);
        let command = Command::request(RequestCode::GET_CONSUMER_LIST_BY_GROUP).with_ext(ext);
        let answer = self.call(command).await;
        let list: ConsumerIdList = fastjson::from_slice(&answer.body).unwrap_or_default();
        list.consumer_id_list
    }
}

/// The answer to a pull, taken apart.
#[derive(Debug)]
pub(crate) struct Pulled {
    pub code: ResponseCode,
    pub remark: String,
    pub next: i64,
    pub messages: Vec<MessageRecord>,
}

impl Pulled {
    pub(crate) fn of(answer: Command) -> Self {
        let next = answer.ext.get("nextBeginOffset").map_or(-1, |text| text.parse().unwrap());
        Self {
            code: answer.response_code(),
            remark: answer.remark.unwrap_or_default(),
            next,
            messages: MessageRecord::decode_all(answer.body).collect(),
        }
    }
}
