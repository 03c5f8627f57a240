//! Opening and closing a store.

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use super::background::Threads;
use super::checkpoint::{Checkpoint, Times};
use super::config::{StoreConfig, StoreLive};
use super::disk::{Disk, RealDisk};
use super::dispatcher::Dispatcher;
use super::error::StoreError;
use super::folder::Folder;
use super::health::Health;
use super::index::Index;
use super::index::file::Shape;
use super::log::CommitLog;
use super::queue::table::Queues;
use super::recovery::Recovery;
use super::retention::Retention;
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
        let log = CommitLog::open(&config, disk.clone())?;
        let queue_root = config.root.join("consumequeue");
        let (queues, damaged_queue) = Queues::open(queue_root, config.queue_file_units, disk.clone())?;
        let mut checkpoint = Checkpoint::open(&config.root)?;
        let mut index = open_index(&config, &disk)?;
        let times = checkpoint.times();
        if abnormal || damaged_queue {
            // Recovery makes queues anew in memory: until they are on disk again nobody may vouch for them.
            checkpoint.save(Times { queues: 0, ..times })?;
        }
        let recovered = Recovery {
            config: &config,
            log: &log,
            queues: &queues,
            index: &mut index,
            times,
            abnormal,
            damaged_queue,
        }
        .run()?;
        // What a killed process left with the kernel may not be on the platter yet.
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
            dispatcher: Mutex::new(Dispatcher::new(index, recovered.last_timestamp)),
            checkpoint: Mutex::new(checkpoint),
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
    /// What could not be written or flushed. The next open then recovers.
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
        self.sync_queues(last)
    }
}

fn open_index(config: &StoreConfig, disk: &Arc<dyn Disk>) -> Result<Option<Index>, StoreError> {
    if !config.index_enabled {
        return Ok(None);
    }
    let shape = Shape { slots: config.index_slots, entries: config.index_entries };
    Index::open(config.root.join("index"), shape, disk.clone()).map(Some)
}
