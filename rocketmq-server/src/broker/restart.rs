//! The order in which a broker comes back after a stop, in order or not.
//!
//! ```text
//! 1  log           the store walks its newest files, cuts what a crash left half written, and completes queues and index
//! 2  tables        topics, groups, offsets, request modes and access rules are read from `config/`
//! 3  positions     offsets, delay levels, timers and ordered pops that lie outside their queues are set right
//! 4  transactions  the op queue says which half messages were decided, the half queue which of the open ones are copies
//! 5  services      timers load their topic from the first that waits, POP reads its revive topic from its group's offset,
//!                  delay levels go on at their positions; deletion and flushing begin
//! ```
//!
//! [`open`] does the first four; its last line is the order of the fifth, [`services`](super::services). A request is answered
//! only when all is done. Each step reads what the one before left: tables are held against queues, so the queues come first.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use rocketmq_remoting::message::UniqueIds;
use tokio::sync::{Notify, mpsc};

use super::acl::AccessControl;
use super::clients::members::Members;
use super::delay::DelayProgress;
use super::error::BrokerError;
use super::groups::table::GroupTable;
use super::log::Log;
use super::offsets::table::Offsets;
use super::persist::positions;
use super::persist::table_file::TableFile;
use super::pop::PopState;
use super::pull::long_poll::Arrival;
use super::pull::parking::PullParking;
use super::pull::waiting::Pull;
use super::send::properties::Stamp;
use super::settings::live_config::LiveConfig;
use super::settings::{Current, Settings, millis};
use super::timer::{CheckpointFiles, TimerState};
use super::topics::table::TopicTable;
use super::{
    admin, clients, delay, groups, names, offsets, persist, pop, pull, query, send, timer, topics,
    transaction,
};
use crate::clock::Clock;
use crate::store::disk::Disk;
use crate::store::{Dispatched, Store, StoreConfig};

/// The parts of each domain. They are shared: every `log` here is the same one.
#[derive(Debug)]
pub(crate) struct Domains {
    pub acl: Arc<AccessControl>,
    pub send: Arc<send::Parts>,
    pub pull: Arc<pull::Parts>,
    pub pop: Arc<pop::Parts>,
    pub delay: Arc<delay::Parts>,
    pub timer: Arc<timer::Parts>,
    pub transaction: Arc<transaction::Parts>,
    pub query: Arc<query::Parts>,
    pub topics: Arc<topics::Parts>,
    pub groups: Arc<groups::Parts>,
    pub offsets: Arc<offsets::Parts>,
    pub clients: Arc<clients::Parts>,
    pub admin: Arc<admin::Parts>,
    pub persist: Arc<persist::Parts>,
}

/// The parts from which domains are made.
struct Parts {
    settings: Arc<Current>,
    log: Arc<Log>,
    topics: Arc<TopicTable>,
    groups: Arc<GroupTable>,
    offsets: Arc<Offsets>,
    clients: Arc<Members>,
    parking: Arc<PullParking>,
    pop: Arc<PopState>,
    delay: Arc<DelayProgress>,
    timer: Arc<TimerState>,
    acl: Arc<AccessControl>,
}

impl Settings {
    /// Says what would keep a broker on the same store from starting with these settings. Changes nothing.
    ///
    /// # Errors
    /// The first reason, in a sentence.
    pub fn check(&self) -> Result<(), String> {
        self.fixed.store.check().map_err(|error| error.to_string())?;
        self.fixed.store.check_files().map_err(|error| error.to_string())?;
        AccessControl::could_open(&self.fixed).map_err(|error| BrokerError::from(error).to_string())
    }
}

/// The end at which pulls that waited come out.
pub(crate) type WokenPulls = mpsc::UnboundedReceiver<Pull>;

/// Brings a broker back from its folder, up to the point where its services can start.
///
/// # Errors
/// The store folder is in use or unusable, or a setting makes no sense.
pub(crate) fn open(
    settings: Settings,
    address: SocketAddr,
    source: Arc<dyn LiveConfig>,
    (clock, disk): (Arc<dyn Clock>, Arc<dyn Disk>),
) -> Result<(Domains, WokenPulls), BrokerError> {
    let Settings { fixed, live } = settings;
    let settings = Arc::new(Current::new(fixed, live, address, source));
    let store = open_store(&settings, &clock, disk)?;
    let (parts, woken) = open_tables(settings, store, clock)?;
    offsets::unread::watch(&parts.log, parts.offsets.clone());
    let domains = divide(&parts);
    positions::set_right(&domains.persist);
    transaction::recover(&domains.transaction);
    domains.send.log.store.start_background()?;
    Ok((domains, woken))
}

