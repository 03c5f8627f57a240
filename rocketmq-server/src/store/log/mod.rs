//! The commit log's files: where an offset lies, how far the kernel and the disk have it, and its hot tail.

mod damage;
mod hot_tail;
pub(crate) mod record;
pub(crate) mod scan;
pub(crate) mod segment;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use bytes::Bytes;
use parking_lot::RwLock;
use rocketmq_remoting::message::layout;

use crate::store::config::StoreConfig;
use crate::store::disk::Disk;
use crate::store::error::StoreError;
use damage::DamagedRecords;
use hot_tail::HotTail;
use record::Place;
use segment::Segment;

/// The bytes of the marker at the end of a file: its length and its magic.
pub(crate) const BLANK_LEN: usize = 8;

/// The commit log, as far as it does not concern what the bytes mean.
#[derive(Debug)]
pub(crate) struct CommitLog {
    dir: PathBuf,
    segment_size: u64,
    disk: Arc<dyn Disk>,
    segments: RwLock<Vec<Arc<Segment>>>,
    tail: RwLock<HotTail>,
    written: AtomicI64,
    flushed: AtomicI64,
    /// The last write found no room on the disk.
    no_room: AtomicBool,
    damaged: DamagedRecords,
}

impl CommitLog {
    /// Opens every file. The end is not known before recovery has called [`set_end`](Self::set_end).
    pub(crate) fn open(config: &StoreConfig, disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        let dir = config.commit_log_dir();
        let size = config.commit_log_file_size;
        let mut segments: Vec<Arc<Segment>> = Vec::new();
        for found in usable_files(&dir, size)? {
            if let Some(last) = segments.last().filter(|last| last.end() != found.start) {
                tracing::error!(
                    from = last.end(),
                    to = found.start,
                    dir = %dir.display(),
                    "files of the commit log are missing; the messages in them are lost unless the files come back"
                );
            }
            segments.push(Arc::new(Segment::open_or_create_durably(&dir, found.start, size, disk.clone())?));
        }
        let start = segments.first().map_or(0, |s| s.start());
        Ok(Self {
            dir,
            segment_size: size,
            disk,
            segments: RwLock::new(segments),
            tail: RwLock::new(HotTail::new(config.hot_tail)),
            written: AtomicI64::new(start),
            flushed: AtomicI64::new(start),
            no_room: AtomicBool::new(false),
            damaged: DamagedRecords::default(),
        })
    }

    /// The first offset still on disk.
    pub(crate) fn min(&self) -> i64 {
        self.segments.read().first().map_or_else(|| self.written(), |s| s.start())
    }

    /// The offset after the last byte the kernel has.
    pub(crate) fn written(&self) -> i64 {
        self.written.load(Ordering::Acquire)
    }

    /// The offset after the last byte that would survive a power cut.
    pub(crate) fn flushed(&self) -> i64 {
        self.flushed.load(Ordering::Acquire)
    }

    pub(crate) fn segments(&self) -> Vec<Arc<Segment>> {
        self.segments.read().clone()
    }

    /// The end of the file that holds, or will hold, `offset`.
    pub(crate) fn segment_end(&self, offset: i64) -> i64 {
        let size = self.segment_size as i64;
        (offset.div_euclid(size) + 1) * size
    }

    /// Hands `block` to the kernel at `offset`, which must be the end of what was written before or the start of
    /// the file after it. Nothing becomes visible unless all of it was written.
    pub(crate) fn append(&self, offset: i64, block: &[u8]) -> Result<(), StoreError> {
        let written = self.segment_for_writing(offset).and_then(|segment| segment.write(offset, block));
        self.no_room.store(matches!(written, Err(StoreError::DiskFull { .. })), Ordering::Relaxed);
        written
    }

    /// Returns true if the last write found no room on the disk.
    pub(crate) fn has_no_room(&self) -> bool {
        self.no_room.load(Ordering::Relaxed)
    }

    /// Makes an appended block readable.
    pub(crate) fn publish(&self, offset: i64, block: Bytes) {
        let end = offset + block.len() as i64;
        self.tail.write().push(offset, block);
        self.written.store(end, Ordering::Release);
    }

    /// Counts the unused rest of a file, behind its marker, as written; `end` is the start of the next file.
    pub(crate) fn skip_blank(&self, end: i64) {
        self.written.store(end, Ordering::Release);
    }

    /// Sets the end that recovery found, and cuts off the rest.
    pub(crate) fn set_end(&self, end: i64) -> Result<(), StoreError> {
        let mut segments = self.segments.write();
        while let Some(last) = segments.last().filter(|s| s.start() >= end && s.start() > 0) {
            last.delete()?;
            segments.pop();
        }
        if let Some(last) = segments.last().filter(|s| end < s.end()) {
            last.cut(end)?;
        }
        self.skip_to(end);
        Ok(())
    }

    /// Flushes the files that hold anything from `offset` on.
    pub(crate) fn sync_from(&self, offset: i64) -> Result<(), StoreError> {
        self.segments.read().iter().filter(|s| s.end() > offset).try_for_each(|segment| segment.sync())
    }

    /// Takes `end` as the end without touching the files.
    pub(crate) fn skip_to(&self, end: i64) {
        self.tail.write().clear();
        self.written.store(end, Ordering::Release);
        self.flushed.store(end, Ordering::Release);
    }

    /// `len` written bytes at `offset`; `None` when they were deleted, were never written or cannot be read.
    pub(crate) fn read(&self, offset: i64, len: usize) -> Option<Bytes> {
        if len as u64 > self.segment_size || offset.checked_add(len as i64)? > self.written() {
            return None;
        }
        if let Some(hot) = self.tail.read().slice(offset, len) {
            return Some(hot);
        }
        let cold = self.read_cold(offset, len)?;
        (cold.len() == len).then_some(cold)
    }

