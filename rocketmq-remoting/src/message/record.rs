//! The record of one stored message: the unit of the commit log, and of the bodies that answer a pull, pop or query.
//!
//! ```text
//! 0 total size | 4 magic | 8 body crc | 12 queue id | 16 flag | 20 queue offset | 28 physical offset | 36 sys flag
//! 40 born time | 48 born host (8/20) | store time | store host (8/20) | reconsume times | prepared offset
//! body length, body | topic length (1 or 2 bytes), topic | properties length (2 bytes), properties
//! ```
//!
//! ```
//! use bytes::{Bytes, BytesMut};
//! use rocketmq_remoting::message::{MessageRecord, RecordView};
//!
//! let record = MessageRecord {
//!     topic: "orders".into(),
//!     queue_id: 3,
//!     queue_offset: 42,
//!     body: Bytes::from_static(b"hello"),
//!     properties: "TAGS\u{1}created\u{2}".into(),
//!     ..MessageRecord::default()
//! }
//! .seal();
//! let mut log = BytesMut::new();
//! record.encode(&mut log)?;
//!
//! let view = RecordView::parse(&log)?; // looks at single fields, copies nothing
//! assert_eq!((view.queue_offset(), view.body()), (42, &b"hello"[..]));
//! let messages: Vec<_> = MessageRecord::decode_all(log.freeze()).collect();
//! assert_eq!(messages, [record]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::{BufMut, Bytes, BytesMut};

use super::flags::SysFlag;
use crate::error::{DecodeError, EncodeError};

/// Positions of the fields, for code that patches a record in place or looks at it without decoding.
///
/// They count from the record's first byte; those behind the born host depend on the sys flag.
pub mod layout {
    use super::SysFlag;

    /// Position of the record's total size, which counts itself.
    pub const TOTAL_SIZE: usize = 0;
    /// Position of the magic: [`MAGIC_V1`] or [`MAGIC_V2`].
    pub const MAGIC: usize = 4;
    /// Position of the CRC-32 of the stored body, with its top bit cleared.
    pub const BODY_CRC: usize = 8;
    /// Position of the queue's number.
    pub const QUEUE_ID: usize = 12;
    /// Position of the user's flag.
    pub const FLAG: usize = 16;
    /// Position of the offset in the queue.
    pub const QUEUE_OFFSET: usize = 20;
    /// Position of the offset in the commit log.
    pub const PHYSICAL_OFFSET: usize = 28;
    /// Position of the [`SysFlag`].
    pub const SYS_FLAG: usize = 36;
    /// Position of the time the producer made the message, ms since the epoch.
    pub const BORN_TIMESTAMP: usize = 40;
    /// Position of the producer's address: 8 bytes, or 20 if the sys flag says IPv6.
    pub const BORN_HOST: usize = 48;

    /// Magic of a record with a topic length of one byte.
    pub const MAGIC_V1: i32 = -626_843_481;
    /// Magic of a record with a topic length of two bytes, for topics longer than [`MAX_V1_TOPIC`].
    pub const MAGIC_V2: i32 = -626_843_477;
    /// Magic of the blank record at the end of a commit log file; consumers never receive it.
    pub const MAGIC_BLANK: i32 = -875_286_124;
    /// Longest topic of a V1 record, in bytes.
    pub const MAX_V1_TOPIC: usize = 127;
    /// Bytes of an IPv4 address and its port.
    pub const HOST_V4_LEN: usize = 8;
    /// Bytes of an IPv6 address and its port.
    pub const HOST_V6_LEN: usize = 20;
    /// Bytes of a V1 record with IPv4 hosts, and with empty body, topic and properties.
    pub const MIN_LEN: usize = 91;

    /// Returns the bytes of the born host.
    pub const fn born_host_len(flag: SysFlag) -> usize {
        if flag.has(SysFlag::BORN_HOST_V6) { HOST_V6_LEN } else { HOST_V4_LEN }
    }

