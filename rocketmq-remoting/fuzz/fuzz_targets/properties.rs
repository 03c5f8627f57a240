#![no_main]
//! Reads properties, writes them and expects to read the same.

use libfuzzer_sys::fuzz_target;
use rocketmq_remoting::message::Properties;

fuzz_target!(|wire: &str| {
    let once = Properties::parse(wire);
    assert_eq!(Properties::parse(&once.encode_stored()), once);
    let _ = once.encode();
});
