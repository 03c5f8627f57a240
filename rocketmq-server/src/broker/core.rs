//! What every handler and service of the broker works on.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use rocketmq_remoting::Request;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::message::properties::Properties;
use rocketmq_remoting::message::{MessageRecord, UniqueIds};
use rocketmq_remoting::net::Connection;

use super::acl::AccessControl;
use super::clients::consumers::ConsumerTable;
use super::clients::producers::ProducerTable;
use super::clients::queue_locks::QueueLocks;
use super::clients::request_modes::RequestModes;
use super::delay::{DelayLevels, DelayProgress};
use super::groups::table::GroupTable;
use super::log::placement::{PlacementRules, park};
use super::log::uncommitted::Uncommitted;
use super::offsets::table::ConsumerOffsets;
use super::persist::table_file::TableFile;
use super::pop::PopState;
use super::pull::parking::PullParking;
use super::send::properties::{SentProperties, Stamp};
use super::settings::live_config::LiveConfig;
use super::settings::{Fixed, Live, millis};
use super::stats::counters::{Counters, Stats};
use super::stats::flow::Flow;
use super::timer::TimerState;
use super::topics::table::TopicTable;
use super::transaction::Transactions;
use crate::broker::acl::needs::Needs;
use crate::clock::Clock;
use crate::exchange::{Asked, Refusal};
use crate::store::{Store, StoreError, Stored, Unit};

/// The state of one broker. Handlers share it; nothing in it waits.
#[derive(Debug)]
pub struct Core {
    /// As the broker was started; see [`tuned`](Self::tuned) for what can change meanwhile.
    pub settings: Fixed,
    pub tuned: RwLock<Arc<Live>>,
    pub acl: AccessControl,
    pub clock: Arc<dyn Clock>,
    pub store: Store,
    pub topics: TopicTable,
    pub groups: GroupTable,
    pub offsets: Mutex<ConsumerOffsets>,
    pub consumers: Mutex<ConsumerTable>,
    pub producers: Mutex<ProducerTable>,
    pub locks: Mutex<QueueLocks>,
    pub channels: Channels,
    pub parking: Arc<PullParking>,
    pub pop: PopState,
    pub request_modes: RequestModes,
    pub delay: DelayProgress,
    pub timer: TimerState,
    pub transactions: Transactions,
    pub levels: DelayLevels,
    pub stamp: Stamp,
    pub ids: UniqueIds,
    /// What `storeHost` and offset message ids name.
    pub address: SocketAddr,
    pub started_at: i64,
    pub offset_file: TableFile,
    pub stats: Stats,
    /// Locked until a change is in effect: the one that the file remembers last is the one in effect.
    pub live: Mutex<Arc<dyn LiveConfig>>,
    pub uncommitted: Uncommitted,
    /// Sends that wait for the disk.
    pub waiting_sends: AtomicUsize,
}

impl Core {
    pub fn now(&self) -> i64 {
        self.clock.now_ms()
    }

    /// The settings that can change while the broker runs, as they are now.
    pub fn tuned(&self) -> Arc<Live> {
        self.tuned.read().clone()
    }

    /// Lets new settings take effect. The routes follow.
    ///
    /// # Errors
    /// The file of the topics cannot be written.
    pub fn tune(&self, live: Live) -> Result<(), StoreError> {
        self.store.tune(live.store.clone());
        self.groups.set_auto_create(live.auto_create_groups);
        let auto_create_topics = live.auto_create_topics;
        // Before anything that can fail: the file that remembers these settings is written already.
        *self.tuned.write() = Arc::new(live);
        self.topics.set_auto_create(auto_create_topics, self.settings.default_topic_queues)?;
        self.topics.touch()
    }

    /// Refuses a group that has neither a configuration nor offsets of the topic: offsets that were copied to a new group are
    /// enough to reset or commit them.
    ///
    /// # Errors
    /// Code 26.
    pub fn check_group_of(&self, topic: &str, group: &str) -> Result<(), Refusal> {
        if self.groups.get(group).is_some() || self.offsets.lock().of(topic, group).is_some() {
            return Ok(());
        }
        Err(Refusal::no_group(group))
    }