    /// Returns the bytes of the store host.
    pub const fn store_host_len(flag: SysFlag) -> usize {
        if flag.has(SysFlag::STORE_HOST_V6) { HOST_V6_LEN } else { HOST_V4_LEN }
    }

    /// Returns the position of the time the broker stored the message, ms since the epoch.
    pub const fn store_timestamp(flag: SysFlag) -> usize {
        BORN_HOST + born_host_len(flag)
    }

    /// Returns the position of the broker's address.
    pub const fn store_host(flag: SysFlag) -> usize {
        store_timestamp(flag) + 8
    }

    /// Returns the position of the number of retries.
    pub const fn reconsume_times(flag: SysFlag) -> usize {
        store_host(flag) + store_host_len(flag)
    }

    /// Returns the position of the half message's commit log offset.
    pub const fn prepared_transaction_offset(flag: SysFlag) -> usize {
        reconsume_times(flag) + 4
    }

    /// Returns the position of the body's length; the body follows it.
    pub const fn body_len(flag: SysFlag) -> usize {
        prepared_transaction_offset(flag) + 8
    }

    /// Returns the big-endian number at `at`, or `None` if the bytes end too early.
    pub fn peek_i32(record: &[u8], at: usize) -> Option<i32> {
        record.get(at..)?.first_chunk().map(|bytes| i32::from_be_bytes(*bytes))
    }

    /// Returns the big-endian number at `at`, or `None` if the bytes end too early.
    pub fn peek_i64(record: &[u8], at: usize) -> Option<i64> {
        record.get(at..)?.first_chunk().map(|bytes| i64::from_be_bytes(*bytes))
    }

    /// Returns the sys flag, or `None` if the bytes end too early.
    pub fn peek_sys_flag(record: &[u8]) -> Option<SysFlag> {
        peek_i32(record, SYS_FLAG).map(SysFlag)
    }

    /// Writes into an encoded record what only the store knows: offsets and store time. Returns false, and changes
    /// nothing, for a record that is too short.
    pub fn patch(record: &mut [u8], queue_offset: i64, physical_offset: i64, store_time: i64) -> bool {
        let Some(flag) = peek_sys_flag(record) else { return false };
        let store_at = store_timestamp(flag);
        if record.len() < store_at + 8 {
            return false;
        }
        record[QUEUE_OFFSET..QUEUE_OFFSET + 8].copy_from_slice(&queue_offset.to_be_bytes());
        record[PHYSICAL_OFFSET..PHYSICAL_OFFSET + 8].copy_from_slice(&physical_offset.to_be_bytes());
        record[store_at..store_at + 8].copy_from_slice(&store_time.to_be_bytes());
        true
    }
}

/// Returns the checksum of a record: CRC-32 of the stored (perhaps compressed) body, with its top bit cleared.
pub fn body_crc(body: &[u8]) -> u32 {
    crc32fast::hash(body) & 0x7FFF_FFFF
}

/// The record of one stored message.
///
/// It has no field for the magic, which follows from the length of the topic. Encoding sets the two bits of the sys
/// flag for the length of the hosts; it takes them from the addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRecord {
    /// The queue's number.
    pub queue_id: i32,
    /// The user's flag.
    pub flag: i32,
    /// Offset in the queue.
    pub queue_offset: i64,
    /// Offset in the commit log.
    pub physical_offset: i64,
    /// Compression, transaction state and more.
    pub sys_flag: SysFlag,
    /// The time the producer made the message, ms since the epoch.
    pub born_timestamp: i64,
    /// The producer's address.
    pub born_host: SocketAddr,
    /// The time the broker stored the message, ms since the epoch.
    pub store_timestamp: i64,
    /// The broker's address.
    pub store_host: SocketAddr,
    /// Number of retries so far.
    pub reconsume_times: i32,
    /// Commit log offset of the half message; 0 outside transactions.
    pub prepared_transaction_offset: i64,
    /// The body as stored: perhaps compressed, see the sys flag.
    pub body: Bytes,
    /// The topic.
    pub topic: String,
    /// The properties in their wire form; [`Properties::parse`](super::Properties::parse) reads it.
    pub properties: String,
    /// Checksum of the body, see [`body_crc`]. Decoding keeps it as it is; [`seal`](Self::seal) computes it.
    pub body_crc: u32,
}

