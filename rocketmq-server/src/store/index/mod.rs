//! Finding messages by key: the index files, oldest first, of which the last takes the new entries.

pub(crate) mod file;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::store::disk::Disk;
use crate::store::error::StoreError;
use file::{IndexFile, Retired, Shape};

/// All index files.
#[derive(Debug)]
pub(crate) struct Index {
    dir: PathBuf,
    shape: Shape,
    disk: Arc<dyn Disk>,
    files: Vec<IndexFile>,
    /// Files that were filled and wait for a flush.
    retired: Vec<Retired>,
}

impl Index {
    /// Opens every file below `dir`. One of another shape, or without a readable header, is useless and goes.
    pub(crate) fn open(dir: PathBuf, shape: Shape, disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        let mut files = Vec::new();
        for path in index_files(&dir)? {
            match IndexFile::open(path.clone(), shape, disk.clone())? {
                Some(file) => files.push(file),
                None => {
                    tracing::warn!(file = %path.display(), "an index file of another size is deleted");
                    fs::remove_file(&path).map_err(|e| StoreError::io("delete", &path, e))?;
                }
            }
        }
        Ok(Self { dir, shape, disk, files, retired: Vec::new() })
    }

    /// After a crash: takes the newest files back to what they can vouch for. The last one stays, mended, because
    /// nothing else could find its messages again.
    pub(crate) fn mend(&mut self, log_end: i64) -> Result<(), StoreError> {
        for file in self.files.iter_mut().rev().take(2) {
            file.mend(log_end)?;
        }
        while let Some(empty) = self.files.pop_if(|last| last.is_empty()) {
            fs::remove_file(empty.path()).map_err(|e| StoreError::io("delete", empty.path(), e))?;
        }
        Ok(())
    }

    /// The log offset of the last message indexed; messages below it are.
    pub(crate) fn end_offset(&self) -> i64 {
        self.files.iter().rev().find(|f| !f.is_empty()).map_or(0, |f| f.header().end_offset)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.files.iter().all(IndexFile::is_empty)
    }

    /// The files filled since the last call, to be flushed without holding up the writer.
    pub(crate) fn take_retired(&mut self) -> Vec<Retired> {
        std::mem::take(&mut self.retired)
    }

    /// Enters a message under each of `keys`. `now_ms` names a new file, should one be needed.
    pub(crate) fn put(
        &mut self,
        keys: &[i32],
        offset: i64,
        store_time: i64,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        for key in keys {
            self.open_for_writing(now_ms)?.put(*key, offset, store_time)?;
        }
        Ok(())
    }

