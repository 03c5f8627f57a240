//! The topics of this broker: what exists, how new ones come about, and the file that remembers them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use rocketmq_remoting::body::topic::{DataVersion, TopicConfig, TopicConfigWrapper};
use rocketmq_remoting::route::Perm;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::broker::names;
use crate::broker::persist::table_file::TableFile;
use crate::broker::settings::Fixed;
use crate::clock::Clock;
use crate::store::StoreError;

const READ_WRITE: Perm = Perm(Perm::READ | Perm::WRITE);
const OPEN_TEMPLATE: Perm = Perm(Perm::READ | Perm::WRITE | Perm::INHERIT);

#[derive(Debug, Default)]
struct Table {
    version: DataVersion,
    topics: HashMap<String, Arc<TopicConfig>>,
}

/// All topics. A change is on disk when the call that made it returns, and before it is announced to those who register
/// routes; other requests may see it a moment earlier. The file is written and synced by the caller.
#[derive(Debug)]
pub(crate) struct TopicTable {
    table: RwLock<Table>,
    file: TableFile,
    clock: Arc<dyn Clock>,
    changes: watch::Sender<u64>,
    /// The last change that a name server knows.
    announced: watch::Sender<u64>,
}

/// The time that the first send to a new topic waits for a name server. It usually takes a millisecond.
const ANNOUNCED_WITHIN: Duration = Duration::from_secs(1);

/// The topic that a first send asks for when it is unknown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub topic: &'a str,
    /// The topic whose settings are copied, normally `TBW102`.
    pub template: &'a str,
    pub queues: i32,
    /// [`UNIT`] or [`UNIT_SUB`], for clients of one unit of several.
    pub sys_flag: i32,
}

/// The most queues of a topic: each costs memory, and many requests go through all of them.
pub const MAX_QUEUES: i32 = 65_536;

/// Returns true if a topic may have so many queues.
pub(crate) fn is_queue_count(count: i32) -> bool {
    (0..=MAX_QUEUES).contains(&count)
}

/// The system flag of a topic that producers of a unit write.
pub(crate) const UNIT: i32 = 1;
/// The system flag of the retry topic of consumers of a unit.
pub(crate) const UNIT_SUB: i32 = 2;

/// The system flag of a retry topic.
pub(crate) const fn unit_sub(unit_mode: bool) -> i32 {
    if unit_mode { UNIT_SUB } else { 0 }
}