impl Default for MessageRecord {
    fn default() -> Self {
        let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        Self {
            queue_id: 0,
            flag: 0,
            queue_offset: 0,
            physical_offset: 0,
            sys_flag: SysFlag::default(),
            born_timestamp: 0,
            born_host: nowhere,
            store_timestamp: 0,
            store_host: nowhere,
            reconsume_times: 0,
            prepared_transaction_offset: 0,
            body: Bytes::new(),
            topic: String::new(),
            properties: String::new(),
            body_crc: 0,
        }
    }
}

impl MessageRecord {
    /// Computes the checksum of the body.
    #[must_use]
    pub fn seal(mut self) -> Self {
        self.body_crc = body_crc(&self.body);
        self
    }

    /// Returns true if the checksum matches the body.
    pub fn is_intact(&self) -> bool {
        self.body_crc == body_crc(&self.body)
    }

    /// Returns the length of [`encode`](Self::encode)'s bytes.
    pub fn encoded_len(&self) -> usize {
        let topic_len_size = if self.is_v2() { 2 } else { 1 };
        layout::body_len(self.wire_flag())
            + 4
            + self.body.len()
            + topic_len_size
            + self.topic.len()
            + 2
            + self.properties.len()
    }

    /// Appends the record to `out`. Reserves memory once.
    ///
    /// # Errors
    /// Fails, and writes nothing, for a record over `i32::MAX` bytes and for a topic or properties over 32767 bytes.
    pub fn encode(&self, out: &mut BytesMut) -> Result<(), EncodeError> {
        let total = length_i32("message", self.encoded_len())?;
        let topic_len = length_i16("topic", &self.topic)?;
        let properties_len = length_i16("properties", &self.properties)?;
        out.reserve(self.encoded_len());
        self.put_fixed(total, out);
        out.put_i32(self.body.len() as i32);
        out.put_slice(&self.body);
        if self.is_v2() {
            out.put_i16(topic_len);
        } else {
            out.put_u8(topic_len as u8);
        }
        out.put_slice(self.topic.as_bytes());
        out.put_i16(properties_len);
        out.put_slice(self.properties.as_bytes());
        Ok(())
    }

    fn put_fixed(&self, total: i32, out: &mut BytesMut) {
        out.put_i32(total);
        out.put_i32(if self.is_v2() { layout::MAGIC_V2 } else { layout::MAGIC_V1 });
        out.put_u32(self.body_crc);
        out.put_i32(self.queue_id);
        out.put_i32(self.flag);
        out.put_i64(self.queue_offset);
        out.put_i64(self.physical_offset);
        out.put_i32(self.wire_flag().0);
        out.put_i64(self.born_timestamp);
        put_host(out, self.born_host);
        out.put_i64(self.store_timestamp);
        put_host(out, self.store_host);
        out.put_i32(self.reconsume_times);
        out.put_i64(self.prepared_transaction_offset);
    }

    fn is_v2(&self) -> bool {
        self.topic.len() > layout::MAX_V1_TOPIC
    }

    fn wire_flag(&self) -> SysFlag {
        let mut flag = self.sys_flag.without(SysFlag::BORN_HOST_V6 | SysFlag::STORE_HOST_V6);
        if self.born_host.is_ipv6() {
            flag = flag.with(SysFlag::BORN_HOST_V6);
        }
        if self.store_host.is_ipv6() {
            flag = flag.with(SysFlag::STORE_HOST_V6);
        }
        flag
    }

    /// Takes one record off the front of `buf`; the body shares its memory. On an error `buf` is unchanged.
    ///
    /// # Errors
    /// Fails for bytes that end too early, an unknown magic (also that of the blank record at the end of a log file), a
    /// negative length, a port over 65535, and a total size that is not the sum of its parts.
    pub fn decode(buf: &mut Bytes) -> Result<Self, DecodeError> {
        let (record, size) = {
            let view = RecordView::parse(buf)?;
            (view.to_record(|body| buf.slice_ref(body)), view.total_size())
        };
        let _ = buf.split_to(size);
        Ok(record)
    }

