//! One index file: a header, hash slots, and entries chained from the newest to the oldest.
//!
//! ```text
//! 0 begin time | 8 end time | 16 begin offset | 24 end offset | 32 slots in use | 36 next entry number
//! 40 slots: 4 bytes each, the number of the newest entry with that hash
//! then entries: hash 4 | log offset 8 | seconds since begin time 4 | number of the entry before it in the chain 4
//! ```
//!
//! Entries gather in memory and are appended many at a time. Slots are changed in memory, page by page, and written by
//! the background writer: they follow from the entries, so after a crash they are computed again.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::store::dirs;
use crate::store::disk::{self, Disk};
use crate::store::error::StoreError;

const HEADER_LEN: u64 = 40;
const SLOT_LEN: u64 = 4;
const ENTRY_LEN: usize = 20;
/// Slots in one page of the cache.
const PAGE_SLOTS: u32 = 1024;
const PAGE_LEN: usize = PAGE_SLOTS as usize * 4;
/// Entries that wait for one write.
const ENTRY_BATCH: usize = 1024;
/// Changed pages written before others get a turn at the lock: well under a millisecond.
const PAGES_AT_ONCE: usize = 128;

/// The numbers of slots and entries of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub slots: u32,
    pub entries: u32,
}

/// The first 40 bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Header {
    pub begin_time: i64,
    pub end_time: i64,
    pub begin_offset: i64,
    pub end_offset: i64,
    pub slots_used: i32,
    /// The number of the next entry; entry 0 is never used.
    pub next_entry: i32,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: i32,
    offset: i64,
    seconds: i32,
    previous: i32,
}

/// A full file that waits for its flush.
#[derive(Debug)]
pub(crate) struct Retired {
    path: PathBuf,
    file: File,
    disk: Arc<dyn Disk>,
    end_time: i64,
}

impl Retired {
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        self.disk.sync(&self.file).map_err(|e| StoreError::io("flush", &self.path, e))
    }

    /// Store time of its last entry.
    pub(crate) fn end_time(&self) -> i64 {
        self.end_time
    }
}

/// An index file.
#[derive(Debug)]
pub(crate) struct IndexFile {
    path: PathBuf,
    file: File,
    disk: Arc<dyn Disk>,
    shape: Shape,
    header: Header,
    /// Entries not written yet; the last is `header.next_entry - 1`.
    pending: Vec<u8>,
    pages: Vec<Option<Box<[u8; PAGE_LEN]>>>,
    dirty: BTreeSet<u32>,
}

impl IndexFile {
    pub(crate) fn create(path: PathBuf, shape: Shape, disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        dirs::create(dirs::parent(&path), &*disk)?;
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
        let file = file.map_err(|e| StoreError::io("create", &path, e))?;
        // A file that was begun would be in the way of the next attempt.
        Self::begin(path.clone(), file, shape, disk).inspect_err(|_| drop(std::fs::remove_file(path)))
    }

    fn begin(path: PathBuf, file: File, shape: Shape, disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        let sized = file.set_len(shape.file_len());
        sized.map_err(|e| StoreError::io("extend", &path, e))?;
        let header = Header { next_entry: 1, ..Header::default() };
        let made = Self::assemble(path, file, shape, header, disk);
        made.write_header()?;
        Ok(made)
    }

    /// Opens a file; `None` when it is not as long as `shape` says.
    pub(crate) fn open(path: PathBuf, shape: Shape, disk: Arc<dyn Disk>) -> Result<Option<Self>, StoreError> {
        let file = OpenOptions::new().read(true).write(true).open(&path);
        let file = file.map_err(|e| StoreError::io("open", &path, e))?;
        let mut bytes = [0; HEADER_LEN as usize];
        let len = file.metadata().map_err(|e| StoreError::io("examine", &path, e))?.len();
        if len != shape.file_len() || file.read_exact_at(&mut bytes, 0).is_err() {
            return Ok(None);
        }
        let mut header = Header::decode(&bytes);
        header.next_entry = header.next_entry.clamp(1, shape.entries as i32);
        Ok(Some(Self::assemble(path, file, shape, header, disk)))
    }

