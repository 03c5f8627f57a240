//! The log as the broker's domains use it: they put messages, and read single ones by their place.

pub(crate) mod notes;
pub(crate) mod placement;
pub(crate) mod range;
pub(crate) mod set_aside;
pub(crate) mod store_times;
pub(crate) mod uncommitted;

use std::sync::Arc;

use bytes::Bytes;
use placement::{PlacementRules, divert};
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::message::MessageRecord;
use rocketmq_remoting::message::properties::Properties;
use uncommitted::Uncommitted;

use super::send::properties::SentProperties;
use super::settings::{Current, millis};
use super::stats::counters::{Counters, Stats};
use super::stats::traffic::Traffic;
use crate::clock::Clock;
use crate::exchange::Refusal;
use crate::store::{Put, Store, StoreError, Unit};

/// The store, and the three duties of every put: the placement of messages that wait, the figures, and the puts whose senders
/// are not told yet.
#[derive(Debug)]
pub(crate) struct Log {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub settings: Arc<Current>,
    pub stats: Stats,
    pub uncommitted: Uncommitted,
}

impl Log {
    pub(crate) fn new(store: Store, settings: Arc<Current>, clock: Arc<dyn Clock>) -> Self {
        let stats = Stats::new(clock.now_ms());
        Self { store, clock, settings, stats, uncommitted: Uncommitted::default() }
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Returns the time by which leases are measured: see [`Clock::passed_ms`].
    pub(crate) fn passed(&self) -> i64 {
        self.clock.passed_ms()
    }

    /// Returns the rules that now hold for messages with a delay or a delivery time.
    pub(crate) fn placement_rules(&self) -> PlacementRules<'_> {
        PlacementRules {
            levels: &self.settings.fixed.delay_levels,
            timers: self.settings.fixed.timers,
            max_delay_ms: millis(self.settings.live().timer_max_delay),
            now: self.now(),
        }
    }

    /// Puts and writes a message that the broker itself makes. It waits if its properties ask for that, even for longer than a
    /// client may.
    ///
    /// # Errors
    /// The placement or the store refuses.
    pub(crate) fn put(&self, record: MessageRecord) -> Result<Put, Refusal> {
        let rules = PlacementRules { max_delay_ms: i64::MAX, ..self.placement_rules() };
        let placement = rules.place(&SentProperties::scan(&record.properties))?;
        self.append(divert(record, placement))
    }

    /// Puts and writes a message where it says, whatever its properties ask for.
    ///
    /// # Errors
    /// The store refuses.
    pub(crate) fn append(&self, record: MessageRecord) -> Result<Put, Refusal> {
        let traffic = self.stats.traffic.puts(&record.topic);
        let put = self.store.put(record).map_err(refuse_put)?;
        self.store.ensure_written(&put).map_err(refuse_put)?;
        self.count_put(&traffic, &put);
        Ok(put)
    }

    /// Puts a message whose producer is not told before [`commit`](Self::commit).
    ///
    /// # Errors
    /// The store refuses.
    pub(crate) fn put_buffered(&self, record: MessageRecord) -> Result<Put, Refusal> {
        let traffic = self.stats.traffic.puts(&record.topic);
        let put = self.store.put(record).map_err(|error| {
            Counters::add(&self.stats.counters.put_failed, 1);
            refuse_put(error)
        })?;
        self.count_put(&traffic, &put);
        Ok(put)
    }

    /// Counts a message that was put as traffic of its topic.
    pub(crate) fn count_put(&self, traffic: &Traffic, put: &Put) {
        let size = u64::try_from(put.size).unwrap_or(0);
        Counters::add(&self.stats.counters.put_messages, 1);
        Counters::add(&self.stats.counters.put_bytes, size);
        self.stats.traffic.add_put(traffic, size);
    }

    /// Counts what one request of a group found.
    pub(crate) fn count_get(&self, topic: &str, group: &str, records: &[Bytes]) {
        let counters = &self.stats.counters;
        if records.is_empty() {
            Counters::add(&counters.get_miss, 1);
            return;
        }
        let messages = records.len() as u64;
        Counters::add(&counters.get_found, 1);
        Counters::add(&counters.get_messages, messages);
        let bytes = records.iter().map(|record| record.len() as u64).sum();
        self.stats.traffic.add_get(topic, group, messages, bytes);
    }

    /// Hands to the kernel what a connection's requests have put since the last call.
    ///
    /// # Errors
    /// Some of it could not be written.
    pub(crate) fn commit(&self, connection: u64) -> Result<(), Refusal> {
        for put in self.uncommitted.take(connection) {
            self.store.ensure_written(&put).map_err(refuse_put)?;
        }
        Ok(())
    }

    /// Finds the message at a queue's offset. A queue that cannot be read has none; this is logged.
    pub(crate) fn unit(&self, topic: &str, queue: i32, offset: i64) -> Option<Unit> {
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
    pub(crate) fn message_at(
        &self,
        topic: &str,
        queue: i32,
        offset: i64,
    ) -> Result<Option<MessageRecord>, StoreError> {
        let unit = self.store.units(topic, queue, offset, 1)?.first().copied();
        Ok(unit.and_then(|unit| self.read_unit(topic, queue, offset, unit)))
    }

    /// [`message_at`](Self::message_at) for a unit that is known; `None` when the log has no such message any more.
    pub(crate) fn read_unit(
        &self,
        topic: &str,
        queue: i32,
        offset: i64,
        unit: Unit,
    ) -> Option<MessageRecord> {
        let record = self.store.read_at(unit.physical_offset)?;
        let is_it = record.topic == topic && record.queue_id == queue && record.queue_offset == offset;
        is_it.then_some(record)
    }

    /// The encoded record at a commit log offset, if one begins there.
    pub(crate) fn record_bytes(&self, offset: i64) -> Option<Bytes> {
        let record = self.store.read_at(offset)?;
        self.store.read_bytes(offset, i32::try_from(record.encoded_len()).ok()?)
    }

    /// A record written by the broker for its own purposes.
    pub(crate) fn own_record(
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
            born_host: self.settings.address,
            store_host: self.settings.address,
            ..MessageRecord::default()
        }
        .seal()
    }
}

/// Translates the store's refusal of a message for the client.
pub(crate) fn refuse_put(error: StoreError) -> Refusal {
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
