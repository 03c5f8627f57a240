//! The broker: takes messages from producers, keeps them in a [`Store`], hands them to consumers.
//!
//! [`Broker`] owns everything; requests come in through [`Broker::handler`], which serves any number of connections.
//! Decisions are pure functions and tables in files of their own; time comes from the [`Clock`] alone.
//!
//! `docs/architecture.md` of the repository follows a message through these files.

mod acl;
mod admin;
mod background;
mod clients;
mod delay;
mod dispatch;
mod error;
mod groups;
mod log;
mod mistakes;
mod names;
mod offsets;
mod persist;
mod pop;
mod pull;
mod query;
mod requests;
mod restart;
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
use std::time::Duration;

use dispatch::Dispatcher;
use restart::Domains;
use rocketmq_remoting::body::topic::TopicConfigWrapper;
use rocketmq_remoting::net::Handler;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::store::Store;
use crate::store::disk::{Disk, RealDisk};

pub use acl::{AclError, AclSettings, Login};
pub use delay::{DelayLevelError, DelayLevels};
pub use error::BrokerError;
pub use pop::PopSettings;
pub use settings::live_config::{FixedConfig, LiveConfig, UpdateError};
pub use settings::{Apache, Copies, Fixed, Live, Role, Settings};
pub use topics::table::MAX_QUEUES;

/// A running broker without its network. A listener gives [`Broker::handler`] to each connection.
///
/// Dropping it stops its tasks without flushing, like [`Broker::kill`].
#[derive(Debug)]
pub struct Broker {
    domains: Domains,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Broker {
    /// Opens the store, recovers what was there, and starts delivering by `clock`. Clients dial it at `address`, which every
    /// record carries. `live` answers tools that read or change the settings. Reads files for as long as recovery takes: call it
    /// where that does not hold up others, within a runtime.
    ///
    /// # Errors
    /// The store folder is in use or unusable, or a setting makes no sense.
    pub fn start(
        settings: Settings,
        address: SocketAddr,
        live: Arc<dyn LiveConfig>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BrokerError> {
        Self::start_on(settings, address, live, clock, Arc::new(RealDisk))
    }

    /// [`start`](Self::start) on a disk of your own.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_on(
        settings: Settings,
        address: SocketAddr,
        live: Arc<dyn LiveConfig>,
        clock: Arc<dyn Clock>,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, BrokerError> {
        let (domains, woken) = restart::open(settings, address, live, (clock, disk))?;
        let broker = Self { domains, tasks: TaskTracker::new(), stop: CancellationToken::new() };
        services::start(&broker.domains, woken, &broker.tasks, &broker.stop);
        Ok(broker)
    }

    /// Returns the handler that answers requests; one for all connections.
    pub fn handler(&self) -> Arc<dyn Handler> {
        Arc::new(Dispatcher::new(&self.domains))
    }

    /// The settings that stay as they were at the start.
    pub fn settings(&self) -> &Fixed {
        &self.domains.admin.settings.fixed
    }

    /// Returns the permission that the routes AND with that of every topic. Tools can change it while the broker runs.
    pub fn permission(&self) -> i32 {
        self.domains.admin.settings.live().broker_permission
    }

    /// The store, for figures and replication.
    pub fn store(&self) -> &Store {
        &self.domains.admin.log.store
    }

    /// Returns the offset from which a group goes on in a queue, if it has committed one.
    pub fn committed_offset(&self, group: &str, topic: &str, queue: i32) -> Option<i64> {
        self.domains.offsets.offsets.lock().query(topic, group, queue)
    }

    /// To be called before the clock is moved ahead by hand: clients and their queue locks live through the jump, since
    /// none of them can send a heartbeat meanwhile.
    pub fn before_jump(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX / 2);
        self.domains.clients.clients.outlive(by);
    }

    /// The topics to register at the name servers, as they are now.
    pub fn topics(&self) -> TopicConfigWrapper {
        self.domains.topics.topics.snapshot()
    }

    /// Changes whenever [`topics`](Self::topics) does: routes are to be registered at once.
    pub fn topic_changes(&self) -> watch::Receiver<u64> {
        self.domains.topics.topics.changes()
    }

    /// A name server knows the topics as they were after this change.
    pub(crate) fn topics_announced(&self, change: u64) {
        self.domains.topics.topics.announce(change);
    }

    /// Stops in order: no more work by the clock, parked pulls answered, tables saved, log flushed.
    ///
    /// The connections should be closed before.
    pub async fn shutdown(self) -> Result<(), BrokerError> {
        self.stop_tasks().await;
        tokio::task::spawn_blocking(move || self.close()).await.unwrap_or_else(resume)
    }

    fn close(&self) -> Result<(), BrokerError> {
        persist::tables::persist(&self.domains.persist);
        self.domains.topics.topics.save()?;
        self.domains.groups.groups.save()?;
        self.domains.admin.log.store.shutdown()?;
        Ok(())
    }

    /// Stops as a crash would: nothing is saved or flushed. For tests.
    pub async fn kill(self) {
        self.stop_tasks().await;
        tokio::task::spawn_blocking(move || self.store().kill()).await.unwrap_or_else(resume);
    }

    async fn stop_tasks(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Goes on with a panic of work that ran elsewhere.
fn resume<T>(error: tokio::task::JoinError) -> T {
    std::panic::resume_unwind(error.into_panic())
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