    fn assemble(path: PathBuf, file: File, shape: Shape, header: Header, disk: Arc<dyn Disk>) -> Self {
        let pages = vec![None; shape.slots.div_ceil(PAGE_SLOTS) as usize];
        Self { path, file, disk, shape, header, pending: Vec::new(), pages, dirty: BTreeSet::new() }
    }

    pub(crate) fn header(&self) -> Header {
        self.header
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn is_full(&self) -> bool {
        self.header.next_entry >= self.shape.entries as i32
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.header.next_entry <= 1
    }

    /// Adds an entry. The file must not be full.
    pub(crate) fn put(&mut self, hash: i32, offset: i64, store_time: i64) -> Result<(), StoreError> {
        let number = self.header.next_entry;
        if self.is_empty() {
            self.header.begin_time = store_time;
            self.header.begin_offset = offset;
        }
        // A damaged record may claim any time at all.
        let seconds = store_time.saturating_sub(self.header.begin_time) / 1000;
        let seconds = seconds.clamp(0, i64::from(i32::MAX)) as i32;
        let previous = self.replace_slot(hash, number)?;
        self.pending.extend_from_slice(&Entry { hash, offset, seconds, previous }.encode());
        self.header.slots_used += i32::from(previous == 0);
        self.header.next_entry = number + 1;
        self.header.end_offset = offset;
        self.header.end_time = store_time;
        if self.pending.len() >= ENTRY_BATCH * ENTRY_LEN {
            self.write_entries()?;
        }
        Ok(())
    }

    /// Log offsets of the entries with `hash` in the time range (ms), newest first, at most `max`.
    pub(crate) fn find(
        &mut self,
        hash: i32,
        max: usize,
        begin: i64,
        end: i64,
    ) -> Result<Vec<i64>, StoreError> {
        let mut found = Vec::new();
        if self.is_empty() {
            return Ok(found);
        }
        self.write_entries()?;
        let mut number = self.read_slot(hash)?;
        // Chains lead to ever smaller numbers: anything else is damage and must not make a circle.
        while found.len() < max && number > 0 && number < self.header.next_entry {
            let entry = self.entry(number)?;
            let time = self.header.begin_time.saturating_add(i64::from(entry.seconds) * 1000);
            // Seconds are cut off, so an entry may be up to a second newer than it says.
            if entry.hash == hash && time.saturating_add(999) >= begin && time <= end {
                found.push(entry.offset);
            }
            if entry.previous >= number {
                break;
            }
            number = entry.previous;
        }
        Ok(found)
    }

    /// Returns true if the file may hold messages stored in the time range (ms).
    pub(crate) fn overlaps(&self, begin: i64, end: i64) -> bool {
        !self.is_empty() && self.header.begin_time <= end && self.header.end_time >= begin
    }

    /// Hands everything to the kernel.
    pub(crate) fn write_out(&mut self) -> Result<(), StoreError> {
        while self.write_some_pages()? {}
        self.checkpoint()
    }

    /// Hands the entries and their count to the kernel: the slots follow from them.
    pub(crate) fn checkpoint(&mut self) -> Result<(), StoreError> {
        self.write_entries()?;
        self.write_header()
    }

    /// Hands some changed slots to the kernel; `false` when none are left.
    pub(crate) fn write_some_pages(&mut self) -> Result<bool, StoreError> {
        self.write_entries()?;
        for _ in 0..PAGES_AT_ONCE {
            let Some(page) = self.dirty.first().copied() else { return Ok(false) };
            self.write_page(page)?;
            self.dirty.remove(&page);
        }
        Ok(true)
    }

    /// Returns a handle to flush the file later.
    pub(crate) fn handle(&self) -> Result<Retired, StoreError> {
        let file = self.file.try_clone().map_err(|e| StoreError::io("duplicate", &self.path, e))?;
        Ok(Retired { path: self.path.clone(), file, disk: self.disk.clone(), end_time: self.header.end_time })
    }

    pub(crate) fn sync(&mut self) -> Result<(), StoreError> {
        self.write_out()?;
        self.disk.sync(&self.file).map_err(|e| StoreError::io("flush", &self.path, e))
    }

    /// Lets the memory of a file go that takes no more entries.
    pub(crate) fn drop_cache(&mut self) {
        self.pages.fill(None);
    }

    /// After a crash: keeps the entries up to the first that cannot be true (log offsets never fall, and end below
    /// `log_end`) and computes the slots from them.
    pub(crate) fn mend(&mut self, log_end: i64) -> Result<(), StoreError> {
        self.write_entries()?;
        let claimed = self.header.next_entry;
        let mut slots = vec![0u32; self.shape.slots as usize];
        let mut last = self.header.begin_offset;
        let (mut used, mut seconds, mut number) = (0, 0, 1);
        'entries: while number < claimed {
            for mut entry in self.entries(number, claimed)? {
                if entry.hash < 0 || entry.offset < last || entry.offset >= log_end {
                    break 'entries;
                }
                let slot = &mut slots[(entry.hash as u32 % self.shape.slots) as usize];
                used += i32::from(*slot == 0);
                if entry.previous != *slot as i32 {
                    entry.previous = *slot as i32;
                    self.write_at(&entry.encode(), self.entry_at(number))?;
                }
                *slot = number as u32;
                (last, seconds, number) = (entry.offset, entry.seconds, number + 1);
            }
        }
        if number < claimed {
            self.header.end_offset = last;
            self.header.end_time = self.header.begin_time + i64::from(seconds) * 1000;
        }
        self.header.next_entry = number;
        self.header.slots_used = used;
        self.restore_slots(&slots)
    }

