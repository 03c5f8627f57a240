//! Tests frames with both forms of the header.

use std::collections::BTreeMap;
use std::fmt::Debug;

use bytes::BytesMut;
use rocketmq_remoting::requests::heartbeat::UnregisterClientRequest;
use rocketmq_remoting::requests::pull::{PullMessageRequest, PullMessageResponse};
use rocketmq_remoting::requests::route::GetRouteInfoRequest;
use rocketmq_remoting::requests::send::{SendMessageRequest, SendMessageResponse};
use rocketmq_remoting::{
    Command, ExtFields, FrameLimits, Header, HeaderCodec, LanguageCode, Request, RequestCode, ResponseCode,
    frame, signature,
};

use crate::Golden;

pub fn check(golden: &mut Golden) {
    for codec in [HeaderCodec::Json, HeaderCodec::Binary] {
        requests(golden, codec);
        responses(golden, codec);
        signed(golden, codec);
    }
}

fn requests(golden: &mut Golden, codec: HeaderCodec) {
    let route = |topic: &str| GetRouteInfoRequest { topic: topic.into(), accept_standard_json_only: None };
    request(golden, "route-request", codec, &route("T1"), 7, "");
    request(golden, "unicode-request", codec, &route("标签 \"😀\\/"), -1, "");
    request(golden, "send-request", codec, &send(), 8, "hello");
    request(golden, "pull-request", codec, &pull(), 9, "");
    let leave = UnregisterClientRequest {
        client_id: "c1".into(),
        producer_group: Some("PG".into()),
        consumer_group: Some("CG".into()),
    };
    let command = expected(golden, codec, leave.to_command().unwrap(), 10).oneway();
    same(golden, "oneway", codec, command);
    let bare = Command::request(RequestCode::HEART_BEAT).with_body("{}");
    same(golden, "no-header-request", codec, expected(golden, codec, bare, 11));
}

fn send() -> SendMessageRequest {
    SendMessageRequest {
        producer_group: "PG".into(),
        topic: "TA".into(),
        default_topic: "TBW102".into(),
        default_topic_queue_nums: 4,
        queue_id: 3,
        sys_flag: 0,
        born_timestamp: 1_700_000_000_000,
        flag: 0,
        properties: Some("KEYS\u{1}k1 k2\u{2}TAGS\u{1}TagA\u{2}".into()),
        reconsume_times: Some(0),
        unit_mode: Some(false),
        max_reconsume_times: Some(16),
        batch: Some(false),
        broker_name: None,
    }
}

fn pull() -> PullMessageRequest {
    PullMessageRequest {
        consumer_group: "CG".into(),
        topic: "TA".into(),
        queue_id: 1,
        queue_offset: 42,
        max_msg_nums: 32,
        sys_flag: 6,
        commit_offset: 40,
        suspend_timeout_millis: 15_000,
        sub_version: 1_700_000_000_001,
        subscription: Some("TagA || TagB".into()),
        expression_type: Some("TAG".into()),
        ..PullMessageRequest::default()
    }
}

fn responses(golden: &mut Golden, codec: HeaderCodec) {
    let stored = SendMessageResponse {
        msg_id: Some("7F00000100002A9F0000000000001000".into()),
        queue_id: 3,
        queue_offset: 42,
        transaction_id: Some("7F0000010000".into()),
        ..SendMessageResponse::default()
    };
    response(golden, "send-response", codec, &stored, Command::response(ResponseCode::SUCCESS));
    let found =
        PullMessageResponse { next_begin_offset: 43, max_offset: 50, ..PullMessageResponse::default() };
    let frame = Command::response(ResponseCode::SUCCESS).with_remark("FOUND").with_body("records");
    response(golden, "pull-response", codec, &found, frame);
    let text = "No topic route info in name server for the topic: T1\n\tSee https://x/?a=\"b\"";
    let refused = Command::response(ResponseCode::TOPIC_NOT_EXIST).with_remark(text);
    same(golden, "error-response", codec, expected(golden, codec, refused, 12));
    // Java writes `"extFields":{}` for a header without values, this crate writes nothing. Both read as no fields.
    let empty = expected(golden, codec, Command::response(ResponseCode::SUCCESS), 12);
    compare(golden, "empty-fields-response", codec, &empty);
}

