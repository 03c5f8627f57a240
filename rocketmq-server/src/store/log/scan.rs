//! Reads the log forward after a restart: finds which bytes are records, and where the log goes on behind damage.

use std::ops::Range;

use bytes::Bytes;
use rocketmq_remoting::message::{RecordView, layout};

use super::{BLANK_LEN, CommitLog, record};

/// Bytes read from the file at a time.
const CHUNK: usize = 1 << 20;

/// The thing that lies at a log offset.
#[derive(Debug)]
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

/// Looks at places in the log, reading ahead.
pub(crate) struct Scanner<'a> {
    log: &'a CommitLog,
    check_crc: bool,
    chunk: (i64, Bytes),
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(log: &'a CommitLog, check_crc: bool) -> Self {
        Self { log, check_crc, chunk: (0, Bytes::new()) }
    }

    /// Reads the thing that lies at `offset`.
    pub(crate) fn step(&mut self, offset: i64) -> Step {
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
        match self.fitting(offset, i64::from(size)) {
            Some(len) => self.record(offset, len),
            None => Step::Damaged(format!("it claims a size of {size}")),
        }
    }

    /// The length as a number of bytes, when a record of that length fits into the file.
    fn fitting(&self, offset: i64, len: i64) -> Option<usize> {
        let room = self.log.segment_end(offset) - offset;
        (layout::MIN_LEN as i64..=room).contains(&len).then_some(len as usize)
    }

    fn record(&mut self, offset: i64, len: usize) -> Step {
        let bytes = self.bytes(offset, len);
        match record::judge(&bytes, offset, self.check_crc) {
            Err(reason) => Step::Damaged(reason),
            Ok(view) if ends_in_zero(&view) => {
                // The checksum is the body's alone: of a record torn behind its body, only the zeros at its end tell.
                match self.step(offset + len as i64) {
                    Step::Unused => Step::Damaged("its end was never written".into()),
                    _ => Step::Record(bytes),
                }
            }
            Ok(_) => Step::Record(bytes),
        }
    }

    /// Finds the next intact record behind the damage at `offset`, below `until`.
    fn resume(&mut self, offset: i64, until: i64) -> Option<i64> {
        // The lengths that the damaged record claims come first: its body may hold bytes that look like a record.
        let claimed = self.claimed_lengths(offset).into_iter().map(|len| offset + len as i64);
        claimed
            .filter(|next| *next < until)
            .find(|next| self.leads_to_record(*next))
            .or_else(|| self.search(offset + 1, until))
    }

    fn leads_to_record(&mut self, offset: i64) -> bool {
        match self.step(offset) {
            Step::Record(_) => true,
            Step::Blank(next) => matches!(self.step(next), Step::Record(_)),
            _ => false,
        }
    }

    /// Looks at every byte from `from` on, file by file, leaving out what takes no space on the disk.
    fn search(&mut self, from: i64, until: i64) -> Option<i64> {
        for segment in self.log.segments().into_iter().filter(|s| s.end() > from && s.start() < until) {
            let mut at = from.max(segment.start());
            while let Some(data) = segment.next_data(at).filter(|data| data.start < until) {
                if let Some(found) = self.search_range(data.start..data.end.min(until)) {
                    return Some(found);
                }
                at = data.end;
            }
        }
        None
    }

    fn search_range(&mut self, range: Range<i64>) -> Option<i64> {
        let mut at = range.start;
        while at < range.end {
            let bytes = self.bytes(at, CHUNK / 2);
            if bytes.len() < BLANK_LEN {
                return None;
            }
            for candidate in records_in(&bytes) {
                let from = at + candidate as i64;
                if from < range.end && matches!(self.step(from), Step::Record(_)) {
                    return Some(from);
                }
            }
            // The last bytes are looked at again: a record may begin there.
            at += (bytes.len() - BLANK_LEN + 1) as i64;
        }
        None
    }

    /// The lengths that a damaged record may have: the one it claims, and the sum of its parts.
    fn claimed_lengths(&mut self, offset: i64) -> Vec<usize> {
        let head = self.bytes(offset, layout::MIN_LEN);
        let total = layout::peek_i32(&head, layout::TOTAL_SIZE).map(i64::from);
        let mut lengths: Vec<usize> = total.and_then(|len| self.fitting(offset, len)).into_iter().collect();
        lengths.extend(self.topic_of(offset).and_then(|topic| {
            let properties = self.bytes(offset + topic.end as i64, 2);
            let len = i64::from(u16::from_be_bytes(*properties.first_chunk()?));
            self.fitting(offset, topic.end as i64 + 2 + len)
        }));
        lengths.dedup();
        lengths
    }

    /// Finds the topic in the possibly damaged record at `offset`.
    fn topic_of(&mut self, offset: i64) -> Option<Range<usize>> {
        let head = self.bytes(offset, layout::MIN_LEN + 2 * layout::HOST_V6_LEN);
        let body_at = layout::body_len(layout::peek_sys_flag(&head)?);
        let body_len = usize::try_from(layout::peek_i32(&head, body_at)?).ok()?;
        let at = body_at + 4 + body_len;
        if offset + at as i64 >= self.log.segment_end(offset) {
            return None;
        }
        let lens = self.bytes(offset + at as i64, 2);
        let (start, len) = if layout::peek_i32(&head, layout::MAGIC)? == layout::MAGIC_V2 {
            (at + 2, usize::from(u16::from_be_bytes(*lens.first_chunk()?)))
        } else {
            (at + 1, usize::from(*lens.first()?))
        };
        Some(start..start + len)
    }

    /// The end of the damaged record at `offset`, behind which no record is intact, if it was written as a whole: another
    /// record begins there, or nothing more was written. A record that a crash cut short ends in zeros.
    fn end_of_whole(&mut self, offset: i64) -> Option<i64> {
        let data_end = self.end_of_data(offset);
        let ends: Vec<_> = self.claimed_lengths(offset).into_iter().map(|len| offset + len as i64).collect();
        // Without properties a record ends in the two zeros of their length.
        ends.into_iter().find(|end| *end == data_end || *end == data_end + 2 || self.begins_record(*end))
    }

    fn begins_record(&mut self, offset: i64) -> bool {
        let head = self.bytes(offset, layout::MIN_LEN);
        let magic = layout::peek_i32(&head, layout::MAGIC);
        matches!(magic, Some(layout::MAGIC_V1 | layout::MAGIC_V2))
            && layout::peek_i64(&head, layout::PHYSICAL_OFFSET) == Some(offset)
    }

    /// The offset behind the last byte from `offset` on, in the same file, that is not zero.
    fn end_of_data(&mut self, offset: i64) -> i64 {
        let mut end = offset;
        let Some(segment) = self.log.segments().into_iter().find(|s| (s.start()..s.end()).contains(&offset))
        else {
            return end;
        };
        let mut at = offset;
        while let Some(data) = segment.next_data(at) {
            at = data.start;
            while at < data.end {
                let bytes = self.bytes(at, (data.end - at).min(CHUNK as i64) as usize);
                if bytes.is_empty() {
                    return end;
                }
                end = bytes.iter().rposition(|b| *b != 0).map_or(end, |last| at + last as i64 + 1);
                at += bytes.len() as i64;
            }
        }
        end
    }

    /// Reads the place that the damaged record at `offset` claims, as far as it can be true.
    fn claim(&mut self, offset: i64) -> Option<Claim> {
        let head = self.bytes(offset, layout::MIN_LEN);
        let topic = self.topic_of(offset)?;
        let topic = self.bytes(offset + topic.start as i64, topic.len());
        let topic =
            String::from_utf8(topic.to_vec()).ok().filter(|topic| record::check_topic(topic).is_ok())?;
        let queue_id = layout::peek_i32(&head, layout::QUEUE_ID)?;
        let index = layout::peek_i64(&head, layout::QUEUE_OFFSET)?;
        (queue_id >= 0 && index >= 0).then_some(Claim { topic, queue_id, index })
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

/// The place that a record claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    pub topic: String,
    pub queue_id: i32,
    pub index: i64,
}

