//! Compressed bodies: zlib, LZ4 frame and Zstandard frame, each with a feature of its own.
//!
//! ```
//! # #[cfg(feature = "zlib")] {
//! use rocketmq_remoting::compress::{Compression, compress, decompress};
//! use rocketmq_remoting::message::SysFlag;
//!
//! let body = b"hello, hello, hello".repeat(50);
//! let packed = compress(Compression::Zlib, 5, &body)?;
//! let flag = Compression::Zlib.mark(SysFlag::default());
//!
//! let kind = Compression::of(flag)?.expect("a compressed body");
//! assert_eq!(decompress(kind, &packed, 4 * 1024 * 1024)?, body);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(any(feature = "zlib", feature = "lz4", feature = "zstd-decode"))]
use std::io::Read;

use crate::error::{DecodeError, EncodeError};
use crate::message::SysFlag;

/// Names the algorithm of a compressed body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    /// A zlib stream, as Java producers write by default.
    #[default]
    Zlib,
    /// An LZ4 frame.
    Lz4,
    /// A Zstandard frame.
    Zstd,
}

impl Compression {
    /// Reads the algorithm from a message's flag. Returns `None` for a body that is not compressed; type bits of 0 mean
    /// zlib.
    ///
    /// # Errors
    /// Fails for type bits without a meaning.
    pub fn of(flag: SysFlag) -> Result<Option<Self>, DecodeError> {
        if !flag.is_compressed() {
            return Ok(None);
        }
        match flag.0 & SysFlag::COMPRESSION_MASK {
            0 | SysFlag::COMPRESSION_ZLIB => Ok(Some(Self::Zlib)),
            SysFlag::COMPRESSION_LZ4 => Ok(Some(Self::Lz4)),
            SysFlag::COMPRESSION_ZSTD => Ok(Some(Self::Zstd)),
            other => {
                Err(DecodeError::new("sysFlag", format!("a known compression; its type bits are {other:#x}")))
            }
        }
    }

    /// Returns `flag` with the bits that mark a body of this algorithm.
    pub const fn mark(self, flag: SysFlag) -> SysFlag {
        let bits = match self {
            Self::Zlib => SysFlag::COMPRESSION_ZLIB,
            Self::Lz4 => SysFlag::COMPRESSION_LZ4,
            Self::Zstd => SysFlag::COMPRESSION_ZSTD,
        };
        flag.without(SysFlag::COMPRESSION_MASK).with(SysFlag::COMPRESSED | bits)
    }
}

/// Compresses `body`.
///
/// `level` is the algorithm's own: 0 to 9 for zlib (Java uses 5), 1 to 22 for zstd; the nearest valid level counts. LZ4
/// ignores it, and so does zstd without the feature `zstd`: it then compresses about as at level 1.
///
/// # Errors
/// Fails when the feature of this algorithm is off.
pub fn compress(kind: Compression, level: i32, body: &[u8]) -> Result<Vec<u8>, EncodeError> {
    match kind {
        Compression::Zlib => zlib(level, body),
        Compression::Lz4 => lz4(body),
        Compression::Zstd => zstd(level, body),
    }
}

/// Decompresses a body of [`compress`]. Never holds more than `limit` bytes of output.
///
/// # Errors
/// Fails for a broken stream, for a stream of more than `limit` bytes, and when the feature of this algorithm is off.
pub fn decompress(kind: Compression, body: &[u8], limit: usize) -> Result<Vec<u8>, DecodeError> {
    match kind {
        Compression::Zlib => unzlib(body, limit),
        Compression::Lz4 => unlz4(body, limit),
        Compression::Zstd => unzstd(body, limit),
    }
}

#[cfg(feature = "zlib")]
fn zlib(level: i32, body: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let level = flate2::Compression::new(level.clamp(0, 9) as u32);
    let mut out = Vec::with_capacity(body.len() / 2);
    let read = flate2::read::ZlibEncoder::new(body, level).read_to_end(&mut out);
    read.map_err(|error| EncodeError::new("body", error.to_string()))?;
    Ok(out)
}

#[cfg(feature = "zlib")]
fn unzlib(body: &[u8], limit: usize) -> Result<Vec<u8>, DecodeError> {
    read_at_most(flate2::read::ZlibDecoder::new(body), body.len(), limit)
}

#[cfg(feature = "lz4")]
fn lz4(body: &[u8]) -> Result<Vec<u8>, EncodeError> {
    use std::io::Write as _;
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::with_capacity(body.len() / 2));
    let written = encoder.write_all(body).and_then(|()| encoder.finish().map_err(Into::into));
    written.map_err(|error| EncodeError::new("body", error.to_string()))
}

#[cfg(feature = "lz4")]
fn unlz4(body: &[u8], limit: usize) -> Result<Vec<u8>, DecodeError> {
    read_at_most(lz4_flex::frame::FrameDecoder::new(body), body.len(), limit)
}

#[cfg(feature = "zstd")]
fn zstd(level: i32, body: &[u8]) -> Result<Vec<u8>, EncodeError> {
    zstd::bulk::compress(body, level.clamp(1, 22))
        .map_err(|error| EncodeError::new("body", error.to_string()))
}

#[cfg(all(feature = "zstd-decode", not(feature = "zstd")))]
fn zstd(_: i32, body: &[u8]) -> Result<Vec<u8>, EncodeError> {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    Ok(compress_to_vec(body, CompressionLevel::Fastest))
}