/// A pull that an ACL hook signed. Java writes each field twice in the ROCKETMQ form.
fn signed(golden: &mut Golden, codec: HeaderCodec) {
    let name = file("signed", codec);
    let command = decode(&golden.read(&name));
    let value = |key: &str| command.ext.get(key).unwrap_or_default().to_owned();
    assert_eq!(value("Signature"), "hWGyCt0xv6xkvOwedDSGYBA8fVw=");
    assert_eq!((value("AccessKey"), value("SecurityToken")), ("access".into(), "token".into()));
    let pull = PullMessageRequest::from_ext(&command.ext).unwrap();
    assert_eq!((pull.queue_offset, pull.sub_version, &*command.body), (42, 7, "body 标".as_bytes()));
    let twice = command.ext.iter().filter(|(key, _)| *key == "topic").count();
    assert_eq!(twice, if codec == HeaderCodec::Binary { 2 } else { 1 });
    assert_eq!(encode(&command), golden.read(&name));
    assert!(signature::verify(&command, "secret12") && !signature::verify(&command, "secret13"));
    let covered = signature::covered(&command).concat().into_bytes();
    assert_eq!([&covered, &*command.body].concat(), golden.read("text-signed-content"));
    let mut again = command.clone();
    signature::sign(&mut again, "access", "secret12", Some("token"));
    assert_eq!(again.ext.get("Signature"), command.ext.get("Signature"));
}

fn request<T: Request + PartialEq + Debug>(
    golden: &mut Golden,
    name: &str,
    codec: HeaderCodec,
    header: &T,
    opaque: i32,
    body: &'static str,
) {
    let command = header.to_command().unwrap().with_body(body);
    let read = same(golden, name, codec, expected(golden, codec, command, opaque));
    assert_eq!(T::from_fields(&read.ext).unwrap(), *header);
}

fn response<H: Header + PartialEq + Debug>(
    golden: &mut Golden,
    name: &str,
    codec: HeaderCodec,
    header: &H,
    frame: Command,
) {
    let command = frame.with_ext(header.to_fields().unwrap());
    let read = same(golden, name, codec, expected(golden, codec, command, 12));
    assert_eq!(H::from_fields(&read.ext).unwrap(), *header);
}

fn expected(golden: &Golden, codec: HeaderCodec, mut command: Command, opaque: i32) -> Command {
    (command.opaque, command.version, command.codec) = (opaque, golden.ordinal(), codec);
    command.language = LanguageCode::JAVA;
    command
}

/// Compares the frame, then encodes it again and expects Java's bytes.
fn same(golden: &mut Golden, name: &str, codec: HeaderCodec, expected: Command) -> Command {
    let read = compare(golden, name, codec, &expected);
    assert_eq!(encode(&read), golden.read(&file(name, codec)), "{name}");
    read
}

/// Compares fields by name: Java writes them in the order of a hash map.
fn compare(golden: &mut Golden, name: &str, codec: HeaderCodec, expected: &Command) -> Command {
    let name = file(name, codec);
    let read = decode(&golden.read(&name));
    assert_eq!(sorted(&read.ext), sorted(&expected.ext), "{name}");
    let reordered = Command { ext: expected.ext.clone(), ..read.clone() };
    assert_eq!(reordered, *expected, "{name}");
    golden.write(&name, &encode(expected));
    read
}

fn sorted(ext: &ExtFields) -> BTreeMap<&str, &str> {
    ext.iter().collect()
}

fn file(name: &str, codec: HeaderCodec) -> String {
    format!("frame-{name}-{}", if codec == HeaderCodec::Json { "json" } else { "rocketmq" })
}

fn decode(wire: &[u8]) -> Command {
    let mut input = BytesMut::from(wire);
    let command = frame::decode(&mut input, &FrameLimits::default()).unwrap().unwrap();
    assert!(input.is_empty());
    command
}

fn encode(command: &Command) -> Vec<u8> {
    let mut out = BytesMut::new();
    frame::encode(command, &mut out).unwrap();
    out.to_vec()
}
