//! The waiting timers, and how far they are on disk.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::checkpoint::{CheckpointFiles, Progress};
use super::waiting::WaitingTimers;
use crate::broker::log::range::{Moved, Range};
use crate::broker::names::TIMER_TOPIC;
use crate::store::StoreError;

#[derive(Debug)]
pub(crate) struct Loaded {
    pub waiting: WaitingTimers,
    /// The next queue offset to load.
    pub next: i64,
    /// Everything below was loaded, in this run or before it: beyond `next` until the replay is through.
    pub read_to: i64,
    /// The latest time of which anything was delivered. Late messages are due before it and may still wait.
    reached: i64,
    /// The messages that are being delivered: when they were due, and their lowest queue offset.
    delivering: Option<(i64, i64)>,
}

impl Loaded {
    /// Takes out everything of the earliest time, if that has come.
    pub(crate) fn take_due(&mut self, now: i64) -> Option<(i64, Vec<i64>)> {
        let (due, offsets) = self.waiting.take_due(now)?;
        self.delivering = offsets.iter().min().map(|lowest| (due, *lowest));
        Some((due, offsets))
    }

    /// Notes that the messages taken out are delivered, except for these, which are still due at the same time.
    pub(crate) fn delivered(&mut self, due: i64, left: &[i64]) {
        left.iter().for_each(|offset| self.waiting.add(due, *offset));
        self.delivering = None;
        self.reached = self.reached.max(due);
    }

    /// Notes that the offsets below `next` are loaded. At the end of the queue, nothing beyond can have been delivered, even if
    /// the checkpoint says so: a crash cut the log after it was written.
    pub(crate) fn move_to(&mut self, next: i64, end: i64) {
        self.next = next;
        self.read_to = if next < end { self.read_to.max(next) } else { next };
    }

    /// When the next of what waits is due.
    pub(super) fn next_due(&self) -> Option<i64> {
        let delivering = self.delivering.map(|(due, _)| due);
        self.waiting.next_due().into_iter().chain(delivering).min()
    }

    fn progress(&self) -> Progress {
        let delivering = self.delivering.map(|(_, lowest)| lowest);
        let waiting = self.waiting.first_queue_offset().into_iter().chain(delivering).min();
        Progress {
            replay_from: waiting.unwrap_or(self.next),
            read_to: self.read_to,
            delivered_until: self.next_due().map_or(self.reached, |due| self.reached.min(due - 1)),
        }
    }
}

/// The timers of a broker.
#[derive(Debug)]
pub(crate) struct TimerState {
    pub loaded: Mutex<Loaded>,
    /// Of what was loaded before the start, everything due until here was delivered.
    delivered_before: i64,
    saved: Mutex<Progress>,
    files: CheckpointFiles,
    wake: Arc<Notify>,
}

impl TimerState {
    /// Reads how far the last run came. The messages themselves are loaded by [`deliver_due`](super::deliver_due).
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn open(files: CheckpointFiles, wake: Arc<Notify>) -> Result<Self, StoreError> {
        let before: Progress = files.load()?;
        let loaded = Loaded {
            waiting: WaitingTimers::default(),
            next: before.replay_from,
            read_to: before.read_to,
            reached: before.delivered_until,
            delivering: None,
        };
        Ok(Self {
            loaded: Mutex::new(loaded),
            delivered_before: before.delivered_until,
            saved: Mutex::new(before),
            files,
            wake,
        })
    }

    /// Moves the places from which to replay and up to which was read into the queue. Returns the first when one of them
    /// was outside.
    pub(crate) fn set_right(&self, range: impl Fn(&str, i32) -> Range) -> Option<Moved> {
        let range = range(TIMER_TOPIC, 0);
        let mut loaded = self.loaded.lock();
        let (from, read_to) = (loaded.next, loaded.read_to);
        loaded.next = range.nearest(from);
        // Nothing beyond the end can have been delivered, even if the checkpoint says so: the log became shorter after it.
        loaded.read_to = read_to.min(range.max);
        let moved = loaded.next != from || loaded.read_to != read_to;
        moved.then_some(Moved { queue: 0, from, to: Some(loaded.next) })
    }

