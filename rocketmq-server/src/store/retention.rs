//! Deletes files that have expired, or that must go because the disk is nearly full.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use parking_lot::Mutex;

use super::config::{FullDisk, StoreLive};
use super::disk::Space;
use super::error::StoreError;
use super::log::segment::Segment;
use super::{Inner, Store};

/// The number of tries of a deletion that a tool asked for, if the files do not go before.
const MANUAL_ROUNDS: u32 = 20;

/// The rounds of deletion, and who is told of them.
#[derive(Default)]
pub(crate) struct Retention {
    /// Rounds that an administrator asked for.
    manual: Mutex<u32>,
    /// The end of the log at which the disk is looked at again, whatever the time.
    next_look: AtomicI64,
    listeners: Mutex<Vec<DeletionListener>>,
}

impl std::fmt::Debug for Retention {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Retention").field("next_look", &self.next_look).finish_non_exhaustive()
    }
}

/// Is told what a round took from the queues. Called by the thread that deletes.
pub type DeletionListener = Arc<dyn Fn(&[Deleted]) + Send + Sync>;

/// The messages of one queue that went with files of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// The topic.
    pub topic: Arc<str>,
    /// The queue.
    pub queue_id: i32,
    /// The first offset the queue had before.
    pub from: i64,
    /// The first offset it has now.
    pub to: i64,
}

/// The deletions of one round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Files of the commit log.
    pub commit_log_files: usize,
    /// Files of consume queues.
    pub queue_files: usize,
    /// Files of the index.
    pub index_files: usize,
}

/// The reason for which files go in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// The disk is nearly full: the oldest go, expired or not.
    DiskPressure,
    /// Those go that were not written for `fileReservedTime`.
    Expired,
    /// It is not the hour for it.
    None,
}

impl Store {
    /// Lets expired files go at the next rounds, whatever the hour is.
    pub fn request_deletion(&self) {
        *self.inner.retention.manual.lock() = MANUAL_ROUNDS;
    }

    /// Makes one round of deletion, as the background thread does every `cleanResourceInterval`.
    ///
    /// # Errors
    /// A file cannot be deleted, or the system does not say how full the disk is.
    pub fn delete_expired(&self) -> Result<Cleaned, StoreError> {
        self.inner.delete_expired()
    }

    /// Calls `listener` after each round of deletion that takes messages from queues.
    pub fn on_deletion(&self, listener: impl Fn(&[Deleted]) + Send + Sync + 'static) {
        self.inner.retention.listeners.lock().push(Arc::new(listener));
    }

    /// The used fraction of the store's disk, 0.0 to 1.0; of the fuller one when the commit log has its own.
    ///
    /// # Errors
    /// The system does not say.
    pub fn disk_used(&self) -> Result<f64, StoreError> {
        Ok(self.disk_space()?.used_ratio())
    }

    /// Returns the bytes of the store's disk that are used, and that are left; of the fuller one when the commit log has its
    /// own.
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

