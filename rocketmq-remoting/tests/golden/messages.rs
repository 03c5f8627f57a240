//! Tests stored messages, batches, properties, ids and tag hashes.

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use rocketmq_remoting::compress::{Compression, compress, decompress};
use rocketmq_remoting::message::batch::{self, BatchMessage};
use rocketmq_remoting::message::{MessageRecord, OffsetMessageId, Properties, SysFlag, UniqueIds};
use rocketmq_remoting::subscription::java_string_hash;

use crate::Golden;

const V4: &str = "127.0.0.1:50000";
const V6: &str = "[::1]:50000";
const STORE_V4: &str = "10.0.0.5:10911";

pub fn check(golden: &mut Golden) {
    record(golden, "record-v1", expected("TA", "hello", V4, STORE_V4));
    record(golden, "record-ipv6", expected("TA", "hello", V6, "[fd00::1:2]:10911"));
    record(golden, "record-ipv6-born", expected("TA", "hello", V6, STORE_V4));
    let bare = MessageRecord { properties: String::new(), ..expected("TA", "", V4, "127.0.0.1:10911") };
    record(golden, "record-bare", bare);
    if golden.is_five() {
        long_topic(golden);
    }
    two_records(golden);
    compressed(golden);
    batches(golden);
    properties(golden);
    texts(golden);
}

fn expected(topic: &str, body: &'static str, born: &str, store: &str) -> MessageRecord {
    let (born_host, store_host): (SocketAddr, SocketAddr) = (born.parse().unwrap(), store.parse().unwrap());
    let mut sys_flag = SysFlag(0);
    if born_host.is_ipv6() {
        sys_flag = sys_flag.with(SysFlag::BORN_HOST_V6);
    }
    if store_host.is_ipv6() {
        sys_flag = sys_flag.with(SysFlag::STORE_HOST_V6);
    }
    let record = MessageRecord {
        queue_id: 3,
        flag: 5,
        queue_offset: 42,
        physical_offset: 4096,
        sys_flag,
        born_timestamp: 1_700_000_000_000,
        born_host,
        store_timestamp: 1_700_000_000_005,
        store_host,
        reconsume_times: 2,
        prepared_transaction_offset: 99,
        body: Bytes::from_static(body.as_bytes()),
        topic: topic.into(),
        properties: "TAGS\u{1}TagA\u{2}user\u{1}标签\u{2}".into(),
        body_crc: 0,
    };
    record.seal()
}

fn record(golden: &mut Golden, name: &str, expected: MessageRecord) {
    golden.write(name, &encode(&expected));
    let java = golden.read(name);
    let read = MessageRecord::decode(&mut Bytes::from(java.clone())).unwrap();
    assert_eq!(encode(&read), java, "{name}");
    same(name, read, &expected);
}

/// Compares properties by name: Java writes them in the order of a hash map, and 4.9 without the last separator.
fn same(name: &str, read: MessageRecord, expected: &MessageRecord) {
    assert!(read.is_intact(), "{name}");
    assert_eq!(sorted(&read.properties), sorted(&expected.properties), "{name}");
    assert_eq!(MessageRecord { properties: expected.properties.clone(), ..read }, *expected, "{name}");
}

fn sorted(properties: &str) -> Vec<(String, String)> {
    let read = Properties::parse(properties);
    let mut pairs: Vec<_> = read.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    pairs.sort();
    pairs
}

fn encode(record: &MessageRecord) -> Vec<u8> {
    let mut out = BytesMut::new();
    record.encode(&mut out).unwrap();
    out.to_vec()
}

/// A record as the store lays it out, before it knows the place in the log.
fn long_topic(golden: &mut Golden) {
    let topic = format!("%RETRY%{}", "g".repeat(200));
    let at_the_start = MessageRecord { physical_offset: 0, ..expected(&topic, "hello", V4, STORE_V4) };
    record(golden, "record-v2", at_the_start);
}

fn two_records(golden: &mut Golden) {
    let java = golden.read("record-two");
    let read: Vec<_> = MessageRecord::decode_all(Bytes::from(java.clone())).collect();
    let again: Vec<u8> = read.iter().flat_map(encode).collect();
    assert_eq!(again, java);
    let wanted = ["one", "two"].map(|body| expected("TA", body, V4, STORE_V4));
    golden.write("record-two", &wanted.iter().flat_map(encode).collect::<Vec<_>>());
    assert_eq!(read.len(), 2);
    read.into_iter().zip(&wanted).for_each(|(read, wanted)| same("record-two", read, wanted));
}

