//! Walking the commit log after a restart: which bytes are records, where they end, and what lies beyond damage.

use bytes::Bytes;
use rocketmq_remoting::message::{RecordView, layout};

use super::{BLANK_LEN, CommitLog};

/// Read from the file at a time.
const CHUNK: usize = 1 << 20;

/// What lies at a log offset.
pub(crate) enum Step {
    /// A whole, intact record.
    Record(Bytes),
    /// The unused rest of a file; the log goes on at this offset.
    Blank(i64),
    /// Nothing was ever written here.
    Unused,
    /// Neither, for this reason.
    Damaged(String),
}

/// Reads the log forward.
pub(crate) struct Scanner<'a> {
    log: &'a CommitLog,
    check_crc: bool,
    chunk: (i64, Bytes),
}

impl<'a> Scanner<'a> {
    pub fn new(log: &'a CommitLog, check_crc: bool) -> Self {
        Self { log, check_crc, chunk: (0, Bytes::new()) }
    }

    /// What lies at `offset`.
    pub fn step(&mut self, offset: i64) -> Step {
        let head = self.bytes(offset, BLANK_LEN);
        let (Some(size), Some(magic)) = (layout::peek_i32(&head, 0), layout::peek_i32(&head, layout::MAGIC))
        else {
            return Step::Unused;
        };
        if size == 0 && magic == 0 {
            return Step::Unused;
        }
        if magic == layout::MAGIC_BLANK {
            return Step::Blank(self.log.segment_end(offset));
        }
        let room = self.log.segment_end(offset) - offset;
        if i64::from(size) > room || size < layout::MIN_LEN as i32 {
            return Step::Damaged(format!("a record of {size} bytes where {room} are left"));
        }
        self.record(offset, size as usize)
    }

    fn record(&mut self, offset: i64, size: usize) -> Step {
        let bytes = self.bytes(offset, size);
        match RecordView::parse(&bytes) {
            Err(e) => Step::Damaged(e.to_string()),
            Ok(view) if view.physical_offset() != offset => {
                Step::Damaged(format!("a record that claims log offset {}", view.physical_offset()))
            }
            Ok(view) if self.check_crc && !view.is_intact() => Step::Damaged("its checksum is wrong".into()),
            Ok(view) if ends_in_zero(&view) && matches!(self.step(offset + size as i64), Step::Unused) => {
                Step::Damaged("its end was never written".into())
            }
            Ok(_) => Step::Record(bytes),
        }
    }

    /// The next intact record behind `offset` in the same file or at the start of a later one.
    pub fn next_intact(&mut self, offset: i64) -> Option<(i64, Bytes)> {
        let end = self.log.segment_end(offset);
        let mut at = offset + 1;
        while at < end {
            let bytes = self.bytes(at, CHUNK / 2);
            if bytes.len() < BLANK_LEN {
                break;
            }
            for candidate in records_in(&bytes) {
                let from = at + candidate as i64;
                if let Step::Record(record) = self.step(from) {
                    return Some((from, record));
                }
            }
            // The last bytes are looked at again: a record may begin there.
            at += (bytes.len() - BLANK_LEN + 1) as i64;
        }
        match self.step(end) {
            Step::Record(record) => Some((end, record)),
            _ => None,
        }
    }

    /// Up to `len` bytes at `offset`, from the chunk read last when it has them.
    fn bytes(&mut self, offset: i64, len: usize) -> Bytes {
        if !self.covers(offset, len) {
            let read = self.log.read_cold(offset, len.max(CHUNK)).unwrap_or_default();
            self.chunk = (offset, read);
        }
        let from = (offset - self.chunk.0) as usize;
        let to = self.chunk.1.len().min(from + len);
        self.chunk.1.slice(from..to)
    }

    fn covers(&self, offset: i64, len: usize) -> bool {
        let (start, bytes) = &self.chunk;
        offset >= *start && offset + len as i64 <= *start + bytes.len() as i64
    }
}

/// What a [`Walk`] cannot get past by itself: nothing was written there, or damage, for this reason.
pub(crate) enum Obstacle {
    Unused,
    Damaged(String),
}

/// The records of the log from one offset to another.
pub(crate) struct Walk<'a> {
    scanner: Scanner<'a>,
    /// Where the next record is looked for.
    pub at: i64,
    until: i64,
}

impl<'a> Walk<'a> {
    pub fn new(scanner: Scanner<'a>, from: i64, until: i64) -> Self {
        Self { scanner, at: from, until }
    }

    /// The next record. At an obstacle `go_on` says where the log goes on, or that it ends there.
    pub fn next(
        &mut self,
        mut go_on: impl FnMut(&mut Scanner<'a>, i64, Obstacle) -> Option<i64>,
    ) -> Option<Bytes> {
        while self.at < self.until {
            let obstacle = match self.scanner.step(self.at) {
                Step::Record(record) => {
                    self.at += record.len() as i64;
                    return Some(record);
                }
                Step::Blank(next) => {
                    self.at = next;
                    continue;
                }
                Step::Unused => Obstacle::Unused,
                Step::Damaged(reason) => Obstacle::Damaged(reason),
            };
            self.at = go_on(&mut self.scanner, self.at, obstacle)?;
        }
        None
    }
}

/// The checksum is the body's alone: of a record torn behind its body, only the zeros at its end tell.
fn ends_in_zero(view: &RecordView<'_>) -> bool {
    let properties = view.properties();
    let last = if properties.is_empty() { view.topic() } else { properties };
    last.ends_with('\0')
}

/// Whether all of `bytes` is zero: most of a file is, and comparing memory is far cheaper than looking for records.
fn is_unused(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0) && bytes[1..] == bytes[..bytes.len() - 1]
}

/// Places in `bytes` where a record may begin: its magic is 4 bytes further on.
fn records_in(bytes: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let magics = [layout::MAGIC_V1.to_be_bytes(), layout::MAGIC_V2.to_be_bytes()];
    let searched = if is_unused(bytes) { &[] } else { bytes };
    searched
        .windows(BLANK_LEN)
        .enumerate()
        .filter(move |(_, w)| magics.iter().any(|m| w[4..] == *m))
        .map(|(i, _)| i)
}
