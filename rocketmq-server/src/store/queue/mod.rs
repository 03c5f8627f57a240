//! One consume queue: the units of one queue of one topic, in files of a fixed number of units.
//!
//! Units are derived from the commit log. They gather in memory and go to the kernel many at a time: what a crash
//! takes of them, recovery makes again. Those read from a file are checked; damaged ones are made anew.

mod block;
pub(crate) mod checksums;
mod files;
mod load;
mod mending;
mod reading;
pub(crate) mod source;
mod state;
pub(crate) mod table;
pub(crate) mod unit;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::{Mutex, MutexGuard};

use crate::store::dirs;
use crate::store::error::StoreError;
use crate::store::log::record::Place;
use files::Files;
pub(crate) use load::{Loaded, SealedQueue};
use source::Source;
use state::State;
use unit::Unit;

/// A queue of a topic.
#[derive(Debug)]
pub(crate) struct ConsumeQueue {
    topic: Arc<str>,
    queue_id: i32,
    next: AtomicI64,
    state: Mutex<State>,
}

/// The extent of a flush.
#[derive(Debug)]
pub(crate) struct Flushed {
    units: Range<i64>,
    /// A file was made since the flush before.
    made_file: bool,
}

impl ConsumeQueue {
    pub(crate) fn new(topic: Arc<str>, queue_id: i32, files: Files, source: Arc<Source>) -> Self {
        let state = Mutex::new(State::new(topic.clone(), queue_id, files, source));
        Self { topic, queue_id, next: AtomicI64::new(0), state }
    }

    pub(crate) fn topic(&self) -> &Arc<str> {
        &self.topic
    }

    pub(crate) fn queue_id(&self) -> i32 {
        self.queue_id
    }

