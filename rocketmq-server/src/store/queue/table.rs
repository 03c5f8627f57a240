//! Every consume queue of the store, by topic and queue number.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::RwLock;

use super::{ConsumeQueue, queue_dir};
use crate::store::disk::Disk;
use crate::store::error::StoreError;

type Topics = HashMap<Arc<str>, BTreeMap<i32, Arc<ConsumeQueue>>>;

/// The table of consume queues.
#[derive(Debug)]
pub(crate) struct Queues {
    root: PathBuf,
    units: u32,
    disk: Arc<dyn Disk>,
    topics: RwLock<Topics>,
}

impl Queues {
    /// Loads every queue below `root`; `true` beside it when a file of one was damaged.
    pub fn open(root: PathBuf, units: u32, disk: Arc<dyn Disk>) -> Result<(Self, bool), StoreError> {
        let queues = Self { root, units, disk, topics: RwLock::default() };
        let mut damaged = false;
        for topic in names(&queues.root)? {
            for queue_id in names(&queues.root.join(&topic))?.iter().filter_map(|n| n.parse().ok()) {
                damaged |= queues.get_or_create(&topic, queue_id).load()?.damaged;
            }
        }
        Ok((queues, damaged))
    }

    pub fn get(&self, topic: &str, queue_id: i32) -> Option<Arc<ConsumeQueue>> {
        self.topics.read().get(topic)?.get(&queue_id).cloned()
    }

    pub fn get_or_create(&self, topic: &str, queue_id: i32) -> Arc<ConsumeQueue> {
        if let Some(queue) = self.get(topic, queue_id) {
            return queue;
        }
        let mut topics = self.topics.write();
        let name = topics.get_key_value(topic).map_or_else(|| Arc::from(topic), |(name, _)| Arc::clone(name));
        let made = || {
            let dir = queue_dir(&self.root, topic, queue_id);
            Arc::new(ConsumeQueue::new(dir, name.clone(), queue_id, self.units, self.disk.clone()))
        };
        topics.entry(name.clone()).or_default().entry(queue_id).or_insert_with(made).clone()
    }

    pub fn all(&self) -> Vec<Arc<ConsumeQueue>> {
        self.topics.read().values().flat_map(BTreeMap::values).cloned().collect()
    }

    pub fn topics(&self) -> Vec<Arc<str>> {
        self.topics.read().keys().cloned().collect()
    }

    /// Removes a topic with its files; whether it was there.
    pub fn delete_topic(&self, topic: &str) -> Result<bool, StoreError> {
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
