#![no_main]
//! Reads the records of a pull's body, writes each again and expects to read the same.

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use rocketmq_remoting::message::MessageRecord;

fuzz_target!(|data: &[u8]| {
    for record in MessageRecord::decode_all(Bytes::copy_from_slice(data)) {
        let mut written = BytesMut::new();
        if record.encode(&mut written).is_ok() {
            let again = MessageRecord::decode(&mut written.freeze()).expect("what was written can be read");
            assert_eq!(again, record);
        }
    }
});