    /// Completes when a message was put into the timer topic.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Messages that wait.
    pub(crate) fn pending(&self) -> usize {
        self.loaded.lock().waiting.len()
    }

    /// The next offset of the timer topic to be loaded.
    pub(crate) fn read_offset(&self) -> i64 {
        self.loaded.lock().next
    }

    /// Returns true if everything loaded that was due at or before `due` has been delivered.
    pub(crate) fn delivered_until(&self, due: i64) -> bool {
        self.loaded.lock().next_due().is_none_or(|waiting| waiting > due)
    }

    /// Returns the progress of the last run.
    pub(crate) fn before(&self, loaded: &Loaded) -> Progress {
        Progress { replay_from: 0, read_to: loaded.read_to, delivered_until: self.delivered_before }
    }

    /// Writes the file if it is out of date.
    ///
    /// # Errors
    /// The disk refuses; the next call tries again.
    pub(crate) fn save(&self) -> Result<(), StoreError> {
        let mut saved = self.saved.lock();
        let progress = self.loaded.lock().progress();
        if *saved == progress {
            return Ok(());
        }
        self.files.save(progress)?;
        *saved = progress;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: Progress = Progress { replay_from: 3, read_to: 900, delivered_until: 100 };

    fn opened(folder: &std::path::Path) -> TimerState {
        std::fs::create_dir_all(folder.join("config")).unwrap();
        let files = CheckpointFiles::new(folder);
        files.save(BEFORE).unwrap();
        TimerState::open(files, Arc::default()).unwrap()
    }

    #[test]
    fn what_was_delivered_counts_as_such_when_the_replay_is_not_through() {
        let dir = tempfile::tempdir().unwrap();
        let state = opened(dir.path());
        state.save().unwrap();
        assert_eq!(state.files.load().unwrap(), BEFORE);
        state.loaded.lock().move_to(259, 1_000);
        state.save().unwrap();
        assert_eq!(state.files.load().unwrap(), Progress { replay_from: 259, ..BEFORE });
    }

    #[test]
    fn nothing_was_delivered_beyond_the_end_of_the_queue() {
        let dir = tempfile::tempdir().unwrap();
        let state = opened(dir.path());
        state.loaded.lock().move_to(500, 500);
        assert_eq!(state.loaded.lock().progress().read_to, 500);
    }

    #[test]
    fn what_comes_late_counts_until_it_is_delivered_and_no_longer() {
        let dir = tempfile::tempdir().unwrap();
        let state = opened(dir.path());
        let mut loaded = state.loaded.lock();
        loaded.waiting.add(40, 950);
        assert_eq!(loaded.progress().delivered_until, 39);
        assert_eq!(loaded.take_due(100), Some((40, vec![950])));
        assert_eq!(loaded.progress(), Progress { replay_from: 950, delivered_until: 39, ..BEFORE });
        loaded.delivered(40, &[950]);
        assert_eq!(loaded.progress().delivered_until, 39, "the store refused it");
        loaded.take_due(100);
        loaded.delivered(40, &[]);
        assert_eq!(loaded.progress().delivered_until, 100);
    }

    #[test]
    fn a_delivery_alone_is_written_too() {
        let dir = tempfile::tempdir().unwrap();
        let state = opened(dir.path());
        for (due, offset) in [(5_000, 3), (200, 4)] {
            state.loaded.lock().waiting.add(due, offset);
        }
        state.save().unwrap();
        let taken = state.loaded.lock().take_due(200).unwrap();
        state.loaded.lock().delivered(taken.0, &[]);
        state.save().unwrap();
        assert_eq!(state.files.load().unwrap().delivered_until, 200);
    }
}
