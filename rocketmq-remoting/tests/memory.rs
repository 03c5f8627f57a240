//! Tests the limit on what connections keep together: peers that never finish a frame, and peers that never read. Time
//! moves when everybody waits.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rocketmq_remoting::net::{Answer, CloseReason, Connection, ConnectionConfig, Handler, MemoryLimit};
use rocketmq_remoting::{Command, FrameLimits, RequestCode, ResponseCode, frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);
const MIB: usize = 1 << 20;
const LIMIT: usize = 8 * MIB;
/// The bytes that each connection may keep without being counted, and that a buffer may have too much.
const SLACK: usize = MIB;

/// Answers with 100 kB, whatever it is asked.
struct Generous;

impl Handler for Generous {
    fn handle(&self, _: &Connection, _: Command) -> Answer {
        Answer::Now(Command::response(ResponseCode::SUCCESS).with_body(vec![b'x'; 100_000]))
    }
}

fn connect(memory: &MemoryLimit) -> (Connection, DuplexStream) {
    let (near, far) = tokio::io::duplex(64 << 10);
    let config = ConnectionConfig { memory: Some(memory.clone()), ..ConnectionConfig::default() };
    (Connection::spawn(far, ADDRESS, ADDRESS, Arc::new(Generous), config), near)
}

fn frame_of(bytes: usize) -> BytesMut {
    let mut out = BytesMut::new();
    let request = Command::request(RequestCode::HEART_BEAT).with_body(vec![b'x'; bytes]);
    frame::encode(&request, &mut out).expect("encodes");
    out
}

async fn answer(stream: &mut DuplexStream) -> Command {
    let mut input = BytesMut::new();
    loop {
        if let Some(command) = frame::decode(&mut input, &FrameLimits::default()).expect("a frame") {
            return command;
        }
        assert!(stream.read_buf(&mut input).await.expect("reads") > 0, "hung up on");
    }
}

/// Writes all of a frame but its last byte, and then nothing.
async fn never_finish(mut stream: DuplexStream, frame: BytesMut) {
    let _ = stream.write_all(&frame[..frame.len() - 1]).await;
    std::future::pending::<()>().await;
}

#[tokio::test(start_paused = true)]
async fn frames_that_never_end_do_not_keep_more_than_the_limit_nor_others_from_being_served() {
    let memory = MemoryLimit::new(LIMIT);
    let mut hoarders = Vec::new();
    for _ in 0..20 {
        let (connection, stream) = connect(&memory);
        tokio::spawn(never_finish(stream, frame_of(2 * MIB)));
        hoarders.push(connection);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(memory.used() > LIMIT / 2, "{} bytes are counted", memory.used());
    assert!(memory.used() <= LIMIT + 20 * SLACK, "{} bytes are kept", memory.used());

    let (_small, mut stream) = connect(&memory);
    stream.write_all(&frame_of(10)).await.unwrap();
    answer(&mut stream).await;

    let (_large, mut stream) = connect(&memory);
    stream.write_all(&frame_of(2 * MIB)).await.unwrap();
    answer(&mut stream).await;
    let reasons = hoarders.iter().filter_map(Connection::close_reason);
    assert!(reasons.filter(|reason| matches!(**reason, CloseReason::Overload { .. })).count() > 0);
    assert!(memory.used() <= LIMIT, "{} bytes are kept", memory.used());
}

#[tokio::test(start_paused = true)]
async fn peers_that_never_read_do_not_keep_more_than_the_limit_nor_others_from_being_served() {
    let memory = MemoryLimit::new(LIMIT);
    let mut deaf = Vec::new();
    for _ in 0..20 {
        let (connection, mut stream) = connect(&memory);
        for _ in 0..200 {
            stream.write_all(&frame_of(10)).await.unwrap();
        }
        deaf.push((connection, stream));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(memory.used() <= LIMIT + 20 * SLACK, "{} bytes are kept", memory.used());

    let (_reader, mut stream) = connect(&memory);
    for _ in 0..100 {
        stream.write_all(&frame_of(10)).await.unwrap();
        answer(&mut stream).await;
    }
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(memory.used() <= LIMIT + 20 * SLACK, "{} bytes are kept", memory.used());
    assert!(deaf.iter().any(|(connection, _)| connection.is_closed()));
    drop(deaf);
}

#[tokio::test(start_paused = true)]
async fn whoever_goes_on_is_not_closed_and_what_is_given_back_is_counted_no_more() {
    let memory = MemoryLimit::new(LIMIT);
    let (connection, mut stream) = connect(&memory);
    for _ in 0..50 {
        stream.write_all(&frame_of(MIB)).await.unwrap();
        answer(&mut stream).await;
    }
    assert!(!connection.is_closed());
    assert!(memory.used() <= LIMIT / 2, "{} bytes are kept", memory.used());
    drop(stream);
    connection.closed().await;
    tokio::task::yield_now().await;
    assert_eq!(memory.used(), 0);
}