    /// Returns the records of a pull's body. Stops without an error at the first that cannot be read, as Java does: one
    /// odd record must not lose those before it.
    pub fn decode_all(buf: Bytes) -> impl Iterator<Item = Self> {
        let mut rest = buf;
        std::iter::from_fn(move || Self::decode(&mut rest).ok())
    }
}

/// A checked record that is read in place. For filters and indexes: they look at a few fields of many records.
#[derive(Clone, Copy, Debug)]
pub struct RecordView<'a> {
    bytes: &'a [u8],
    body: (usize, usize),
    topic: (usize, usize),
    properties: (usize, usize),
}

impl<'a> RecordView<'a> {
    /// Checks the record at the front of `bytes` and ignores the bytes after it.
    ///
    /// # Errors
    /// Fails like [`MessageRecord::decode`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let record = whole_record(bytes)?;
        let v2 = is_v2(record)?;
        let flag = layout::peek_sys_flag(record).ok_or_else(|| truncated("sysFlag"))?;
        let mut spans = Spans { record, at: layout::body_len(flag) };
        let body = spans.take("body", 4)?;
        let topic = spans.take("topic", if v2 { 2 } else { 1 })?;
        let properties = spans.take("properties", 2)?;
        if spans.at != record.len() {
            return Err(DecodeError::new(
                "totalSize",
                format!("{}, the sum of the record's parts; it is {}", spans.at, record.len()),
            ));
        }
        let view = Self { bytes: record, body, topic, properties };
        view.check_port("bornHost", layout::BORN_HOST + layout::born_host_len(flag))?;
        view.check_port("storeHost", layout::store_host(flag) + layout::store_host_len(flag))?;
        Ok(view)
    }

    fn check_port(&self, name: &'static str, end: usize) -> Result<(), DecodeError> {
        let port = self.i32_at(end - 4);
        if (0..=i32::from(u16::MAX)).contains(&port) {
            return Ok(());
        }
        Err(DecodeError::new(name, format!("a port up to 65535; it is {port}")))
    }

    /// Returns the record's size, in bytes.
    pub fn total_size(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the record's bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Returns the queue's number.
    pub fn queue_id(&self) -> i32 {
        self.i32_at(layout::QUEUE_ID)
    }

    /// Returns the offset in the queue.
    pub fn queue_offset(&self) -> i64 {
        self.i64_at(layout::QUEUE_OFFSET)
    }

    /// Returns the offset in the commit log.
    pub fn physical_offset(&self) -> i64 {
        self.i64_at(layout::PHYSICAL_OFFSET)
    }

    /// Returns the system flag: compression, transaction state and more.
    pub fn sys_flag(&self) -> SysFlag {
        SysFlag(self.i32_at(layout::SYS_FLAG))
    }

    /// Returns the time the producer made the message, ms since the epoch.
    pub fn born_timestamp(&self) -> i64 {
        self.i64_at(layout::BORN_TIMESTAMP)
    }

    /// Returns the time the broker stored the message, ms since the epoch.
    pub fn store_timestamp(&self) -> i64 {
        self.i64_at(layout::store_timestamp(self.sys_flag()))
    }

    /// Returns the number of retries so far.
    pub fn reconsume_times(&self) -> i32 {
        self.i32_at(layout::reconsume_times(self.sys_flag()))
    }

    /// Returns the commit log offset of the half message.
    pub fn prepared_transaction_offset(&self) -> i64 {
        self.i64_at(layout::prepared_transaction_offset(self.sys_flag()))
    }

    /// Returns the stored checksum.
    pub fn stored_crc(&self) -> u32 {
        self.i32_at(layout::BODY_CRC) as u32
    }

    /// Returns true if the stored checksum matches the body.
    pub fn is_intact(&self) -> bool {
        self.stored_crc() == body_crc(self.body())
    }

    /// Returns the stored body.
    pub fn body(&self) -> &'a [u8] {
        &self.bytes[self.body.0..self.body.1]
    }

    /// Returns the topic. Bytes that are not UTF-8 become U+FFFD, as in Java.
    pub fn topic(&self) -> std::borrow::Cow<'a, str> {
        String::from_utf8_lossy(&self.bytes[self.topic.0..self.topic.1])
    }

    /// Returns the properties in their wire form. Bytes that are not UTF-8 become U+FFFD, as in Java.
    pub fn properties(&self) -> std::borrow::Cow<'a, str> {
        String::from_utf8_lossy(&self.bytes[self.properties.0..self.properties.1])
    }

    fn to_record(self, share: impl FnOnce(&'a [u8]) -> Bytes) -> MessageRecord {
        let flag = self.sys_flag();
        MessageRecord {
            queue_id: self.queue_id(),
            flag: self.i32_at(layout::FLAG),
            queue_offset: self.queue_offset(),
            physical_offset: self.physical_offset(),
            sys_flag: flag,
            born_timestamp: self.born_timestamp(),
            born_host: self.host_at(layout::BORN_HOST, layout::born_host_len(flag)),
            store_timestamp: self.store_timestamp(),
            store_host: self.host_at(layout::store_host(flag), layout::store_host_len(flag)),
            reconsume_times: self.reconsume_times(),
            prepared_transaction_offset: self.prepared_transaction_offset(),
            body: share(self.body()),
            topic: self.topic().into_owned(),
            properties: self.properties().into_owned(),
            body_crc: self.stored_crc(),
        }
    }

    // Never uses the default: `parse` has checked that every fixed field lies within the bytes.
    fn i32_at(&self, at: usize) -> i32 {
        layout::peek_i32(self.bytes, at).unwrap_or_default()
    }

    fn i64_at(&self, at: usize) -> i64 {
        layout::peek_i64(self.bytes, at).unwrap_or_default()
    }

    fn host_at(&self, at: usize, len: usize) -> SocketAddr {
        let ip = match self.bytes[at..at + len].first_chunk::<16>() {
            Some(v6) => IpAddr::V6(Ipv6Addr::from(*v6)),
            None => IpAddr::V4(Ipv4Addr::from(self.i32_at(at) as u32)),
        };
        SocketAddr::new(ip, self.i32_at(at + len - 4) as u16)
    }
}

