//! The broker: takes messages from producers, keeps them in a [`Store`], hands them to consumers.
//!
//! [`Broker`] owns everything; requests come in through [`Broker::handler`], which serves any number of connections.
//! Decisions are pure functions and tables in files of their own; time comes from the [`Clock`] alone.

mod acl;
mod admin;
mod clients;
mod core;
mod delay;
mod dispatch;
mod groups;
mod log;
mod names;
mod offsets;
mod persist;
mod pop;
mod pull;
mod query;
mod send;
mod services;
mod settings;
mod stats;
#[cfg(test)]
mod tests;
mod timer;
mod topics;
mod transaction;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use rocketmq_remoting::body::offset::ConsumerOffsetWrapper;
use rocketmq_remoting::body::topic::TopicConfigWrapper;
use rocketmq_remoting::message::UniqueIds;
use rocketmq_remoting::net::Handler;
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::store::{Dispatched, Store, StoreConfig, StoreError};
use acl::AccessControl;
pub use acl::{AclError, AclSettings, Login};
use clients::consumers::ConsumerTable;
use clients::producers::ProducerTable;
use clients::queue_locks::QueueLocks;
use clients::request_modes::RequestModes;
use core::{Channels, Core};
use delay::DelayProgress;
pub use delay::{DelayLevelError, DelayLevels};
use dispatch::Dispatcher;
use groups::table::GroupTable;
use log::uncommitted::Uncommitted;
use offsets::table::ConsumerOffsets;
use persist::table_file::TableFile;
pub use pop::PopSettings;
use pop::PopState;
use pull::long_poll::Arrival;
use pull::message::Pull;
use pull::parking::PullParking;
use send::properties::Stamp;
pub use settings::live_config::{FixedConfig, LiveConfig, UpdateError};
use settings::millis;
pub use settings::{Apache, Copies, Fixed, Live, Role, Settings};
use stats::counters::Stats;
use timer::{CheckpointFiles, TimerState};
pub use topics::table::MAX_QUEUES;
use topics::table::TopicTable;
use transaction::Transactions;

/// Why a broker does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// The store or a file of its configuration folder: in use, damaged, or the disk refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Access control: settings that contradict each other, or unusable rules.
    #[error(transparent)]
    Acl(#[from] AclError),
}

impl From<acl::OpenError> for BrokerError {
    fn from(error: acl::OpenError) -> Self {
        match error {
            acl::OpenError::Acl(error) => Self::Acl(error),
            acl::OpenError::Store(error) => Self::Store(error),
        }
    }
}