    fn restore_slots(&mut self, slots: &[u32]) -> Result<(), StoreError> {
        for (page, chunk) in slots.chunks(PAGE_SLOTS as usize).enumerate() {
            let bytes: Vec<u8> = chunk.iter().flat_map(|s| s.to_be_bytes()).collect();
            let at = HEADER_LEN + (page * PAGE_LEN) as u64;
            let mut old = vec![0; bytes.len()];
            self.read_at(&mut old, at)?;
            if old != bytes {
                self.write_at(&bytes, at)?;
            }
        }
        self.pages.fill(None);
        self.dirty.clear();
        self.write_header()
    }

    fn replace_slot(&mut self, hash: i32, number: i32) -> Result<i32, StoreError> {
        let old = self.read_slot(hash)?;
        let (page, at) = self.slot_place(hash);
        if let Some(bytes) = &mut self.pages[page as usize] {
            bytes[at..at + 4].copy_from_slice(&number.to_be_bytes());
            self.dirty.insert(page);
        }
        Ok(old)
    }

    fn read_slot(&mut self, hash: i32) -> Result<i32, StoreError> {
        let (page, at) = self.slot_place(hash);
        if self.pages[page as usize].is_none() {
            let mut bytes = Box::new([0; PAGE_LEN]);
            let len = self.page_len(page);
            self.read_at(&mut bytes[..len], HEADER_LEN + u64::from(page) * PAGE_LEN as u64)?;
            self.pages[page as usize] = Some(bytes);
        }
        let bytes = self.pages[page as usize].as_ref();
        let slot = bytes.and_then(|b| b[at..].first_chunk()).map_or(0, |b| i32::from_be_bytes(*b));
        Ok(if slot < 0 || slot >= self.header.next_entry { 0 } else { slot })
    }

    fn slot_place(&self, hash: i32) -> (u32, usize) {
        let slot = hash.unsigned_abs() % self.shape.slots;
        (slot / PAGE_SLOTS, (slot % PAGE_SLOTS) as usize * 4)
    }

    fn page_len(&self, page: u32) -> usize {
        (self.shape.slots - page * PAGE_SLOTS).min(PAGE_SLOTS) as usize * 4
    }

    fn write_page(&self, page: u32) -> Result<(), StoreError> {
        let Some(bytes) = &self.pages[page as usize] else { return Ok(()) };
        self.write_at(&bytes[..self.page_len(page)], HEADER_LEN + u64::from(page) * PAGE_LEN as u64)
    }