fn whole_record(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    let total = layout::peek_i32(bytes, layout::TOTAL_SIZE).ok_or_else(|| truncated("totalSize"))?;
    match usize::try_from(total) {
        Ok(size) if size >= layout::MIN_LEN => bytes.get(..size).ok_or_else(|| {
            DecodeError::new("totalSize", format!("{total} bytes; there are {}", bytes.len()))
        }),
        _ => Err(DecodeError::new("totalSize", format!("at least {}; it is {total}", layout::MIN_LEN))),
    }
}

fn is_v2(record: &[u8]) -> Result<bool, DecodeError> {
    match layout::peek_i32(record, layout::MAGIC) {
        Some(layout::MAGIC_V1) => Ok(false),
        Some(layout::MAGIC_V2) => Ok(true),
        Some(other) => {
            Err(DecodeError::new("magic", format!("0xDAA320A7 or 0xDAA320AB; it is {other:#010X}")))
        }
        None => Err(truncated("magic")),
    }
}

/// Walks the parts behind the fixed fields; each has its length before it.
struct Spans<'a> {
    record: &'a [u8],
    at: usize,
}

impl Spans<'_> {
    fn take(&mut self, name: &'static str, prefix: usize) -> Result<(usize, usize), DecodeError> {
        let bytes = self.record.get(self.at..self.at + prefix).ok_or_else(|| truncated(name))?;
        let len = signed(bytes);
        let len = usize::try_from(len)
            .map_err(|_| DecodeError::new(name, format!("a length of at least 0; it is {len}")))?;
        let begin = self.at + prefix;
        let end = begin.checked_add(len).filter(|end| *end <= self.record.len());
        let end = end.ok_or_else(|| {
            DecodeError::new(name, format!("{len} bytes; {} are left", self.record.len() - begin))
        })?;
        self.at = end;
        Ok((begin, end))
    }
}

