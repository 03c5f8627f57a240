//! A broker with its network: listening for clients, known to the name servers.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;

use parking_lot::Mutex;
use rocketmq_remoting::body::TopicConfigWrapper;
use rocketmq_remoting::net::Handler;
use tokio::sync::watch;
use tracing::warn;

use crate::broker::{Broker, BrokerError, Copies, Live, LiveConfig, Settings, UpdateError};
use crate::clock::Clock;
use crate::config::BrokerConfig;
use crate::faults::Faults;
use crate::net::{self, BindError, Guests, Listener, Outgoing, Security, SecurityError, Server};
use crate::registration::{Identity, Registration, TopicSource};
use crate::store::disk::{Disk, RealDisk};

/// The distance of the VIP channel below the broker's port.
const VIP_DISTANCE: u16 = 2;

/// Names the reason for which a broker does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// Its address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The host it should be known by has no address.
    #[error(
        "cannot resolve the advertised host `{host}`: {source}; set `brokerIP1` to an address clients can dial"
    )]
    Advertised {
        /// The host as configured.
        host: String,
        /// The answer of the resolver.
        source: io::Error,
    },
    /// Its encryption.
    #[error(transparent)]
    Security(#[from] SecurityError),
    /// Its store or its configuration folder.
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

/// A broker that serves. Dropping it stops it without flushing.
#[derive(Debug)]
pub struct Node {
    registration: Option<Registration>,
    server: Server,
    vip: Option<Server>,
    broker: Arc<Broker>,
    advertised: String,
}

impl Node {
    /// Binds the port, opens the store, serves, and starts to register. Needs a tokio runtime.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use rocketmq_server::Node;
    /// use rocketmq_server::clock::System;
    /// use rocketmq_server::config::BrokerConfig;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let folder = tempfile::tempdir()?;
    /// let mut config = BrokerConfig::loopback(folder.path()); // a port that the system chooses
    /// config.apply("brokerName=broker-x\nflushDiskType=SYNC_FLUSH\n")?;
    /// let node = Node::start(config, Arc::new(System)).await?;
    /// println!("listens on {}", node.address());
    /// node.shutdown().await?; // finishes requests in flight, flushes
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the port is taken, the store cannot be used, or a setting makes no sense.
    pub async fn start(config: BrokerConfig, clock: Arc<dyn Clock>) -> Result<Self, NodeError> {
        Self::start_with(config, clock, None).await
    }

    /// Does the same as [`start`](Self::start), with the faults of a test.
    pub(crate) async fn start_with(
        config: BrokerConfig,
        clock: Arc<dyn Clock>,
        faults: Option<&Faults>,
    ) -> Result<Self, NodeError> {
        let network = &config.network;
        let (security, outgoing) = (Security::load(&network.tls)?, Outgoing::load(&network.tls)?);
        let listener = Listener::bind(network.bind_address, network.listen_port).await?;
        let listener = listener.secured(security.clone());
        let port = listener.address().port();
        let (host, ip) = advertised(&config).await?;
        let settings = master(config.settings.clone());
        let live = Arc::new(Changeable(Mutex::new(config.clone())));
        let disk = faults.map_or_else(|| Arc::new(RealDisk) as Arc<dyn Disk>, Faults::disk);
        let broker = open(settings, SocketAddr::new(ip, port), live, (clock.clone(), disk)).await?;
        let broker = Arc::new(broker);
        let handler = faults.map_or_else(|| broker.handler(), |faults| faults.around(broker.handler()));
        let guests = Guests::new(network);
        let server = listener.sharing(guests.clone()).serve(handler.clone(), network);
        let vip = if config.vip_port { vip(handler, &config, port, (security, guests)).await } else { None };
        let source = Arc::new(Topics(broker.clone()));
        let identity = identity(&broker, &host, port);
        let advertised = identity.address.clone();
        let registration = (!config.name_servers.is_empty()).then(|| {
            let timing = config.registration.clone();
            Registration::start(identity, &config.name_servers, outgoing, source, timing, clock)
        });
        Ok(Self { registration, server, vip, broker, advertised })
    }

    /// The address it listens on, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// `host:port` that clients are told to dial.
    pub fn advertised(&self) -> &str {
        &self.advertised
    }

    /// The broker behind the network.
    pub fn broker(&self) -> &Broker {
        &self.broker
    }

    /// Completes when every configured name server knows the broker; at once when there is none.
    pub async fn registered(&self) {
        if let Some(registration) = &self.registration {
            registration.registered().await;
        }
    }

    /// Keeps every request unanswered until [`resume`](Self::resume), as a frozen process would.
    pub fn pause(&self) {
        self.server.pause();
        self.vip.iter().for_each(Server::pause);
    }

    /// Goes on after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.server.resume();
        self.vip.iter().for_each(Server::resume);
    }

    /// Breaks the connections that are open; clients may dial again.
    pub(crate) fn disconnect(&self) {
        self.server.disconnect();
        self.vip.iter().for_each(Server::disconnect);
    }

    /// Stops in order: leaves the name servers, finishes the requests in flight, closes the connections, flushes.
    ///
    /// # Errors
    /// When the last flush fails.
    pub async fn shutdown(self) -> Result<(), BrokerError> {
        if let Some(registration) = self.registration {
            registration.shutdown().await;
        }
        self.server.shutdown().await;
        if let Some(vip) = &self.vip {
            vip.shutdown().await;
        }
        // The registration's tasks, which shared it, have ended.
        match Arc::into_inner(self.broker) {
            Some(broker) => broker.shutdown().await,
            None => Ok(()),
        }
    }

    /// Stops as a crash would: nothing is said, saved or flushed.
    pub async fn kill(self) {
        if let Some(registration) = self.registration {
            registration.vanish().await;
        }
        self.server.kill();
        self.vip.iter().for_each(Server::kill);
        self.server.ended().await;
        if let Some(broker) = Arc::into_inner(self.broker) {
            broker.kill().await;
        }
    }
}

