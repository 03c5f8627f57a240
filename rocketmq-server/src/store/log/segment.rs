//! One file of a log: a fixed size, a name that is its start offset, positional reads and writes.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustix::fs::SeekFrom;

use crate::store::dirs;
use crate::store::disk::{self, Disk};
use crate::store::error::StoreError;

/// A file of a log. Files are made sparse at their full size, as Apache's mapped files are.
#[derive(Debug)]
pub(crate) struct Segment {
    path: PathBuf,
    start: i64,
    size: u64,
    file: File,
    disk: Arc<dyn Disk>,
}

/// A log file as found in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub start: i64,
    pub path: PathBuf,
    pub len: u64,
}

/// The 20-digit name of the file that begins at `start`.
pub(crate) fn file_name(start: i64) -> String {
    format!("{start:020}")
}

/// The log files in `dir`, by start offset. A missing folder has none; files with other names are not ours.
pub(crate) fn list(dir: &Path) -> Result<Vec<Found>, StoreError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(StoreError::io("list", dir, e)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| StoreError::io("list", dir, e))?;
        if let Some(start) = entry.file_name().to_str().and_then(parse_name) {
            let len = entry.metadata().map_err(|e| StoreError::io("examine", &entry.path(), e))?.len();
            found.push(Found { start, path: entry.path(), len });
        }
    }
    found.sort_by_key(|f| f.start);
    Ok(found)
}

fn parse_name(name: &str) -> Option<i64> {
    let digits = name.len() == 20 && name.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| name.parse().ok()).flatten()
}

impl Segment {
    /// Opens the file that begins at `start` in `dir`, making it (and the folder) when it is not there.
    pub(crate) fn open_or_create(
        dir: &Path,
        start: i64,
        size: u64,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, StoreError> {
        let path = dir.join(file_name(start));
        if !path.exists() {
            fs::create_dir_all(dir).map_err(|e| StoreError::io("create", dir, e))?;
        }
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|e| StoreError::io("open", &path, e))?;
        let len = file.metadata().map_err(|e| StoreError::io("examine", &path, e))?.len();
        let segment = Self { path, start, size, file, disk };
        if len < size {
            segment.resize(size)?;
        }
        Ok(segment)
    }

    /// [`open_or_create`](Self::open_or_create) for a file whose name and length must survive a power cut from the start.
    pub(crate) fn open_or_create_durably(
        dir: &Path,
        start: i64,
        size: u64,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, StoreError> {
        let whole = fs::metadata(dir.join(file_name(start))).is_ok_and(|found| found.len() >= size);
        dirs::create(dir, &*disk)?;
        let segment = Self::open_or_create(dir, start, size, disk)?;
        if !whole {
            segment.sync()?;
            dirs::sync(dir, &*segment.disk)?;
        }
        Ok(segment)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn start(&self) -> i64 {
        self.start
    }

    /// The offset after the last byte this file can hold.
    pub(crate) fn end(&self) -> i64 {
        self.start + self.size as i64
    }

    /// Writes `bytes` at the log offset `offset`; on failure the part that was written is made zero again, so that
    /// recovery can never take a piece of it for a message.
    pub(crate) fn write(&self, offset: i64, bytes: &[u8]) -> Result<(), StoreError> {
        let position = self.position(offset);
        disk::write_all_at(&*self.disk, &self.file, bytes, position).map_err(|(done, e)| {
            self.blank_out(position, done);
            StoreError::io("write", &self.path, e)
        })
    }

    fn blank_out(&self, position: u64, len: usize) {
        // The blocks are allocated already, so this needs no room. If it fails too, the record stays torn
        // and the length and checksum checks of recovery cut it.
        if let Err(e) = self.file.write_all_at(&vec![0; len], position) {
            tracing::warn!(file = %self.path.display(), error = %e, "cannot blank out a failed write");
        }
    }

    /// Fills `buf` from the log offset `offset`; fewer bytes only at the end of the file.
    pub(crate) fn read(&self, offset: i64, buf: &mut [u8]) -> Result<usize, StoreError> {
        let mut done = 0;
        while done < buf.len() {
            match self.file.read_at(&mut buf[done..], self.position(offset) + done as u64) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(StoreError::io("read", &self.path, e)),
            }
        }
        Ok(done)
    }

    /// Fills `buf` from the log offset `offset` if the kernel has all of that in memory.
    pub(crate) fn read_at_once(&self, offset: i64, buf: &mut [u8]) -> bool {
        disk::read_at_once(&self.file, buf, self.position(offset))
    }

    /// The next part of the file at or behind `offset` that takes space on the disk: outside such parts all bytes are zero.
    /// `None` when there is none. A system that does not tell is taken to use all of the file.
    pub(crate) fn next_data(&self, offset: i64) -> Option<Range<i64>> {
        let from = self.position(offset);
        if from >= self.size {
            return None;
        }
        let start = match rustix::fs::seek(&self.file, SeekFrom::Data(from)) {
            Ok(start) => start,
            Err(rustix::io::Errno::NXIO) => return None,
            Err(_) => from,
        };
        let end = rustix::fs::seek(&self.file, SeekFrom::Hole(start)).unwrap_or(self.size).min(self.size);
        (start < end).then(|| self.start + start as i64..self.start + end as i64)
    }

    /// Makes everything from `offset` on zero, without using disk space.
    pub(crate) fn cut(&self, offset: i64) -> Result<(), StoreError> {
        self.resize(self.position(offset))?;
        self.resize(self.size)
    }

    fn resize(&self, len: u64) -> Result<(), StoreError> {
        self.file.set_len(len).map_err(|e| StoreError::io("resize", &self.path, e))
    }

    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        self.disk.sync(&self.file).map_err(|e| StoreError::io("flush", &self.path, e))
    }