/// A part of the log that holds no intact record.
#[derive(Debug)]
pub(crate) struct Damage {
    pub range: Range<i64>,
    pub reason: String,
    /// The place that the record at its start claims.
    pub claim: Option<Claim>,
}

/// The result of a [`Walk`].
#[derive(Debug)]
pub(crate) enum Found {
    Record(Bytes),
    Damage(Damage),
}

/// Goes from record to record, past damage as long as anything intact lies behind it.
pub(crate) struct Walk<'a> {
    scanner: Scanner<'a>,
    /// The offset at which the next record is looked for; in the end, the end of the log.
    pub at: i64,
    until: i64,
    /// The reason for which the log ends here although something was written behind: a crash cut it short.
    pub torn: Option<String>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(scanner: Scanner<'a>, from: i64, until: i64) -> Self {
        Self { scanner, at: from, until, torn: None }
    }

    /// The next record, or damage with a record somewhere behind it; `None` at the end.
    pub(crate) fn next(&mut self) -> Option<Found> {
        while self.at < self.until {
            match self.scanner.step(self.at) {
                Step::Record(record) => {
                    self.at += record.len() as i64;
                    return Some(Found::Record(record));
                }
                Step::Blank(next) => self.at = next,
                Step::Unused => {
                    return self.pass("nothing was written there, though there are messages behind", false);
                }
                Step::Damaged(reason) => return self.pass(&reason, true),
            }
        }
        None
    }

    fn pass(&mut self, reason: &str, written: bool) -> Option<Found> {
        let from = self.at;
        let next = self.scanner.resume(from, self.until).or_else(|| self.scanner.end_of_whole(from));
        let Some(next) = next else {
            self.torn = written.then(|| reason.to_owned());
            return None;
        };
        self.at = next;
        let claim = self.scanner.claim(from);
        Some(Found::Damage(Damage { range: from..next, reason: reason.to_owned(), claim }))
    }
}

fn ends_in_zero(view: &RecordView<'_>) -> bool {
    let properties = view.properties();
    let last = if properties.is_empty() { view.topic() } else { properties };
    last.ends_with('\0')
}

/// Returns true if all of `bytes` is zero: comparing memory is far cheaper than looking for records.
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
