//! Every consume queue of the store, by topic and queue number.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;

use super::files::Files;
use super::source::Source;
use super::{ConsumeQueue, Loaded, queue_dir};
use crate::store::dirs;
use crate::store::disk::Disk;
use crate::store::error::StoreError;
use crate::store::log::record::check_topic;
use crate::store::seal::Seal;
use crate::store::side_by_side;

/// More dirty queues than this are flushed with one call for the whole file system.
const FLUSHED_TOGETHER: usize = 1000;

type Topics = HashMap<Arc<str>, BTreeMap<i32, Arc<ConsumeQueue>>>;

/// The table of consume queues.
#[derive(Debug)]
pub(crate) struct Queues {
    root: PathBuf,
    units: u32,
    disk: Arc<dyn Disk>,
    source: Arc<Source>,
    topics: RwLock<Topics>,
}

impl Queues {
    pub(crate) fn new(root: PathBuf, units: u32, disk: Arc<dyn Disk>, source: Arc<Source>) -> Self {
        Self { root, units, disk, source, topics: RwLock::default() }
    }

    /// Loads every queue that has a folder or is in the seal. Remains of a deleted topic are removed.
    pub(crate) fn load(&self, seal: Option<&Seal>) -> Result<Vec<(Arc<ConsumeQueue>, Loaded)>, StoreError> {
        let mut names = self.on_disk()?;
        names.extend(seal.into_iter().flat_map(|seal| seal.names(&self.source.deleted)));
        names.sort();
        names.dedup();
        let mut all = Vec::with_capacity(names.len());
        for (topic, queue_id) in names {
            let queue = self.get_or_create(&topic, queue_id);
            let sealed = seal.and_then(|seal| seal.queue(&topic, queue_id, &self.source.deleted));
            let loaded = queue.load(sealed)?;
            if self.was_deleted(&queue) {
                queue.destroy()?;
            } else {
                all.push((queue, loaded));
            }
        }
        Ok(all)
    }

    /// The names of the queues that have a folder.
    fn on_disk(&self) -> Result<Vec<(String, i32)>, StoreError> {
        let mut all = Vec::new();
        for topic in names(&self.root)?.into_iter().filter(|topic| check_topic(topic).is_ok()) {
            let ids = names(&self.root.join(&topic))?;
            let ids = ids.iter().filter_map(|id| id.parse().ok()).filter(|id: &i32| *id >= 0);
            all.extend(ids.map(|id| (topic.clone(), id)));
        }
        Ok(all)
    }

    /// Returns true if a crash came between the deletion of the topic and that of this queue's files.
    fn was_deleted(&self, queue: &ConsumeQueue) -> bool {
        let end = self.source.deleted.end_of(queue.topic());
        end.zip(queue.last()).is_some_and(|(end, (_, last))| last.physical_offset < end)
    }

    /// Units of a file.
    pub(crate) fn units(&self) -> u32 {
        self.units
    }

    pub(crate) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    pub(crate) fn get(&self, topic: &str, queue_id: i32) -> Option<Arc<ConsumeQueue>> {
        self.topics.read().get(topic)?.get(&queue_id).cloned()
    }

    pub(crate) fn get_or_create(&self, topic: &str, queue_id: i32) -> Arc<ConsumeQueue> {
        if let Some(queue) = self.get(topic, queue_id) {
            return queue;
        }
        let mut topics = self.topics.write();
        let name = topics.get_key_value(topic).map_or_else(|| Arc::from(topic), |(name, _)| Arc::clone(name));
        let made = || {
            let dir = queue_dir(&self.root, topic, queue_id);
            let files = Files { dir, units: i64::from(self.units), disk: self.disk.clone() };
            Arc::new(ConsumeQueue::new(name.clone(), queue_id, files, self.source.clone()))
        };
        topics.entry(name.clone()).or_default().entry(queue_id).or_insert_with(made).clone()
    }

    pub(crate) fn all(&self) -> Vec<Arc<ConsumeQueue>> {
        self.topics.read().values().flat_map(BTreeMap::values).cloned().collect()
    }

    pub(crate) fn topics(&self) -> Vec<Arc<str>> {
        self.topics.read().keys().cloned().collect()
    }

    /// Hands everything to the kernel.
    pub(crate) fn write_out(&self) -> Result<(), StoreError> {
        side_by_side::for_each(&self.dirty(), |queue| queue.write_out())
    }

    /// Makes every queue survive a power cut.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        let dirty = self.dirty();
        if dirty.len() > FLUSHED_TOGETHER && self.sync_together(&dirty)? {
            return Ok(());
        }
        let made_files = AtomicBool::new(false);
        side_by_side::for_each(&dirty, |queue| {
            made_files.fetch_or(queue.sync()?, Ordering::Relaxed);
            Ok(())
        })?;
        if made_files.into_inner() { self.sync_folders() } else { Ok(()) }
    }

    /// Flushes the whole file system once instead of each of many files; `false` when the system cannot.
    fn sync_together(&self, dirty: &[Arc<ConsumeQueue>]) -> Result<bool, StoreError> {
        side_by_side::for_each(dirty, |queue| queue.write_out())?;
        let flushed: Vec<_> = dirty.iter().map(|queue| queue.begin_sync()).collect();
        let synced = File::open(&self.root).and_then(|root| self.disk.sync_file_system(&root));
        if let Err(e) = &synced {
            dirty.iter().zip(&flushed).for_each(|(queue, flushed)| queue.undo_sync(flushed));
            tracing::debug!(error = %e, "consume queues are flushed one by one");
        }
        Ok(synced.is_ok())
    }

    fn sync_folders(&self) -> Result<(), StoreError> {
        for topic in self.topics().iter().map(|topic| self.root.join(&**topic)).filter(|dir| dir.is_dir()) {
            dirs::sync(&topic, &*self.disk)?;
        }
        dirs::sync(&self.root, &*self.disk)?;
        dirs::sync(dirs::parent(&self.root), &*self.disk)
    }

    fn dirty(&self) -> Vec<Arc<ConsumeQueue>> {
        self.all().into_iter().filter(|queue| queue.is_dirty()).collect()
    }

    /// Removes a topic with its files; whether it was there. `end` is where the log ends, and nothing of the topic waits to
    /// be written.
    pub(crate) fn delete_topic(&self, topic: &str, end: i64) -> Result<bool, StoreError> {
        if !self.topics.read().contains_key(topic) {
            return Ok(false);
        }
        self.source.deleted.add(topic, end, self.source.log.min())?;
        let Some(queues) = self.topics.write().remove(topic) else { return Ok(false) };
        for queue in queues.values() {
            queue.destroy()?;
        }
        let dir = self.root.join(topic);
        if dir.exists() {
            fs::remove_dir_all(&dir).map_err(|e| StoreError::io("delete", &dir, e))?;
        }
        Ok(true)
    }
}

fn names(dir: &Path) -> Result<Vec<String>, StoreError> {
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(dir).map_err(|e| StoreError::io("list", dir, e))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| StoreError::io("list", dir, e))?;
        if entry.path().is_dir() {
            names.extend(entry.file_name().into_string());
        }
    }
    names.sort();
    Ok(names)
}
