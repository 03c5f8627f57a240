//! Tests the connection task over an in-memory pipe. Time stands still unless a test moves it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use bytes::BytesMut;
use rocketmq_remoting::net::{
    Answer, CallError, CloseReason, Connection, ConnectionConfig, Handler, MAX_BLOCKING, Refusal,
};
use rocketmq_remoting::{Command, FrameLimits, RequestCode, ResponseCode, frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::Notify;

const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);
const SECOND: Duration = Duration::from_secs(1);

/// Answers each request as its field `how` says.
#[derive(Default)]
struct Script {
    release: Arc<Notify>,
    commits: AtomicUsize,
    refuse: bool,
    closed: AtomicUsize,
    gate: Arc<Gate>,
    /// Counts the blocking work that has begun.
    running: Arc<AtomicUsize>,
}

/// Holds threads up, for ten seconds at most.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn wait(&self) {
        let open = self.open.lock().expect("nobody panics here");
        drop(self.opened.wait_timeout_while(open, 10 * SECOND, |open| !*open).expect("nobody panics here"));
    }

    fn open(&self) {
        *self.open.lock().expect("nobody panics here") = true;
        self.opened.notify_all();
    }
}

impl Handler for Script {
    fn handle(&self, connection: &Connection, request: Command) -> Answer {
        let answer = Command::response(ResponseCode::SUCCESS).with_body(request.body.clone());
        match request.ext.get("how") {
            Some("later") => {
                let release = self.release.clone();
                Answer::Later(Box::pin(async move {
                    release.notified().await;
                    Some(answer)
                }))
            }
            Some("blocking") => {
                let (gate, running) = (self.gate.clone(), self.running.clone());
                Answer::Blocking(Box::new(move || {
                    running.fetch_add(1, Ordering::SeqCst);
                    gate.wait();
                    Some(answer)
                }))
            }
            Some("commit") => Answer::Committed(answer),
            Some("never") => Answer::None,
            Some("push") => {
                let pushed =
                    connection.push(Command::request(RequestCode::NOTIFY_CONSUMER_IDS_CHANGED).oneway());
                pushed.expect("an open connection takes a push");
                Answer::Now(answer)
            }
            Some("panic") => panic!("a handler that panics"),
            _ => Answer::Now(answer),
        }
    }

    fn commit(&self, _: &Connection) -> Result<(), Refusal> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        if self.refuse {
            return Err(Refusal { code: ResponseCode::SERVICE_NOT_AVAILABLE, remark: "disk full".into() });
        }
        Ok(())
    }

    fn closed(&self, _: &Connection, _: &CloseReason) {
        self.closed.fetch_add(1, Ordering::Relaxed);
    }
}

fn spawn(stream: DuplexStream, handler: Arc<dyn Handler>, config: ConnectionConfig) -> Connection {
    Connection::spawn(stream, ADDRESS, ADDRESS, handler, config)
}

/// Makes two connections that talk to each other.
fn pair(server: Arc<Script>) -> (Connection, Connection) {
    let (left, right) = tokio::io::duplex(1 << 16);
    (
        spawn(left, Arc::<Script>::default(), ConnectionConfig::default()),
        spawn(right, server, ConnectionConfig::default()),
    )
}

/// Makes a connection; the test itself plays the peer.
fn raw(handler: Arc<Script>, config: ConnectionConfig) -> (Connection, DuplexStream) {
    raw_with(handler, config)
}

fn raw_with(handler: Arc<dyn Handler>, config: ConnectionConfig) -> (Connection, DuplexStream) {
    let (left, right) = tokio::io::duplex(1 << 16);
    (spawn(left, handler, config), right)
}

fn request(how: &str, body: &'static str) -> Command {
    let mut command = Command::request(RequestCode::HEART_BEAT).with_body(body);
    command.ext.push("how", how);
    command
}

async fn read_frame(stream: &mut DuplexStream, buffer: &mut BytesMut) -> Command {
    loop {
        if let Some(command) = frame::decode(buffer, &FrameLimits::default()).expect("a frame") {
            return command;
        }
        assert_ne!(stream.read_buf(buffer).await.expect("readable"), 0, "the stream ended");
    }
}

