//! The ROCKETMQ header: fixed numbers, then the remark, then the fields, each behind its length.

use bytes::{BufMut, BytesMut};

use super::HeaderCodec;
use crate::code::{LanguageCode, RequestCode};
use crate::command::Command;
use crate::error::{DecodeError, EncodeError};

const AT: &str = "ROCKETMQ header";

/// Reads the header from its front; holds the bytes not read yet.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(DecodeError::Truncated {
            at: AT,
            needed: length,
            available: self.rest.len(),
        })?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        Ok(bytes)
    }

    fn short(&mut self) -> Result<i16, DecodeError> {
        self.array().map(i16::from_be_bytes)
    }

    fn int(&mut self) -> Result<i32, DecodeError> {
        self.array().map(i32::from_be_bytes)
    }

    /// Takes a block of bytes behind its 32-bit length.
    fn block(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.int()?;
        self.take(length_of(i64::from(length))?)
    }

    fn text(bytes: &'a [u8]) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(bytes).map_err(|error| malformed(error.valid_up_to(), "UTF-8"))
    }
}

fn malformed(offset: usize, expected: &'static str) -> DecodeError {
    DecodeError::Malformed { at: AT, offset, expected }
}

fn length_of(declared: i64) -> Result<usize, DecodeError> {
    usize::try_from(declared).map_err(|_| malformed(0, "a length that is not negative"))
}

pub(super) fn decode(header: &[u8]) -> Result<Command, DecodeError> {
    let mut reader = Reader { rest: header };
    let mut command = Command::request(RequestCode(i32::from(reader.short()?)));
    command.codec = HeaderCodec::Binary;
    command.language = LanguageCode(reader.array::<1>()?[0]);
    command.version = i32::from(reader.short()?);
    command.opaque = reader.int()?;
    command.flag = reader.int()?;
    let remark = reader.block()?;
    if !remark.is_empty() {
        command.remark = Some(Reader::text(remark)?.to_owned());
    }
    let mut entries = Reader { rest: reader.block()? };
    while !entries.rest.is_empty() {
        let length = i64::from(entries.short()?);
        let key = Reader::text(entries.take(length_of(length)?)?)?;
        let value = Reader::text(entries.block()?)?;
        if command.ext.len() == super::json::MAX_FIELDS {
            return Err(malformed(0, "fewer fields"));
        }
        // Java reads an empty key or value as null and drops the field.
        if !key.is_empty() && !value.is_empty() {
            command.ext.push(key, value);
        }
    }
    Ok(command)
}

pub(super) fn encode(command: &Command, out: &mut BytesMut) -> Result<(), EncodeError> {
    let code = i16::try_from(command.code)
        .map_err(|_| EncodeError::new("code", "it does not fit a ROCKETMQ header"))?;
    let version = i16::try_from(command.version)
        .map_err(|_| EncodeError::new("version", "it does not fit a ROCKETMQ header"))?;
    let remark = command.remark.as_deref().unwrap_or_default();
    out.reserve(21 + remark.len() + command.ext.text_len() + 6 * command.ext.len());
    out.put_i16(code);
    out.put_u8(command.language.0);
    out.put_i16(version);
    out.put_i32(command.opaque);
    out.put_i32(command.flag);
    out.put_u32(length("remark", remark.len(), u32::MAX)?);
    out.put_slice(remark.as_bytes());
    let start = out.len();
    out.put_u32(0);
    for (key, value) in command.ext.iter() {
        let key_length = length("a header field's key", key.len(), i16::MAX as u32)?;
        out.put_u16(key_length as u16);
        out.put_slice(key.as_bytes());
        out.put_u32(length("a header field", value.len(), u32::MAX)?);
        out.put_slice(value.as_bytes());
    }
    let block = length("the header", out.len() - start - 4, u32::MAX)?;
    out[start..start + 4].copy_from_slice(&block.to_be_bytes());
    Ok(())
}

fn length(what: &'static str, length: usize, limit: u32) -> Result<u32, EncodeError> {
    match u32::try_from(length) {
        Ok(fits) if fits <= limit => Ok(fits),
        _ => Err(EncodeError::TooLong { what, length, limit: limit as usize }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::RequestCode;

    /// The example of the protocol notes: GET_ROUTEINFO_BY_TOPIC from a Rust client of version 407.
    const EXAMPLE: [u8; 34] = [
        0x00, 0x69, 0x0c, 0x01, 0x97, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0d, 0, 5, b't', b'o',
        b'p', b'i', b'c', 0, 0, 0, 2, b'T', b'1',
    ];

    #[test]
    fn the_example_decodes_and_encodes_to_the_same_bytes() {
        let command = decode(&EXAMPLE).unwrap();
        assert_eq!(command.request_code(), RequestCode::GET_ROUTEINFO_BY_TOPIC);
        assert_eq!((command.language, command.version, command.opaque), (LanguageCode::RUST, 407, 7));
        assert_eq!(command.ext.get("topic"), Some("T1"));
        let mut out = BytesMut::new();
        encode(&command, &mut out).unwrap();
        assert_eq!(out[..], EXAMPLE);
    }

    #[test]
    fn every_cut_of_the_example_is_an_error_and_no_panic() {
        for end in 0..EXAMPLE.len() {
            assert!(decode(&EXAMPLE[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn negative_and_huge_lengths_are_refused() {
        for (at, value) in [(13, -1), (17, -1), (13, i32::MAX), (17, i32::MAX), (28, i32::MAX)] {
            let mut hostile = EXAMPLE;
            hostile[at..at + 4].copy_from_slice(&value.to_be_bytes());
            assert!(decode(&hostile).is_err(), "{at} {value}");
        }
    }
}
