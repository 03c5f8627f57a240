//! The few calls that can fail for want of space or health of the disk, behind a trait so that tests can make them fail.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The use of a file system, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// The bytes that files take.
    pub used: u64,
    /// The bytes that this process may still use. Room kept for the superuser is in neither figure.
    pub available: u64,
}

impl Space {
    /// The used fraction of what there is for us, 0.0 to 1.0, as `df` shows it.
    pub fn used_ratio(self) -> f64 {
        match self.used.saturating_add(self.available) {
            0 => 0.0,
            all => self.used as f64 / all as f64,
        }
    }
}

/// The disk, as the store uses it.
pub trait Disk: fmt::Debug + Send + Sync + 'static {
    /// Writes some of `bytes` at `position`; how many.
    fn write_at(&self, file: &File, bytes: &[u8], position: u64) -> io::Result<usize> {
        file.write_at(bytes, position)
    }

    /// Returns when the data of `file` would survive a power cut.
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    /// Returns when the names in `dir` would survive a power cut.
    fn sync_dir(&self, dir: &File) -> io::Result<()> {
        dir.sync_all()
    }

    /// Returns when everything in the file system of `dir` would survive a power cut.
    ///
    /// # Errors
    /// A system without such a call, too.
    fn sync_file_system(&self, dir: &File) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        rustix::fs::syncfs(dir)?;
        #[cfg(not(target_os = "linux"))]
        return Err(io::ErrorKind::Unsupported.into());
        #[cfg(target_os = "linux")]
        Ok(())
    }

    /// Returns the use of the file system of `folder`.
    fn space(&self, folder: &Path) -> io::Result<Space> {
        let stats = fs4::statvfs(folder)?;
        let used = stats.total_space().saturating_sub(stats.free_space());
        Ok(Space { used, available: stats.available_space() })
    }
}

/// The machine's disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Disk for RealDisk {}

/// Fills `buf` from what the kernel has in memory; `false` when it would have to wait for the disk, or cannot tell.
#[cfg(target_os = "linux")]
pub(crate) fn read_at_once(file: &File, buf: &mut [u8], position: u64) -> bool {
    let len = buf.len();
    let flags = rustix::io::ReadWriteFlags::NOWAIT;
    rustix::io::preadv2(file, &mut [io::IoSliceMut::new(buf)], position, flags) == Ok(len)
}

/// Fills `buf` from what the kernel has in memory; `false` because this system does not tell.
#[cfg(not(target_os = "linux"))]
pub(crate) fn read_at_once(_: &File, _: &mut [u8], _: u64) -> bool {
    false
}

/// Writes all of `bytes`, or says how many bytes were taken before the failure.
pub(crate) fn write_all_at(
    disk: &dyn Disk,
    file: &File,
    bytes: &[u8],
    position: u64,
) -> Result<(), (usize, io::Error)> {
    let mut done = 0;
    while done < bytes.len() {
        match disk.write_at(file, &bytes[done..], position + done as u64) {
            Ok(0) => return Err((done, io::ErrorKind::WriteZero.into())),
            Ok(n) => done += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err((done, e)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_kept_for_the_superuser_does_not_count_as_used() {
        // A disk of 252 GB of which 32 are used and 60 may be: 35 % full, not 76 %.
        assert_eq!((Space { used: 32, available: 60 }.used_ratio() * 100.0).round(), 35.0);
        assert_eq!(Space { used: 0, available: 0 }.used_ratio(), 0.0);
    }
}