    /// The place of message `index`.
    pub(crate) fn place(&self, index: i64) -> Place<'_> {
        Place { topic: &self.topic, queue_id: self.queue_id, index }
    }

    /// The offset the next message gets. Only the writer of the log calls this and [`set_next`](Self::set_next).
    pub(crate) fn next(&self) -> i64 {
        self.next.load(Ordering::Acquire)
    }

    pub(crate) fn set_next(&self, next: i64) {
        self.next.store(next, Ordering::Release);
    }

    /// The first offset and the offset after the last.
    pub(crate) fn range(&self) -> (i64, i64) {
        let state = self.state.lock();
        (state.min, state.max())
    }

    /// Adds the unit of the message at offset `index`, which is the end of the queue unless the queue was deleted since
    /// the message was numbered.
    pub(crate) fn append(&self, index: i64, unit: Unit) {
        let mut state = self.state.lock();
        if index == state.max() {
            state.push(unit);
        }
    }

    /// Adds a unit at the end, for recovery: the next message is numbered behind it.
    pub(crate) fn restore(&self, unit: Unit) {
        let mut state = self.state.lock();
        state.push(unit);
        self.set_next(state.max());
    }

    /// Begins a queue at `index`: its older messages are gone.
    pub(crate) fn start_at(&self, index: i64) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        state.start_at(index)?;
        self.set_next(state.max());
        Ok(())
    }

    /// Puts another unit in the place of one.
    pub(crate) fn replace(&self, index: i64, unit: Unit) -> Result<(), StoreError> {
        self.state.lock().replace(index, unit)
    }

    /// Up to `count` units from `index`, none beyond the end of the file that holds `index`.
    pub(crate) fn read(&self, index: i64, count: usize) -> Result<Vec<Unit>, StoreError> {
        let mut state = self.state.lock();
        let mut reading = state.reading(index, count);
        while let Some(block) = state.read_on(&mut reading) {
            let files = state.files.clone();
            // Not under the lock: messages are put meanwhile.
            let units = MutexGuard::unlocked(&mut state, || files.read(block.clone()))?;
            state.take_in(block, units)?;
        }
        Ok(reading.units)
    }

    /// [`read`](Self::read)s without waiting for the disk; `None` when that cannot be.
    pub(crate) fn read_at_once(&self, index: i64, count: usize) -> Option<Vec<Unit>> {
        let mut state = self.state.lock();
        let mut reading = state.reading(index, count);
        while let Some(block) = state.read_on(&mut reading) {
            let units = state.files.read_at_once(block.clone())?;
            if state.is_damaged(&block, &units) {
                return None;
            }
            state.take_in(block, units).ok()?;
        }
        Some(reading.units)
    }

    /// Returns true if a read from `index` on touches no file, with the log in memory from the offset `hot_from` on.
    pub(crate) fn is_hot(&self, index: i64, hot_from: i64) -> bool {
        self.state.lock().is_hot(index, hot_from)
    }

    /// The unit at `index`.
    pub(crate) fn unit(&self, index: i64) -> Option<Unit> {
        self.read(index, 1).ok()?.first().copied()
    }

    /// Makes the units around `index` anew when the one at `index` has turned out not to be right and no checksum vouches
    /// for it; whether any of them changed.
    pub(crate) fn mend(&self, index: i64) -> bool {
        self.state.lock().mend_unknown(index).unwrap_or_else(|e| {
            tracing::error!(error = %e, topic = %self.topic, queue = self.queue_id, "cannot mend a consume queue");
            false
        })
    }

    /// The unit that a file still holds behind the end of the queue, where a crash or damage left it.
    pub(crate) fn left_over(&self, index: i64) -> Option<Unit> {
        self.state.lock().left_over(index).ok().flatten()
    }

    /// The newest unit that stands for a message.
    pub(crate) fn last(&self) -> Option<(i64, Unit)> {
        let (_, max) = self.range();
        let unit = self.unit(max - 1)?;
        (!unit.is_filler()).then_some((max - 1, unit))
    }

    /// The index after the units of the file that holds `index`.
    pub(crate) fn file_end(&self, index: i64) -> i64 {
        self.state.lock().files.end_of(index)
    }

    /// Hands everything to the kernel.
    pub(crate) fn write_out(&self) -> Result<(), StoreError> {
        self.state.lock().write_out()
    }

    /// Returns true if [`sync`](Self::sync) has anything to do.
    pub(crate) fn is_dirty(&self) -> bool {
        let state = self.state.lock();
        state.made_file || state.synced < state.max()
    }

    /// Makes everything survive a power cut; whether a file was made, whose folder's name the folders above must keep.
    pub(crate) fn sync(&self) -> Result<bool, StoreError> {
        self.write_out()?;
        let flushed = self.begin_sync();
        let files = self.state.lock().files.clone();
        // Not under the lock: a flush may take long, and readers must not wait for it.
        sync_files(&files, &flushed).inspect_err(|_| self.undo_sync(&flushed))?;
        Ok(flushed.made_file)
    }

    /// Takes written units for flushed. The caller flushes them, or calls [`undo_sync`](Self::undo_sync).
    pub(crate) fn begin_sync(&self) -> Flushed {
        let mut state = self.state.lock();
        let to = state.written();
        let from = std::mem::replace(&mut state.synced, to);
        Flushed { units: from..to, made_file: std::mem::take(&mut state.made_file) }
    }

    pub(crate) fn undo_sync(&self, flushed: &Flushed) {
        let mut state = self.state.lock();
        state.synced = state.synced.min(flushed.units.start);
        state.made_file |= flushed.made_file;
    }

    /// Takes the units below `end` as all there are, and removes those behind from the files.
    pub(crate) fn truncate(&self, end: i64) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        state.cut(end)?;
        state.files.cut(end)?;
        self.set_next(state.max());
        Ok(())
    }

    /// Moves the first offset past the messages below `log_min` and deletes the files that hold only such; the last
    /// file stays, so that offsets never start again at 0. Returns the number of deleted files.
    pub(crate) fn expire_below(&self, log_min: i64) -> Result<usize, StoreError> {
        let mut state = self.state.lock();
        state.correct_min(log_min)?;
        state.files.delete_below(state.min)
    }

    /// Deletes the queue's files.
    pub(crate) fn destroy(&self) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        state.files.delete_all()?;
        state.forget_all();
        self.set_next(0);
        Ok(())
    }

    /// Forgets what was not written, as the death of the process would.
    pub(crate) fn forget_unwritten(&self) {
        let mut state = self.state.lock();
        let checksums = state.checksums.clone();
        state.restart(checksums);
    }

    /// Lets the memory of a queue go that nobody writes to.
    pub(crate) fn trim(&self) {
        self.state.lock().trim();
    }

    /// Lets the block read last go if nobody has used it since the last call.
    pub(crate) fn cool(&self) {
        let mut state = self.state.lock();
        if state.cold.as_mut().is_some_and(|block| !std::mem::take(&mut block.used)) {
            state.cold = None;
        }
    }
}

fn sync_files(files: &Files, flushed: &Flushed) -> Result<(), StoreError> {
    let mut index = flushed.units.start;
    while index < flushed.units.end {
        files.open(index)?.sync()?;
        index = files.end_of(index);
    }
    if flushed.made_file { dirs::sync(&files.dir, &*files.disk) } else { Ok(()) }
}

/// Returns the folder of the queue's files.
pub(crate) fn queue_dir(root: &Path, topic: &str, queue_id: i32) -> PathBuf {
    root.join(topic).join(queue_id.to_string())
}