    /// Asks for a look at the disk when the log has grown so much since the last that it may have become too full.
    pub(super) fn look_at_disk_if_due(&self) {
        let due = self.retention.next_look.load(Ordering::Relaxed);
        if self.log.written() >= due
            && self
                .retention
                .next_look
                .compare_exchange(due, i64::MAX, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        {
            self.threads.request_look();
        }
    }

    fn delete_expired(&self) -> Result<Cleaned, StoreError> {
        let space = self.look_at_disk()?;
        let commit_log_files = self.delete_segments(self.reason(space))?;
        let mut cleaned = Cleaned { commit_log_files, ..Cleaned::default() };
        if commit_log_files > 0 {
            let log_min = self.log.min();
            cleaned.queue_files = self.expire_queues(log_min)?;
            if let Some(index) = &mut self.dispatcher.lock().index {
                cleaned.index_files = index.expire_below(log_min)?;
            }
            self.look_at_disk()?;
        }
        Ok(cleaned)
    }

    /// Takes or refuses messages by how full the disk is, and says when to look again.
    fn look_at_disk(&self) -> Result<Space, StoreError> {
        let space = self.disk_space()?;
        let live = self.tuned();
        let full = live.is_too_full(space, FullDisk::Refuse);
        self.health.set_above_warning_level(
            &self.config.root,
            full.then(|| space.used_ratio()),
            live.disk_warning,
        );
        self.retention
            .next_look
            .store(self.log.written().saturating_add(step(&live, space)), Ordering::Relaxed);
        Ok(space)
    }

    /// Returns the use of the store's disk; of the fuller one when the commit log has its own.
    fn disk_space(&self) -> Result<Space, StoreError> {
        let mut fullest: Option<Space> = None;
        for folder in [self.config.root.clone(), self.config.commit_log_dir()] {
            let Some(folder) = folder.ancestors().find(|folder| folder.is_dir()) else { continue };
            let space =
                self.disk.space(folder).map_err(|e| StoreError::io("measure the disk of", folder, e))?;
            if fullest.is_none_or(|other| space.used_ratio() > other.used_ratio()) {
                fullest = Some(space);
            }
        }
        Ok(fullest.unwrap_or(Space { used: 0, available: 0 }))
    }

    fn reason(&self, space: Space) -> Reason {
        let live = self.tuned();
        if live.clean_forcibly && live.is_too_full(space, FullDisk::DeleteOldest) {
            return Reason::DiskPressure;
        }
        let mut rounds = self.retention.manual.lock();
        let manual = *rounds > 0;
        *rounds = rounds.saturating_sub(1);
        let hour = self.clock.now_ms().div_euclid(3_600_000).rem_euclid(24) as u8;
        if manual || live.is_too_full(space, FullDisk::DeleteExpired) || live.delete_hours.contains(&hour) {
            Reason::Expired
        } else {
            Reason::None
        }
    }

    fn delete_segments(&self, reason: Reason) -> Result<usize, StoreError> {
        let live = self.tuned();
        let mut deleted = 0;
        while deleted < live.delete_batch {
            let segments = self.log.segments();
            let Some(oldest) = segments.first() else { break };
            let goes = match reason {
                // The disk is asked again before each file: messages that had room are not to go.
                Reason::DiskPressure => live.is_too_full(self.disk_space()?, FullDisk::DeleteOldest),
                Reason::Expired => self.is_expired(oldest)?,
                Reason::None => false,
            };
            drop(segments);
            if !goes || self.log.delete_oldest()?.is_none() {
                break;
            }
            deleted += 1;
        }
        Ok(deleted)
    }

    fn expire_queues(&self, log_min: i64) -> Result<usize, StoreError> {
        let (mut files, mut lost) = (0, Vec::new());
        for queue in self.queues.all() {
            let from = queue.range().0;
            files += queue.expire_below(log_min)?;
            let to = queue.range().0;
            if to > from {
                lost.push(Deleted { topic: queue.topic().clone(), queue_id: queue.queue_id(), from, to });
            }
        }
        if !lost.is_empty() {
            let listeners = self.retention.listeners.lock().clone();
            listeners.iter().for_each(|listener| listener(&lost));
        }
        Ok(files)
    }

    fn is_expired(&self, segment: &Segment) -> Result<bool, StoreError> {
        let modified = segment.modified()?.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let expiry = modified.saturating_add(self.tuned().file_reserved).as_millis();
        Ok(expiry <= self.clock.now_ms().max(0) as u128)
    }
}

/// Returns the bytes of log that may be written before the disk is looked at again: a quarter of what is left below the next
/// limit (queues and index grow besides the log), yet at least a 256th of the disk.
fn step(live: &StoreLive, space: Space) -> i64 {
    let all = space.used.saturating_add(space.available) as f64;
    let left = |ratio: f64| ratio * all - space.used as f64;
    let limits = [live.disk_max_used, live.disk_clean_forcibly, live.disk_warning];
    let next = limits.map(left).into_iter().filter(|left| *left > 0.0).fold(f64::INFINITY, f64::min);
    let step = (next / 4.0).max(all / 256.0);
    if step.is_finite() { step as i64 } else { (all / 256.0) as i64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_is_looked_at_before_the_next_limit() {
        let live = StoreLive::default();
        let of = |used: u64| step(&live, Space { used, available: 1_000_000 - used });
        assert_eq!(of(0), 187_500, "a quarter of the way to 75 %");
        assert_eq!(of(740_000), 3_906, "a 256th of the disk");
        assert_eq!(of(760_000), 22_500, "a quarter of the way to 85 %");
        assert_eq!(of(950_000), 3_906, "beyond every limit");
        assert_eq!(step(&live, Space { used: 0, available: 0 }), 0);
    }
}
