//! The store's settings, with Apache's keys and defaults: those that are fixed while it is open, and those that are not.

use std::path::PathBuf;
use std::time::Duration;

use super::disk::Space;
use super::error::StoreError;
use super::log::{self, segment};

/// When an acknowledged message is on the platter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FlushMode {
    /// `ASYNC_FLUSH`: acknowledged once the kernel has it; survives a crash of the process, flushed in the background.
    #[default]
    Async,
    /// `SYNC_FLUSH`: consumers see a message, and its producer hears of it, after the flush that made it safe.
    Sync,
}

/// Settings of a [`Store`](super::Store) that are fixed while it is open. Sizes are bytes unless a field says otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct StoreConfig {
    /// `storePathRootDir`: everything but the commit log lives below it.
    pub root: PathBuf,
    /// `storePathCommitLog`; `<root>/commitlog` when `None`.
    pub commit_log_dir: Option<PathBuf>,
    /// `mappedFileSizeCommitLog`, 1 GiB. Must be what existing files have.
    pub commit_log_file_size: u64,
    /// Units of 20 bytes in one consume-queue file, 300,000 (`mappedFileSizeConsumeQueue` / 20).
    pub queue_file_units: u32,
    /// `flushIntervalCommitLog`, 500 ms.
    pub flush_interval: Duration,
    /// `flushIntervalConsumeQueue`, 1 s: buffered consume-queue units and index entries reach the kernel.
    pub queue_write_interval: Duration,
    /// `flushConsumeQueueThoroughInterval`, 60 s: consume queues reach the disk, and the checkpoint says so.
    pub queue_flush_interval: Duration,
    /// `messageIndexEnable`, true: messages can be found by key.
    pub index_enabled: bool,
    /// `maxHashSlotNum`, 5,000,000.
    pub index_slots: u32,
    /// `maxIndexNum`, 20,000,000 entries in one index file.
    pub index_entries: u32,
    /// `checkCRCOnRecover`, true.
    pub check_crc_on_recover: bool,
    /// `messageDelayLevel` in milliseconds, level 1 first: the due time kept in the queue of a delayed message.
    pub delay_levels_ms: Vec<i64>,
    /// The bytes of the newest log that stay in memory for readers that are up to date, 8 MiB.
    pub hot_tail: usize,
    /// `cleanResourceInterval`, 10 s.
    pub clean_interval: Duration,
}

impl StoreConfig {
    /// Apache's defaults below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            commit_log_dir: None,
            commit_log_file_size: 1 << 30,
            queue_file_units: 300_000,
            flush_interval: Duration::from_millis(500),
            queue_write_interval: Duration::from_secs(1),
            queue_flush_interval: Duration::from_secs(60),
            index_enabled: true,
            index_slots: 5_000_000,
            index_entries: 20_000_000,
            check_crc_on_recover: true,
            delay_levels_ms: default_delay_levels(),
            hot_tail: 8 << 20,
            clean_interval: Duration::from_secs(10),
        }
    }

    /// Refuses sizes that no file can have.
    ///
    /// # Errors
    /// The setting, its value and the rule.
    pub fn check(&self) -> Result<(), StoreError> {
        let refuse = |key: &str, value: u64, rule: &str| {
            Err(StoreError::Unusable {
                path: self.root.clone(),
                problem: format!("{key} is {value}: {rule}"),
            })
        };
        if !(256..=1 << 40).contains(&self.commit_log_file_size) {
            return refuse("mappedFileSizeCommitLog", self.commit_log_file_size, "use 256 bytes to 1 TiB");
        }
        if self.queue_file_units == 0 {
            return refuse("mappedFileSizeConsumeQueue", 0, "use a multiple of 20");
        }
        if self.index_slots == 0 || !(2..=i32::MAX as u32).contains(&self.index_entries) {
            let rule = "use at least 1 slot and 2 entries";
            return refuse("maxHashSlotNum/maxIndexNum", self.index_slots.into(), rule);
        }
        Ok(())
    }

    /// Refuses what the files of a store that is in use do not allow. Changes nothing.
    ///
    /// # Errors
    /// The first file that would keep the store from being opened.
    pub fn check_files(&self) -> Result<(), StoreError> {
        log::check_sizes(&segment::list(&self.commit_log_dir())?, self.commit_log_file_size)
    }

    /// Returns the folder of the commit log's files.
    pub fn commit_log_dir(&self) -> PathBuf {
        self.commit_log_dir.clone().unwrap_or_else(|| self.root.join("commitlog"))
    }
}

