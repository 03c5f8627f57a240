//! The background work of a cluster: it refreshes routes and the list of name servers.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::Cluster;
use super::config::NameServers;
use super::route::discovery;
use crate::error::{ConnectError, ConnectErrorKind};

/// The interval in which an HTTP address server is asked.
const DISCOVERY_INTERVAL: Duration = Duration::from_secs(120);
/// The pause before the route of a topic that was about to be created is looked up again.
const PROVISIONAL_REFRESH: Duration = Duration::from_secs(1);

impl Cluster {
    /// Connects to the name server that answers first.
    ///
    /// # Errors
    /// No name server can be reached; the text lists every address that was tried.
    pub(crate) async fn reach_a_name_server(&self) -> Result<(), ConnectError> {
        let mut failures = Vec::new();
        let mut kind = ConnectErrorKind::Unreachable;
        for server in self.resolver.servers().iter() {
            match self.rpc.pool.connection(server, self.config.connect_timeout).await {
                Ok(_) => return Ok(()),
                Err(error) => {
                    if error.is_tls() {
                        kind = ConnectErrorKind::Tls;
                    }
                    failures.push(format!("{server} ({error})"));
                }
            }
        }
        let advice = if kind == ConnectErrorKind::Tls { "" } else { "; start one, or correct the addresses" };
        let text = format!("tried {}{advice}", failures.join(", "));
        Err(ConnectError::new(kind, text))
    }

    /// Starts the periodic work.
    pub(crate) fn start_background(self: &Arc<Self>) {
        self.every(self.config.route_refresh, self, |cluster| async move { cluster.refresh_routes().await });
        self.every(PROVISIONAL_REFRESH, self, |cluster| async move { cluster.confirm_routes().await });
        if let NameServers::Http(_) = self.name_servers {
            self.every(DISCOVERY_INTERVAL, self, |cluster| async move { cluster.rediscover().await });
        }
    }

    /// Runs `job` every `period` until the client stops or `owner` is dropped: the task holds it weakly.
    pub(crate) fn every<T, F>(&self, period: Duration, owner: &Arc<T>, job: fn(Arc<T>) -> F)
    where
        T: Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let owner = Arc::downgrade(owner);
        self.spawn(async move {
            loop {
                tokio::time::sleep(period).await;
                let Some(owner) = owner.upgrade() else { return };
                job(owner).await;
            }
        });
    }

    /// Runs a task until it ends or the client stops.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(stop.run_until_cancelled_owned(task));
    }

    /// Asks again about every topic in use. One failure does not keep the others from being asked.
    async fn refresh_routes(&self) {
        let mut topics = self.observer.upgrade().map_or_else(Vec::new, |observer| observer.topics());
        topics.extend(self.routes.load().topics().map(|(topic, _)| topic.clone()));
        topics.sort_unstable();
        topics.dedup();
        let lookups = topics.iter().map(|topic| async move {
            if let Err(error) = self.refresh_topic(topic).await {
                tracing::warn!(topic, %error, "route not refreshed");
            }
        });
        join_all(lookups).await;
    }

    /// Looks up topics that did not exist when they were sent to: they have a route of their own by now.
    async fn confirm_routes(&self) {
        let routes = self.routes.load_full();
        for (topic, _) in routes.topics().filter(|(_, info)| info.provisional) {
            if let Err(error) = self.refresh_topic(topic).await {
                tracing::debug!(topic, %error, "route not confirmed yet");
            }
        }
    }

    /// Asks the address server again. A failure keeps the list there is.
    async fn rediscover(&self) {
        let NameServers::Http(url) = &self.name_servers else { return };
        match discovery::fetch(&discovery::of_unit(url, &self.config)).await {
            Ok(servers) => {
                let gone = self.resolver.replace(servers);
                gone.iter().for_each(|server| self.rpc.pool.close_address(server));
            }
            Err(error) => tracing::warn!(url, %error, "address server did not answer"),
        }
    }
}
