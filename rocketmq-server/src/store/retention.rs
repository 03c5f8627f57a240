//! Deleting what has expired, or what must go because the disk is nearly full.

use std::time::{Duration, UNIX_EPOCH};

use super::disk::Space;
use super::error::StoreError;
use super::segment::Segment;
use super::{Inner, Store};

/// How often a deletion that was asked for is tried, should the files not have gone by then.
const MANUAL_ROUNDS: u32 = 20;

/// Rounds of deletion that an administrator asked for.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    manual: u32,
}

/// What one round deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Files of the commit log.
    pub commit_log_files: usize,
    /// Files of consume queues.
    pub queue_files: usize,
    /// Files of the index.
    pub index_files: usize,
}

/// Why files go in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// The oldest, expired or not: the disk is nearly full.
    DiskPressure,
    /// Those not written for `fileReservedTime`.
    Expired,
    /// It is not the hour for it.
    None,
}

impl Store {
    /// Lets expired files go at the next rounds, whatever the hour is.
    pub fn request_deletion(&self) {
        self.inner.retention.lock().manual = MANUAL_ROUNDS;
    }

    /// One round of deletion, as the background thread makes it every `cleanResourceInterval`.
    ///
    /// # Errors
    /// A file that cannot be deleted, or a disk whose use cannot be read.
    pub fn delete_expired(&self) -> Result<Cleaned, StoreError> {
        self.inner.delete_expired()
    }

    /// The used fraction of the disk that holds the commit log, 0.0 to 1.0.
    ///
    /// # Errors
    /// The system does not say.
    pub fn disk_used(&self) -> Result<f64, StoreError> {
        Ok(self.disk_space()?.used_ratio())
    }

    /// How much of the store's disk is used, and how much is left, in bytes.
    ///
    /// # Errors
    /// The system does not say.
    pub fn disk_space(&self) -> Result<Space, StoreError> {
        self.inner.disk_space()
    }
}

impl Inner {
    pub(super) fn clean(&self) {
        match self.delete_expired() {
            Ok(cleaned) if cleaned != Cleaned::default() => tracing::info!(?cleaned, "files were deleted"),
            Ok(_) => {}
            Err(e) => tracing::warn!(error = %e, "expired files were not deleted"),
        }
    }

    fn delete_expired(&self) -> Result<Cleaned, StoreError> {
        let used = self.disk_space()?.used_ratio();
        let full = used > self.tuned().disk_warning;
        self.health.set_above_warning_level(
            &self.config.root,
            full.then_some(used),
            self.tuned().disk_warning,
        );
        let commit_log_files = self.delete_segments(self.reason(used))?;
        let log_min = self.log.min();
        let mut cleaned = Cleaned { commit_log_files, ..Cleaned::default() };
        if commit_log_files > 0 {
            for queue in self.queues.all() {
                cleaned.queue_files += queue.expire_below(log_min)?;
            }
            if let Some(index) = &mut self.dispatcher.lock().index {
                cleaned.index_files = index.expire_below(log_min)?;
            }
        }
        Ok(cleaned)
    }

    fn disk_space(&self) -> Result<Space, StoreError> {
        let space = self.disk.space(&self.config.root);
        space.map_err(|e| StoreError::io("measure the disk of", &self.config.root, e))
    }

    fn reason(&self, used: f64) -> Reason {
        if used > self.tuned().disk_clean_forcibly {
            return Reason::DiskPressure;
        }
        let mut rounds = self.retention.lock();
        let manual = rounds.manual > 0;
        rounds.manual = rounds.manual.saturating_sub(1);
        let hour = self.clock.now_ms().div_euclid(3_600_000).rem_euclid(24) as u8;
        if manual || used > self.tuned().disk_max_used || self.tuned().delete_hours.contains(&hour) {
            Reason::Expired
        } else {
            Reason::None
        }
    }

    fn delete_segments(&self, reason: Reason) -> Result<usize, StoreError> {
        let mut deleted = 0;
        while deleted < self.tuned().delete_batch {
            let segments = self.log.segments();
            let Some(oldest) = segments.first() else { break };
            let goes = match reason {
                Reason::DiskPressure => true,
                Reason::Expired => self.is_expired(oldest)?,
                Reason::None => false,
            };
            if !goes || self.log.delete_oldest()?.is_none() {
                break;
            }
            deleted += 1;
        }
        Ok(deleted)
    }

    fn is_expired(&self, segment: &Segment) -> Result<bool, StoreError> {
        let modified = segment.modified()?.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let expiry = modified.saturating_add(self.tuned().file_reserved).as_millis();
        Ok(expiry <= self.clock.now_ms().max(0) as u128)
    }
}
