//! Tests two gains of the connection task: calls close together share a write, and the answers to many requests leave
//! before the last of the requests is handled.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use rocketmq_remoting::net::{Answer, Connection, ConnectionConfig, Handler};
use rocketmq_remoting::{Command, RequestCode, ResponseCode, frame};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf};

const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

/// Counts the writes. Refuses all of them if `broken` is set.
struct Counted {
    inner: DuplexStream,
    writes: Arc<AtomicUsize>,
    broken: bool,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, out)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        if self.broken {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

struct Echo;

impl Handler for Echo {
    fn handle(&self, _: &Connection, _: Command) -> Answer {
        Answer::Now(Command::response(ResponseCode::SUCCESS))
    }
}

/// Runs on one worker, so that the order of tasks does not depend on the machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn callers_answered_by_one_read_call_again_with_one_write() {
    const CALLERS: usize = 16;
    const CALLS: usize = 50;
    let (left, right) = tokio::io::duplex(1 << 16);
    let writes = Arc::new(AtomicUsize::new(0));
    let counted = Counted { inner: left, writes: writes.clone(), broken: false };
    let calls = async move {
        let (client, _server) = (spawn(counted), spawn(right));
        let callers = (0..CALLERS).map(|_| tokio::spawn(call(client.clone(), CALLS)));
        futures_util::future::join_all(callers)
            .await
            .into_iter()
            .for_each(|caller| caller.expect("answered"));
    };
    tokio::spawn(calls).await.expect("the callers end");
    let writes = writes.load(Ordering::Relaxed);
    assert!(writes <= CALLERS * CALLS / 4, "{writes} writes for {} calls", CALLERS * CALLS);
}

/// Answers a request without a body after a commit, and others at once. Remembers the number of writes before each.
struct Witness {
    writes: Arc<AtomicUsize>,
    seen: Mutex<Vec<usize>>,
}

impl Handler for Witness {
    fn handle(&self, _: &Connection, request: Command) -> Answer {
        self.seen.lock().expect("no panic").push(self.writes.load(Ordering::Relaxed));
        let answer = Command::response(ResponseCode::SUCCESS).with_body(request.body);
        if answer.body.is_empty() { Answer::Committed(answer) } else { Answer::Now(answer) }
    }
}

/// Sends the requests all at once. Returns the number of the server's writes before it handled each of them.
async fn writes_before_each(requests: impl Iterator<Item = Command>) -> Vec<usize> {
    let (left, right) = tokio::io::duplex(1 << 20);
    let writes = Arc::new(AtomicUsize::new(0));
    let witness = Arc::new(Witness { writes: writes.clone(), seen: Mutex::default() });
    let counted = Counted { inner: left, writes, broken: false };
    let _server = Connection::spawn(counted, ADDRESS, ADDRESS, witness.clone(), ConnectionConfig::default());
    let client = spawn(right);
    let calls = requests.map(|request| client.call(request, Duration::from_secs(60)));
    for answer in futures_util::future::join_all(calls).await {
        answer.expect("answered");
    }
    std::mem::take(&mut *witness.seen.lock().expect("no panic"))
}

#[tokio::test]
async fn the_first_committed_answers_leave_before_the_last_request_is_handled() {
    let seen = writes_before_each((0..64).map(|_| Command::request(RequestCode::SEND_MESSAGE))).await;
    assert_eq!(seen.first(), Some(&0));
    assert!((1..8).contains(&seen[63]), "{} writes before the last of 64 requests", seen[63]);
}

#[tokio::test]
async fn requests_are_handled_even_if_their_answers_cannot_be_written() {
    let (left, mut right) = tokio::io::duplex(1 << 20);
    let writes = Arc::new(AtomicUsize::new(0));
    let witness = Arc::new(Witness { writes: writes.clone(), seen: Mutex::default() });
    let broken = Counted { inner: left, writes, broken: true };
    let mut requests = BytesMut::new();
    (0..64).for_each(|_| {
        frame::encode(&Command::request(RequestCode::SEND_MESSAGE), &mut requests).expect("encodes");
    });
    right.write_all(&requests).await.expect("room for all");
    let server = Connection::spawn(broken, ADDRESS, ADDRESS, witness.clone(), ConnectionConfig::default());
    server.closed().await;
    assert_eq!(witness.seen.lock().expect("no panic").len(), 64);
}

#[tokio::test]
async fn long_answers_leave_one_by_one() {
    let long = || Command::request(RequestCode::PULL_MESSAGE).with_body(vec![7; 10_000]);
    assert_eq!(writes_before_each((0..3).map(|_| long())).await, [0, 1, 2]);
}

fn spawn(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Connection {
    Connection::spawn(stream, ADDRESS, ADDRESS, Arc::new(Echo), ConnectionConfig::default())
}

async fn call(client: Connection, times: usize) {
    for _ in 0..times {
        let request = Command::request(RequestCode::HEART_BEAT);
        client.call(request, Duration::from_secs(60)).await.expect("an answer");
    }
}
