//! The cluster, as one client sees it: connections and calls, routes and addresses, and what all layers above share.

pub(crate) mod acl;
mod address;
mod background;
pub(crate) mod calls;
pub(crate) mod config;
pub(crate) mod identity;
pub(crate) mod net;
mod observer;
pub(crate) mod route;

use std::net::IpAddr;
use std::sync::{Arc, Weak};
use std::time::SystemTime;

use parking_lot::Mutex;
use rocketmq_remoting::message::UniqueIds;
use rocketmq_remoting::net::ConnectionConfig;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use config::{ClientConfig, NameServers};
use net::dialer::{Dialer, Transport};
use net::pool::Pool;
use net::rpc::{Outbound, Rpc};
use observer::Events;
use route::resolver::Resolver;
use route::single_flight::SingleFlight;
use route::table::{Lookup, RouteTable};

use crate::messages::Names;

pub(crate) use observer::Observer;
pub(crate) use route::table::{TopicInfo, Which};

/// Connections, routes and options of one client. The last handle to be dropped closes the connections.
pub(crate) struct Cluster {
    pub(crate) config: ClientConfig,
    /// The id brokers know this client by.
    pub(crate) client_id: String,
    pub(crate) names: Names,
    pub(crate) rpc: Rpc,
    pub(crate) resolver: Resolver,
    /// Numbers the messages of this client.
    pub(crate) ids: UniqueIds,
    /// Cancelled when the client shuts down.
    pub(crate) stop: CancellationToken,
    /// The background tasks.
    pub(crate) tasks: TaskTracker,
    routes: RouteTable,
    lookups: SingleFlight<Lookup>,
    /// The error of the newest lookup of a route, and its time, if no name server answered it.
    pub(crate) unanswered: Mutex<Option<(String, SystemTime)>>,
    name_servers: NameServers,
    observer: Weak<dyn Observer>,
}

/// The parts of a [`Cluster`].
pub(crate) struct Parts {
    pub(crate) config: ClientConfig,
    pub(crate) name_servers: NameServers,
    /// The addresses that `name_servers` stands for now.
    pub(crate) servers: Vec<String>,
    pub(crate) transport: Transport,
    /// The address in the client id.
    pub(crate) ip: IpAddr,
}

impl Cluster {
    /// Makes a cluster without a connection; `observer` is told about its events.
    pub(crate) fn new(parts: Parts, observer: Weak<dyn Observer>) -> Arc<Self> {
        let Parts { config, name_servers, servers, transport, ip } = parts;
        let chance = config.chance.clone();
        Arc::new(Self {
            client_id: identity::client_id(&config, ip),
            names: Names::new(config.namespace.as_deref()),
            rpc: Rpc {
                pool: Pool::new(dialer(&config, transport, &observer), chance.clone()),
                outbound: outbound(&config),
            },
            resolver: Resolver::new(servers, chance.below(1 << 16) as usize),
            ids: UniqueIds::new(ip, std::process::id(), chance.below(u32::MAX)),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            routes: RouteTable::default(),
            lookups: SingleFlight::default(),
            unanswered: Mutex::default(),
            name_servers,
            observer,
            config,
        })
    }

    /// Returns the ms since the epoch, by the client's clock.
    pub(crate) fn now_ms(&self) -> i64 {
        self.config.clock.now_ms()
    }

    /// Ends the background work and closes every connection.
    pub(crate) async fn shutdown(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.rpc.pool.close();
    }
}

/// A connection that some handle still holds is closed all the same.
impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop.cancel();
        self.rpc.pool.close();
    }
}

fn dialer(config: &ClientConfig, transport: Transport, observer: &Weak<dyn Observer>) -> Dialer {
    let (handler, events) = (Arc::new(Events(observer.clone())), Events(observer.clone()));
    Dialer {
        handler,
        connect_timeout: config.connect_timeout,
        connection: ConnectionConfig { idle: Some(config.idle_timeout), ..ConnectionConfig::default() },
        on_connect: Box::new(move |address| events.connected(address)),
        transport,
    }
}

fn outbound(config: &ClientConfig) -> Outbound {
    Outbound {
        codec: config.serialize_type,
        namespace_v2: config.namespace_v2.clone(),
        credentials: config.credentials.clone(),
    }
}
