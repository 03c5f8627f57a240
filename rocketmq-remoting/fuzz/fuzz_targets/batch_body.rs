#![no_main]
//! Reads a batch, writes it again and expects to read the same messages.

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use rocketmq_remoting::message::batch;

fuzz_target!(|data: &[u8]| {
    let Ok(messages) = batch::decode(Bytes::copy_from_slice(data)) else { return };
    if let Ok(written) = batch::encode(&messages) {
        assert_eq!(batch::decode(written).expect("what was written can be read"), messages);
    }
});