impl TopicTable {
    /// Loads the file and adds the system topics that are missing.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub(crate) fn open(
        file: TableFile,
        settings: &Fixed,
        auto_create: bool,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let stored: TopicConfigWrapper = file.load()?;
        let topics = stored.topic_config_table.into_iter();
        let mut table = Table {
            version: stored.data_version,
            topics: topics.map(|(name, config)| (name, Arc::new(within_limits(config)))).collect(),
        };
        let template = auto_create
            .then(|| topic_config(names::TEMPLATE_TOPIC, settings.default_topic_queues, OPEN_TEMPLATE));
        for config in system_topics(settings).into_iter().chain(template) {
            table.topics.entry(config.topic_name.clone()).or_insert_with(|| Arc::new(config));
        }
        grow_revive_topic(&mut table, settings);
        if !auto_create {
            close_template(&mut table);
        }
        let (changes, announced) = (watch::Sender::new(0), watch::Sender::new(0));
        let topics = Self { table: RwLock::new(table), file, clock, changes, announced };
        topics.save()?;
        Ok(topics)
    }

    pub(crate) fn get(&self, topic: &str) -> Option<Arc<TopicConfig>> {
        self.table.read().topics.get(topic).cloned()
    }

    /// Counts up whenever the table changes.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Counts the changes of the table.
    pub(crate) fn change(&self) -> u64 {
        *self.changes.borrow()
    }

    /// A name server knows the topics as they were after this change.
    pub(crate) fn announce(&self, change: u64) {
        self.announced.send_if_modified(|last| change > std::mem::replace(last, change.max(*last)));
    }

    /// Waits until a name server knows the topics as they are now; not for long, and not at all while none is connected.
    pub(crate) async fn announced(&self) {
        if self.changes.receiver_count() == 0 {
            return;
        }
        let (now, mut announced) = (self.change(), self.announced.subscribe());
        // The producer must not suffer for a name server that does not answer.
        let _ = timeout(ANNOUNCED_WITHIN, announced.wait_for(|last| *last >= now)).await;
    }

    /// Creates or replaces topics; equal ones are left alone.
    ///
    /// # Errors
    /// The file cannot be written; the change is then in memory only.
    pub(crate) fn put(&self, configs: impl IntoIterator<Item = TopicConfig>) -> Result<(), StoreError> {
        let changed = {
            let mut table = self.table.write();
            let mut changed = false;
            for config in configs {
                changed |= put_one(&mut table.topics, config);
            }
            if changed {
                table.version = table.version.next(self.clock.now_ms());
            }
            changed
        };
        if changed { self.publish() } else { Ok(()) }
    }

    /// The topic, made by `new` if it is missing.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub(crate) fn ensure(
        &self,
        topic: &str,
        new: impl FnOnce() -> TopicConfig,
    ) -> Result<Arc<TopicConfig>, StoreError> {
        if let Some(config) = self.get(topic) {
            return Ok(config);
        }
        let config = {
            let mut table = self.table.write();
            if let Some(config) = table.topics.get(topic) {
                return Ok(config.clone());
            }
            let config = Arc::new(new());
            table.topics.insert(topic.to_owned(), config.clone());
            table.version = table.version.next(self.clock.now_ms());
            config
        };
        self.publish()?;
        Ok(config)
    }

    /// Creates a topic from the template its producer named; `None` when the template does not allow it.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub(crate) fn create(&self, wanted: Wanted<'_>) -> Result<Option<Arc<TopicConfig>>, StoreError> {
        let Some(config) = self.get(wanted.template).and_then(|template| from_template(&template, wanted))
        else {
            return Ok(None);
        };
        self.ensure(wanted.topic, || config).map(Some)
    }

    /// Opens or closes the template of topics that producers create by sending to them.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub(crate) fn set_auto_create(&self, on: bool, queues: i32) -> Result<(), StoreError> {
        let perm = if on { OPEN_TEMPLATE } else { READ_WRITE };
        match self.get(names::TEMPLATE_TOPIC) {
            Some(template) if template.perm == perm => Ok(()),
            Some(template) => self.put([TopicConfig { perm, ..(*template).clone() }]),
            None if on => self.put([topic_config(names::TEMPLATE_TOPIC, queues, perm)]),
            None => Ok(()),
        }
    }

    /// Removes topics; says whether any of them existed.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub(crate) fn remove(&self, topic: &str) -> Result<bool, StoreError> {
        {
            let mut table = self.table.write();
            if table.topics.remove(topic).is_none() {
                return Ok(false);
            }
            table.version = table.version.next(self.clock.now_ms());
        }
        self.publish()?;
        Ok(true)
    }

    /// Everything, for the name servers, slaves and the file.
    pub(crate) fn snapshot(&self) -> TopicConfigWrapper {
        let table = self.table.read();
        TopicConfigWrapper {
            data_version: table.version,
            topic_config_table: table.topics.iter().map(|(k, v)| (k.clone(), (**v).clone())).collect(),
            ..TopicConfigWrapper::default()
        }
    }

    /// Writes the file.
    ///
    /// # Errors
    /// The disk refuses.
    pub(crate) fn save(&self) -> Result<(), StoreError> {
        self.file.save(|| self.snapshot())
    }

    /// Announces a change that routes must follow although no topic changed, such as the broker's permission.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub(crate) fn touch(&self) -> Result<(), StoreError> {
        {
            let mut table = self.table.write();
            table.version = table.version.next(self.clock.now_ms());
        }
        self.publish()
    }

    fn publish(&self) -> Result<(), StoreError> {
        self.save()?;
        self.changes.send_modify(|count| *count += 1);
        Ok(())
    }
}

/// A topic as a file has it, with no more queues than there may be.
fn within_limits(mut config: TopicConfig) -> TopicConfig {
    for count in [&mut config.read_queue_nums, &mut config.write_queue_nums] {
        if !is_queue_count(*count) {
            tracing::warn!(
                topic = config.topic_name,
                count,
                limit = MAX_QUEUES,
                "a topic cannot have so many queues"
            );
            *count = (*count).clamp(0, MAX_QUEUES);
        }
    }
    config
}

fn put_one(topics: &mut HashMap<String, Arc<TopicConfig>>, config: TopicConfig) -> bool {
    match topics.get(&config.topic_name) {
        Some(known) if **known == config => false,
        _ => {
            topics.insert(config.topic_name.clone(), Arc::new(config));
            true
        }
    }
}

/// A topic of `queues` queues for reading and writing, or what `perm` says.
pub(crate) fn topic_config(name: impl Into<String>, queues: i32, perm: Perm) -> TopicConfig {
    TopicConfig {
        topic_name: name.into(),
        read_queue_nums: queues,
        write_queue_nums: queues,
        perm,
        ..TopicConfig::default()
    }
}

/// A topic that anybody reads and writes.
pub(crate) fn open_topic(name: impl Into<String>, queues: i32) -> TopicConfig {
    topic_config(name, queues, READ_WRITE)
}

