//! The body of a batch: of a batch send, and of a record that stores several messages as one.
//!
//! ```
//! use rocketmq_remoting::message::{BatchMessage, batch};
//!
//! let messages = ["0A…01", "0A…02"].map(|key| BatchMessage {
//!     flag: 0,
//!     body: "hello".into(),
//!     properties: format!("UNIQ_KEY\u{1}{key}\u{2}"),
//! });
//! let body = batch::encode(&messages)?;
//! assert_eq!(batch::decode(body)?, messages);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::flags::SysFlag;
use super::record::MessageRecord;
use crate::error::{DecodeError, EncodeError};

/// Bytes of a message in a batch besides its body and properties.
pub const OVERHEAD: usize = 22;

/// One message of a batch. The request names the topic of all; each message needs a unique key of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchMessage {
    /// The user's flag.
    pub flag: i32,
    /// The body.
    pub body: Bytes,
    /// The properties in their wire form.
    pub properties: String,
}

impl BatchMessage {
    /// Returns the length of [`encode`](Self::encode)'s bytes.
    pub fn encoded_len(&self) -> usize {
        OVERHEAD + self.body.len() + self.properties.len()
    }

    /// Appends the message to a batch body.
    ///
    /// # Errors
    /// Fails, and writes nothing, for a message over `i32::MAX` bytes and for properties over 32767 bytes.
    pub fn encode(&self, out: &mut BytesMut) -> Result<(), EncodeError> {
        let too_long = |what: &'static str, len: usize, most: usize| {
            EncodeError::new(what, format!("{len} bytes; at most {most}"))
        };
        let total = i32::try_from(self.encoded_len())
            .map_err(|_| too_long("message", self.encoded_len(), i32::MAX as usize))?;
        let properties_len = i16::try_from(self.properties.len())
            .map_err(|_| too_long("properties", self.properties.len(), i16::MAX as usize))?;
        out.reserve(self.encoded_len());
        out.put_i32(total);
        // Magic and checksum stay 0: the broker computes them.
        out.put_i64(0);
        out.put_i32(self.flag);
        out.put_i32(self.body.len() as i32);
        out.put_slice(&self.body);
        out.put_i16(properties_len);
        out.put_slice(self.properties.as_bytes());
        Ok(())
    }

    /// Takes one message off the front of `buf`; the body shares its memory.
    ///
    /// # Errors
    /// Fails for bytes that end too early, a negative length, and a total size that is not the sum of its parts.
    pub fn decode(buf: &mut Bytes) -> Result<Self, DecodeError> {
        let total = buf.clone().try_get_i32().map_err(|_| ends("totalSize"))?;
        let size = usize::try_from(total).ok().filter(|size| *size >= OVERHEAD && *size <= buf.len());
        let size = size.ok_or_else(|| {
            DecodeError::new("totalSize", format!("{OVERHEAD} to {} bytes; it is {total}", buf.len()))
        })?;
        let mut message = buf.slice(4..size);
        message.advance(8);
        let flag = message.try_get_i32().map_err(|_| ends("flag"))?;
        let body_len = message.try_get_i32().map_err(|_| ends("body"))?;
        let body = take(&mut message, "body", i64::from(body_len))?;
        let properties_len = message.try_get_i16().map_err(|_| ends("properties"))?;
        let properties = take(&mut message, "properties", i64::from(properties_len))?;
        if !message.is_empty() {
            return Err(DecodeError::new(
                "totalSize",
                format!("the sum of its parts; {} bytes are over", message.len()),
            ));
        }
        buf.advance(size);
        Ok(Self { flag, body, properties: String::from_utf8_lossy(&properties).into_owned() })
    }
}

/// Encodes a batch body. Reserves memory once.
///
/// # Errors
/// Fails like [`BatchMessage::encode`].
pub fn encode(messages: &[BatchMessage]) -> Result<Bytes, EncodeError> {
    let mut out = BytesMut::with_capacity(messages.iter().map(BatchMessage::encoded_len).sum());
    for message in messages {
        message.encode(&mut out)?;
    }
    Ok(out.freeze())
}