/// Reads a length of one, two or four bytes: in Java each is signed.
fn signed(bytes: &[u8]) -> i32 {
    let start = if bytes.first().is_some_and(|b| b & 0x80 != 0) { -1 } else { 0 };
    bytes.iter().fold(start, |n, b| (n << 8) | i32::from(*b))
}

fn truncated(name: &'static str) -> DecodeError {
    DecodeError::new(name, "more bytes; the record ends before it")
}

fn length_i32(what: &'static str, len: usize) -> Result<i32, EncodeError> {
    i32::try_from(len).map_err(|_| EncodeError::new(what, format!("{len} bytes; at most {}", i32::MAX)))
}

fn length_i16(what: &'static str, text: &str) -> Result<i16, EncodeError> {
    i16::try_from(text.len())
        .map_err(|_| EncodeError::new(what, format!("{} bytes; at most {}", text.len(), i16::MAX)))
}

pub(crate) fn put_host(out: &mut impl BufMut, host: SocketAddr) {
    match host.ip() {
        IpAddr::V4(ip) => out.put_slice(&ip.octets()),
        IpAddr::V6(ip) => out.put_slice(&ip.octets()),
    }
    out.put_i32(i32::from(host.port()));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WORKED: &str =
        "00000076 daa320a7 3610a686 00000003 00000000 000000000000002a 0000000000001000 00000000
        0000018bcfe56800 0a0000050000c350 0000018bcfe56805 c0a8010a00002a9f 00000000 0000000000000000
        00000005 68656c6c6f 02 5431 0014 5441475301546167410257414954017472756502";

    fn unhex(text: &str) -> Vec<u8> {
        let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
        digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
    }

    fn worked() -> MessageRecord {
        MessageRecord {
            queue_id: 3,
            queue_offset: 42,
            physical_offset: 0x1000,
            born_timestamp: 0x018b_cfe5_6800,
            born_host: "10.0.0.5:50000".parse().unwrap(),
            store_timestamp: 0x018b_cfe5_6805,
            store_host: "192.168.1.10:10911".parse().unwrap(),
            body: Bytes::from_static(b"hello"),
            topic: "T1".into(),
            properties: "TAGS\u{1}TagA\u{2}WAIT\u{1}true\u{2}".into(),
            ..MessageRecord::default()
        }
        .seal()
    }

    fn encoded(record: &MessageRecord) -> Bytes {
        let mut out = BytesMut::new();
        record.encode(&mut out).unwrap();
        assert_eq!(out.len(), record.encoded_len());
        out.freeze()
    }

    #[test]
    fn worked_example() {
        let bytes = unhex(WORKED);
        assert_eq!(bytes.len(), 118);
        assert_eq!(encoded(&worked()), bytes);
        let mut buf = Bytes::from(bytes);
        assert_eq!(MessageRecord::decode(&mut buf).unwrap(), worked());
        assert!(buf.is_empty());
    }

    #[test]
    fn known_checksums() {
        assert_eq!(body_crc(b"a"), 0x68B7_BE43);
        assert_eq!(body_crc(b"hello"), 0x3610_A686);
        assert!(worked().is_intact());
    }

    #[test]
    fn a_long_topic_takes_v2() {
        let mut record = worked();
        record.topic = format!("%RETRY%{}", "g".repeat(200));
        let bytes = encoded(&record);
        assert_eq!(layout::peek_i32(&bytes, layout::MAGIC), Some(layout::MAGIC_V2));
        assert_eq!(MessageRecord::decode(&mut bytes.clone()).unwrap(), record);
        record.topic = "t".repeat(40_000);
        assert!(record.encode(&mut BytesMut::new()).unwrap_err().to_string().contains("topic"));
    }

    #[test]
    fn v6_hosts_set_their_bits() {
        let mut record = worked();
        record.store_host = "[::1]:10911".parse().unwrap();
        let back = MessageRecord::decode(&mut encoded(&record)).unwrap();
        assert_eq!(back.sys_flag, SysFlag(SysFlag::STORE_HOST_V6));
        assert_eq!((back.born_host, back.store_host), (record.born_host, record.store_host));
    }

    #[test]
    fn every_truncation_is_an_error() {
        let bytes = encoded(&worked());
        for end in 0..bytes.len() {
            let mut cut = bytes.slice(..end);
            assert!(MessageRecord::decode(&mut cut).is_err(), "{end}");
            assert_eq!(cut.len(), end);
        }
    }

    #[test]
    fn hostile_lengths_name_the_field() {
        for (at, value, name) in
            [(84, i32::MAX, "body"), (84, -1, "body"), (52, 70_000, "bornHost"), (4, 7, "magic")]
        {
            let mut bytes = encoded(&worked()).to_vec();
            bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
            assert_eq!(MessageRecord::decode(&mut Bytes::from(bytes)).unwrap_err().at(), Some(name));
        }
        let mut bytes = encoded(&worked()).to_vec();
        bytes[3] += 1;
        bytes.push(0);
        assert_eq!(MessageRecord::decode(&mut Bytes::from(bytes)).unwrap_err().at(), Some("totalSize"));
    }

    #[test]
    fn reading_stops_at_an_unknown_record() {
        let mut all = encoded(&worked()).to_vec();
        all.extend_from_slice(&encoded(&worked()));
        all.extend_from_slice(&[0, 0, 0, 100, 0xCB, 0xD4, 0x31, 0x94, 0, 0]);
        assert_eq!(MessageRecord::decode_all(Bytes::from(all)).count(), 2);
    }

    #[test]
    fn patching_in_place() {
        let mut bytes = encoded(&worked()).to_vec();
        assert!(layout::patch(&mut bytes, 7, 8, 9));
        let view = RecordView::parse(&bytes).unwrap();
        assert_eq!((view.queue_offset(), view.physical_offset(), view.store_timestamp()), (7, 8, 9));
        assert!(view.is_intact());
        assert!(!layout::patch(&mut bytes[..60], 7, 8, 9));
    }

    fn any_host() -> impl Strategy<Value = SocketAddr> {
        (any::<IpAddr>(), any::<u16>()).prop_map(|(ip, port)| SocketAddr::new(ip, port))
    }

    proptest! {
        #[test]
        fn round_trip(
            numbers in any::<(i32, i32, i64, i64, i64, i64, i32, i64)>(),
            flag in any::<i32>(),
            hosts in (any_host(), any_host()),
            body in proptest::collection::vec(any::<u8>(), 0..64),
            topic in "[a-zA-Z%_é]{0,90}",
            properties in "\\PC{0,40}",
        ) {
            let record = MessageRecord {
                queue_id: numbers.0, flag: numbers.1, queue_offset: numbers.2, physical_offset: numbers.3,
                sys_flag: SysFlag(flag), born_timestamp: numbers.4, born_host: hosts.0,
                store_timestamp: numbers.5, store_host: hosts.1, reconsume_times: numbers.6,
                prepared_transaction_offset: numbers.7, body: body.into(), topic, properties, body_crc: 0,
            }.seal();
            let back = MessageRecord::decode(&mut encoded(&record)).unwrap();
            prop_assert_eq!(encoded(&back), encoded(&record));
            prop_assert_eq!(MessageRecord { sys_flag: record.sys_flag, ..back }, record);
        }

        #[test]
        fn any_bytes_are_safe(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0usize..118, byte in any::<u8>()) {
            let _ = MessageRecord::decode_all(Bytes::from(bytes)).count();
            let mut bent = unhex(WORKED);
            bent[at] = byte;
            let _ = MessageRecord::decode_all(Bytes::from(bent)).count();
        }
    }
}
