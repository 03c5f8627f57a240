//! The root folder: the lock that keeps a second broker out, and the `abort` mark of a store that is running.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rustix::fs::{FlockOperation, fcntl_lock};

use super::dirs;
use super::disk::Disk;
use super::error::StoreError;

/// Folders this process works in. A record lock belongs to the process and is lost when *any* descriptor of its file
/// is closed, so a second store of one process must be refused before it opens the file.
static HELD: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Holds the root folder for one store until it is dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    claim: Claim,
    disk: Arc<dyn Disk>,
    _lock: File,
}

/// A name in [`HELD`].
#[derive(Debug)]
struct Claim(PathBuf);

impl Claim {
    fn take(root: &Path) -> Result<Self, StoreError> {
        let canonical = fs::canonicalize(root).map_err(|e| StoreError::io("resolve", root, e))?;
        if !HELD.lock().insert(canonical.clone()) {
            return Err(StoreError::InUse { folder: root.into() });
        }
        Ok(Self(canonical))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        HELD.lock().remove(&self.0);
    }
}

impl Folder {
    /// Makes the folder if needed and locks it.
    ///
    /// A record lock (`fcntl`) is what a Java broker takes; it keeps ours and theirs apart as well.
    pub(crate) fn lock(root: &Path, disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        dirs::create(root, &*disk)?;
        let claim = Claim::take(root)?;
        let path = root.join("lock");
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = file.map_err(|e| StoreError::io("open", &path, e))?;
        fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|e| match e {
            rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS => StoreError::InUse { folder: root.into() },
            other => StoreError::io("lock", &path, other.into()),
        })?;
        file.write_all(b"lock").map_err(|e| StoreError::io("write", &path, e))?;
        Ok(Self { root: root.into(), claim, disk, _lock: file })
    }

    /// Returns true if the last run ended without [`mark_clean`](Self::mark_clean).
    pub(crate) fn was_aborted(&self) -> bool {
        self.abort_file().exists()
    }

    /// Says that a store is running here.
    pub(crate) fn mark_running(&self) -> Result<(), StoreError> {
        let path = self.abort_file();
        let written = File::create(&path).and_then(|mut file| {
            match file.write_all(std::process::id().to_string().as_bytes()) {
                // The name is what counts: a store on a full disk can still be read.
                Err(e) if e.kind() == std::io::ErrorKind::StorageFull => Ok(()),
                written => written,
            }
        });
        written.map_err(|e| StoreError::io("write", &path, e))?;
        dirs::sync(&self.root, &*self.disk)
    }

    /// Says that everything is on the platter and nothing is left to recover.
    pub(crate) fn mark_clean(&self) -> Result<(), StoreError> {
        let path = self.abort_file();
        fs::remove_file(&path).map_err(|e| StoreError::io("delete", &path, e))?;
        dirs::sync(&self.root, &*self.disk)
    }

    fn abort_file(&self) -> PathBuf {
        self.claim.0.join("abort")
    }
}

#[cfg(test)]
mod tests {
    use super::super::disk::RealDisk;
    use super::*;

    fn lock(root: &Path) -> Result<Folder, StoreError> {
        Folder::lock(root, Arc::new(RealDisk))
    }

    #[test]
    fn a_second_store_is_refused_until_the_first_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let first = lock(dir.path()).unwrap();
        let refused = lock(dir.path()).unwrap_err().to_string();
        assert!(refused.contains(dir.path().to_str().unwrap()), "{refused}");
        assert!(refused.contains("storePathRootDir"), "{refused}");
        drop(first);
        lock(dir.path()).unwrap();
        assert_eq!(fs::read(dir.path().join("lock")).unwrap(), b"lock");
    }

    #[test]
    fn the_abort_mark_lasts_until_a_clean_end() {
        let dir = tempfile::tempdir().unwrap();
        let folder = lock(dir.path()).unwrap();
        assert!(!folder.was_aborted());
        folder.mark_running().unwrap();
        assert!(folder.was_aborted());
        folder.mark_clean().unwrap();
        assert!(!folder.was_aborted());
    }
}
