//! Remembers up to where in the log the messages of deleted topics lie: their records stay until they expire, and must not
//! become messages of a topic that is created again under the same name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use super::config_file::{self, Readers};
use super::error::StoreError;

/// Deleted topics, and the log offset at which each was deleted last. Kept in `config/deletedTopics.json`, which Apache's
/// broker leaves alone.
#[derive(Debug)]
pub(crate) struct DeletedTopics {
    path: PathBuf,
    table: Mutex<BTreeMap<String, i64>>,
}

impl DeletedTopics {
    pub(crate) fn open(root: &Path) -> Result<Self, StoreError> {
        let path = root.join("config").join("deletedTopics.json");
        let table = config_file::load_table_or_set_aside(&path, |text| serde_json::from_slice(text))?
            .unwrap_or_default();
        Ok(Self { path, table: Mutex::new(table) })
    }

    /// Returns true if a message of `topic` at log offset `offset` went with its topic.
    pub(crate) fn covers(&self, topic: &str, offset: i64) -> bool {
        self.end_of(topic).is_some_and(|end| offset < end)
    }

    /// The log offset at which `topic` was deleted last.
    pub(crate) fn end_of(&self, topic: &str) -> Option<i64> {
        self.table.lock().get(topic).copied()
    }

    /// Notes, durably, that the messages of `topic` below the log offset `end` are deleted. Topics without a record from
    /// `log_min` on are forgotten.
    pub(crate) fn add(&self, topic: &str, end: i64, log_min: i64) -> Result<(), StoreError> {
        self.change(|table| {
            table.retain(|_, end| *end > log_min);
            table.insert(topic.to_owned(), end);
        })
    }

    /// Takes note that the log ends at `log_end`: what comes behind was put later than any deletion, even when the log was
    /// longer before.
    pub(crate) fn end_at(&self, log_end: i64) -> Result<(), StoreError> {
        if self.table.lock().values().all(|end| *end <= log_end) {
            return Ok(());
        }
        self.change(|table| {
            table.values_mut().for_each(|end| *end = log_end.min(*end));
            table.retain(|_, end| *end > 0);
        })
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<String, i64>)) -> Result<(), StoreError> {
        let mut table = self.table.lock();
        let mut changed = table.clone();
        change(&mut changed);
        let text = serde_json::to_vec_pretty(&changed).map_err(|e| StoreError::Unusable {
            path: self.path.clone(),
            problem: format!("the table has no form in JSON: {e}"),
        })?;
        config_file::save_table(&self.path, &text, Readers::Anyone)?;
        *table = changed;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_deleted_up_to_where_the_log_was() {
        let dir = tempfile::tempdir().unwrap();
        let deleted = DeletedTopics::open(dir.path()).unwrap();
        assert!(!deleted.covers("T", 0));
        deleted.add("T", 100, 0).unwrap();
        deleted.add("U", 200, 0).unwrap();
        let deleted = DeletedTopics::open(dir.path()).unwrap();
        assert!(deleted.covers("T", 99) && !deleted.covers("T", 100) && deleted.covers("U", 100));
        deleted.add("V", 300, 100).unwrap();
        assert_eq!(DeletedTopics::open(dir.path()).unwrap().end_of("T"), None, "nothing of it is left");
        deleted.end_at(250).unwrap();
        assert_eq!((deleted.end_of("U"), deleted.end_of("V")), (Some(200), Some(250)));
        deleted.end_at(0).unwrap();
        assert_eq!(DeletedTopics::open(dir.path()).unwrap().end_of("U"), None, "the log was deleted");
    }
}