/// Compares bodies, not streams: a compressor may choose other bytes than Java's, as long as each side reads both.
fn compressed(golden: &mut Golden) {
    let mut cases =
        vec![("record-zlib", 0x301, Compression::Zlib), ("record-zlib-untyped", 1, Compression::Zlib)];
    if golden.is_five() {
        cases.push(("record-lz4", 0x101, Compression::Lz4));
        cases.push(("record-zstd", 0x201, Compression::Zstd));
    }
    let plain = "to be compressed ".repeat(40);
    for (name, flag, kind) in cases {
        let java = golden.read(name);
        let read = MessageRecord::decode(&mut Bytes::from(java.clone())).unwrap();
        assert_eq!(encode(&read), java, "{name}");
        assert_eq!(Compression::of(read.sys_flag).unwrap(), Some(kind), "{name}");
        assert_eq!(decompress(kind, &read.body, plain.len()).unwrap(), plain.as_bytes(), "{name}");
        let of_java = MessageRecord {
            body: read.body.clone(),
            sys_flag: SysFlag(flag),
            ..expected("TA", "", V4, STORE_V4)
        };
        same(name, read, &of_java.clone().seal());
        let packed = compress(kind, 5, plain.as_bytes()).unwrap().into();
        golden.write(name, &encode(&MessageRecord { body: packed, ..of_java }.seal()));
    }
}

/// 4.9 leaves out the last separator. The properties of the first message are in Java's order.
fn batches(golden: &mut Golden) {
    let last = if golden.is_five() { "\u{2}" } else { "" };
    let message = |flag: i32, body: &'static str, properties: String| BatchMessage {
        flag,
        body: body.into(),
        properties,
    };
    let java = golden.read("batch-two");
    let read = batch::decode(Bytes::from(java.clone())).unwrap();
    assert_eq!(batch::encode(&read).unwrap(), java);
    assert!(read.iter().all(|m| m.properties.ends_with('\u{2}') == golden.is_five()));
    let wanted = [
        message(0, "one", format!("WAIT\u{1}true\u{2}TAGS\u{1}TagA{last}")),
        message(-7, "", format!("UNIQ_KEY\u{1}7F0000010000\u{2}WAIT\u{1}true{last}")),
    ];
    golden.write("batch-two", &batch::encode(&wanted).unwrap());
    assert_eq!(read.len(), 2);
    for (read, wanted) in read.iter().zip(&wanted) {
        assert_eq!((read.flag, &read.body), (wanted.flag, &wanted.body));
        assert_eq!(sorted(&read.properties), sorted(&wanted.properties));
    }
}

fn properties(golden: &mut Golden) {
    let wanted: Properties = [("KEYS", "k1 k2"), ("TAGS", "TagA"), ("user", "标签")].into_iter().collect();
    for (name, wanted) in [("properties-three", wanted), ("properties-none", Properties::new())] {
        let java = String::from_utf8(golden.read(name)).unwrap();
        let read = Properties::parse(&java);
        assert_eq!(read, wanted);
        let ours = read.encode().unwrap();
        golden.write(name, ours.as_bytes());
        // 5.x ends with a separator, like this crate; 4.9 does not. Both read both.
        let java = if golden.is_five() || java.is_empty() { java } else { format!("{java}\u{2}") };
        assert_eq!(ours, java);
    }
}

fn texts(golden: &mut Golden) {
    for (name, host, offset) in
        [("text-offset-id-v4", "192.168.1.10:10911", 4096), ("text-offset-id-v6", "[::1]:10911", -1)]
    {
        let id = OffsetMessageId { host: host.parse().unwrap(), offset };
        assert_eq!(String::from_utf8(golden.read(name)).unwrap().parse::<OffsetMessageId>().unwrap(), id);
        text(golden, name, id.to_string());
    }
    let tags = ["TagA", "*", "标签", "😀", "polygenelubricants", " "];
    let hashes = tags.map(|tag| format!("{tag}\t{}\n", java_string_hash(tag))).concat();
    text(golden, "text-tag-hashes", hashes);
    // Java's tools must find address and process id in a key of this crate.
    let ids = UniqueIds::new([10, 0, 0, 5].into(), 4660, 0x18B4_AAC2).with_counter(10);
    let third_of_january_1970 = 172_800_123;
    text(golden, "text-unique-key", format!("{}\t10.0.0.5\t4660\n", ids.next(third_of_january_1970)));
}

fn text(golden: &mut Golden, name: &str, ours: String) {
    golden.write(name, ours.as_bytes());
    assert_eq!(String::from_utf8(golden.read(name)).unwrap(), ours, "{name}");
}
