//! One stored message: the unit of the commit log, and of the bodies that pull, pop and query answer.
//!
//! ```text
//! 0 total size | 4 magic | 8 body crc | 12 queue id | 16 flag | 20 queue offset | 28 physical offset | 36 sys flag
//! 40 born time | 48 born host (8/20) | store time | store host (8/20) | reconsume times | prepared offset
//! body length, body | topic length (1 or 2 bytes), topic | properties length (2 bytes), properties
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::{BufMut, Bytes, BytesMut};

use super::flags::SysFlag;
use crate::error::{DecodeError, EncodeError};

/// Where the fields lie, for patching a record in place and peeking without decoding. Offsets count from
/// the record's first byte; those behind the born host depend on the sys flag.
pub mod layout {
    use super::SysFlag;

    /// The record's whole size, itself included.
    pub const TOTAL_SIZE: usize = 0;
    /// One of the magics below.
    pub const MAGIC: usize = 4;
    /// CRC-32 of the stored body, its top bit cleared.
    pub const BODY_CRC: usize = 8;
    /// The queue's number.
    pub const QUEUE_ID: usize = 12;
    /// The user's flag.
    pub const FLAG: usize = 16;
    /// Position in the queue.
    pub const QUEUE_OFFSET: usize = 20;
    /// Position in the commit log.
    pub const PHYSICAL_OFFSET: usize = 28;
    /// See [`SysFlag`].
    pub const SYS_FLAG: usize = 36;
    /// When the producer made the message, ms.
    pub const BORN_TIMESTAMP: usize = 40;
    /// The producer's address: 8 bytes, 20 when the sys flag says IPv6.
    pub const BORN_HOST: usize = 48;

    /// Topic length in one byte.
    pub const MAGIC_V1: i32 = -626_843_481;
    /// Topic length in two bytes; for topics longer than [`MAX_V1_TOPIC`].
    pub const MAGIC_V2: i32 = -626_843_477;
    /// Fills the end of a commit log file; never sent to consumers.
    pub const MAGIC_BLANK: i32 = -875_286_124;
    /// The longest topic a V1 record holds, in bytes.
    pub const MAX_V1_TOPIC: usize = 127;
    /// An IPv4 address and a port.
    pub const HOST_V4_LEN: usize = 8;
    /// An IPv6 address and a port.
    pub const HOST_V6_LEN: usize = 20;
    /// A V1 record with IPv4 hosts and nothing in body, topic and properties.
    pub const MIN_LEN: usize = 91;

    /// Bytes the born host takes.
    pub const fn born_host_len(flag: SysFlag) -> usize {
        if flag.has(SysFlag::BORN_HOST_V6) { HOST_V6_LEN } else { HOST_V4_LEN }
    }

    /// Bytes the store host takes.
    pub const fn store_host_len(flag: SysFlag) -> usize {
        if flag.has(SysFlag::STORE_HOST_V6) { HOST_V6_LEN } else { HOST_V4_LEN }
    }

    /// When the broker stored the message, ms.
    pub const fn store_timestamp(flag: SysFlag) -> usize {
        BORN_HOST + born_host_len(flag)
    }

    /// The broker's address.
    pub const fn store_host(flag: SysFlag) -> usize {
        store_timestamp(flag) + 8
    }

    /// How often the message was retried.
    pub const fn reconsume_times(flag: SysFlag) -> usize {
        store_host(flag) + store_host_len(flag)
    }

    /// The commit log offset of the half message.
    pub const fn prepared_transaction_offset(flag: SysFlag) -> usize {
        reconsume_times(flag) + 4
    }

    /// The body's length; the body follows.
    pub const fn body_len(flag: SysFlag) -> usize {
        prepared_transaction_offset(flag) + 8
    }

    /// The big-endian number at `at`; `None` when the bytes end before it does.
    pub fn peek_i32(record: &[u8], at: usize) -> Option<i32> {
        record.get(at..)?.first_chunk().map(|bytes| i32::from_be_bytes(*bytes))
    }

    /// The big-endian number at `at`; `None` when the bytes end before it does.
    pub fn peek_i64(record: &[u8], at: usize) -> Option<i64> {
        record.get(at..)?.first_chunk().map(|bytes| i64::from_be_bytes(*bytes))
    }

    /// The sys flag; `None` when the record is cut before it.
    pub fn peek_sys_flag(record: &[u8]) -> Option<SysFlag> {
        peek_i32(record, SYS_FLAG).map(SysFlag)
    }

