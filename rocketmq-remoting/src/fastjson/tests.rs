use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;
use crate::route::{BrokerData, ClusterInfo, MessageQueue, TopicRoute};

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Sample {
    count: i32,
    name: String,
    note: Option<String>,
    open: bool,
    rate: f64,
    tags: Vec<String>,
}

fn text(value: &impl Serialize) -> String {
    String::from_utf8(to_vec(value).unwrap()).unwrap()
}

#[test]
fn bare_and_quoted_integer_keys() {
    for text in [r#"{0:"a:1",1:"b:2"}"#, r#"{"0":"a:1","1":"b:2"}"#, "{ 0 : 'a:1' , 1 : 'b:2' }"] {
        let read: BTreeMap<i64, String> = from_slice(text.as_bytes()).unwrap();
        assert_eq!(read, BTreeMap::from([(0, "a:1".into()), (1, "b:2".into())]), "{text}");
    }
}

#[test]
fn both_dialects_are_written() {
    let map = BTreeMap::from([(0, "é")]);
    assert_eq!(text(&map), r#"{0:"é"}"#);
    assert_eq!(to_vec_in(Dialect::Standard, &map).unwrap(), br#"{"0":"\u00E9"}"#);
}

#[test]
fn objects_as_keys() {
    let json =
        r#"{{"brokerName":"broker-a","queueId":1,"topic":"TA"}:{"lastUpdateTimestamp":5,"maxOffset":1}}"#;
    let read: BTreeMap<MessageQueue, BTreeMap<String, i64>> = from_slice(json.as_bytes()).unwrap();
    assert_eq!(read[&MessageQueue::new("TA", "broker-a", 1)]["maxOffset"], 1);
    assert_eq!(text(&read), json);
}

#[test]
fn values_convert_as_in_java() {
    let json =
        r#"{"count":"12","name":7,"note":null,"open":"TRUE","rate":"1.5","tags":null,"later":{"a":[1]}}"#;
    let read: Sample = from_slice(json.as_bytes()).unwrap();
    let expected = Sample { count: 12, name: "7".into(), open: true, rate: 1.5, ..Sample::default() };
    assert_eq!(read, expected);
    assert_eq!(from_slice::<Sample>(b"{}").unwrap(), Sample::default());
    assert_eq!(from_slice::<Sample>(br#"{"count":null,"rate":null,"open":1}"#).unwrap().rate, 0.0);
}

#[test]
fn references_of_4x() {
    let list: Vec<Sample> = from_slice(br#"[{"count":3},{"$ref":"$[0]"}]"#).unwrap();
    assert_eq!(list[1].count, 3);
    let map: BTreeMap<String, Sample> = from_slice(br#"{"a-b":{"count":4},"b":{"$ref":"$.a\\-b"}}"#).unwrap();
    assert_eq!(map["b"].count, 4);
    let lost: BTreeMap<String, Sample> = from_slice(br#"{"b":{"$ref":".."}}"#).unwrap();
    assert_eq!(lost["b"], Sample::default());
}

#[test]
fn references_cannot_multiply() {
    let big = format!("[{}]", "1,".repeat(20_000));
    let copies = r#"{"$ref":"$[0]"},"#.repeat(20);
    let json = format!("[{big},{copies}]");
    let error = from_slice::<serde::de::IgnoredAny>(json.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("copy"), "{error}");
}

#[test]
fn nesting_is_bounded() {
    let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
    assert!(from_slice::<serde::de::IgnoredAny>(deep(MAX_DEPTH).as_bytes()).is_ok());
    assert!(from_slice::<serde::de::IgnoredAny>(deep(MAX_DEPTH + 1).as_bytes()).is_err());
    assert!(from_slice::<serde::de::IgnoredAny>("{".repeat(1_000_000).as_bytes()).is_err());
}

#[test]
fn errors_name_the_path() {
    let error = from_slice::<BTreeMap<String, Sample>>(br#"{"x":{"count":"many"}}"#).unwrap_err();
    assert_eq!(error.at(), Some("x.count"));
    assert!(error.to_string().contains("\"many\""), "{error}");
    for broken in ["", "{", "{\"a\"", "[1 2]", "{}x", "\"a", "\"\\u12", "{\"a\":}"] {
        assert!(from_slice::<serde::de::IgnoredAny>(broken.as_bytes()).is_err(), "{broken}");
    }
}

#[test]
fn numbers_print_as_in_java() {
    for (number, expected) in [
        (0.0, "0.0"),
        (0.7, "0.7"),
        (1_234_567_890.5, "1.2345678905E9"),
        (1e-7, "1.0E-7"),
        (1e7, "1.0E7"),
        (-3.0, "-3.0"),
    ] {
        assert_eq!(text(&number), expected);
        assert_eq!(from_slice::<f64>(expected.as_bytes()).unwrap(), number);
    }
    assert_eq!(text(&f64::NAN), "null");
}

#[test]
fn escapes_both_ways() {
    let odd = "a\u{1}\"\\\n\u{8}é😀/";
    assert_eq!(from_slice::<String>(text(&odd).as_bytes()).unwrap(), odd);
    assert_eq!(text(&"\u{1}\u{1f}"), r#""\u0001\u001F""#);
    assert_eq!(from_slice::<String>(br#""\ud83d\ude00\/\x41\ud83dx""#).unwrap(), "😀/A\u{FFFD}x");
}

#[test]
fn members_that_are_none_are_left_out() {
    let sample = Sample { name: "n".into(), ..Sample::default() };
    assert_eq!(text(&sample), r#"{"count":0,"name":"n","open":false,"rate":0.0,"tags":[]}"#);
}

#[test]
fn a_cluster_is_written_as_in_java() {
    let json = r#"{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"10.0.0.5:10911",1:"10.0.0.6:10911"},"brokerName":"broker-a","cluster":"DefaultCluster","enableActingMaster":false}},"clusterAddrTable":{"DefaultCluster":["broker-a"]}}"#;
    let info: ClusterInfo = from_slice(json.as_bytes()).unwrap();
    assert_eq!(info.broker_addr_table["broker-a"].master(), Some("10.0.0.5:10911"));
    assert_eq!(text(&info), json);
    assert_eq!(info.broker_addr_table.values().next().and_then(BrokerData::any), Some("10.0.0.5:10911"));
    let empty: TopicRoute = from_slice(br#"{"queueDatas":null}"#).unwrap();
    assert_eq!(empty, TopicRoute::default());
}

proptest! {
    #[test]
    fn any_text_is_safe(text in "[\\[\\]{}:,\"'0-9a\\\\$ref.\\-]{0,60}") {
        let _ = from_slice::<serde::de::IgnoredAny>(text.as_bytes());
        let _ = from_slice::<BTreeMap<MessageQueue, Sample>>(text.as_bytes());
    }

    #[test]
    fn round_trip(map in proptest::collection::btree_map((any::<i32>(), "\\PC{0,6}"), "\\PC{0,12}", 0..5)) {
        let queues: BTreeMap<_, _> = map.into_iter()
            .map(|((id, topic), value)| (MessageQueue::new(topic, "b", id), value)).collect();
        let back: BTreeMap<MessageQueue, String> = from_slice(&to_vec(&queues).unwrap()).unwrap();
        prop_assert_eq!(back, queues);
    }
}