    /// When the file was last written.
    pub(crate) fn modified(&self) -> Result<SystemTime, StoreError> {
        let modified = self.file.metadata().and_then(|m| m.modified());
        modified.map_err(|e| StoreError::io("examine", &self.path, e))
    }

    /// Removes the name; readers that hold the file finish undisturbed.
    pub(crate) fn delete(&self) -> Result<(), StoreError> {
        fs::remove_file(&self.path).map_err(|e| StoreError::io("delete", &self.path, e))
    }

    fn position(&self, offset: i64) -> u64 {
        (offset - self.start).unsigned_abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::disk::RealDisk;

    fn segment(dir: &Path) -> Segment {
        Segment::open_or_create(dir, 4096, 4096, Arc::new(RealDisk)).unwrap()
    }

    #[test]
    fn a_file_has_its_full_size_from_the_start() {
        let dir = tempfile::tempdir().unwrap();
        let made = segment(dir.path());
        assert_eq!(made.end(), 8192);
        let found = list(dir.path()).unwrap();
        assert_eq!(found, [Found { start: 4096, path: made.path().into(), len: 4096 }]);
        assert!(made.path().ends_with("00000000000000004096"));
    }

    #[test]
    fn what_is_written_is_read_back_and_what_is_cut_is_zero() {
        let dir = tempfile::tempdir().unwrap();
        let segment = segment(dir.path());
        segment.write(5000, b"abcdef").unwrap();
        segment.cut(5003).unwrap();
        let mut buf = [1; 6];
        assert_eq!(segment.read(5000, &mut buf).unwrap(), 6);
        assert_eq!(&buf, b"abc\0\0\0");
        assert_eq!(segment.read(8190, &mut buf).unwrap(), 2);
    }

    #[test]
    fn only_parts_that_were_written_may_hold_data() {
        let dir = tempfile::tempdir().unwrap();
        let segment = Segment::open_or_create(dir.path(), 0, 1 << 20, Arc::new(RealDisk)).unwrap();
        assert_eq!(segment.next_data(0), None);
        segment.write(500_000, b"x").unwrap();
        let data = segment.next_data(0).unwrap();
        assert!(data.contains(&500_000) && data.end < 1 << 20, "{data:?}");
        assert_eq!(segment.next_data(500_000).unwrap().start, 500_000);
        assert_eq!(segment.next_data(data.end), None);
        assert_eq!(segment.next_data(1 << 20), None);
    }

    #[test]
    fn other_files_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("notes.txt"), "x").unwrap();
        fs::write(dir.path().join("0000000000000000000x"), "x").unwrap();
        assert!(list(dir.path()).unwrap().is_empty());
        assert!(list(&dir.path().join("absent")).unwrap().is_empty());
    }
}