async fn write_frame(stream: &mut DuplexStream, command: &Command) {
    let mut out = BytesMut::new();
    frame::encode(command, &mut out).expect("encodes");
    stream.write_all(&out).await.expect("writable");
}

#[tokio::test(start_paused = true)]
async fn answers_find_their_callers_out_of_order() {
    let server = Arc::new(Script::default());
    let (client, _kept) = pair(server.clone());
    let late = tokio::spawn({
        let client = client.clone();
        async move { client.call(request("later", "first"), SECOND).await }
    });
    let second = client.call(request("now", "second"), SECOND).await.unwrap();
    assert_eq!(second.body, "second");
    server.release.notify_waiters();
    server.release.notify_one();
    assert_eq!(late.await.unwrap().unwrap().body, "first");
}

/// One thread runs everything here: work that waits would hold up the other connection.
#[tokio::test]
async fn work_that_waits_for_a_disk_holds_nobody_else_up() {
    let server = Arc::new(Script::default());
    let (client, _kept) = pair(server.clone());
    let (other, _kept_too) = pair(server.clone());
    let calls: Vec<_> = (0..MAX_BLOCKING + 5)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.call(request("blocking", "x"), 10 * SECOND).await })
        })
        .collect();
    while server.running.load(Ordering::SeqCst) < MAX_BLOCKING {
        tokio::task::yield_now().await;
    }
    assert_eq!(other.call(request("now", "y"), SECOND).await.unwrap().body, "y");
    assert_eq!(server.running.load(Ordering::SeqCst), MAX_BLOCKING, "a connection has no more at once");
    server.gate.open();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().body, "x");
    }
}

#[tokio::test(start_paused = true)]
async fn many_calls_share_one_connection() {
    let (client, _kept) = pair(Arc::default());
    let calls = (0..500).map(|_| client.call(request("now", "x"), SECOND));
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.body == "x")));
}

#[tokio::test(start_paused = true)]
async fn one_commit_covers_the_requests_of_one_read() {
    let server = Arc::new(Script::default());
    let (client, _kept) = pair(server.clone());
    let calls = (0..100).map(|_| client.call(request("commit", "x"), SECOND));
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.code == 0)));
    let commits = server.commits.load(Ordering::Relaxed);
    assert!((1..10).contains(&commits), "{commits} commits for 100 requests");
}

#[tokio::test(start_paused = true)]
async fn a_refused_commit_replaces_the_answers() {
    let (client, _kept) = pair(Arc::new(Script { refuse: true, ..Script::default() }));
    let answer = client.call(request("commit", "x"), SECOND).await.unwrap();
    assert_eq!(answer.response_code(), ResponseCode::SERVICE_NOT_AVAILABLE);
    assert_eq!(answer.remark.as_deref(), Some("disk full"));
}

