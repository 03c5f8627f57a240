//! The offset of each group in each queue, and the resets that wait for the group's next pull.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use parking_lot::{Mutex, MutexGuard};
use rocketmq_remoting::body::offset::ConsumerOffsetWrapper;
use rocketmq_remoting::body::topic::DataVersion;

use crate::broker::log::range::Moved;
use crate::broker::persist::table_file::TableFile;
use crate::store::{Store, StoreError};

/// Queue id to next offset, for one topic and group.
pub(crate) type QueueOffsets = BTreeMap<i32, i64>;

/// Consumed offsets keyed `topic@group`, as `consumerOffset.json` keys them.
#[derive(Debug, Default)]
pub(crate) struct ConsumerOffsets {
    table: HashMap<String, QueueOffsets>,
    /// Resets decided on the broker (request 222); each is handed to one pull and then forgotten.
    pending: HashMap<String, QueueOffsets>,
    changed: bool,
    save_failed: bool,
}

/// The result of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Commit {
    Stored,
    /// A reset waits for this queue: the old consumer's progress no longer counts.
    Superseded,
}

/// `topic@group`. Neither name can hold an `@`, so the first one splits.
pub(crate) fn offset_key(topic: &str, group: &str) -> String {
    let mut key = String::with_capacity(topic.len() + group.len() + 1);
    key.push_str(topic);
    key.push('@');
    key.push_str(group);
    key
}

/// Topic and group of a key.
pub(crate) fn split_key(key: &str) -> Option<(&str, &str)> {
    key.split_once('@')
}

impl ConsumerOffsets {
    /// The table as read from `consumerOffset.json`.
    pub(crate) fn from_table(table: impl IntoIterator<Item = (String, QueueOffsets)>) -> Self {
        Self { table: table.into_iter().collect(), ..Self::default() }
    }

    /// Stores a committed offset; a decrease is allowed, as in Apache.
    pub(crate) fn commit(&mut self, topic: &str, group: &str, queue: i32, offset: i64) -> Commit {
        let key = offset_key(topic, group);
        if self.pending_at(&key, queue).is_some() {
            return Commit::Superseded;
        }
        self.store(key, queue, offset);
        Commit::Stored
    }

    fn store(&mut self, key: String, queue: i32, offset: i64) {
        self.changed = true;
        self.table.entry(key).or_default().insert(queue, offset);
    }

    fn pending_at(&self, key: &str, queue: i32) -> Option<i64> {
        self.pending.get(key)?.get(&queue).copied()
    }

    /// The offset a consumer would start from: a pending reset wins over what was committed.
    pub(crate) fn query(&self, topic: &str, group: &str, queue: i32) -> Option<i64> {
        let key = offset_key(topic, group);
        self.pending_at(&key, queue).or_else(|| self.table.get(&key)?.get(&queue).copied())
    }

    /// Sets a queue's offset and keeps it for the next pull, which must answer with it.
    pub(crate) fn reset(&mut self, topic: &str, group: &str, queue: i32, offset: i64) {
        let key = offset_key(topic, group);
        self.pending.entry(key.clone()).or_default().insert(queue, offset);
        self.store(key, queue, offset);
    }

    /// Returns true if any reset waits. Pulls ask this first, because it is cheaper than to build a key.
    pub(crate) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Takes the reset waiting for a queue, if there is one.
    pub(crate) fn take_reset(&mut self, topic: &str, group: &str, queue: i32) -> Option<i64> {
        let key = offset_key(topic, group);
        let waiting = self.pending.get_mut(&key)?;
        let offset = waiting.remove(&queue);
        if waiting.is_empty() {
            self.pending.remove(&key);
        }
        offset
    }

    /// The offsets of a topic and group.
    pub(crate) fn of(&self, topic: &str, group: &str) -> Option<&QueueOffsets> {
        self.table.get(&offset_key(topic, group))
    }