    /// How a message with a delay or a delivery time is treated now.
    pub fn placement_rules(&self) -> PlacementRules<'_> {
        PlacementRules {
            levels: &self.levels,
            timers: self.settings.timers,
            max_delay_ms: millis(self.tuned().timer_max_delay),
            now: self.now(),
        }
    }

    /// Stores a message that the broker itself makes. It waits if its properties ask for that, be it for longer than a client
    /// may.
    ///
    /// # Errors
    /// The placement or the store refuses.
    pub fn put(&self, record: MessageRecord) -> Result<Stored, Refusal> {
        let rules = PlacementRules { max_delay_ms: i64::MAX, ..self.placement_rules() };
        let placement = rules.place(&SentProperties::scan(&record.properties))?;
        self.append(park(record, placement))
    }

    /// Stores a message where it says, whatever its properties ask for.
    ///
    /// # Errors
    /// The store refuses.
    pub fn append(&self, record: MessageRecord) -> Result<Stored, Refusal> {
        let flow = self.stats.flows.puts(&record.topic);
        let stored = self.store.put(record).map_err(refuse_put)?;
        self.store.written(&stored).map_err(refuse_put)?;
        self.count_put(&flow, &stored);
        Ok(stored)
    }

    /// Stores a message whose producer is not told before [`commit`](Self::commit).
    ///
    /// # Errors
    /// The store refuses.
    pub fn put_buffered(&self, record: MessageRecord) -> Result<Stored, Refusal> {
        let flow = self.stats.flows.puts(&record.topic);
        let stored = self.store.put(record).map_err(|error| {
            Counters::add(&self.stats.counters.put_failed, 1);
            refuse_put(error)
        })?;
        self.count_put(&flow, &stored);
        Ok(stored)
    }

    /// Counts a stored message, which belongs to the flow of its topic.
    pub fn count_put(&self, flow: &Flow, stored: &Stored) {
        let size = u64::try_from(stored.size).unwrap_or(0);
        Counters::add(&self.stats.counters.put_messages, 1);
        Counters::add(&self.stats.counters.put_bytes, size);
        self.stats.flows.add_put(flow, size);
    }

    /// Counts what one request of a group found.
    pub fn count_get(&self, topic: &str, group: &str, records: &[Bytes]) {
        let counters = &self.stats.counters;
        if records.is_empty() {
            Counters::add(&counters.get_miss, 1);
            return;
        }
        let messages = records.len() as u64;
        Counters::add(&counters.get_found, 1);
        Counters::add(&counters.get_messages, messages);
        let bytes = records.iter().map(|record| record.len() as u64).sum();
        self.stats.flows.add_get(topic, group, messages, bytes);
    }

    /// Hands to the kernel what a connection's requests have put since the last call.
    ///
    /// # Errors
    /// Some of it could not be written.
    pub fn commit(&self, connection: u64) -> Result<(), Refusal> {
        for stored in self.uncommitted.take(connection) {
            self.store.written(&stored).map_err(refuse_put)?;
        }
        Ok(())
    }

    /// Refuses what the asker may not do.
    ///
    /// # Errors
    /// The refusal.
    pub fn permit<R: Request>(&self, asked: &Asked<'_, R>, needs: Needs) -> Result<(), Refusal> {
        self.acl.judge(asked.peer().ip(), asked.command(), needs, &self.store)
    }

    /// Where the message at a queue's offset is. A queue that cannot be read has none, which is logged.
    pub fn unit(&self, topic: &str, queue: i32, offset: i64) -> Option<Unit> {
        match self.store.units(topic, queue, offset, 1) {
            Ok(units) => units.first().copied(),
            Err(error) => {
                tracing::error!(topic, queue, offset, %error, "cannot read a consume queue");
                None
            }
        }
    }

    /// The message at a queue's offset; `None` when the log has no such message any more.
    ///
    /// # Errors
    /// The queue cannot be read.
    pub fn message_at(
        &self,
        topic: &str,
        queue: i32,
        offset: i64,
    ) -> Result<Option<MessageRecord>, StoreError> {
        let unit = self.store.units(topic, queue, offset, 1)?.first().copied();
        Ok(unit.and_then(|unit| self.read_unit(topic, queue, offset, unit)))
    }

    /// [`message_at`](Self::message_at) for a unit that is known; `None` when the log has no such message any more.
    pub fn read_unit(&self, topic: &str, queue: i32, offset: i64, unit: Unit) -> Option<MessageRecord> {
        let record = self.store.read_at(unit.physical_offset)?;
        let is_it = record.topic == topic && record.queue_id == queue && record.queue_offset == offset;
        is_it.then_some(record)
    }

    /// A record written by the broker for its own purposes.
    pub fn own_record(
        &self,
        topic: &str,
        queue_id: i32,
        properties: &Properties,
        body: Vec<u8>,
    ) -> MessageRecord {
        MessageRecord {
            topic: topic.to_owned(),
            queue_id,
            properties: properties.encode_stored(),
            body: body.into(),
            born_timestamp: self.now(),
            born_host: self.address,
            store_host: self.address,
            ..MessageRecord::default()
        }
        .seal()
    }
}

/// What a client is told when the store refuses a message.
pub fn refuse_put(error: StoreError) -> Refusal {
    let code = match &error {
        StoreError::MessageIllegal { .. } => ResponseCode::MESSAGE_ILLEGAL,
        StoreError::DiskFull { .. }
        | StoreError::AboveWarningLevel { .. }
        | StoreError::FlushFailed { .. }
        | StoreError::Closed => ResponseCode::SERVICE_NOT_AVAILABLE,
        _ => ResponseCode::SYSTEM_ERROR,
    };
    Refusal::new(code, error.to_string())
}

/// The live connections that belong to some client, by id: where notifications and check-backs go.
#[derive(Debug, Default)]
pub struct Channels {
    by_id: Mutex<HashMap<u64, Connection>>,
}

impl Channels {
    pub fn add(&self, connection: &Connection) {
        let mut by_id = self.by_id.lock();
        by_id.entry(connection.id()).or_insert_with(|| connection.clone());
    }

    pub fn remove(&self, id: u64) {
        self.by_id.lock().remove(&id);
    }

    pub fn get(&self, id: u64) -> Option<Connection> {
        self.by_id.lock().get(&id).cloned()
    }

    /// Closes connections whose clients fell silent.
    pub fn close(&self, ids: &[u64]) {
        let mut by_id = self.by_id.lock();
        for id in ids {
            if let Some(connection) = by_id.remove(id) {
                connection.close();
            }
        }
    }
}