    fn write_entries(&mut self) -> Result<(), StoreError> {
        let count = (self.pending.len() / ENTRY_LEN) as i32;
        if count > 0 {
            self.write_at(&self.pending, self.entry_at(self.header.next_entry - count))?;
            self.pending.clear();
        }
        Ok(())
    }

    fn write_header(&self) -> Result<(), StoreError> {
        self.write_at(&self.header.encode(), 0)
    }

    fn entry(&self, number: i32) -> Result<Entry, StoreError> {
        let mut bytes = [0; ENTRY_LEN];
        self.read_at(&mut bytes, self.entry_at(number))?;
        Ok(Entry::decode(&bytes))
    }

    /// Some entries from `number` on, fewer than up to `end`.
    fn entries(&self, number: i32, end: i32) -> Result<Vec<Entry>, StoreError> {
        let mut bytes = vec![0; ((end - number) as usize).min(ENTRY_BATCH) * ENTRY_LEN];
        self.read_at(&mut bytes, self.entry_at(number))?;
        Ok(bytes.as_chunks().0.iter().map(Entry::decode).collect())
    }

    fn entry_at(&self, number: i32) -> u64 {
        HEADER_LEN + u64::from(self.shape.slots) * SLOT_LEN + number.unsigned_abs() as u64 * ENTRY_LEN as u64
    }

    fn read_at(&self, buf: &mut [u8], at: u64) -> Result<(), StoreError> {
        self.file.read_exact_at(buf, at).map_err(|e| StoreError::io("read", &self.path, e))
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> Result<(), StoreError> {
        let written = disk::write_all_at(&*self.disk, &self.file, bytes, at);
        written.map_err(|(_, e): (usize, io::Error)| StoreError::io("write", &self.path, e))
    }
}

impl Shape {
    pub(crate) fn file_len(self) -> u64 {
        HEADER_LEN + u64::from(self.slots) * SLOT_LEN + u64::from(self.entries) * ENTRY_LEN as u64
    }
}

impl Header {
    fn encode(self) -> [u8; HEADER_LEN as usize] {
        let mut bytes = [0; HEADER_LEN as usize];
        let longs = [self.begin_time, self.end_time, self.begin_offset, self.end_offset];
        for (to, from) in bytes.chunks_exact_mut(8).zip(longs) {
            to.copy_from_slice(&from.to_be_bytes());
        }
        bytes[32..36].copy_from_slice(&self.slots_used.to_be_bytes());
        bytes[36..].copy_from_slice(&self.next_entry.to_be_bytes());
        bytes
    }

    fn decode(bytes: &[u8; HEADER_LEN as usize]) -> Self {
        let mut longs = bytes.as_chunks::<8>().0.iter().map(|b| i64::from_be_bytes(*b));
        let mut long = || longs.next().unwrap_or_default();
        let (begin_time, end_time, begin_offset, end_offset, counts) =
            (long(), long(), long(), long(), long());
        Self {
            begin_time,
            end_time,
            begin_offset,
            end_offset,
            slots_used: (counts >> 32) as i32,
            next_entry: counts as i32,
        }
    }
}

impl Entry {
    fn encode(self) -> [u8; ENTRY_LEN] {
        let mut bytes = [0; ENTRY_LEN];
        bytes[..4].copy_from_slice(&self.hash.to_be_bytes());
        bytes[4..12].copy_from_slice(&self.offset.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.seconds.to_be_bytes());
        bytes[16..].copy_from_slice(&self.previous.to_be_bytes());
        bytes
    }

    fn decode(bytes: &[u8; ENTRY_LEN]) -> Self {
        let word = |at: usize| bytes[at..].first_chunk().map_or(0, |b| i32::from_be_bytes(*b));
        let offset = bytes[4..].first_chunk().map_or(0, |b| i64::from_be_bytes(*b));
        Self { hash: word(0), offset, seconds: word(12), previous: word(16) }
    }
}

#[cfg(test)]
mod tests {
    use crate::store::disk::RealDisk;
    use std::fs;

