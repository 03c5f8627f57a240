#![no_main]
//! Reads the ROCKETMQ header of a frame with correct lengths, writes it again and expects to read the same.

use bytes::{BufMut, BytesMut};
use libfuzzer_sys::fuzz_target;
use rocketmq_remoting::{FrameLimits, frame};

fuzz_target!(|header: &[u8]| {
    let mut wire = BytesMut::new();
    wire.put_u32(4 + header.len() as u32);
    wire.put_u32(1 << 24 | header.len() as u32);
    wire.put_slice(header);
    let Ok(Some(command)) = frame::decode(&mut wire, &FrameLimits::default()) else { return };
    let mut written = BytesMut::new();
    frame::encode(&command, &mut written).expect("what was read can be written");
    let again = frame::decode(&mut written, &FrameLimits::default()).expect("and read again");
    assert_eq!(again, Some(command));
});