/// Window that every Zstandard decoder should offer (RFC 8878). The decoder refuses a frame whose window is larger than
/// this and than the limit, before it reserves memory.
#[cfg(feature = "zstd-decode")]
const ZSTD_WINDOW: u64 = 8 * 1024 * 1024;

#[cfg(feature = "zstd-decode")]
fn unzstd(body: &[u8], limit: usize) -> Result<Vec<u8>, DecodeError> {
    use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(ZSTD_WINDOW.max(limit as u64));
    let stream = StreamingDecoder::new_with_decoder(body, decoder)
        .map_err(|error| DecodeError::new("compressed body", format!("a zstd frame: {error}")))?;
    read_at_most(stream, body.len(), limit)
}

/// Reads the whole stream. Grows the output in steps that never pass the limit.
#[cfg(any(feature = "zlib", feature = "lz4", feature = "zstd-decode"))]
fn read_at_most(mut stream: impl Read, compressed: usize, limit: usize) -> Result<Vec<u8>, DecodeError> {
    let mut out = vec![0; compressed.saturating_mul(3).clamp(1024, 64 * 1024).min(limit)];
    let mut filled = 0;
    loop {
        if filled == out.len() {
            if filled == limit {
                break;
            }
            let grown = (filled * 2).min(limit);
            out.reserve_exact(grown - filled);
            out.resize(grown, 0);
        }
        match stream.read(&mut out[filled..]) {
            Ok(0) => {
                out.truncate(filled);
                return Ok(out);
            }
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(broken(error)),
        }
    }
    match stream.read(&mut [0]) {
        Ok(0) => Ok(out),
        Ok(_) => {
            Err(DecodeError::new("compressed body", format!("at most {limit} bytes inside; there are more")))
        }
        Err(error) => Err(broken(error)),
    }
}

#[cfg(any(feature = "zlib", feature = "lz4", feature = "zstd-decode"))]
fn broken(error: std::io::Error) -> DecodeError {
    DecodeError::new("compressed body", format!("an intact stream: {error}"))
}

/// Declares the functions of an algorithm whose feature is off: both fail.
macro_rules! without {
    ($feature:literal, $compress:ident($($level:ty)?), $decompress:ident) => {
        #[cfg(not(feature = $feature))]
        fn $compress($(_: $level,)? _: &[u8]) -> Result<Vec<u8>, EncodeError> {
            Err(EncodeError::new("body", concat!("built without feature `", $feature, "`; enable it")))
        }

        #[cfg(not(feature = $feature))]
        fn $decompress(_: &[u8], _: usize) -> Result<Vec<u8>, DecodeError> {
            Err(DecodeError::new("compressed body", concat!("a build with feature `", $feature, "`; enable it")))
        }
    };
}

without!("zlib", zlib(i32), unzlib);
without!("lz4", lz4(), unlz4);
without!("zstd-decode", zstd(i32), unzstd);

#[cfg(all(test, feature = "zlib", feature = "lz4", feature = "zstd-decode"))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KINDS: [Compression; 3] = [Compression::Zlib, Compression::Lz4, Compression::Zstd];

    #[test]
    fn the_flag_names_the_algorithm() {
        assert_eq!(Compression::of(SysFlag(0x300)).unwrap(), None);
        assert_eq!(Compression::of(SysFlag(0x001)).unwrap(), Some(Compression::Zlib));
        for (kind, bits) in KINDS.into_iter().zip([0x301, 0x101, 0x201]) {
            assert_eq!(kind.mark(SysFlag(0x700)), SysFlag(bits));
            assert_eq!(Compression::of(SysFlag(bits)).unwrap(), Some(kind));
        }
        assert!(Compression::of(SysFlag(0x501)).is_err());
    }

    #[test]
    fn streams_start_like_those_of_java() {
        let starts = KINDS.map(|kind| compress(kind, 5, &[b'x'; 5000]).unwrap()[0]);
        assert_eq!(starts, [0x78, 0x04, 0x28]);
    }

    #[test]
    fn a_bomb_is_refused_and_the_limit_is_exact() {
        let body = vec![0; 8 << 20];
        for kind in KINDS {
            let bomb = compress(kind, 9, &body).unwrap();
            let error = decompress(kind, &bomb, 1 << 20).unwrap_err().to_string();
            assert!(error.contains("at most 1048576 bytes"), "{kind:?}: {error}");
            assert!(decompress(kind, &bomb, body.len() - 1).is_err());
            assert_eq!(decompress(kind, &bomb, body.len()).unwrap().len(), body.len());
        }
    }

    #[test]
    fn broken_streams_are_errors() {
        for kind in KINDS {
            let whole = compress(kind, 5, &b"hello, hello, hello".repeat(50)).unwrap();
            assert!(decompress(kind, &whole[..whole.len() / 2], 1 << 20).is_err(), "{kind:?}");
            assert!(decompress(kind, b"no stream at all", 1 << 20).is_err(), "{kind:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn round_trip(body in proptest::collection::vec(0u8..4, 0..3000), level in -1..30) {
            for kind in KINDS {
                let packed = compress(kind, level, &body).unwrap();
                prop_assert_eq!(&decompress(kind, &packed, 3000).unwrap(), &body);
            }
        }

        #[test]
        fn any_bytes_are_safe(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            for kind in KINDS {
                let _ = decompress(kind, &bytes, 4096);
            }
        }
    }
}