    /// Every topic the group has an offset for.
    pub(crate) fn topics_of(&self, group: &str) -> BTreeSet<String> {
        self.pairs().filter(|(_, g)| *g == group).map(|(topic, _)| topic.to_owned()).collect()
    }

    /// Every group that has an offset for the topic.
    pub(crate) fn groups_of(&self, topic: &str) -> BTreeSet<String> {
        self.pairs().filter(|(t, _)| *t == topic).map(|(_, group)| group.to_owned()).collect()
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.table.keys().filter_map(|key| split_key(key))
    }

    /// Copies the offsets of one group to another, for one topic or for all.
    pub(crate) fn clone_group(&mut self, from: &str, to: &str, topic: Option<&str>) {
        let topics = match topic {
            Some(topic) => BTreeSet::from([topic.to_owned()]),
            None => self.topics_of(from),
        };
        for topic in topics {
            if let Some(offsets) = self.of(&topic, from).cloned() {
                self.changed = true;
                self.table.insert(offset_key(&topic, to), offsets);
            }
        }
    }

    /// Forgets a deleted topic.
    pub(crate) fn remove_topic(&mut self, topic: &str) {
        self.retain(|t, _| t != topic);
    }

    /// Forgets a deleted group.
    pub(crate) fn remove_group(&mut self, group: &str) {
        self.retain(|_, g| g != group);
    }

    fn retain(&mut self, keep: impl Fn(&str, &str) -> bool) {
        let keep = |key: &str| split_key(key).is_none_or(|(topic, group)| keep(topic, group));
        let before = self.table.len();
        self.table.retain(|key, _| keep(key));
        self.pending.retain(|key, _| keep(key));
        self.changed |= self.table.len() != before;
    }

    /// Replaces each offset by the result of `right` for its topic, group, queue and value, and forgets it if that is `None`.
    /// Returns the changes, by `topic@group`.
    pub(crate) fn set_right(
        &mut self,
        right: impl Fn(&str, &str, i32, i64) -> Option<i64>,
    ) -> BTreeMap<String, Vec<Moved>> {
        let mut all = BTreeMap::new();
        for (key, queues) in &mut self.table {
            let Some((topic, group)) = split_key(key) else { continue };
            let mut moved = Vec::new();
            queues.retain(|queue, offset| {
                let (queue, from) = (*queue, *offset);
                let to = right(topic, group, queue, from);
                if to != Some(from) {
                    moved.push(Moved { queue, from, to });
                }
                *offset = to.unwrap_or(from);
                to.is_some()
            });
            if !moved.is_empty() {
                all.insert(key.clone(), moved);
            }
        }
        self.changed |= !all.is_empty();
        all
    }

    /// All offsets, sorted for the file.
    pub(crate) fn snapshot(&self) -> BTreeMap<String, QueueOffsets> {
        self.table.iter().map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    /// Returns true if something changed since the last call. Then the file is rewritten.
    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Notes how the rewrite ended; one that failed is tried again.
    pub(crate) fn saved(&mut self, succeeded: bool) {
        self.changed |= !succeeded;
        self.save_failed = !succeeded;
    }

    /// Returns true if the last rewrite failed.
    pub(crate) fn save_failed(&self) -> bool {
        self.save_failed
    }
}

/// The offsets of all groups, and the file that keeps them.
#[derive(Debug)]
pub(crate) struct Offsets {
    table: Mutex<ConsumerOffsets>,
    file: TableFile,
}

impl Offsets {
    /// Reads `consumerOffset.json`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn open(file: TableFile) -> Result<Self, StoreError> {
        let stored: ConsumerOffsetWrapper = file.load()?;
        Ok(Self { table: Mutex::new(ConsumerOffsets::from_table(stored.offset_table)), file })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, ConsumerOffsets> {
        self.table.lock()
    }

