#![no_main]
//! Decompresses hostile streams within a limit, and compresses bodies and expects them back. The first byte selects
//! algorithm and direction.

use libfuzzer_sys::fuzz_target;
use rocketmq_remoting::compress::{Compression, compress, decompress};

const LIMIT: usize = 1 << 20;

fuzz_target!(|data: &[u8]| {
    let Some((choice, data)) = data.split_first() else { return };
    let kind = [Compression::Zlib, Compression::Lz4, Compression::Zstd][usize::from(choice % 3)];
    if choice & 0x80 != 0 {
        let packed = compress(kind, i32::from(choice & 0x0f), data).expect("every body can be compressed");
        assert_eq!(decompress(kind, &packed, data.len()).expect("and comes back within its own length"), data);
    } else if let Ok(body) = decompress(kind, data, LIMIT) {
        assert!(body.len() <= LIMIT);
    }
});