    /// Log offsets under `hash` in the time range (ms), at most `max` of the newest, ascending, each once.
    pub(crate) fn find(
        &mut self,
        hash: i32,
        max: usize,
        begin: i64,
        end: i64,
    ) -> Result<Vec<i64>, StoreError> {
        let mut found = Vec::new();
        for file in self.files.iter_mut().rev().filter(|f| f.overlaps(begin, end)) {
            if found.len() >= max {
                break;
            }
            found.extend(file.find(hash, max - found.len(), begin, end)?);
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Hands the entries to the kernel: enough for recovery to make the rest of them.
    pub(crate) fn write_entries(&mut self) -> Result<(), StoreError> {
        self.files.last_mut().map_or(Ok(()), IndexFile::checkpoint)
    }

    /// Hands some of the changed slots to the kernel; `false` when none are left.
    pub(crate) fn write_some_slots(&mut self) -> Result<bool, StoreError> {
        self.files.last_mut().map_or(Ok(false), IndexFile::write_some_pages)
    }

    pub(crate) fn sync(&mut self) -> Result<(), StoreError> {
        self.files.last_mut().map_or(Ok(()), IndexFile::sync)
    }

    /// Deletes the files whose messages are all below `log_min`, save the last; how many.
    pub(crate) fn expire_below(&mut self, log_min: i64) -> Result<usize, StoreError> {
        let candidates = self.files.len().saturating_sub(1);
        let expired = self.files[..candidates].iter().take_while(|f| f.header().end_offset < log_min).count();
        for file in self.files.drain(..expired) {
            fs::remove_file(file.path()).map_err(|e| StoreError::io("delete", file.path(), e))?;
        }
        Ok(expired)
    }

    fn open_for_writing(&mut self, now_ms: i64) -> Result<&mut IndexFile, StoreError> {
        if let Some(full) = self.files.last_mut().filter(|f| f.is_full()) {
            full.write_out()?;
            full.drop_cache();
            self.retired.push(full.handle()?);
        }
        if self.files.last().is_none_or(IndexFile::is_full) {
            let path = self.dir.join(self.next_name(now_ms));
            self.files.push(IndexFile::create(path, self.shape, self.disk.clone())?);
        }
        let last = self.files.len() - 1;
        Ok(&mut self.files[last])
    }

    /// Files are used in the order of their names, so a new one sorts behind the others even when another broker named
    /// those in a time zone ahead of ours.
    fn next_name(&self, now_ms: i64) -> String {
        let newest = self.files.last().and_then(|f| f.path().file_name()?.to_str()?.parse::<u64>().ok());
        let name = timestamp_name(now_ms);
        format!("{:017}", newest.map_or(name, |newest| name.max(newest + 1)))
    }
}

fn index_files(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(dir).map_err(|e| StoreError::io("list", dir, e))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| StoreError::io("list", dir, e))?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if name.len() == 17 && name.bytes().all(|b| b.is_ascii_digit()) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The last millisecond of the year 9999: names have four digits for the year, and a damaged record may claim any time.
const LAST_NAME_MS: i64 = 253_402_300_799_999;

/// `yyyyMMddHHmmssSSS` as a number, in UTC.
fn timestamp_name(now_ms: i64) -> u64 {
    let ms = now_ms.clamp(0, LAST_NAME_MS).unsigned_abs();
    let (days, in_day) = (ms / 86_400_000, ms % 86_400_000);
    let (year, month, day) = civil_date(days);
    let (hour, minute) = (in_day / 3_600_000, in_day / 60_000 % 60);
    let fields = [(year, 1), (month, 100), (day, 100), (hour, 100), (minute, 100)];
    let date = fields.iter().fold(0, |name, (value, width)| name * width + value);
    date * 100_000 + in_day % 60_000
}

/// Year, month and day of a day counted from 1970-01-01 (proleptic Gregorian; years counted from March, so that the
/// leap day comes last).
fn civil_date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::disk::RealDisk;

    fn open(dir: &Path) -> Index {
        Index::open(dir.join("index"), Shape { slots: 5, entries: 6 }, Arc::new(RealDisk)).unwrap()
    }

    fn fill(index: &mut Index, messages: i64) {
        (0..messages).for_each(|i| index.put(&[4, i as i32], i * 10, i * 1000, 1_000_000).unwrap());
    }

    #[test]
    fn names_are_times() {
        assert_eq!(timestamp_name(0), 19_700_101_000_000_000);
        assert_eq!(timestamp_name(i64::MAX), 99_991_231_235_959_999);
        assert_eq!(timestamp_name(951_827_696_789), 20_000_229_123_456_789);
        assert_eq!(timestamp_name(1_795_408_545_106), 20_261_123_043_545_106);
    }

    #[test]
    fn a_full_file_is_followed_by_another_and_all_are_searched() {
        let dir = tempfile::tempdir().unwrap();
        let mut index = open(dir.path());
        fill(&mut index, 10);
        assert_eq!(index_files(&dir.path().join("index")).unwrap().len(), 4);
        assert_eq!(index.find(4, 64, 0, i64::MAX).unwrap(), (0..10).map(|i| i * 10).collect::<Vec<_>>());
        assert_eq!(index.find(4, 3, 0, i64::MAX).unwrap(), [70, 80, 90]);
        assert_eq!(index.find(4, 64, 2_000, 3_000).unwrap(), [20, 30]);
        assert_eq!(index.take_retired().last().unwrap().end_time(), 7_000);
        assert_eq!(index.end_offset(), 90);
    }

    #[test]
    fn the_last_file_survives_a_crash() {
        let dir = tempfile::tempdir().unwrap();
        let mut index = open(dir.path());
        fill(&mut index, 10);
        index.write_entries().unwrap();
        drop(index);
        let mut index = open(dir.path());
        index.mend(i64::MAX).unwrap();
        assert_eq!(index.find(4, 64, 0, i64::MAX).unwrap().len(), 10);
        index.mend(85).unwrap();
        assert_eq!(index.end_offset(), 80);
    }

    #[test]
    fn expired_files_go_and_the_last_stays() {
        let dir = tempfile::tempdir().unwrap();
        let mut index = open(dir.path());
        fill(&mut index, 10);
        assert_eq!(index.expire_below(45).unwrap(), 2);
        assert_eq!(index.expire_below(i64::MAX).unwrap(), 1);
        assert_eq!(index.find(4, 64, 0, i64::MAX).unwrap(), [80, 90]);
    }
}