/// Decodes a batch body. A batch that breaks off fails as a whole, unlike the body of a pull.
///
/// # Errors
/// Fails like [`BatchMessage::decode`].
pub fn decode(mut body: Bytes) -> Result<Vec<BatchMessage>, DecodeError> {
    let mut messages = Vec::new();
    while !body.is_empty() {
        messages.push(BatchMessage::decode(&mut body)?);
    }
    Ok(messages)
}

/// Returns the messages of a record that stores several as one (bits 6 and 7 of the sys flag). The n-th gets the queue
/// offset base + n; all other fields are the record's.
///
/// # Errors
/// Fails like [`decode`].
pub fn unwrap_inner(record: &MessageRecord) -> Result<Vec<MessageRecord>, DecodeError> {
    let flag = record.sys_flag.without(SysFlag::NEED_UNWRAP | SysFlag::INNER_BATCH);
    let member = |(index, message): (usize, BatchMessage)| MessageRecord {
        flag: message.flag,
        queue_offset: record.queue_offset.saturating_add(index as i64),
        sys_flag: flag,
        body: message.body,
        properties: message.properties,
        ..record.clone()
    };
    Ok(decode(record.body.clone())?.into_iter().enumerate().map(|m| member(m).seal()).collect())
}

fn take(buf: &mut Bytes, name: &'static str, len: i64) -> Result<Bytes, DecodeError> {
    match usize::try_from(len).ok().filter(|len| *len <= buf.len()) {
        Some(len) => Ok(buf.split_to(len)),
        None => Err(DecodeError::new(name, format!("{len} bytes; {} are left", buf.len()))),
    }
}

fn ends(name: &'static str) -> DecodeError {
    DecodeError::new(name, "more bytes; the batch ends before it")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hello() -> BatchMessage {
        BatchMessage { flag: 0, body: Bytes::from_static(b"hello"), properties: "TAGS\u{1}TagA\u{2}".into() }
    }

    #[test]
    fn worked_example() {
        let bytes = b"\0\0\0\x25\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05hello\0\x0aTAGS\x01TagA\x02";
        assert_eq!(encode(&[hello()]).unwrap(), &bytes[..]);
        assert_eq!(decode(Bytes::from_static(bytes)).unwrap(), [hello()]);
    }

    #[test]
    fn every_truncation_is_an_error() {
        let bytes = encode(&[hello()]).unwrap();
        for end in 1..bytes.len() {
            assert!(decode(bytes.slice(..end)).is_err(), "{end}");
        }
        assert!(decode(Bytes::new()).unwrap().is_empty());
    }

    #[test]
    fn an_inner_batch_counts_from_its_base() {
        let outer = MessageRecord {
            queue_offset: 100,
            sys_flag: SysFlag(0xC0),
            body: encode(&[hello(), hello()]).unwrap(),
            topic: "T".into(),
            ..MessageRecord::default()
        };
        let inner = unwrap_inner(&outer).unwrap();
        assert_eq!(inner.iter().map(|m| m.queue_offset).collect::<Vec<_>>(), [100, 101]);
        assert!(inner.iter().all(|m| m.is_intact() && m.sys_flag == SysFlag(0) && m.body == "hello"));
    }

    proptest! {
        #[test]
        fn round_trip(parts in proptest::collection::vec((any::<i32>(), proptest::collection::vec(any::<u8>(), 0..20), "\\PC{0,10}"), 0..5)) {
            let messages: Vec<_> = parts.into_iter()
                .map(|(flag, body, properties)| BatchMessage { flag, body: body.into(), properties })
                .collect();
            prop_assert_eq!(decode(encode(&messages).unwrap()).unwrap(), messages);
        }

        #[test]
        fn any_bytes_are_safe(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = decode(Bytes::from(bytes));
        }
    }
}
