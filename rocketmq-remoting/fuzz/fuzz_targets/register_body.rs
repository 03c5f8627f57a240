#![no_main]
//! Reads registrations in both forms. The fuzzer writes the sections of the compressed form in clear, and this target
//! compresses them. The first byte selects form and version.

use libfuzzer_sys::fuzz_target;
use rocketmq_remoting::body::RegisterBrokerBody;
use rocketmq_remoting::compress::{Compression, compress};

const LIMIT: usize = 1 << 16;

fuzz_target!(|data: &[u8]| {
    let Some((choice, data)) = data.split_first() else { return };
    let version = if choice & 1 == 0 { 407 } else { 493 };
    let body = match choice & 2 {
        0 => data.to_vec(),
        _ => compress(Compression::Zlib, 1, data).expect("every body can be compressed"),
    };
    let Ok(registration) = RegisterBrokerBody::decode(&body, version, LIMIT) else { return };
    let plain = registration.encode().expect("what was read can be written");
    assert_eq!(RegisterBrokerBody::decode(&plain, version, LIMIT).expect("and read again"), registration);
    if let Ok(packed) = registration.encode_compressed(version) {
        let again = RegisterBrokerBody::decode(&packed, version, 1 << 24).expect("compressed too");
        let topics = |body: &RegisterBrokerBody| body.topic_config_serialize_wrapper.topic_config_table.len();
        assert_eq!(topics(&again), topics(&registration));
    }
});