fn open_store(settings: &Current, clock: &Arc<dyn Clock>, disk: Arc<dyn Disk>) -> Result<Store, BrokerError> {
    let fixed = &settings.fixed;
    let config = StoreConfig { delay_levels_ms: fixed.delay_levels.all().to_vec(), ..fixed.store.clone() };
    let (store, _) = Store::open_on(config, settings.live().store.clone(), clock.clone(), disk)?;
    Ok(store)
}

fn open_tables(
    settings: Arc<Current>,
    store: Store,
    clock: Arc<dyn Clock>,
) -> Result<(Parts, WokenPulls), BrokerError> {
    let (fixed, live) = (&settings.fixed, settings.live());
    let file = |name| TableFile::new(&fixed.store.root, name);
    let (parking, woken) = PullParking::new();
    let parking = Arc::new(parking);
    let wakers = Wakers::default();
    listen(&store, parking.clone(), &wakers);
    let pop = PopState::open(file("consumerOrderInfo.json"), names::revive_topic(&fixed.cluster))?;
    store.on_append(pop.listener());
    let topics = TopicTable::open(file("topics.json"), fixed, live.auto_create_topics, clock.clone())?;
    let groups = GroupTable::open(file("subscriptionGroup.json"), live.auto_create_groups, clock.clone())?;
    let clients = Members::open(file("messageRequestMode.json"), millis(fixed.queue_lock_lease))?;
    let parts = Parts {
        acl: Arc::new(AccessControl::open(fixed)?),
        topics: Arc::new(topics),
        groups: Arc::new(groups),
        offsets: Arc::new(Offsets::open(file("consumerOffset.json"))?),
        clients: Arc::new(clients),
        parking,
        pop: Arc::new(pop),
        delay: Arc::new(DelayProgress::open(file("delayOffset.json"), wakers.delay)?),
        timer: Arc::new(TimerState::open(CheckpointFiles::new(&fixed.store.root), wakers.timer)?),
        log: Arc::new(Log::new(store, settings.clone(), clock)),
        settings,
    };
    Ok((parts, woken))
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

/// Gives each domain what it works on.
fn divide(parts: &Parts) -> Domains {
    let Parts { settings, log, topics, groups, offsets, clients, parking, pop, delay, timer, acl } = parts;
    let fixed = &settings.fixed;
    let stamp = Arc::new(Stamp::new(&fixed.cluster, &fixed.region, fixed.trace_on));
    let ids = UniqueIds::new(settings.address.ip(), std::process::id(), rand::random());
    macro_rules! parts {
        ($domain:ident { $($own:ident: $value:expr),* } $($shared:ident)*) => {
            Arc::new($domain::Parts { $($own: $value,)* $($shared: $shared.clone(),)* })
        };
    }
    let pop_parts = parts!(pop { state: pop.clone() } settings log topics groups offsets timer);
    Domains {
        acl: acl.clone(),
        send: parts!(send { stamp: stamp, ids: Arc::new(ids), waiting_sends: Arc::new(AtomicUsize::new(0)) }
            settings log topics groups clients),
        pull: parts!(pull {} settings log topics groups offsets clients parking),
        delay: parts!(delay { progress: delay.clone() } settings log),
        timer: parts!(timer { state: timer.clone() } settings log topics),
        transaction: parts!(transaction { state: Arc::default() } settings log topics offsets clients),
        query: parts!(query {} settings log topics clients),
        topics: parts!(topics {} settings log topics offsets),
        groups: parts!(groups {} groups offsets clients),
        offsets: parts!(offsets {} settings log topics groups offsets clients parking delay),
        clients: parts!(clients {} settings log topics groups clients parking pop),
        admin: parts!(admin { started_at: log.now() } settings log topics groups delay timer),
        persist: parts!(persist { pop: pop_parts.clone() } log offsets delay timer),
        pop: pop_parts,
    }
}
