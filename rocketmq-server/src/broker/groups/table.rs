//! The configuration of subscription groups, and which group may not read which topic.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;
use rocketmq_remoting::body::group::{SubscriptionGroupConfig, SubscriptionGroupWrapper};
use rocketmq_remoting::body::topic::DataVersion;

use crate::broker::mistakes::Mistakes;
use crate::broker::names;
use crate::broker::persist::table_file::TableFile;
use crate::clock::Clock;
use crate::exchange::Refusal;
use crate::store::StoreError;

/// Bit of the forbidden table that stops reading.
const FORBIDDEN_READ: i32 = 1 << 2;

#[derive(Debug, Default)]
struct Table {
    version: DataVersion,
    groups: HashMap<String, Arc<SubscriptionGroupConfig>>,
    forbidden: BTreeMap<String, BTreeMap<String, i32>>,
}

/// All group configurations. A change is on disk when the call that made it returns; other requests may see it a moment
/// earlier. The file is written and synced by the caller.
#[derive(Debug)]
pub(crate) struct GroupTable {
    table: RwLock<Table>,
    file: TableFile,
    clock: Arc<dyn Clock>,
    auto_create: AtomicBool,
    mistakes: Mistakes,
}

impl GroupTable {
    /// Loads the file and adds the system groups that are missing.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub(crate) fn open(
        file: TableFile,
        auto_create: bool,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let stored: SubscriptionGroupWrapper = file.load()?;
        let mut table = Table {
            version: stored.data_version,
            groups: stored.subscription_group_table.into_iter().map(|(k, v)| (k, Arc::new(v))).collect(),
            forbidden: stored.forbidden_table,
        };
        for name in names::SYSTEM_GROUPS {
            table.groups.entry(name.to_owned()).or_insert_with(|| Arc::new(group_config(name)));
        }
        let groups = Self {
            table: RwLock::new(table),
            file,
            clock,
            auto_create: AtomicBool::new(auto_create),
            mistakes: Mistakes::default(),
        };
        groups.save()?;
        Ok(groups)
    }

    /// The group's configuration as it stands.
    pub(crate) fn get(&self, group: &str) -> Option<Arc<SubscriptionGroupConfig>> {
        self.table.read().groups.get(group).cloned()
    }

    /// The group's configuration, created with the defaults where that is allowed and the name is legal.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn find(&self, group: &str) -> Result<Option<Arc<SubscriptionGroupConfig>>, StoreError> {
        if let Some(config) = self.get(group) {
            return Ok(Some(config));
        }
        if !(self.auto_create.load(Ordering::Relaxed) || names::is_system_group(group))
            || names::check_group(group).is_err()
        {
            return Ok(None);
        }
        let config = Arc::new(group_config(group));
        self.change(|table| table.groups.entry(group.to_owned()).or_insert(config).clone()).map(Some)
    }

    /// The configuration of the group that a consumer names, as [`find`](Self::find) finds it.
    ///
    /// # Errors
    /// 26 no such group, which is also logged; 1 when the file cannot be written.
    pub(crate) fn required(&self, group: &str) -> Result<Arc<SubscriptionGroupConfig>, Refusal> {
        let found = self.find(group).map_err(Refusal::system)?;
        found.ok_or_else(|| {
            self.complain_of_missing(group);
            Refusal::no_group(group)
        })
    }

    /// Logs that a consumer uses a group that does not exist, and the remedy.
    pub(crate) fn complain_of_missing(&self, group: &str) {
        if !self.mistakes.is_due(group, self.clock.now_ms()) {
            return;
        }
        match names::check_group(group) {
            Ok(()) => tracing::warn!(
                group,
                "a consumer receives nothing, since its group does not exist: create it with mqadmin updateSubGroup, or \
                 set autoCreateSubscriptionGroup=true"
            ),
            Err(error) => tracing::warn!(
                group,
                "a consumer receives nothing, since its group cannot exist: {error}; give the consumer another group"
            ),
        }
    }

    /// Lets the first use of an unknown group make it, or not.
    pub(crate) fn set_auto_create(&self, on: bool) {
        self.auto_create.store(on, Ordering::Relaxed);
    }

    /// Creates or replaces groups.
    ///
    /// # Errors
    /// The file cannot be written; the change is then in memory only.
    pub(crate) fn put(
        &self,
        configs: impl IntoIterator<Item = SubscriptionGroupConfig>,
    ) -> Result<(), StoreError> {
        self.change(|table| {
            for config in configs {
                table.groups.insert(config.group_name.clone(), Arc::new(config));
            }
        })
    }

    /// Removes a group and what was forbidden to it.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub(crate) fn remove(&self, group: &str) -> Result<(), StoreError> {
        self.change(|table| {
            table.groups.remove(group);
            table.forbidden.remove(group);
        })
    }

    /// Returns true if the group may read the topic.
    pub(crate) fn is_readable(&self, group: &str, topic: &str) -> bool {
        let table = self.table.read();
        let bits = table.forbidden.get(group).and_then(|topics| topics.get(topic));
        bits.is_none_or(|bits| bits & FORBIDDEN_READ == 0)
    }

    /// Allows or forbids a group to read a topic.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub(crate) fn set_readable(&self, group: &str, topic: &str, readable: bool) -> Result<(), StoreError> {
        self.change(|table| {
            let bits =
                table.forbidden.entry(group.to_owned()).or_default().entry(topic.to_owned()).or_default();
            *bits = if readable { *bits & !FORBIDDEN_READ } else { *bits | FORBIDDEN_READ };
        })
    }

    /// Everything, for slaves, tools and the file.
    pub(crate) fn snapshot(&self) -> SubscriptionGroupWrapper {
        let table = self.table.read();
        SubscriptionGroupWrapper {
            data_version: table.version,
            forbidden_table: table.forbidden.clone(),
            subscription_group_table: table.groups.iter().map(|(k, v)| (k.clone(), (**v).clone())).collect(),
        }
    }

    /// Writes the file.
    ///
    /// # Errors
    /// The disk refuses.
    pub(crate) fn save(&self) -> Result<(), StoreError> {
        self.file.save(|| self.snapshot())
    }

    fn change<R>(&self, change: impl FnOnce(&mut Table) -> R) -> Result<R, StoreError> {
        let result = {
            let mut table = self.table.write();
            table.version = table.version.next(self.clock.now_ms());
            change(&mut table)
        };
        self.save()?;
        Ok(result)
    }
}