/// Opens the broker on a thread that may wait for the disk.
async fn open(
    settings: Settings,
    address: SocketAddr,
    live: Arc<Changeable>,
    (clock, disk): (Arc<dyn Clock>, Arc<dyn Disk>),
) -> Result<Broker, BrokerError> {
    let opening = tokio::task::spawn_blocking(move || Broker::start_on(settings, address, live, clock, disk));
    opening.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// The settings of a master, which this broker is whatever number it was given; what it cannot promise is said.
fn master(mut settings: Settings) -> Settings {
    if let Some(promise) = Copies::unkept_promise(&settings.fixed, &settings.live) {
        warn!("{promise}");
    }
    let id = std::mem::take(&mut settings.fixed.broker_id);
    if id != 0 {
        warn!("`brokerId` is {id}, but this broker is a master, whose id is 0");
    }
    settings
}

/// The host to register, and its address, which goes into every stored message.
async fn advertised(config: &BrokerConfig) -> Result<(String, IpAddr), NodeError> {
    let Some(host) = &config.advertised_host else {
        let ip = if config.network.bind_address.is_unspecified() {
            own_address()
        } else {
            config.network.bind_address
        };
        return Ok((ip.to_string(), ip));
    };
    let failed = |source| NodeError::Advertised { host: host.clone(), source };
    let mut found = tokio::net::lookup_host((host.as_str(), 0)).await.map_err(failed)?;
    let first = found.next().ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
    Ok((host.clone(), first.ip()))
}

/// The address this machine would speak from; loopback when it has no network.
fn own_address() -> IpAddr {
    // Connecting a datagram socket sends nothing; the address is one reserved for documentation.
    const ANYWHERE: (&str, u16) = ("192.0.2.1", 9);
    let found = UdpSocket::bind(("0.0.0.0", 0)).and_then(|socket| {
        socket.connect(ANYWHERE)?;
        socket.local_addr()
    });
    found.map_or(IpAddr::from([127, 0, 0, 1]), |address| address.ip())
}

/// Old clients dial the VIP port first and fall back: a broker without it is slower for them, not broken.
async fn vip(
    handler: Arc<dyn Handler>,
    config: &BrokerConfig,
    port: u16,
    (security, guests): (Security, Guests),
) -> Option<Server> {
    let port = port.checked_sub(VIP_DISTANCE)?;
    match Listener::bind(config.network.bind_address, port).await {
        Ok(listener) => Some(listener.secured(security).sharing(guests).serve(handler, &config.network)),
        Err(error) => {
            warn!(%error, "no VIP channel");
            None
        }
    }
}

fn identity(broker: &Broker, host: &str, port: u16) -> Identity {
    let settings = broker.settings();
    Identity {
        cluster: settings.cluster.clone(),
        broker_name: settings.broker_name.clone(),
        broker_id: settings.broker_id,
        address: format!("{host}:{port}"),
        ha_address: format!("{host}:{}", port.saturating_add(1)),
        login: settings.acl.own_login.clone(),
    }
}

/// The configuration of the start, with the changes that tools have made since.
#[derive(Debug)]
struct Changeable(Mutex<BrokerConfig>);

impl LiveConfig for Changeable {
    fn properties(&self) -> String {
        self.0.lock().properties()
    }

    fn update(&self, properties: &str) -> Result<Live, UpdateError> {
        let mut config = self.0.lock();
        config.update(properties, |changed| net::check(&changed.network))?;
        Ok(config.settings.live.clone())
    }
}

struct Topics(Arc<Broker>);

impl TopicSource for Topics {
    fn topics(&self) -> TopicConfigWrapper {
        let mut table = self.0.topics();
        let allowed = self.0.permission();
        table.topic_config_table.values_mut().for_each(|topic| topic.perm.0 &= allowed);
        table
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.0.topic_changes()
    }

    fn announced(&self, change: u64) {
        self.0.topics_announced(change);
    }
}