fn from_template(template: &TopicConfig, wanted: Wanted<'_>) -> Option<TopicConfig> {
    if !template.perm.is_inherited() {
        return None;
    }
    let queues = wanted.queues.min(template.write_queue_nums).max(0);
    let perm = Perm(template.perm.0 & !Perm::INHERIT);
    Some(TopicConfig {
        topic_filter_type: template.topic_filter_type,
        topic_sys_flag: wanted.sys_flag,
        attributes: BTreeMap::new(),
        ..topic_config(wanted.topic, queues, perm)
    })
}

/// A template left over from a time when topics could be created must not create any now.
fn close_template(table: &mut Table) {
    if let Some(template) = table.topics.get_mut(names::TEMPLATE_TOPIC) {
        Arc::make_mut(template).perm = READ_WRITE;
    }
}

/// Notes as many revive queues as there ever were: with fewer in the settings, those beyond still hold what was popped.
fn grow_revive_topic(table: &mut Table, settings: &Fixed) {
    if let Some(topic) = table.topics.get_mut(&names::revive_topic(&settings.cluster))
        && topic.read_queue_nums < settings.revive_queues
    {
        let topic = Arc::make_mut(topic);
        (topic.read_queue_nums, topic.write_queue_nums) = (settings.revive_queues, settings.revive_queues);
    }
}

fn system_topics(settings: &Fixed) -> Vec<TopicConfig> {
    let template_or = |open: bool| if open { OPEN_TEMPLATE } else { Perm(Perm::INHERIT) };
    let mut topics = vec![
        open_topic(names::SELF_TEST_TOPIC, 1),
        open_topic(names::BENCHMARK_TOPIC, 1024),
        topic_config(&*settings.cluster, 16, template_or(settings.cluster_topic)),
        topic_config(&*settings.broker_name, 1, template_or(settings.broker_topic)),
        open_topic(names::OFFSET_MOVED_TOPIC, 1),
        open_topic(names::SCHEDULE_TOPIC, 18),
        open_topic(names::reply_topic(&settings.cluster), 1),
        open_topic(names::revive_topic(&settings.cluster), settings.revive_queues),
        topic_config(names::sync_member_topic(&settings.broker_name), 1, Perm(Perm::INHERIT)),
        open_topic(names::HALF_TOPIC, 1),
        open_topic(names::OP_HALF_TOPIC, 1),
        open_topic(names::ROCKSDB_HALF_TOPIC, 1),
        open_topic(names::ROCKSDB_OP_HALF_TOPIC, 1),
    ];
    if settings.trace_topic {
        topics.push(open_topic(&*settings.trace_topic_name, 1));
    }
    if settings.timers {
        topics.push(open_topic(names::TIMER_TOPIC, 1));
    }
    topics
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Manual;

    fn open(dir: &std::path::Path, auto_create: bool) -> TopicTable {
        let file = TableFile::new(dir, "topics.json");
        TopicTable::open(file, &Fixed::new(dir), auto_create, Arc::new(Manual::new(1_000))).unwrap()
    }

    fn wanted(topic: &str, queues: i32) -> Wanted<'_> {
        Wanted { topic, template: names::TEMPLATE_TOPIC, queues, sys_flag: 0 }
    }

    #[test]
    fn a_topic_gets_at_most_the_queues_of_its_template_and_is_announced() {
        let dir = tempfile::tempdir().unwrap();
        let topics = open(dir.path(), true);
        let changes = topics.changes();
        let config = topics.create(wanted("t", 16)).unwrap().unwrap();
        assert_eq!((config.write_queue_nums, config.perm), (8, READ_WRITE));
        assert!(changes.has_changed().unwrap());
    }

    #[test]
    fn topics_survive_a_restart_and_a_left_over_template_creates_nothing() {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path(), true).create(wanted("t", 4)).unwrap();
        let topics = open(dir.path(), false);
        assert_eq!(topics.get("t").unwrap().read_queue_nums, 4);
        assert!(topics.create(wanted("u", 4)).unwrap().is_none());
    }

    #[test]
    fn a_file_with_too_many_queues_is_read_with_as_many_as_there_may_be() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("config")).unwrap();
        let text =
            r#"{"topicConfigTable":{"t":{"topicName":"t","readQueueNums":2147483647,"writeQueueNums":-1}}}"#;
        std::fs::write(dir.path().join("config/topics.json"), text).unwrap();
        let topic = open(dir.path(), true).get("t").unwrap();
        assert_eq!((topic.read_queue_nums, topic.write_queue_nums), (MAX_QUEUES, 0));
    }

    #[test]
    fn an_equal_configuration_changes_no_version() {
        let dir = tempfile::tempdir().unwrap();
        let topics = open(dir.path(), true);
        topics.put([open_topic("t", 4)]).unwrap();
        let version = topics.snapshot().data_version;
        topics.put([open_topic("t", 4)]).unwrap();
        assert_eq!(topics.snapshot().data_version, version);
        assert!(topics.remove("t").unwrap());
        assert!(!topics.remove("t").unwrap());
    }
}
