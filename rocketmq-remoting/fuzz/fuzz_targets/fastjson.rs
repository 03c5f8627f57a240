#![no_main]
//! Reads hostile bodies: no panic, no endless recursion, no more memory than the input justifies.

use libfuzzer_sys::fuzz_target;
use rocketmq_remoting::body::{ConsumeStats, HeartbeatData, RegisterBrokerBody};
use rocketmq_remoting::fastjson;
use rocketmq_remoting::route::TopicRoute;
use serde::de::IgnoredAny;

fuzz_target!(|data: &[u8]| {
    let _ = fastjson::from_slice::<IgnoredAny>(data);
    let _ = fastjson::from_slice::<ConsumeStats>(data);
    let _ = fastjson::from_slice::<HeartbeatData>(data);
    let _ = RegisterBrokerBody::decode(data, 479, 1 << 16);
    if let Ok(route) = fastjson::from_slice::<TopicRoute>(data) {
        let written = fastjson::to_vec(&route).expect("a route can be written");
        assert_eq!(fastjson::from_slice::<TopicRoute>(&written).expect("and read"), route);
    }
});