    /// Writes what the store alone knows into an encoded record. Returns false, leaving it as it was,
    /// when the record is too short to be one.
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

/// The checksum a record carries: CRC-32 of the stored (possibly compressed) body with its top bit cleared.
pub fn body_crc(body: &[u8]) -> u32 {
    crc32fast::hash(body) & 0x7FFF_FFFF
}

/// One stored message.
///
/// The magic is not a field: it follows from the topic's length. Neither are the two bits of the sys
/// flag that say how long the hosts are: encoding sets them from the addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRecord {
    /// The queue's number.
    pub queue_id: i32,
    /// The user's flag.
    pub flag: i32,
    /// Position in the queue.
    pub queue_offset: i64,
    /// Position in the commit log.
    pub physical_offset: i64,
    /// Compression, transaction state and more.
    pub sys_flag: SysFlag,
    /// When the producer made the message, ms.
    pub born_timestamp: i64,
    /// The producer's address.
    pub born_host: SocketAddr,
    /// When the broker stored the message, ms.
    pub store_timestamp: i64,
    /// The broker's address.
    pub store_host: SocketAddr,
    /// How often the message was retried.
    pub reconsume_times: i32,
    /// The commit log offset of the half message; 0 outside transactions.
    pub prepared_transaction_offset: i64,
    /// The body as stored: still compressed when the sys flag says so.
    pub body: Bytes,
    /// The topic.
    pub topic: String,
    /// The properties in their wire form; [`Properties::parse`](super::Properties::parse) reads it.
    pub properties: String,
    /// See [`body_crc`]. Kept as it was decoded; [`seal`](Self::seal) computes it.
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
    /// Computes the body's checksum.
    #[must_use]
    pub fn seal(mut self) -> Self {
        self.body_crc = body_crc(&self.body);
        self
    }

    /// Whether the body is the one the checksum was made of.
    pub fn is_intact(&self) -> bool {
        self.body_crc == body_crc(&self.body)
    }

    /// How many bytes [`encode`](Self::encode) writes.
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

    /// Appends the record to `out`, reserving once.
    ///
    /// # Errors
    /// A body over `i32::MAX` bytes, a topic or properties over 32767: nothing is written.
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

    /// Takes one record off the front of `buf`; the body shares its memory. On an error `buf` stays as it was.
    ///
    /// # Errors
    /// Bytes that end too early, an unknown magic (the blank record at the end of a log file too),
    /// a negative length, a port over 65535, or a total size that is not the sum of its parts.
    pub fn decode(buf: &mut Bytes) -> Result<Self, DecodeError> {
        let (record, size) = {
            let view = RecordView::parse(buf)?;
            (view.to_record(|body| buf.slice_ref(body)), view.total_size())
        };
        let _ = buf.split_to(size);
        Ok(record)
    }

    /// The records of a pull's body. Stops silently at the first that cannot be read, as Java does, so
    /// that one odd record does not lose those before it.
    pub fn decode_all(buf: Bytes) -> impl Iterator<Item = Self> {
        let mut rest = buf;
        std::iter::from_fn(move || Self::decode(&mut rest).ok())
    }
}

/// A record that was checked once and is read in place: for filters and indexes, which look at a few fields
/// of many records.
#[derive(Clone, Copy, Debug)]
pub struct RecordView<'a> {
    bytes: &'a [u8],
    body: (usize, usize),
    topic: (usize, usize),
    properties: (usize, usize),
}

impl<'a> RecordView<'a> {
    /// Checks the record at the front of `bytes`; what follows it is left out.
    ///
    /// # Errors
    /// As [`MessageRecord::decode`].
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

    /// The record's whole size.
    pub fn total_size(&self) -> usize {
        self.bytes.len()
    }

    /// The record's bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The queue's number.
    pub fn queue_id(&self) -> i32 {
        self.i32_at(layout::QUEUE_ID)
    }

    /// Position in the queue.
    pub fn queue_offset(&self) -> i64 {
        self.i64_at(layout::QUEUE_OFFSET)
    }

    /// Position in the commit log.
    pub fn physical_offset(&self) -> i64 {
        self.i64_at(layout::PHYSICAL_OFFSET)
    }

    /// Compression, transaction state and more.
    pub fn sys_flag(&self) -> SysFlag {
        SysFlag(self.i32_at(layout::SYS_FLAG))
    }

    /// When the producer made the message, ms.
    pub fn born_timestamp(&self) -> i64 {
        self.i64_at(layout::BORN_TIMESTAMP)
    }

    /// When the broker stored the message, ms.
    pub fn store_timestamp(&self) -> i64 {
        self.i64_at(layout::store_timestamp(self.sys_flag()))
    }

    /// How often the message was retried.
    pub fn reconsume_times(&self) -> i32 {
        self.i32_at(layout::reconsume_times(self.sys_flag()))
    }

    /// The commit log offset of the half message.
    pub fn prepared_transaction_offset(&self) -> i64 {
        self.i64_at(layout::prepared_transaction_offset(self.sys_flag()))
    }

    /// The checksum as stored.
    pub fn stored_crc(&self) -> u32 {
        self.i32_at(layout::BODY_CRC) as u32
    }

    /// Whether the body is the one the checksum was made of.
    pub fn is_intact(&self) -> bool {
        self.stored_crc() == body_crc(self.body())
    }

    /// The stored body.
    pub fn body(&self) -> &'a [u8] {
        &self.bytes[self.body.0..self.body.1]
    }

    /// The topic; bytes that are not UTF-8 read as U+FFFD, as in Java.
    pub fn topic(&self) -> std::borrow::Cow<'a, str> {
        String::from_utf8_lossy(&self.bytes[self.topic.0..self.topic.1])
    }

    /// The properties' wire form; bytes that are not UTF-8 read as U+FFFD, as in Java.
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

    // `parse` has checked that every fixed field lies within the bytes, so the defaults are never used.
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

/// Walks the length-prefixed parts behind the fixed fields.
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

/// Java's lengths are signed, whatever their width.
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
