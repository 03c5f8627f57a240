//! A peer that speaks raw frames, and waiting for what happens soon.

#![allow(dead_code)] // Each test binary uses its own part.

use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rocketmq_remoting::Command;
use rocketmq_remoting::ExtFields;
use rocketmq_remoting::body::{DataVersion, RegisterBrokerBody, TopicConfig};
use rocketmq_remoting::code::{RequestCode, ResponseCode};
use rocketmq_remoting::fastjson;
use rocketmq_remoting::frame::{self, FrameLimits};
use rocketmq_remoting::route::{Perm, TopicRoute};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than anything here takes; it only bounds a failing test.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Peer {
    stream: TcpStream,
    read: BytesMut,
    opaque: i32,
}

impl Peer {
    pub async fn dial(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), read: BytesMut::new(), opaque: 0 }
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Writes what the other side takes before it hangs up.
    pub async fn try_write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await
    }

    pub async fn send(&mut self, mut command: Command) -> i32 {
        self.opaque += 1;
        command.opaque = self.opaque;
        let mut out = BytesMut::new();
        frame::encode(&command, &mut out).unwrap();
        self.write(&out).await;
        self.opaque
    }

    /// The next frame; `None` when the other side has hung up.
    pub async fn receive(&mut self) -> Option<Command> {
        loop {
            if let Some(command) = frame::decode(&mut self.read, &FrameLimits::default()).unwrap() {
                return Some(command);
            }
            match within(self.stream.read_buf(&mut self.read)).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    pub async fn call(&mut self, command: Command) -> Command {
        let opaque = self.send(command).await;
        let answer = self.receive().await.expect("an answer, not the end of the connection");
        assert_eq!(answer.opaque, opaque);
        assert!(answer.is_response());
        answer
    }

    /// Returns true if the other side hangs up soon.
    pub async fn is_hung_up(&mut self) -> bool {
        self.receive().await.is_none()
    }

    pub async fn route(&mut self, topic: &str) -> Option<TopicRoute> {
        let answer = self.call(request(RequestCode::GET_ROUTEINFO_BY_TOPIC, &[("topic", topic)])).await;
        match answer.response_code() {
            ResponseCode::SUCCESS => Some(fastjson::from_slice(&answer.body).unwrap()),
            code => {
                assert_eq!(code, ResponseCode::TOPIC_NOT_EXIST);
                None
            }
        }
    }
}

pub fn request(code: RequestCode, fields: &[(&str, &str)]) -> Command {
    let mut ext = ExtFields::new();
    for (key, value) in fields {
        ext.push(key, value);
    }
    Command::request(code).with_ext(ext)
}

/// Returns the request by which broker `name` at `address` registers these topics.
pub fn registration(name: &str, address: &str, topics: &[&str]) -> Command {
    let fields = [
        ("brokerName", name),
        ("brokerAddr", address),
        ("clusterName", "C"),
        ("haServerAddr", "127.0.0.1:2"),
        ("brokerId", "0"),
    ];
    request(RequestCode::REGISTER_BROKER, &fields).with_body(body(topics).encode().unwrap())
}

pub fn body(topics: &[&str]) -> RegisterBrokerBody {
    let mut body = RegisterBrokerBody::default();
    let wrapper = &mut body.topic_config_serialize_wrapper;
    wrapper.data_version = DataVersion { counter: 1, state_version: 0, timestamp: 7 };
    for topic in topics {
        let config = TopicConfig {
            topic_name: (*topic).to_owned(),
            read_queue_nums: 4,
            write_queue_nums: 4,
            perm: Perm(6),
            ..TopicConfig::default()
        };
        wrapper.topic_config_table.insert((*topic).to_owned(), config);
    }
    body
}

pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("this should not take long")
}

/// Asks again and again until the answer is yes.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "{what} did not come about");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