#[tokio::test(start_paused = true)]
async fn a_call_times_out_and_its_late_answer_is_counted() {
    let (client, mut peer) = raw(Arc::default(), ConnectionConfig::default());
    let error = client.call(request("now", "x"), SECOND).await.unwrap_err();
    assert!(matches!(error, CallError::Timeout(SECOND)), "{error}");
    let asked = read_frame(&mut peer, &mut BytesMut::new()).await;
    write_frame(&mut peer, &Command::response_to(&asked, ResponseCode::SUCCESS)).await;
    while client.late_answers() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(!client.is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_leaves_no_half_frame() {
    let (client, mut peer) = raw(Arc::default(), ConnectionConfig::default());
    let mut buffer = BytesMut::new();
    {
        let dropped = client.call(request("now", "dropped"), SECOND);
        assert!(futures_util::FutureExt::now_or_never(dropped).is_none());
    }
    let call = client.call(request("now", "kept"), SECOND);
    let serve = async {
        let asked = read_frame(&mut peer, &mut buffer).await;
        assert_eq!(asked.body, "kept");
        write_frame(&mut peer, &Command::response_to(&asked, ResponseCode::SUCCESS)).await;
    };
    let (answer, ()) = tokio::join!(call, serve);
    assert_eq!(answer.unwrap().code, 0);
}

#[tokio::test(start_paused = true)]
async fn everyone_waiting_gets_the_same_cause() {
    let handler = Arc::new(Script::default());
    let (client, peer) = raw(handler.clone(), ConnectionConfig::default());
    let calls = (0..3).map(|_| client.call(request("now", "x"), SECOND));
    let all = futures_util::future::join_all(calls);
    let (results, ()) = tokio::join!(all, async { drop(peer) });
    let causes: Vec<_> = results
        .into_iter()
        .map(|result| match result {
            Err(CallError::Closed(cause)) => cause,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(causes.iter().all(|cause| Arc::ptr_eq(cause, &causes[0])));
    assert!(matches!(*client.closed().await, CloseReason::Unanswered));
    assert_eq!(handler.closed.load(Ordering::Relaxed), 1);
    assert!(matches!(client.call(request("now", "x"), SECOND).await, Err(CallError::Closed(_))));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_has_answered_and_hangs_up_is_told_from_one_that_never_did() {
    let (client, mut peer) = raw(Arc::default(), ConnectionConfig::default());
    write_frame(&mut peer, &request("now", "")).await;
    drop(peer);
    assert!(matches!(*client.closed().await, CloseReason::Peer | CloseReason::Io { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_frame_over_the_limit_closes_with_its_length() {
    let (client, mut peer) = raw(Arc::default(), ConnectionConfig::default());
    peer.write_all(&[0x7f, 0xff, 0xff, 0xff]).await.unwrap();
    let reason = client.closed().await.to_string();
    assert!(reason.contains("2147483651 bytes, over the limit of 16777216"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn both_sides_may_ask_at_once() {
    let (client, server) = pair(Arc::default());
    let (a, b) =
        tokio::join!(client.call(request("now", "a"), SECOND), server.call(request("now", "b"), SECOND));
    assert_eq!((a.unwrap().body, b.unwrap().body), ("a".into(), "b".into()));
}

#[tokio::test(start_paused = true)]
async fn oneway_returns_once_written_and_is_not_answered() {
    let (client, mut peer) = raw(Arc::default(), ConnectionConfig::default());
    client.send_oneway(request("now", "gone")).await.unwrap();
    let mut buffer = BytesMut::new();
    let got = read_frame(&mut peer, &mut buffer).await;
    assert!(got.is_oneway());
    write_frame(&mut peer, &request("now", "no answer").oneway()).await;
    write_frame(&mut peer, &request("push", "answer")).await;
    assert_eq!(read_frame(&mut peer, &mut buffer).await.body, "answer");
    assert_eq!(
        read_frame(&mut peer, &mut buffer).await.request_code(),
        RequestCode::NOTIFY_CONSUMER_IDS_CHANGED
    );
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
    let config = ConnectionConfig { idle: Some(120 * SECOND), ..ConnectionConfig::default() };
    let (client, mut peer) = raw(Arc::default(), config);
    for _ in 0..3 {
        tokio::time::advance(100 * SECOND).await;
        client.send_oneway(request("now", "alive")).await.unwrap();
        read_frame(&mut peer, &mut BytesMut::new()).await;
    }
    tokio::time::advance(121 * SECOND).await;
    assert!(matches!(*client.closed().await, CloseReason::Idle(_)));
}

#[tokio::test]
async fn a_wait_without_end_is_allowed() {
    let config = ConnectionConfig { idle: Some(Duration::MAX), ..ConnectionConfig::default() };
    let (client, mut peer) = raw(Arc::default(), config);
    let call = client.call(request("now", "patient"), Duration::MAX);
    let asked = read_frame(&mut peer, &mut BytesMut::new()).await;
    let mut answer = BytesMut::new();
    let response = Command { opaque: asked.opaque, ..Command::response(ResponseCode::SUCCESS) };
    frame::encode(&response, &mut answer).expect("encodes");
    peer.write_all(&answer).await.unwrap();
    assert_eq!(call.await.unwrap().response_code(), ResponseCode::SUCCESS);
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_never_ends_does_not_keep_a_connection_open() {
    let config = ConnectionConfig { idle: Some(120 * SECOND), ..ConnectionConfig::default() };
    let (connection, mut peer) = raw(Arc::default(), config);
    let mut whole = BytesMut::new();
    frame::encode(&request("now", "drop by drop"), &mut whole).expect("encodes");
    let (last, begun) = (whole.len() - 1, tokio::time::Instant::now());
    for byte in whole[..last].chunks(1) {
        if peer.write_all(byte).await.is_err() {
            break;
        }
        tokio::time::sleep(50 * SECOND).await;
    }
    assert!(matches!(*connection.closed().await, CloseReason::Idle(_)));
    assert!(begun.elapsed() < 200 * SECOND, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_stops_being_read() {
    let server = Arc::new(Script::default());
    let config = ConnectionConfig { max_write_buffer: 100_000, ..ConnectionConfig::default() };
    let (server_side, mut peer) = raw(server, config);
    let body = vec![b'x'; 10_000];
    let mut out = BytesMut::new();
    let asked = request("now", "").with_body(body);
    (0..100).for_each(|_| frame::encode(&asked, &mut out).expect("encodes"));
    let written = tokio::time::timeout(SECOND, peer.write_all(&out)).await;
    assert!(written.is_err(), "a megabyte was taken although nobody reads the answers");
    drop(peer);
    server_side.closed().await;
}

/// Answers each request with as many bytes as it may hold.
struct Generous(AtomicUsize);

impl Handler for Generous {
    fn handle(&self, _: &Connection, _: Command) -> Answer {
        self.0.fetch_add(1, Ordering::Relaxed);
        Answer::Now(Command::response(ResponseCode::SUCCESS).with_body(vec![b'x'; 100_000]))
    }
}

#[tokio::test(start_paused = true)]
async fn of_many_requests_in_one_read_no_more_are_answered_than_may_wait_to_be_written() {
    let handler = Arc::new(Generous(AtomicUsize::new(0)));
    let config = ConnectionConfig { max_write_buffer: 1_000_000, ..ConnectionConfig::default() };
    let (connection, mut peer) = raw_with(handler.clone(), config);
    let mut out = BytesMut::new();
    (0..200).for_each(|_| frame::encode(&request("now", ""), &mut out).expect("encodes"));
    peer.write_all(&out).await.expect("a read takes them all");
    tokio::time::sleep(SECOND).await;
    let answered = handler.0.load(Ordering::Relaxed);
    assert!(answered <= 12, "{answered} answers of 100 kB wait for a peer that does not read");

    let mut input = BytesMut::new();
    for _ in 0..200 {
        assert_eq!(read_frame(&mut peer, &mut input).await.body.len(), 100_000);
    }
    drop(connection);
}

#[tokio::test(start_paused = true)]
async fn what_a_peer_sent_is_handled_although_it_hung_up_before_it_was_answered() {
    let handler = Arc::new(Generous(AtomicUsize::new(0)));
    let config = ConnectionConfig { max_write_buffer: 1_000_000, ..ConnectionConfig::default() };
    let (connection, mut peer) = raw_with(handler.clone(), config);
    let mut out = BytesMut::new();
    (0..200).for_each(|_| frame::encode(&request("now", ""), &mut out).expect("encodes"));
    peer.write_all(&out).await.expect("a read takes them all");
    tokio::time::sleep(SECOND).await;
    drop(peer);
    connection.closed().await;
    assert_eq!(handler.0.load(Ordering::Relaxed), 200);
}

#[tokio::test(start_paused = true)]
async fn pushes_are_bounded() {
    let config = ConnectionConfig { max_write_buffer: 100_000, ..ConnectionConfig::default() };
    let (connection, _peer) = raw(Arc::default(), config);
    let push = || connection.push(request("now", "").with_body(vec![0; 20_000]));
    let refused = (0..20).find_map(|_| push().err());
    assert!(matches!(refused, Some(CallError::Overloaded { limit: 100_000, .. })), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn the_last_keeper_closes_after_the_queued_commands() {
    let (client, mut peer) = raw(Arc::default(), ConnectionConfig::default());
    client.push(request("now", "last words").oneway()).unwrap();
    let watcher = client.unkept();
    drop(client);
    assert_eq!(read_frame(&mut peer, &mut BytesMut::new()).await.body, "last words");
    assert!(matches!(*watcher.closed().await, CloseReason::Local));
}

#[tokio::test]
async fn a_handler_that_panics_ends_only_its_connection() {
    let handler = Arc::new(Script::default());
    let (connection, mut peer) = raw(handler.clone(), ConnectionConfig::default());
    write_frame(&mut peer, &request("panic", "")).await;
    assert!(matches!(*connection.closed().await, CloseReason::Aborted));
    assert_eq!(handler.closed.load(Ordering::Relaxed), 1);
}
