//! The progress of the timers: in a file of this broker's own, and in Apache's `timercheck`, so that a store can
//! move either way.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

use crate::broker::persist::table_file::TableFile;
use crate::store::StoreError;

/// Apache's file is one page.
const PAGE: usize = 4096;

/// The state that a restart needs; everything else is in the timer topic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Progress {
    /// The oldest queue offset that may not have been delivered.
    pub replay_from: i64,
    /// Everything below was in the wheel.
    pub read_to: i64,
    /// Of what was in the wheel, everything due until here was delivered. Milliseconds since 1970.
    pub delivered_until: i64,
}

impl Progress {
    /// Returns true if a message that is read again after a restart was delivered before it.
    pub(crate) fn was_delivered(&self, queue_offset: i64, due: i64) -> bool {
        queue_offset < self.read_to && due <= self.delivered_until
    }

    /// Reads Apache's checkpoint: the time that it delivers next, and the offset that it puts into its wheel next. Apache may have
    /// lagged behind its own time. Its pending messages are in wheel files, which this broker does not read; so it reads the whole
    /// topic.
    fn from_apache(page: &[u8]) -> Option<Self> {
        let (fields, _) = page.as_chunks::<8>();
        let [next, _, read_to] = fields.first_chunk()?.map(i64::from_be_bytes);
        (next > 0).then_some(Self { replay_from: 0, read_to, delivered_until: next - 1 })
    }

    /// The time to be delivered next, log position, queue offset, the master's queue offset, then the data version.
    fn to_apache(self) -> Vec<u8> {
        let mut page = Vec::with_capacity(PAGE);
        for field in [self.delivered_until + 1, 0, self.replay_from, self.replay_from] {
            page.extend_from_slice(&field.to_be_bytes());
        }
        page.resize(PAGE, 0);
        page
    }
}

/// Both files.
#[derive(Debug)]
pub(crate) struct CheckpointFiles {
    own: TableFile,
    apache: PathBuf,
    /// Apache's files of pending messages, their times and places. Apache trusts them more than `timercheck`.
    wheel: PathBuf,
    log: PathBuf,
}

impl CheckpointFiles {
    pub(crate) fn new(store_root: &Path) -> Self {
        let own = TableFile::new(store_root, "timerProgress.json");
        Self {
            own,
            apache: store_root.join("config").join("timercheck"),
            wheel: store_root.join("timerwheel"),
            log: store_root.join("timerlog"),
        }
    }

    /// The newer of the two: Apache's counts when Apache's broker ran last, which left it with a later time.
    ///
    /// # Errors
    /// A file is there and cannot be read.
    pub(crate) fn load(&self) -> Result<Progress, StoreError> {
        let own: Progress = self.own.load()?;
        let page = match fs::read(&self.apache) {
            Ok(page) => page,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(own),
            Err(error) => return Err(StoreError::io("read", &self.apache, error)),
        };
        if self.is_damaged(&page, own) {
            return Ok(own);
        }
        let apache = Progress::from_apache(&page);
        Ok(apache.filter(|apache| apache.delivered_until > own.delivered_until).unwrap_or(own))
    }

    /// Returns true if the page differs by a single bit from the one that this broker wrote. Apache's broker changes more than that,
    /// and its page says that everything due before its time is delivered.
    fn is_damaged(&self, page: &[u8], own: Progress) -> bool {
        let written = own.to_apache();
        let bits: u32 = written.iter().zip(page).map(|(own, found)| (own ^ found).count_ones()).sum();
        let damaged = bits == 1 && page.len() == written.len();
        if damaged {
            tracing::warn!(file = %self.apache.display(), "a bit of the timers' checkpoint was damaged: it is not used");
        }
        damaged
    }

    /// Writes both files, our own first. If a crash in between left Apache's as the newer one, the next start would take it for
    /// one that Apache's broker wrote, read the topic from the beginning, and deliver everything once more.
    ///
    /// # Errors
    /// The disk refuses.
    pub(crate) fn save(&self, progress: Progress) -> Result<(), StoreError> {
        self.own.save(|| progress)?;
        fs::write(&self.apache, progress.to_apache())
            .map_err(|error| StoreError::io("write", &self.apache, error))?;
        // A log without a wheel is a wheel to Apache, a wheel without a log is damage.
        removed(&self.wheel, fs::remove_file(&self.wheel))?;
        removed(&self.log, fs::remove_dir_all(&self.log))
    }
}

