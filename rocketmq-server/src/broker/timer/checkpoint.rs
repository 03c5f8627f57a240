//! How far the timers have come: in a file of this broker's own, and in Apache's `timercheck` so that a store can
//! move either way.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::super::persist::TableFile;
use crate::store::StoreError;

/// Apache's file is one page.
const PAGE: usize = 4096;

/// What a restart needs to know; everything else is in the timer topic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Progress {
    /// The oldest queue offset that may not have been delivered.
    pub replay_from: i64,
    /// Everything below was in the wheel.
    pub read_to: i64,
    /// Of what was in the wheel, everything due until here was delivered. Milliseconds since 1970.
    pub delivered_until: i64,
}

impl Progress {
    /// Whether a message read again after a restart had been delivered before it.
    pub fn was_delivered(&self, queue_offset: i64, due: i64) -> bool {
        queue_offset < self.read_to && due <= self.delivered_until
    }

    /// Apache says until when everything was delivered; what was pending is in wheel files that are not read here, so
    /// the whole topic is.
    fn from_apache(page: &[u8]) -> Option<Self> {
        let last_read = i64::from_be_bytes(*page.first_chunk()?);
        (last_read > 0).then_some(Self { replay_from: 0, read_to: i64::MAX, delivered_until: last_read })
    }

    /// last read time, log position, queue offset, the master's queue offset, then the data version.
    fn to_apache(self) -> Vec<u8> {
        let mut page = Vec::with_capacity(PAGE);
        for field in [self.delivered_until, 0, self.replay_from, self.replay_from] {
            page.extend_from_slice(&field.to_be_bytes());
        }
        page.resize(PAGE, 0);
        page
    }
}

/// Both files.
#[derive(Debug)]
pub struct CheckpointFiles {
    own: TableFile,
    apache: PathBuf,
}

impl CheckpointFiles {
    pub fn new(store_root: &Path) -> Self {
        let own = TableFile::new(store_root, "timerProgress.json");
        Self { own, apache: store_root.join("config").join("timercheck") }
    }

    /// The newer of the two: Apache's counts when Apache's broker ran last, which left it with a later time.
    ///
    /// # Errors
    /// A file is there and cannot be read.
    pub fn load(&self) -> Result<Progress, StoreError> {
        let own: Progress = self.own.load()?;
        let apache = match fs::read(&self.apache) {
            Ok(page) => Progress::from_apache(&page),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(StoreError::io("read", &self.apache, error)),
        };
        Ok(apache.filter(|apache| apache.delivered_until > own.delivered_until).unwrap_or(own))
    }

    /// Writes both.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn save(&self, progress: Progress) -> Result<(), StoreError> {
        fs::write(&self.apache, progress.to_apache())
            .map_err(|error| StoreError::io("write", &self.apache, error))?;
        self.own.save(|| progress)
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
        assert_eq!(
            files.load().unwrap(),
            Progress { replay_from: 0, read_to: i64::MAX, delivered_until: 200 }
        );
    }
}