/// Settings of a [`Store`](super::Store) that can change while it is open. Sizes are bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct StoreLive {
    /// `flushDiskType`.
    pub flush_mode: FlushMode,
    /// `fileReservedTime`, 72 h since a file was last written.
    pub file_reserved: Duration,
    /// `deleteWhen`: hours of the day (UTC) in which expired files go, 4.
    pub delete_hours: Vec<u8>,
    /// `deleteFileBatchMax`: files per round, 10.
    pub delete_batch: usize,
    /// `diskMaxUsedSpaceRatio` / 100: above it expired files go at any hour.
    pub disk_max_used: f64,
    /// `cleanFileForciblyEnable`: files may go before they expire.
    pub clean_forcibly: bool,
    /// `diskSpaceCleanForciblyRatio`: above it the oldest files go, expired or not.
    pub disk_clean_forcibly: f64,
    /// `diskSpaceWarningLevelRatio`: above it messages are refused.
    pub disk_warning: f64,
    /// Free bytes with which a disk is not too full, whatever the default of a ratio says; a ratio that was set holds.
    /// `None`: the ratios alone decide, as in Apache's broker.
    pub disk_enough_free: Option<u64>,
}

/// The measures against a disk that is too full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FullDisk {
    /// Expired files go at any hour.
    DeleteExpired,
    /// The oldest files go.
    DeleteOldest,
    /// Messages are refused.
    Refuse,
}

impl StoreLive {
    /// Returns true if a disk is so full that `measure` is due.
    pub(crate) fn is_too_full(&self, space: Space, measure: FullDisk) -> bool {
        let ratio = |live: &Self| match measure {
            FullDisk::DeleteExpired => live.disk_max_used,
            FullDisk::DeleteOldest => live.disk_clean_forcibly,
            FullDisk::Refuse => live.disk_warning,
        };
        let limit = ratio(self);
        let was_set = limit.to_bits() != ratio(&Self::default()).to_bits();
        let spared = !was_set && self.disk_enough_free.is_some_and(|enough| space.available >= enough);
        space.used_ratio() > limit && !spared
    }
}

impl Default for StoreLive {
    /// Apache's defaults.
    fn default() -> Self {
        Self {
            flush_mode: FlushMode::Async,
            file_reserved: Duration::from_secs(72 * 3600),
            delete_hours: vec![4],
            delete_batch: 10,
            disk_max_used: 0.75,
            clean_forcibly: true,
            disk_clean_forcibly: 0.85,
            disk_warning: 0.90,
            disk_enough_free: None,
        }
    }
}

fn default_delay_levels() -> Vec<i64> {
    const SECONDS: [i64; 18] =
        [1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200];
    SECONDS.iter().map(|s| s * 1000).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_free_bytes_outweigh_default_ratios_and_not_those_that_were_set() {
        const GIB: u64 = 1 << 30;
        let nearly_full = Space { used: 1150 * GIB, available: 100 * GIB };
        let mut live = StoreLive::default();
        assert!(live.is_too_full(nearly_full, FullDisk::Refuse), "92 %");
        live.disk_enough_free = Some(GIB);
        assert!(!live.is_too_full(nearly_full, FullDisk::Refuse));
        assert!(!live.is_too_full(nearly_full, FullDisk::DeleteOldest));
        assert!(live.is_too_full(Space { used: 1150 * GIB, available: GIB - 1 }, FullDisk::Refuse));
        live.disk_warning = 0.5;
        assert!(live.is_too_full(nearly_full, FullDisk::Refuse));
        assert!(!live.is_too_full(nearly_full, FullDisk::DeleteExpired));
    }
}
