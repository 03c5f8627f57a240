//! Asks the pages of an application over HTTP.

use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Far beyond what anything here takes; a test that waits this long has failed.
pub const LIMIT: Duration = Duration::from_secs(60);

/// An answer: its status, its head and its body.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Sends a request such as `GET /listeners`, with further lines in its head and a body.
pub async fn send(address: SocketAddr, request: &str, head: &str, body: &str) -> Answer {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        let host = if head.contains("Host: ") { String::new() } else { format!("Host: {address}\r\n") };
        let length = body.len();
        let request = format!(
            "{request} HTTP/1.1\r\n{host}Connection: close\r\nContent-Length: {length}\r\n{head}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("read");
        answer
    };
    let answer = timeout(LIMIT, exchange).await.expect("in time");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

pub async fn ask(address: SocketAddr, request: &str) -> Answer {
    send(address, request, "", "").await
}

/// Asks again and again until the answer is as wanted.
pub async fn until(address: SocketAddr, request: &str, wanted: impl Fn(&Answer) -> bool) -> Answer {
    let deadline = tokio::time::Instant::now() + LIMIT;
    loop {
        let answer = ask(address, request).await;
        if wanted(&answer) {
            return answer;
        }
        assert!(tokio::time::Instant::now() < deadline, "not in time; the last answer is {answer:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
