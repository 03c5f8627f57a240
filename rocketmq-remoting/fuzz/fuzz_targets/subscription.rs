#![no_main]
//! Parses tag expressions: no panic, each tag matches by hash and by text, and the JSON form loses nothing.

use libfuzzer_sys::fuzz_target;
use rocketmq_remoting::fastjson;
use rocketmq_remoting::subscription::{SubscriptionData, tag_code};

fuzz_target!(|expression: &str| {
    let Ok(data) = SubscriptionData::parse("T", expression) else { return };
    for tag in &data.tags_set {
        assert!(data.matches_tag_text(Some(tag)) && data.matches_tag_code(tag_code(Some(tag))));
    }
    let text = fastjson::to_vec(&data).expect("a subscription can be written");
    assert_eq!(fastjson::from_slice::<SubscriptionData>(&text).expect("and read again"), data);
});