    /// The intact record at `offset`, whose size only its first bytes tell; `None` when there is none.
    pub(crate) fn read_record(&self, offset: i64) -> Option<Bytes> {
        let head = self.read(offset, layout::MIN_LEN)?;
        if layout::peek_i64(&head, layout::PHYSICAL_OFFSET)? != offset {
            return None;
        }
        let len = usize::try_from(layout::peek_i32(&head, layout::TOTAL_SIZE)?).ok()?;
        let record = self.read(offset, len)?;
        self.is_intact(&record, offset, None).then_some(record)
    }

    /// Returns true if `bytes` are the whole, intact record that was written at `offset`, and belong to `place`. Damage is reported.
    pub(crate) fn is_intact(&self, bytes: &[u8], offset: i64, place: Option<Place<'_>>) -> bool {
        let judged = record::judge(bytes, offset, true);
        let judged = judged.and_then(|view| place.map_or(Ok(()), |place| record::judge_place(&view, place)));
        judged.map_err(|reason| self.damaged.report(offset, &reason)).is_ok()
    }

    /// Judges `bytes` like [`is_intact`](Self::is_intact), without a report.
    ///
    /// # Errors
    /// The reason why they are not the record.
    pub(crate) fn judge(&self, bytes: &[u8], offset: i64, place: Place<'_>) -> Result<(), String> {
        record::judge(bytes, offset, true).and_then(|view| record::judge_place(&view, place))
    }

    /// The records that were found to be damaged.
    pub(crate) fn damaged(&self) -> &DamagedRecords {
        &self.damaged
    }

    /// Up to `len` bytes from the file, cut at its end; for recovery, which looks behind the written end too.
    pub(crate) fn read_cold(&self, offset: i64, len: usize) -> Option<Bytes> {
        let segment = self.segment_at(offset)?;
        let room = usize::try_from(segment.end() - offset).ok()?;
        let mut buf = vec![0; len.min(room)];
        match segment.read(offset, &mut buf) {
            Ok(n) => buf.truncate(n),
            Err(e) => {
                tracing::error!(error = %e, offset, "cannot read the commit log");
                return None;
            }
        }
        Some(buf.into())
    }

    /// [`read_cold`](Self::read_cold) without waiting for the disk; `None` when that cannot be.
    pub(crate) fn read_at_once(&self, offset: i64, len: usize) -> Option<Bytes> {
        let segment = self.segment_at(offset)?;
        let room = usize::try_from(segment.end() - offset).ok()?;
        let mut buf = vec![0; len.min(room)];
        segment.read_at_once(offset, &mut buf).then(|| buf.into())
    }

    /// `len` bytes at `offset` if they are in memory.
    pub(crate) fn hot(&self, offset: i64, len: usize) -> Option<Bytes> {
        self.tail.read().slice(offset, len)
    }

    /// The offset from which on the log is in memory.
    pub(crate) fn hot_from(&self) -> i64 {
        self.tail.read().start().unwrap_or_else(|| self.written())
    }

    /// Flushes what was written when the call began; returns how far the log is now safe.
    pub(crate) fn flush(&self) -> Result<i64, StoreError> {
        let target = self.written();
        let from = self.flushed();
        let dirty: Vec<_> =
            self.segments.read().iter().filter(|s| s.end() > from && s.start() < target).cloned().collect();
        if from < target {
            for segment in dirty {
                segment.sync()?;
            }
            self.flushed.fetch_max(target, Ordering::AcqRel);
        }
        Ok(target)
    }

    /// Deletes the oldest file unless it is the last; its path when there was one.
    pub(crate) fn delete_oldest(&self) -> Result<Option<PathBuf>, StoreError> {
        let mut segments = self.segments.write();
        if segments.len() < 2 {
            return Ok(None);
        }
        segments[0].delete()?;
        Ok(Some(segments.remove(0).path().to_path_buf()))
    }

    fn segment_at(&self, offset: i64) -> Option<Arc<Segment>> {
        let segments = self.segments.read();
        let after = segments.partition_point(|s| s.start() <= offset);
        segments.get(after.checked_sub(1)?).filter(|s| offset < s.end()).cloned()
    }

    fn segment_for_writing(&self, offset: i64) -> Result<Arc<Segment>, StoreError> {
        if let Some(segment) = self.segment_at(offset) {
            return Ok(segment);
        }
        let start = self.segment_end(offset) - self.segment_size as i64;
        let made = Segment::open_or_create_durably(&self.dir, start, self.segment_size, self.disk.clone())?;
        let made = Arc::new(made);
        self.segments.write().push(made.clone());
        Ok(made)
    }
}

/// Lists the files of the log. A crash can leave a file shorter than its size: opening it makes it whole again.
fn usable_files(dir: &Path, size: u64) -> Result<Vec<segment::Found>, StoreError> {
    let found = segment::list(dir)?;
    check_sizes(&found, size)?;
    for file in found.iter().filter(|file| file.len > 0 && file.len < size) {
        tracing::warn!(
            file = %file.path.display(),
            len = file.len,
            size,
            "a file of the commit log is too short and is extended"
        );
    }
    Ok(found)
}

/// Refuses files that were made with another size.
pub(super) fn check_sizes(found: &[segment::Found], size: u64) -> Result<(), StoreError> {
    for file in found {
        if file.len > size || file.start % size as i64 != 0 {
            return Err(StoreError::Unusable {
                path: file.path.clone(),
                problem: format!(
                    "it begins at {} and has {} bytes, which does not fit mappedFileSizeCommitLog={size}: \
                     set that key to the size the files were made with",
                    file.start, file.len
                ),
            });
        }
    }
    Ok(())
}
