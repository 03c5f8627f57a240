//! Folders whose names survive a power cut.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::disk::Disk;
use super::error::StoreError;

/// Creates `dir` and the folders above it that are missing, and makes their names survive a power cut.
pub(crate) fn create(dir: &Path, disk: &dyn Disk) -> Result<(), StoreError> {
    if dir.is_dir() {
        return Ok(());
    }
    let above = parent(dir);
    create(above, disk)?;
    match fs::create_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => {}
        made => made.map_err(|e| StoreError::io("create", dir, e))?,
    }
    sync(above, disk)
}

/// Makes the names in `dir` survive a power cut.
pub(crate) fn sync(dir: &Path, disk: &dyn Disk) -> Result<(), StoreError> {
    let synced = File::open(dir).and_then(|opened| disk.sync_dir(&opened));
    synced.map_err(|e| StoreError::io("flush the folder", dir, e))
}

/// The folder that holds the name of `path`.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(above) if !above.as_os_str().is_empty() => above,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Debug, Default)]
    struct Watched(Mutex<u32>);

    impl Disk for Watched {
        fn sync_dir(&self, dir: &File) -> io::Result<()> {
            *self.0.lock().unwrap() += 1;
            dir.sync_all()
        }
    }

    #[test]
    fn each_folder_that_gets_a_new_name_is_flushed() {
        let (home, disk) = (tempfile::tempdir().unwrap(), Watched::default());
        create(&home.path().join("a/b/c"), &disk).unwrap();
        assert_eq!(*disk.0.lock().unwrap(), 3, "the temporary folder, a, b");
        create(&home.path().join("a/b/c"), &disk).unwrap();
        assert_eq!(*disk.0.lock().unwrap(), 3, "nothing new");
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("a"), "x").unwrap();
        let error = create(&home.path().join("a/b"), &Watched::default()).unwrap_err().to_string();
        assert!(error.contains("/a"), "{error}");
    }
}
