//! Frames: a length, a word with the form and length of the header, the header, the body.

use bytes::{Buf, BufMut, BytesMut};

use crate::command::Command;
use crate::error::{DecodeError, EncodeError};
use crate::header::HeaderCodec;

/// Bytes of the length word. The length does not count the word itself.
const LENGTH_WORD: usize = 4;
/// Bytes of the word with the header's form and length.
const HEADER_WORD: usize = 4;
/// Largest length of a header: its field has 24 bits.
const MAX_HEADER: usize = 0xff_ffff;

/// Longest body of a request or an answer, in bytes. With a header of properties it fits into the largest frame that peers
/// take by default.
pub const MAX_BODY: usize = (16 << 20) - (256 << 10);

/// Limits of the frames on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameLimits {
    /// Largest frame that is taken or sent, including its length word, in bytes. The default is 16 MiB, as on Java peers;
    /// they close the connection over a larger frame.
    pub max_frame: usize,
}

impl Default for FrameLimits {
    fn default() -> Self {
        Self { max_frame: 16 * 1024 * 1024 }
    }
}

/// Takes the first frame off `input`. Returns `None`, and takes nothing, while a part of the frame is missing.
///
/// Checks each length as soon as it is known, and reserves no memory for a frame that has not arrived. The body of the
/// command shares the memory of `input`.
///
/// ```
/// use bytes::BytesMut;
/// use rocketmq_remoting::{Command, FrameLimits, RequestCode, frame};
///
/// let mut wire = BytesMut::new();
/// frame::encode(&Command::request(RequestCode::HEART_BEAT), &mut wire)?;
/// let mut arrived = wire.split_to(10);
/// assert_eq!(frame::decode(&mut arrived, &FrameLimits::default())?, None);
/// arrived.unsplit(wire);
/// let command = frame::decode(&mut arrived, &FrameLimits::default())?.expect("a whole frame");
/// assert_eq!(command.request_code(), RequestCode::HEART_BEAT);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Fails for bytes that are no frame, and for a frame over the limits. Close the connection then: the start of the next
/// frame is unknown.
pub fn decode(input: &mut BytesMut, limits: &FrameLimits) -> Result<Option<Command>, DecodeError> {
    let Some(length) = peek_u32(input, 0) else { return Ok(None) };
    let length = u64::from(length);
    let whole = length + LENGTH_WORD as u64;
    if whole > limits.max_frame as u64 {
        let too_large = DecodeError::FrameTooLarge { length: whole, limit: limits.max_frame };
        return Err(foreign(&input[..LENGTH_WORD]).unwrap_or(too_large));
    }
    if length < HEADER_WORD as u64 {
        return Err(DecodeError::Truncated { at: "frame", needed: HEADER_WORD, available: length as usize });
    }
    let Some(word) = peek_u32(input, LENGTH_WORD) else { return Ok(None) };
    let header = word as usize & MAX_HEADER;
    let available = length as usize - HEADER_WORD;
    if header > available {
        return Err(DecodeError::HeaderTooLong { header, available });
    }
    let codec = HeaderCodec::from_type_byte((word >> 24) as u8)?;
    if (input.len() as u64) < whole {
        return Ok(None);
    }
    let mut frame = input.split_to(whole as usize);
    frame.advance(LENGTH_WORD + HEADER_WORD);
    let mut command = codec.decode(&frame[..header])?;
    if available > header {
        frame.advance(header);
        command.body = frame.freeze();
    }
    Ok(Some(command))
}

/// Recognises other protocols by the bytes in the place of the length.
fn foreign(start: &[u8]) -> Option<DecodeError> {
    let (protocol, advice) = match start {
        b"HTTP" | b"GET " | b"HEAD" | b"POST" | b"PUT " | b"DELE" | b"OPTI" | b"PRI " => {
            ("HTTP", "is this the port of a console, dashboard or proxy?")
        }
        // The types of a TLS record, and the major version of all its versions.
        [20..=23, 3, 0..=4, _] => ("TLS", "encrypt on both sides or on neither"),
        b"SSH-" => ("SSH", "is this the right port?"),
        _ => return None,
    };
    Some(DecodeError::Foreign { protocol, advice })
}

