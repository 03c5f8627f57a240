#![no_main]
//! Reads the frames of a stream, writes each again and expects to read the same.

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use rocketmq_remoting::{FrameLimits, frame};

fuzz_target!(|data: &[u8]| {
    let limits = FrameLimits { max_frame: 1 << 20 };
    let mut input = BytesMut::from(data);
    while let Ok(Some(command)) = frame::decode(&mut input, &limits) {
        let mut written = BytesMut::new();
        frame::encode(&command, &mut written).expect("what was read can be written");
        let again = frame::decode(&mut written, &FrameLimits { max_frame: 1 << 24 });
        assert_eq!(again.expect("and read again").as_ref(), Some(&command));
        assert!(written.is_empty());
    }
});
