//! `checkpoint`: up to which store times the log, the queues and the index are known to be on the platter.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::StoreError;

const PAGE: usize = 4096;

/// The times (ms since 1970) in the checkpoint; 0 means "nothing known".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Times {
    /// Store time of the last flushed message of the commit log.
    pub log: i64,
    /// Store time of the last message whose consume queue unit is flushed.
    pub queues: i64,
    /// Store time of the last message in a full, flushed index file.
    pub index: i64,
    /// `masterFlushedOffset`, kept as found.
    pub master_flushed: i64,
    /// `confirmPhyOffset`, kept as found.
    pub confirm: i64,
}

impl Times {
    /// Messages up to this store time need not be looked at again.
    pub(crate) fn safe_until(&self) -> i64 {
        self.log.min(self.queues)
    }
}

/// The checkpoint file.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    path: PathBuf,
    file: File,
    times: Times,
}

impl Checkpoint {
    /// Opens or makes the file. A torn one reads as "nothing known", which only makes recovery longer.
    pub(crate) fn open(root: &Path) -> Result<Self, StoreError> {
        let path = root.join("checkpoint");
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|e| StoreError::io("open", &path, e))?;
        let times = read(&file).map_err(|e| StoreError::io("read", &path, e))?;
        Ok(Self { path, file, times })
    }

    pub(crate) fn times(&self) -> Times {
        self.times
    }

    /// Writes and flushes `times`, if they are news. They must be true already: see [`Times`].
    pub(crate) fn save(&mut self, times: Times) -> Result<(), StoreError> {
        if times == self.times {
            return Ok(());
        }
        let written = self.file.write_all_at(&encode(times), 0).and_then(|()| self.file.sync_data());
        written.map_err(|e| StoreError::io("write", &self.path, e))?;
        self.times = times;
        Ok(())
    }
}

fn encode(times: Times) -> Vec<u8> {
    let fields = [times.log, times.queues, times.index, times.master_flushed, times.confirm];
    let mut page: Vec<u8> = fields.iter().flat_map(|f| f.to_be_bytes()).collect();
    page.resize(PAGE, 0);
    page
}

fn read(file: &File) -> io::Result<Times> {
    let mut bytes = [0; 40];
    match file.read_exact_at(&mut bytes, 0) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(Times::default()),
        Err(e) => return Err(e),
    }
    let mut fields = bytes.as_chunks::<8>().0.iter().map(|b| i64::from_be_bytes(*b).max(0));
    let mut next = || fields.next().unwrap_or_default();
    Ok(Times { log: next(), queues: next(), index: next(), master_flushed: next(), confirm: next() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: Times = Times { log: 0x01a2_06b6_30cd, queues: 5, index: 0, master_flushed: 7, confirm: 8 };

    #[test]
    fn it_is_one_page_of_big_endian_times() {
        let dir = tempfile::tempdir().unwrap();
        Checkpoint::open(dir.path()).unwrap().save(TIMES).unwrap();
        let bytes = std::fs::read(dir.path().join("checkpoint")).unwrap();
        assert_eq!(bytes.len(), 4096);
        assert_eq!(bytes[..16], [0, 0, 1, 0xa2, 6, 0xb6, 0x30, 0xcd, 0, 0, 0, 0, 0, 0, 0, 5]);
        assert_eq!(Checkpoint::open(dir.path()).unwrap().times(), TIMES);
    }

    #[test]
    fn a_torn_file_knows_nothing() {
        for len in [0, 7, 39] {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join("checkpoint"), &encode(TIMES)[..len]).unwrap();
            assert_eq!(Checkpoint::open(dir.path()).unwrap().times(), Times::default());
        }
    }
}
