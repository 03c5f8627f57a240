//! The files of one queue. They are opened for each use: there may be far more queues than descriptors.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::unit::{UNIT_LEN, Unit};
use crate::store::disk::Disk;
use crate::store::error::StoreError;
use crate::store::log::segment::{self, Segment};

/// The folder of a queue and the size of its files.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub dir: PathBuf,
    /// Units of one file.
    pub units: i64,
    pub disk: Arc<dyn Disk>,
}

impl Files {
    pub(crate) fn list(&self) -> Result<Vec<segment::Found>, StoreError> {
        segment::list(&self.dir)
    }

    pub(crate) fn len_of_file(&self) -> u64 {
        self.units.unsigned_abs() * UNIT_LEN as u64
    }

    pub(crate) fn first_index(&self, file: &segment::Found) -> i64 {
        file.start / UNIT_LEN as i64
    }

    /// The index after the units of the file that holds `index`.
    pub(crate) fn end_of(&self, index: i64) -> i64 {
        (index.div_euclid(self.units) + 1) * self.units
    }

    /// The file that holds `index`, made if it is not there.
    pub(crate) fn open(&self, index: i64) -> Result<Segment, StoreError> {
        Segment::open_or_create(&self.dir, self.start_of(index), self.len_of_file(), self.disk.clone())
    }

    /// The bytes of the units in `range`, which lies in one file; zeros where the file, or a part of it, is missing.
    pub(crate) fn read(&self, range: Range<i64>) -> Result<Vec<u8>, StoreError> {
        let mut bytes = vec![0; (range.end - range.start).max(0) as usize * UNIT_LEN];
        if self.path_of(range.start).exists() {
            self.open(range.start)?.read(byte_offset(range.start), &mut bytes)?;
        }
        Ok(bytes)
    }

    /// [`read`](Self::read)s without waiting for the disk; `None` when that cannot be.
    pub(crate) fn read_at_once(&self, range: Range<i64>) -> Option<Vec<u8>> {
        let mut bytes = vec![0; (range.end - range.start).max(0) as usize * UNIT_LEN];
        let file = self.path_of(range.start).exists().then(|| self.open(range.start))?.ok()?;
        file.read_at_once(byte_offset(range.start), &mut bytes).then_some(bytes)
    }

    /// Writes `units` from `index` on; they have room in one file.
    pub(crate) fn write(&self, index: i64, units: &[u8]) -> Result<(), StoreError> {
        self.open(index)?.write(byte_offset(index), units)
    }

    /// Makes the units from `index` to the end of its file zero, and deletes the files behind it.
    pub(crate) fn cut(&self, index: i64) -> Result<(), StoreError> {
        // The first file stays, so that offsets never start again at 0.
        for file in self.list()?.iter().skip(1).filter(|file| self.first_index(file) >= index) {
            remove(&file.path)?;
        }
        if self.path_of(index).exists() {
            self.open(index)?.cut(byte_offset(index))?;
        }
        Ok(())
    }

    /// Deletes the files whose units are all below `index`, save the last; how many.
    pub(crate) fn delete_below(&self, index: i64) -> Result<usize, StoreError> {
        let found = self.list()?;
        let old = found.iter().take(found.len().saturating_sub(1));
        let old: Vec<_> = old.take_while(|file| self.first_index(file) + self.units <= index).collect();
        old.iter().try_for_each(|file| remove(&file.path))?;
        Ok(old.len())
    }

    pub(crate) fn delete_all(&self) -> Result<(), StoreError> {
        match fs::remove_dir_all(&self.dir) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(StoreError::io("delete", &self.dir, e)),
            _ => Ok(()),
        }
    }

    /// The index after the units of the newest file that has any. Zeros are units that were not written, unless `is_unit`
    /// knows a unit behind them.
    pub(crate) fn find_end(&self, is_unit: impl Fn(i64, Unit) -> bool) -> Result<i64, StoreError> {
        let found = self.list()?;
        for file in found.iter().rev() {
            let first = self.first_index(file);
            let end = self.end_in(first, &is_unit)?;
            if end > first {
                return Ok(end);
            }
        }
        Ok(found.first().map_or(0, |file| self.first_index(file)))
    }

    fn end_in(&self, first: i64, is_unit: &impl Fn(i64, Unit) -> bool) -> Result<i64, StoreError> {
        let segment = self.open(first)?;
        let (mut end, mut gap) = (first, false);
        let mut at = byte_offset(first);
        while let Some(data) = segment.next_data(at) {
            let start = data.start / UNIT_LEN as i64;
            let units = self.read(start..(data.end / UNIT_LEN as i64 + 1).min(first + self.units))?;
            for (index, unit) in (start..).zip(super::unit::decode_all(&units)) {
                gap |= index > end;
                let doubtful = gap || unit.has_one_bit();
                if !unit.is_blank() && (!doubtful || is_unit(index, unit)) {
                    end = index + 1;
                }
            }
            at = data.end;
        }
        Ok(end)
    }

    fn start_of(&self, index: i64) -> i64 {
        byte_offset(self.end_of(index) - self.units)
    }

    fn path_of(&self, index: i64) -> PathBuf {
        self.dir.join(segment::file_name(self.start_of(index)))
    }
}

pub(crate) fn byte_offset(index: i64) -> i64 {
    index * UNIT_LEN as i64
}

fn remove(path: &Path) -> Result<(), StoreError> {
    fs::remove_file(path).map_err(|e| StoreError::io("delete", path, e))
}