fn removed(path: &Path, outcome: io::Result<()>) -> Result<(), StoreError> {
    match outcome {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io("remove", path, error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_in_the_wheel_and_due_was_delivered_and_nothing_else() {
        let progress = Progress { replay_from: 1, read_to: 5, delivered_until: 100 };
        assert!(progress.was_delivered(4, 100));
        assert!(!progress.was_delivered(4, 101));
        assert!(!progress.was_delivered(5, 100));
    }

    #[test]
    fn a_store_that_apaches_broker_used_last_goes_on_from_its_time() {
        let dir = tempfile::tempdir().unwrap();
        let files = CheckpointFiles::new(dir.path());
        assert_eq!(files.load().unwrap(), Progress::default());
        let own = Progress { replay_from: 3, read_to: 5, delivered_until: 100 };
        fs::create_dir(dir.path().join("config")).unwrap();
        files.save(own).unwrap();
        assert_eq!(files.load().unwrap(), own);

        let later = Progress { delivered_until: 200, ..own };
        fs::write(&files.apache, later.to_apache()).unwrap();
        assert_eq!(files.load().unwrap(), Progress { replay_from: 0, read_to: 3, delivered_until: 200 });
    }

    #[test]
    fn our_own_file_is_there_before_apaches_is_newer() {
        let dir = tempfile::tempdir().unwrap();
        let files = CheckpointFiles::new(dir.path());
        // A folder in its place: it cannot be written.
        fs::create_dir_all(&files.apache).unwrap();
        let progress = Progress { replay_from: 3, read_to: 5, delivered_until: 100 };
        files.save(progress).unwrap_err();
        assert_eq!(files.own.load::<Progress>().unwrap(), progress);
    }

    #[test]
    fn no_flipped_bit_of_the_page_passes_for_apaches_word() {
        let dir = tempfile::tempdir().unwrap();
        let files = CheckpointFiles::new(dir.path());
        let own = Progress { replay_from: 3, read_to: 5, delivered_until: 100 };
        fs::create_dir(dir.path().join("config")).unwrap();
        files.save(own).unwrap();
        let page = fs::read(&files.apache).unwrap();
        for bit in 0..PAGE * 8 {
            let mut damaged = page.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(files.is_damaged(&damaged, own), "bit {bit}");
        }
        fs::write(&files.apache, {
            let mut page = page;
            page[2] ^= 1;
            page
        })
        .unwrap();
        assert_eq!(files.load().unwrap(), own);
    }

    /// Apache names the time it has not delivered yet.
    #[test]
    fn what_is_due_at_apaches_time_is_still_to_be_delivered() {
        let progress = Progress::from_apache(&page(200, 1)).unwrap();
        assert!(progress.was_delivered(0, 199));
        assert!(!progress.was_delivered(0, 200));
    }

    /// It delivers by time from its wheel; what had not come there yet is late, not delivered.
    #[test]
    fn what_apache_had_not_put_into_its_wheel_is_still_to_be_delivered() {
        let progress = Progress::from_apache(&page(200, 7)).unwrap();
        assert!(progress.was_delivered(6, 100));
        assert!(!progress.was_delivered(7, 100));
    }

    /// As Apache's broker writes it.
    fn page(next_time: i64, next_offset: i64) -> Vec<u8> {
        let mut page = [next_time, 0, next_offset, next_offset].map(i64::to_be_bytes).concat();
        page.resize(PAGE, 0);
        page
    }

    #[test]
    fn what_apache_had_pending_is_forgotten_once_this_broker_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let files = CheckpointFiles::new(dir.path());
        for folder in ["config", "timerlog"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
        }
        for file in ["timerwheel", "timerlog/00000000000000000000"] {
            fs::write(dir.path().join(file), "pending").unwrap();
        }
        files.load().unwrap();
        assert!(files.wheel.exists() && files.log.exists());
        for _ in 0..2 {
            files.save(Progress::default()).unwrap();
            assert!(!files.wheel.exists() && !files.log.exists());
        }
    }
}
