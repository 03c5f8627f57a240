//! The seal: what is on the platter for certain, written after each thorough flush and at a clean end.
//!
//! It knows where the log ended then and how long each queue was, with checksums of the units. Files only grow, so it holds
//! as far as it goes, however much came later. After a clean end it describes the whole store. It is a file of our own:
//! Apache's broker neither reads nor writes it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::checkpoint::Times;
use super::config_file::{self, Readers};
use super::deleted::DeletedTopics;
use super::dirs;
use super::disk::Disk;
use super::error::StoreError;
use super::queue::SealedQueue;
use super::queue::table::Queues;

/// The state of a store when it was sealed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seal {
    /// The store was closed right after.
    pub clean: bool,
    /// The log was flushed up to here, and queues hold every message below.
    pub log_end: i64,
    /// The first log offset on disk.
    pub log_min: i64,
    /// Store time of the last message below `log_end`.
    pub last_timestamp: i64,
    /// The checkpoint's times.
    pub times: Times,
    /// Units of a queue's file.
    units: u32,
    queues: BTreeMap<String, BTreeMap<i32, SealedQueue>>,
}

impl Seal {
    /// Describes the queues as they are. The log is flushed up to `log_end`, and the queues are written out.
    pub(crate) fn of(queues: &Queues, log_end: i64, last_timestamp: i64, times: Times) -> Self {
        let log_min = queues.source().log.min();
        let units = queues.units();
        let mut seal = Self { log_end, log_min, last_timestamp, times, units, ..Self::default() };
        for queue in queues.all() {
            let topic = seal.queues.entry(queue.topic().to_string()).or_default();
            topic.insert(queue.queue_id(), queue.seal(log_end));
        }
        seal
    }

    /// Reads the seal of the store below `root`. One that is damaged is reported and does without: opening takes longer.
    pub(crate) fn load(root: &Path, units: u32) -> Option<Self> {
        let seal: Option<Self> = config_file::load(&path(root), parse).unwrap_or_else(|e| {
            tracing::warn!(error = %e, "the store's seal is damaged; more of the commit log is read to open the store");
            None
        });
        let mut seal = seal?;
        if seal.units != units {
            // Its checksums are of other blocks.
            seal.queues.clear();
        }
        Some(seal)
    }

    pub(crate) fn save(&self, root: &Path) -> Result<(), StoreError> {
        let path = path(root);
        let body = serde_json::to_vec(self).map_err(|e| StoreError::Unusable {
            path: path.clone(),
            problem: format!("the seal has no form in JSON: {e}"),
        })?;
        let mut text = format!("{{\"crc\":{},\"seal\":", crc32fast::hash(&body)).into_bytes();
        text.extend_from_slice(&body);
        text.push(b'}');
        config_file::save(&path, &text, Readers::Anyone)
    }

    /// Removes the seal of a store that is no longer what it describes.
    pub(crate) fn remove(root: &Path, disk: &dyn Disk) -> Result<(), StoreError> {
        for path in [path(root), path(root).with_extension("bak")] {
            match std::fs::remove_file(&path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StoreError::io("delete", &path, e));
                }
                _ => {}
            }
        }
        dirs::sync(root, disk)
    }

    /// The queue as it was sealed, unless its topic was deleted since.
    pub(crate) fn queue(&self, topic: &str, queue_id: i32, deleted: &DeletedTopics) -> Option<&SealedQueue> {
        if deleted.end_of(topic).is_some_and(|end| end >= self.log_end) {
            return None;
        }
        self.queues.get(topic)?.get(&queue_id)
    }

    /// The queues that were sealed, save those of topics deleted since.
    pub(crate) fn names(&self, deleted: &DeletedTopics) -> Vec<(String, i32)> {
        let kept = self
            .queues
            .iter()
            .filter(|(topic, _)| deleted.end_of(topic).is_none_or(|end| end < self.log_end));
        kept.flat_map(|(topic, queues)| queues.keys().map(|id| (topic.clone(), *id))).collect()
    }
}

fn path(root: &Path) -> PathBuf {
    root.join("seal")
}

/// Reads `{"crc":…,"seal":…}`, whose checksum is that of the seal's own text.
fn parse(text: &[u8]) -> Result<Seal, String> {
    let text = std::str::from_utf8(text).map_err(|e| e.to_string())?;
    let rest = text.strip_prefix("{\"crc\":").ok_or("it does not begin with a checksum")?;
    let (crc, rest) = rest.split_once(",\"seal\":").ok_or("it holds no seal")?;
    let body = rest.strip_suffix('}').ok_or("its end is missing")?;
    if crc.parse() != Ok(crc32fast::hash(body.as_bytes())) {
        return Err("its checksum is wrong".into());
    }
    serde_json::from_str(body).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_as_it_was_saved_and_no_flipped_bit_passes() {
        let dir = tempfile::tempdir().unwrap();
        let queues = BTreeMap::from([("T".to_owned(), BTreeMap::from([(3, SealedQueue::default())]))]);
        let seal = Seal { clean: true, log_end: 7, units: 8, queues, ..Seal::default() };
        seal.save(dir.path()).unwrap();
        assert_eq!(Seal::load(dir.path(), 8).as_ref(), Some(&seal));
        assert!(Seal::load(dir.path(), 9).unwrap().queues.is_empty(), "blocks of another size");
        let text = std::fs::read(path(dir.path())).unwrap();
        for bit in 0..text.len() * 8 {
            let mut damaged = text.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(parse(&damaged).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_topic_deleted_after_the_seal_is_not_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let queues = BTreeMap::from([("T".to_owned(), BTreeMap::from([(3, SealedQueue::default())]))]);
        let seal = Seal { log_end: 100, queues, ..Seal::default() };
        let deleted = DeletedTopics::open(dir.path()).unwrap();
        deleted.add("T", 99, 0).unwrap();
        assert!(seal.queue("T", 3, &deleted).is_some(), "it was created again before the seal");
        deleted.add("T", 100, 0).unwrap();
        assert!(seal.queue("T", 3, &deleted).is_none() && seal.names(&deleted).is_empty());
    }
}