    /// The table as its file and slaves get it.
    pub(crate) fn wrapper(&self) -> ConsumerOffsetWrapper {
        ConsumerOffsetWrapper {
            data_version: Some(DataVersion::default()),
            offset_table: self.lock().snapshot(),
            ..ConsumerOffsetWrapper::default()
        }
    }

    /// Saves what changed since the last time.
    ///
    /// # Errors
    /// The disk refuses; the next call tries again.
    pub(crate) fn save(&self) -> Result<(), StoreError> {
        if !self.lock().take_changed() {
            return Ok(());
        }
        let saved = self.file.save(|| self.wrapper());
        self.lock().saved(saved.is_ok());
        saved
    }

    /// Makes sure that an offset which was just committed will be kept. Saves only when the last save failed or the disk is
    /// full: otherwise the next interval does.
    ///
    /// # Errors
    /// The table cannot be saved.
    pub(crate) fn keep(&self, store: &Store) -> Result<(), StoreError> {
        let in_doubt = store.has_no_room() || self.lock().save_failed();
        if in_doubt { self.save() } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_may_go_back() {
        let mut offsets = ConsumerOffsets::default();
        offsets.commit("t", "g", 0, 10);
        offsets.commit("t", "g", 0, 4);
        assert_eq!(offsets.query("t", "g", 0), Some(4));
        assert_eq!(offsets.query("t", "g", 1), None);
    }

    #[test]
    fn a_reset_stops_commits_until_one_pull_has_taken_it() {
        let mut offsets = ConsumerOffsets::default();
        offsets.commit("t", "g", 0, 10);
        offsets.reset("t", "g", 0, 3);
        assert_eq!(offsets.commit("t", "g", 0, 11), Commit::Superseded);
        assert_eq!(offsets.query("t", "g", 0), Some(3));
        assert_eq!(offsets.take_reset("t", "g", 0), Some(3));
        assert_eq!(offsets.take_reset("t", "g", 0), None);
        assert!(!offsets.has_pending());
        assert_eq!(offsets.commit("t", "g", 0, 5), Commit::Stored);
    }

    #[test]
    fn deleting_a_group_leaves_the_others() {
        let mut offsets = ConsumerOffsets::default();
        offsets.commit("t", "g", 0, 1);
        offsets.commit("t", "h", 0, 2);
        offsets.remove_group("g");
        assert_eq!(offsets.query("t", "g", 0), None);
        assert_eq!(offsets.groups_of("t"), BTreeSet::from(["h".to_owned()]));
        offsets.clone_group("h", "i", None);
        assert_eq!(offsets.query("t", "i", 0), Some(2));
    }

    #[test]
    fn offsets_are_set_right_or_forgotten_and_the_others_left_alone() {
        let mut offsets = ConsumerOffsets::default();
        for (group, queue, offset) in [("g", 0, 9), ("g", 1, 2), ("h", 0, 7), ("i", 0, 1)] {
            offsets.commit("t", group, queue, offset);
        }
        offsets.take_changed();
        let moved = offsets.set_right(|_, group, _, offset| (group != "h").then_some(offset.min(4)));
        let expected = [
            ("t@g".to_owned(), vec![Moved { queue: 0, from: 9, to: Some(4) }]),
            ("t@h".to_owned(), vec![Moved { queue: 0, from: 7, to: None }]),
        ];
        assert_eq!(moved, BTreeMap::from(expected));
        assert_eq!((offsets.query("t", "g", 0), offsets.query("t", "h", 0)), (Some(4), None));
        assert!(offsets.take_changed());
        assert!(offsets.set_right(|_, _, _, offset| Some(offset)).is_empty() && !offsets.take_changed());
    }

    #[test]
    fn changes_are_reported_once() {
        let mut offsets = ConsumerOffsets::default();
        assert!(!offsets.take_changed());
        offsets.commit("t", "g", 0, 1);
        assert!(offsets.take_changed());
        assert!(!offsets.take_changed());
    }
}