fn group_config(name: &str) -> SubscriptionGroupConfig {
    SubscriptionGroupConfig { group_name: name.to_owned(), ..SubscriptionGroupConfig::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Manual;

    fn open(dir: &std::path::Path, auto_create: bool) -> GroupTable {
        let file = TableFile::new(dir, "subscriptionGroup.json");
        GroupTable::open(file, auto_create, Arc::new(Manual::new(1_000))).unwrap()
    }

    #[test]
    fn an_unknown_group_is_created_only_where_that_is_allowed_and_its_name_is_legal() {
        let dir = tempfile::tempdir().unwrap();
        assert!(open(dir.path(), false).find("g").unwrap().is_none());
        assert!(open(dir.path(), true).find("a b").unwrap().is_none());
        assert!(open(dir.path(), true).find("g").unwrap().is_some());
        assert!(open(dir.path(), false).get("g").is_some(), "it is on disk");
    }

    #[test]
    fn forbidding_a_topic_survives_a_restart_and_ends_with_the_group() {
        let dir = tempfile::tempdir().unwrap();
        let groups = open(dir.path(), true);
        groups.set_readable("g", "t", false).unwrap();
        assert!(!open(dir.path(), true).is_readable("g", "t"));
        groups.remove("g").unwrap();
        assert!(groups.is_readable("g", "t"));
    }
}