    use super::*;

    const SHAPE: Shape = Shape { slots: 7, entries: 50 };

    fn create(dir: &Path) -> IndexFile {
        IndexFile::create(dir.join("20260101000000000"), SHAPE, Arc::new(RealDisk)).unwrap()
    }

    fn reopen(dir: &Path) -> IndexFile {
        IndexFile::open(dir.join("20260101000000000"), SHAPE, Arc::new(RealDisk)).unwrap().unwrap()
    }

    fn filled(dir: &Path, count: i64) -> IndexFile {
        let mut file = create(dir);
        (0..count).for_each(|i| file.put((i % 10) as i32, i * 100, 5_000 + i * 1000).unwrap());
        file
    }

    #[test]
    fn the_bytes_are_apaches() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = create(dir.path());
        file.put(9, 0xe0, 7_000).unwrap();
        file.put(2, 0x1d8, 9_500).unwrap();
        file.write_out().unwrap();
        let bytes = fs::read(file.path()).unwrap();
        assert_eq!(bytes.len(), 40 + 7 * 4 + 50 * 20);
        let header = [7_000i64, 9_500, 0xe0, 0x1d8].map(i64::to_be_bytes).concat();
        assert_eq!(bytes[..32], header);
        assert_eq!(bytes[32..40], [0, 0, 0, 1, 0, 0, 0, 3], "both hash to slot 2; the next entry is 3");
        assert_eq!(bytes[40 + 8..40 + 12], [0, 0, 0, 2], "slot 2 names the newest");
        let second = &bytes[68 + 40..68 + 60];
        assert_eq!(second, [0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 1, 0xd8, 0, 0, 0, 2, 0, 0, 0, 1]);
    }

    #[test]
    fn entries_are_found_newest_first_within_the_time_range() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = filled(dir.path(), 30);
        assert_eq!(file.find(3, 10, 0, i64::MAX).unwrap(), [2300, 1300, 300]);
        assert_eq!(file.find(3, 2, 0, i64::MAX).unwrap(), [2300, 1300]);
        assert_eq!(file.find(3, 10, 17_000, 19_000).unwrap(), [1300]);
        assert!(file.find(11, 10, 0, i64::MAX).unwrap().is_empty());
        assert!(file.overlaps(0, 5_000) && !file.overlaps(0, 4_999));
    }

    #[test]
    fn a_reopened_file_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path(), 30).sync().unwrap();
        let mut file = reopen(dir.path());
        file.put(3, 3000, 40_000).unwrap();
        assert_eq!(file.find(3, 10, 0, i64::MAX).unwrap(), [3000, 2300, 1300, 300]);
        assert!(!file.is_full());
    }

    #[test]
    fn mending_restores_slots_that_were_never_written() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = filled(dir.path(), 30);
        file.write_entries().unwrap();
        file.write_header().unwrap();
        drop(file);
        let mut file = reopen(dir.path());
        assert!(file.find(3, 10, 0, i64::MAX).unwrap().is_empty(), "the slots were lost");
        file.mend(i64::MAX).unwrap();
        assert_eq!(file.find(3, 10, 0, i64::MAX).unwrap(), [2300, 1300, 300]);
        assert_eq!(file.header().slots_used, 7);
    }

    #[test]
    fn mending_cuts_entries_that_cannot_be_true() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = filled(dir.path(), 30);
        file.write_out().unwrap();
        file.write_at(&[0; 20], file.entry_at(21)).unwrap();
        file.mend(i64::MAX).unwrap();
        assert_eq!(file.header().next_entry, 21);
        assert_eq!(file.header().end_offset, 1900);
        file.mend(1500).unwrap();
        assert_eq!(file.header().end_offset, 1400);
        assert_eq!(file.find(3, 10, 0, i64::MAX).unwrap(), [1300, 300]);
    }

    #[test]
    fn a_file_of_another_shape_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = create(dir.path()).path().to_path_buf();
        let other = Shape { slots: 8, entries: 50 };
        assert!(IndexFile::open(path, other, Arc::new(RealDisk)).unwrap().is_none());
    }
}