/// A running broker without its network: whoever accepts connections gives them [`Broker::handler`].
///
/// Dropping it stops its tasks without flushing, like [`Broker::kill`].
#[derive(Debug)]
pub struct Broker {
    core: Arc<Core>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Broker {
    /// Opens the store, recovers what was there, and starts delivering by `clock`. Clients dial it at `address`, which every
    /// record carries. `live` answers tools that read or change the settings.
    ///
    /// # Errors
    /// The store folder is in use or unusable, or a setting makes no sense.
    pub fn start(
        settings: Settings,
        address: SocketAddr,
        live: Arc<dyn LiveConfig>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BrokerError> {
        let (core, woken) = open(settings, address, live, clock)?;
        let broker = Self { core, tasks: TaskTracker::new(), stop: CancellationToken::new() };
        offsets::unread::watch(&broker.core);
        persist::positions::set_right(&broker.core);
        Transactions::recover(&broker.core);
        broker.core.store.start_background()?;
        services::start(&broker.core, woken, &broker.tasks, &broker.stop);
        Ok(broker)
    }

    /// What answers requests; one for all connections.
    pub fn handler(&self) -> Arc<dyn Handler> {
        Arc::new(Dispatcher::new(self.core.clone()))
    }

    /// The settings that stay as they were at the start.
    pub fn settings(&self) -> &Fixed {
        &self.core.settings
    }

    /// What every topic's permission is ANDed with in the routes; tools can change it while the broker runs.
    pub fn permission(&self) -> i32 {
        self.core.tuned().broker_permission
    }

    /// The store, for figures and replication.
    pub fn store(&self) -> &Store {
        &self.core.store
    }

    /// To be called before the clock is moved ahead by hand: clients and their queue locks live through the jump, since
    /// none of them can send a heartbeat meanwhile.
    pub fn before_jump(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX / 2);
        self.core.consumers.lock().outlive(by);
        self.core.producers.lock().outlive(by);
        self.core.locks.lock().outlive(by);
    }

    /// The topics to register at the name servers, as they are now.
    pub fn topics(&self) -> TopicConfigWrapper {
        self.core.topics.snapshot()
    }

    /// Changes whenever [`topics`](Self::topics) does: routes are to be registered at once.
    pub fn topic_changes(&self) -> watch::Receiver<u64> {
        self.core.topics.changes()
    }

    /// A name server knows the topics as they were after this change.
    pub(crate) fn topics_announced(&self, change: u64) {
        self.core.topics.announce(change);
    }

    /// Stops in order: no more work by the clock, parked pulls answered, tables saved, log flushed.
    ///
    /// The connections should be closed before.
    pub async fn shutdown(self) -> Result<(), BrokerError> {
        self.stop_tasks().await;
        persist::tables::persist(&self.core);
        self.core.topics.save()?;
        self.core.groups.save()?;
        self.core.store.shutdown()?;
        Ok(())
    }

    /// Stops as a crash would: nothing is saved or flushed. For tests.
    pub async fn kill(self) {
        self.stop_tasks().await;
        self.core.store.kill();
    }

    async fn stop_tasks(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

type Opened = (Arc<Core>, mpsc::UnboundedReceiver<Pull>);

fn open(
    settings: Settings,
    address: SocketAddr,
    live: Arc<dyn LiveConfig>,
    clock: Arc<dyn Clock>,
) -> Result<Opened, BrokerError> {
    let Settings { fixed: settings, live: tuned } = settings;
    let config =
        StoreConfig { delay_levels_ms: settings.delay_levels.all().to_vec(), ..settings.store.clone() };
    let (store, _) = Store::open(config, tuned.store.clone(), clock.clone())?;
    let root = &settings.store.root;
    let file = |name| TableFile::new(root, name);
    let stored: ConsumerOffsetWrapper = file("consumerOffset.json").load()?;
    let (parking, woken) = PullParking::new();
    let parking = Arc::new(parking);
    let wakers = Wakers::default();
    listen(&store, parking.clone(), &wakers);
    let revive_topic = names::revive_topic(&settings.cluster);
    let pop = PopState::open(file("consumerOrderInfo.json"), revive_topic)?;
    store.on_append(pop.listener());
    let core = Core {
        acl: AccessControl::open(&settings)?,
        topics: TopicTable::open(file("topics.json"), &settings, tuned.auto_create_topics, clock.clone())?,
        groups: GroupTable::open(file("subscriptionGroup.json"), tuned.auto_create_groups, clock.clone())?,
        offsets: Mutex::new(ConsumerOffsets::from_table(stored.offset_table)),
        offset_file: file("consumerOffset.json"),
        consumers: Mutex::new(ConsumerTable::default()),
        producers: Mutex::new(ProducerTable::default()),
        locks: Mutex::new(QueueLocks::new(millis(settings.queue_lock_lease))),
        channels: Channels::default(),
        parking,
        pop,
        request_modes: RequestModes::open(file("messageRequestMode.json"))?,
        delay: DelayProgress::open(file("delayOffset.json"), wakers.delay)?,
        timer: TimerState::open(CheckpointFiles::new(root), wakers.timer)?,
        transactions: Transactions::default(),
        levels: settings.delay_levels.clone(),
        stamp: Stamp::new(&settings.cluster, &settings.region, settings.trace_on),
        ids: UniqueIds::new(address.ip(), std::process::id(), rand::random()),
        address,
        started_at: clock.now_ms(),
        waiting_sends: AtomicUsize::new(0),
        uncommitted: Uncommitted::default(),
        stats: Stats::new(clock.now_ms()),
        live: Mutex::new(live),
        tuned: RwLock::new(Arc::new(tuned)),
        settings,
        clock,
        store,
    };
    Ok((Arc::new(core), woken))
}

#[derive(Debug, Default)]
struct Wakers {
    delay: Arc<Notify>,
    timer: Arc<Notify>,
}

/// Lets parked pulls and the delivery loops know of new messages.
fn listen(store: &Store, parking: Arc<PullParking>, wakers: &Wakers) {
    let (delay, timer) = (wakers.delay.clone(), wakers.timer.clone());
    store.on_append(move |message: &Dispatched| {
        match &*message.topic {
            names::SCHEDULE_TOPIC => delay.notify_one(),
            names::TIMER_TOPIC => timer.notify_one(),
            _ => {}
        }
        parking.arrived(Arrival {
            topic: &message.topic,
            queue: message.queue_id,
            max_offset: message.queue_offset + 1,
            tags_code: message.tags_code,
        });
    });
}
