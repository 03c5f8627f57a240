//! Opening and closing a store.

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use super::background::Threads;
use super::checkpoint::{Checkpoint, Times};
use super::config::{StoreConfig, StoreLive};
use super::deleted::DeletedTopics;
use super::disk::{Disk, RealDisk};
use super::dispatcher::Dispatcher;
use super::error::StoreError;
use super::folder::Folder;
use super::health::Health;
use super::index::Index;
use super::index::file::Shape;
use super::log::CommitLog;
use super::queue::source::Source;
use super::queue::table::Queues;
use super::recovery::Recovery;
use super::retention::Retention;
use super::seal::Seal;
use super::types::RecoveryReport;
use super::writer::Writer;
use super::{Flushed, Inner, Store};
use crate::clock::Clock;

impl Store {
    /// Opens the store below `config.root`, making it if it is not there: locks the folder, recovers, cuts a torn end.
    ///
    /// Reads files for as long as recovery takes; call it where that does not hold up others.
    ///
    /// # Errors
    /// A folder in use, settings that do not fit the files, files that cannot be read.
    pub fn open(
        config: StoreConfig,
        live: StoreLive,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, RecoveryReport), StoreError> {
        Self::open_on(config, live, clock, Arc::new(RealDisk))
    }

    /// [`open`](Self::open) on a disk of your own.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_on(
        config: StoreConfig,
        live: StoreLive,
        clock: Arc<dyn Clock>,
        disk: Arc<dyn Disk>,
    ) -> Result<(Self, RecoveryReport), StoreError> {
        config.check()?;
        let folder = Folder::lock(&config.root, disk.clone())?;
        let abnormal = folder.was_aborted();
        folder.mark_running()?;
        let log = Arc::new(CommitLog::open(&config, disk.clone())?);
        let queues = open_queues(&config, &log, &disk)?;
        let mut checkpoint = Checkpoint::open(&config.root)?;
        let mut index = open_index(&config, &disk)?;
        let seal = Seal::load(&config.root, config.queue_file_units);
        let times = checkpoint.times();
        if abnormal {
            forget_queues(&mut checkpoint)?;
        }
        let recovered = Recovery {
            config: &config,
            log: &log,
            queues: &queues,
            index: &mut index,
            seal: seal.as_ref(),
            times,
            abnormal,
            index_is_full: false,
        }
        .run()?;
        if recovered.report.rebuilt {
            forget_queues(&mut checkpoint)?;
        }
        if seal.is_some_and(|seal| seal.log_end > recovered.report.end) {
            Seal::remove(&config.root, &*disk)?;
        }
        queues.source().deleted.end_at(recovered.report.end)?;
        // Bytes that a killed process left with the kernel may not be on the platter yet.
        log.sync_from(recovered.report.scanned_from)?;
        recovered.report.log();
        let end = log.written();
        let inner = Inner {
            clock,
            disk,
            folder: Mutex::new(Some(folder)),
            health: Health::default(),
            queues,
            writer: Mutex::new(Writer::new(end, recovered.last_timestamp)),
            dispatcher: Mutex::new(Dispatcher::new(index, recovered.last_timestamp, end)),
            checkpoint: Mutex::new(checkpoint),
            sealed: Mutex::new(-1),
            flushed: watch::Sender::new(Flushed { end, failed: false }),
            threads: Threads::default(),
            retention: Retention::default(),
            log,
            tuned: RwLock::new(Arc::new(live)),
            config,
        };
        Ok((Self { inner: Arc::new(inner) }, recovered.report))
    }

    /// Lets new settings take effect.
    pub fn tune(&self, live: StoreLive) {
        *self.inner.tuned.write() = Arc::new(live);
    }

    /// Starts the threads that flush in the background and delete what has expired. Does nothing if they run.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start_background(&self) -> Result<(), StoreError> {
        Threads::start(&self.inner)
    }

    /// Writes and flushes everything, and leaves the folder so that the next [`open`](Self::open) has nothing to
    /// recover. May take as long as the disk does. Puts fail from here on; reading still works.
    ///
    /// # Errors
    /// Names the bytes that could not be written or flushed. The next open then recovers.
    pub fn shutdown(&self) -> Result<(), StoreError> {
        let written = self.sync_point();
        let flush_failed = self.inner.health.flush_failed();
        self.inner.health.refuse_for_good(StoreError::Closed);
        self.inner.threads.stop();
        let Some(folder) = self.inner.folder.lock().take() else { return Ok(()) };
        written?;
        if flush_failed {
            return Ok(());
        }
        self.inner.settle()?;
        folder.mark_clean()
    }

    /// Stops as the death of the process would: what was not written is gone, nothing is flushed, and the next
    /// [`open`](Self::open) recovers.
    pub fn kill(&self) {
        self.inner.health.refuse_for_good(StoreError::Closed);
        self.inner.threads.stop();
        self.inner.writer.lock().abandon(StoreError::Closed);
        self.inner.queues.all().iter().for_each(|queue| queue.forget_unwritten());
        self.inner.folder.lock().take();
    }
}

impl Inner {
    /// The settings that can change while the store is open, as they are now.
    pub(super) fn tuned(&self) -> Arc<StoreLive> {
        self.tuned.read().clone()
    }

    /// Everything on the platter, and the checkpoint says so.
    fn settle(&self) -> Result<(), StoreError> {
        self.flush_log()?;
        let mut dispatcher = self.dispatcher.lock();
        dispatcher.run(self.log.flushed());
        if let Some(index) = &mut dispatcher.index {
            index.sync()?;
        }
        let last = dispatcher.last_timestamp();
        drop(dispatcher);
        self.seal(last, self.log.flushed(), true)
    }
}

fn open_queues(
    config: &StoreConfig,
    log: &Arc<CommitLog>,
    disk: &Arc<dyn Disk>,
) -> Result<Queues, StoreError> {
    let source = Source {
        log: log.clone(),
        deleted: Arc::new(DeletedTopics::open(&config.root)?),
        delay_levels_ms: config.delay_levels_ms.clone(),
        check_crc: config.check_crc_on_recover,
    };
    let root = config.root.join("consumequeue");
    Ok(Queues::new(root, config.queue_file_units, disk.clone(), Arc::new(source)))
}

/// Recovery makes queues anew in memory: until they are on disk again the checkpoint must not vouch for them.
fn forget_queues(checkpoint: &mut Checkpoint) -> Result<(), StoreError> {
    checkpoint.save(Times { queues: 0, ..checkpoint.times() })
}

fn open_index(config: &StoreConfig, disk: &Arc<dyn Disk>) -> Result<Option<Index>, StoreError> {
    if !config.index_enabled {
        return Ok(None);
    }
    let shape = Shape { slots: config.index_slots, entries: config.index_entries };
    Index::open(config.root.join("index"), shape, disk.clone()).map(Some)
}
