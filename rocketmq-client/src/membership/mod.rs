//! Being a member of groups: what brokers hear of this client, and what they ask of it.

mod heartbeat;
mod listing;
mod members;
mod replies;
mod requests;
mod tracers;
mod warnings;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use rocketmq_remoting::Command;
use rocketmq_remoting::net::{Answer, Connection};

use crate::cluster::route::single_flight::SingleFlight;
use crate::cluster::{Cluster, Observer, Parts};
use crate::error::{StartError, StartErrorKind};
use crate::observe::metrics;
use crate::observe::trace::Carrier;
use members::Members;
use warnings::Warnings;

pub(crate) use members::{ConsumerMember, ProducerMember, TransactionCheck};
pub(crate) use replies::Replies;

/// The pause between a lost connection and the next heartbeat to all brokers.
const RECONNECT_DELAY: Duration = Duration::from_millis(200);

/// Starts the producer of traces, of a group named without namespace. Producers lie above this layer, so the client
/// passes the function in.
pub(crate) type OpenCarrier =
    fn(Arc<Membership>, String) -> BoxFuture<'static, Result<Arc<dyn Carrier>, StartError>>;

/// The groups that one client belongs to, in one cluster.
pub(crate) struct Membership {
    pub(crate) cluster: Arc<Cluster>,
    /// Requests of this client that wait for the reply of a consumer.
    pub(crate) replies: Replies,
    members: Members,
    /// Protocol version by broker address, as its heartbeat answers say.
    broker_versions: Mutex<HashMap<String, i32>>,
    version_lookups: SingleFlight<Option<i32>>,
    /// The fingerprint of the subscriptions each broker knows, by address, as heartbeats of version 2 have it.
    heartbeat_fingerprints: Mutex<HashMap<String, i32>>,
    /// The brokers that did not take the last heartbeat, which is logged once.
    silent_brokers: Mutex<HashSet<String>>,
    /// Conflicts in this client's groups.
    warnings: Warnings,
    open_carrier: OpenCarrier,
}

/// The group that a client leaves.
#[derive(Clone, Copy, Debug)]
enum Leaving<'a> {
    Producer(&'a str),
    Consumer(&'a str),
}

impl Membership {
    /// Makes a client of a cluster that belongs to no group yet.
    pub(crate) fn new(parts: Parts, open_carrier: OpenCarrier) -> Arc<Self> {
        Arc::new_cyclic(|this: &Weak<Self>| Self {
            cluster: Cluster::new(parts, this.clone()),
            replies: Replies::default(),
            members: Members::default(),
            broker_versions: Mutex::default(),
            version_lookups: SingleFlight::default(),
            heartbeat_fingerprints: Mutex::default(),
            silent_brokers: Mutex::default(),
            warnings: Warnings::default(),
            open_carrier,
        })
    }

    /// Starts the periodic work, the cluster's too.
    pub(crate) fn start_background(self: &Arc<Self>) {
        let interval = self.cluster.config.heartbeat_interval;
        self.cluster.every(interval, self, |this| async move { this.heartbeat().await });
        self.cluster.start_background();
    }

    /// Takes a consumer into the heartbeats and hands it what brokers ask of its group. A heartbeat follows when the
    /// caller wants one.
    ///
    /// # Errors
    /// The group has a living consumer here.
    pub(crate) fn join_as_consumer(&self, member: &Arc<dyn ConsumerMember>) -> Result<(), StartError> {
        if self.members.add_consumer(member) {
            return Ok(());
        }
        let text = format!(
            "this client already consumes as group \"{}\"; shut that consumer down first, or use another client",
            self.cluster.names.plain(member.wire_group())
        );
        Err(StartError::new(StartErrorKind::GroupInUse, text))
    }

    /// Does the same as [`join_as_consumer`](Self::join_as_consumer) for a producer.
    ///
    /// # Errors
    /// The group has a living producer here.
    pub(crate) fn join_as_producer(&self, member: &Arc<dyn ProducerMember>) -> Result<(), StartError> {
        if self.members.add_producer(member) {
            return Ok(());
        }
        let group = self.cluster.names.plain(member.wire_group());
        let text = format!("this client already has a producer of group \"{group}\"; share it");
        Err(StartError::new(StartErrorKind::GroupInUse, text))
    }

    /// Takes the consumer of a group (named as on the wire) out and tells the brokers.
    pub(crate) async fn leave_as_consumer(&self, group: &str) {
        self.forget_consumer(group);
        self.unregister(Leaving::Consumer(group)).await;
    }

    /// Takes the producer of a group (named as on the wire) out and tells the brokers.
    pub(crate) async fn leave_as_producer(&self, group: &str) {
        self.members.remove_producer(group);
        self.unregister(Leaving::Producer(group)).await;
    }

    /// Takes the consumer of a group out; the brokers find out by themselves.
    pub(crate) fn forget_consumer(&self, group: &str) {
        self.members.remove_consumer(group);
    }
}

impl Observer for Membership {
    /// Sends a broker that connected a heartbeat at once; a name server needs none.
    fn connected(self: Arc<Self>, address: &str) {
        metrics::connected(address);
        if self.cluster.broker_at(address).is_some() && !self.cluster.stop.is_cancelled() {
            let (this, address) = (self.clone(), address.to_owned());
            self.cluster.spawn(async move { this.greet(&address).await });
        }
    }

    /// Sends all brokers a heartbeat before the next turn of the timer: until then no transaction of this client would be
    /// checked.
    fn disconnected(self: Arc<Self>) {
        if self.cluster.stop.is_cancelled() {
            return;
        }
        metrics::connection_lost();
        let this = Arc::downgrade(&self);
        self.cluster.spawn(async move {
            tokio::time::sleep(RECONNECT_DELAY).await;
            if let Some(this) = this.upgrade() {
                this.heartbeat().await;
            }
        });
    }

    /// Consumers share the queues out anew.
    fn route_changed(&self) {
        self.members.consumers().iter().for_each(|consumer| consumer.rebalance_soon());
    }

    fn topics(&self) -> Vec<String> {
        self.members.topics()
    }

    fn asked(&self, connection: &Connection, request: Command) -> Answer {
        self.serve(connection, request)
    }
}