fn peek_u32(input: &BytesMut, at: usize) -> Option<u32> {
    let bytes = input.get(at..at + 4)?;
    Some(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

/// Appends the command to `out` as one frame.
///
/// A command whose code or version needs more than 16 bits gets a JSON header, even if it asks for the binary one.
///
/// # Errors
/// Fails when a part of the command is too long for its length field. `out` is then unchanged.
pub fn encode(command: &Command, out: &mut BytesMut) -> Result<(), EncodeError> {
    let start = out.len();
    let result = encode_at(start, command, out);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

fn encode_at(start: usize, command: &Command, out: &mut BytesMut) -> Result<(), EncodeError> {
    let codec = command.codec.able_to_carry(command.code, command.version);
    out.put_u64(0);
    codec.encode(command, out)?;
    let header = out.len() - start - LENGTH_WORD - HEADER_WORD;
    if header > MAX_HEADER {
        return Err(EncodeError::TooLong { what: "the header", length: header, limit: MAX_HEADER });
    }
    let length = HEADER_WORD + header + command.body.len();
    let Ok(length_word) = u32::try_from(length) else {
        return Err(EncodeError::TooLong { what: "the frame", length, limit: u32::MAX as usize });
    };
    out[start..start + LENGTH_WORD].copy_from_slice(&length_word.to_be_bytes());
    let header_word = u32::from(codec.type_byte()) << 24 | header as u32;
    out[start + LENGTH_WORD..start + LENGTH_WORD + HEADER_WORD].copy_from_slice(&header_word.to_be_bytes());
    out.put_slice(&command.body);
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::code::{LanguageCode, RequestCode};

    fn limits() -> FrameLimits {
        FrameLimits::default()
    }

    #[test]
    fn the_example_frame_starts_with_its_lengths() {
        let mut command = Command::request(RequestCode::GET_ROUTEINFO_BY_TOPIC);
        command.ext.push("topic", "T1");
        (command.opaque, command.version) = (7, 407);
        let mut out = BytesMut::new();
        encode(&command, &mut out).unwrap();
        assert_eq!(out[..8], [0, 0, 0, 0x80, 0, 0, 0, 0x7c]);
        command.codec = HeaderCodec::Binary;
        out.clear();
        encode(&command, &mut out).unwrap();
        assert_eq!(out[..8], [0, 0, 0, 0x26, 1, 0, 0, 0x22]);
    }

    #[test]
    fn a_code_beyond_16_bits_travels_as_json() {
        let mut command = Command::request(RequestCode::POP_MESSAGE);
        command.codec = HeaderCodec::Binary;
        let mut out = BytesMut::new();
        encode(&command, &mut out).unwrap();
        assert_eq!(out[4], 0);
        assert_eq!(decode(&mut out, &limits()).unwrap().unwrap().code, 200_050);
    }

    #[test]
    fn a_length_is_refused_before_memory_is_reserved() {
        let refused = |bytes: &[u8]| decode(&mut BytesMut::from(bytes), &limits()).unwrap_err();
        assert_eq!(
            refused(&[0x7f, 0xff, 0xff, 0xff]),
            DecodeError::FrameTooLarge { length: 0x8000_0003, limit: 16 << 20 }
        );
        assert!(matches!(refused(&16_777_213_u32.to_be_bytes()), DecodeError::FrameTooLarge { .. }));
        assert_eq!(
            refused(&[0, 0, 0, 12, 0, 0, 0, 9]),
            DecodeError::HeaderTooLong { header: 9, available: 8 }
        );
        assert_eq!(refused(&[0, 0, 0, 12, 2, 0, 0, 1]), DecodeError::UnknownHeaderType(2));
        assert!(matches!(refused(&[0, 0, 0, 3]), DecodeError::Truncated { .. }));
        let mut waiting = BytesMut::from(&16_777_212_u32.to_be_bytes()[..]);
        assert_eq!(decode(&mut waiting, &limits()), Ok(None));
        assert!(waiting.capacity() < 1024);
    }

    #[test]
    fn other_protocols_are_called_by_their_names() {
        let refused = |bytes: &[u8]| decode(&mut BytesMut::from(bytes), &limits()).unwrap_err().to_string();
        for http in ["HTTP/1.1 400 Bad Request", "GET / HTTP/1.1", "POST", "PRI * HTTP/2.0"] {
            assert!(refused(http.as_bytes()).contains("the peer speaks HTTP"), "{http}");
        }
        let alert = [21, 3, 3, 0, 2, 2, 70];
        assert!(refused(&alert).contains("the peer speaks TLS"), "{}", refused(&alert));
        assert!(refused(b"SSH-2.0-x").contains("the peer speaks SSH"));
        assert!(refused(&[21, 4, 3, 0]).contains("declares a frame"));
    }

    prop_compose! {
        fn commands()(
            code in 0..0x7fff_i32, language in 0_u8..14, version in 0..600_i32, opaque: i32, flag in 0..4_i32,
            remark in proptest::option::of("[^\u{0}]{1,20}"),
            fields in proptest::collection::vec(("[a-zA-Z_]{1,8}", "\\PC{1,20}"), 0..6),
            body in proptest::collection::vec(any::<u8>(), 0..100),
            binary: bool,
        ) -> Command {
            let mut command = Command::request(RequestCode(code)).with_body(body);
            command.language = LanguageCode(language);
            (command.version, command.opaque, command.flag) = (version, opaque, flag);
            command.remark = remark;
            command.ext = fields.into_iter().collect();
            command.codec = if binary { HeaderCodec::Binary } else { HeaderCodec::Json };
            command
        }
    }

    proptest! {
        #[test]
        fn commands_survive_the_wire_fed_byte_by_byte(sent in proptest::collection::vec(commands(), 1..4)) {
            let mut wire = BytesMut::new();
            for command in &sent {
                encode(command, &mut wire).unwrap();
            }
            let (mut input, mut received) = (BytesMut::new(), Vec::new());
            for byte in wire {
                input.put_u8(byte);
                received.extend(decode(&mut input, &limits()).unwrap());
            }
            prop_assert_eq!(received, sent);
            prop_assert!(input.is_empty());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut input = BytesMut::from(&bytes[..]);
            while let Ok(Some(_)) = decode(&mut input, &limits()) {}
        }
    }
}
