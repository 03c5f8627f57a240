//! [`Client`]: one set of connections, routes and heartbeats for any number of producers and consumers.

mod admin;
mod group;
mod query;
mod reset;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use rand::RngExt as _;
use rocketmq_remoting::message::{MessageRecord, UniqueIds};
use rocketmq_remoting::net::ConnectionConfig;
use rocketmq_remoting::route::{MessageQueue, TopicRoute};
use rocketmq_remoting::{Command, DecodeError, Request};
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use query::Querying;

use crate::cluster::acl::CredentialsSource;
use crate::cluster::config::{ClientConfig, NameServers};
use crate::cluster::net::call::Target;
use crate::cluster::net::dialer::{Dialer, Transport, target};
use crate::cluster::net::pool::Pool;
use crate::cluster::net::rpc::{Outbound, Rpc};
use crate::cluster::net::socks::SocksProxies;
use crate::cluster::route::resolver::Resolver;
use crate::cluster::route::single_flight::SingleFlight;
use crate::cluster::route::table::RouteTable;
use crate::cluster::route::{Lookup, discovery};
use crate::error::{CallError, ConnectError, ConnectErrorKind, RouteError, StartError, StartErrorKind};
use crate::membership::heartbeat::Leaving;
use crate::membership::members::{ConsumerMember, Members, ProducerMember};
use crate::membership::requests::ServerCalls;
use crate::messages::Delivery;
use crate::messages::Names;
use crate::observe::interceptor::Interceptor;
use crate::observe::metrics;
use crate::observe::trace::TraceConfig;
use crate::producer::ProducerBuilder;
use crate::producer::request::Replies;

/// How often an HTTP address server is asked again.
const DISCOVERY_INTERVAL: Duration = Duration::from_secs(120);
/// How soon a topic that was about to be created is looked up for real.
const PROVISIONAL_REFRESH: Duration = Duration::from_secs(1);
/// How long after a lost connection brokers are told again who is here.
const RECONNECT_DELAY: Duration = Duration::from_millis(200);

/// Connects to a cluster through its name servers, `host:port` each, separated by `;`; or through the
/// URL of an address server, `http://host/path`. Without a path `http://` is ignored, as in Java.
///
/// # Errors
/// When an address is malformed or no name server can be reached; the text lists every address tried.
pub async fn connect(name_servers: impl AsRef<str>) -> Result<Client, ConnectError> {
    Client::builder(name_servers).connect().await
}

/// A cluster, as one application sees it. Clones are handles to the same client: one connection per
/// broker, one heartbeat, one copy of the routes. The last handle, producers and consumers included, to
/// be dropped closes the connections.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

impl Client {
    /// Starts to configure a client. `name_servers` as for [`connect`].
    pub fn builder(name_servers: impl AsRef<str>) -> ClientBuilder {
        ClientBuilder {
            name_servers: name_servers.as_ref().to_owned(),
            config: ClientConfig::default(),
            lazy: false,
        }
    }

    /// Starts to configure the producer of a group. A client has one producer per group.
    pub fn producer(&self, group: impl Into<String>) -> ProducerBuilder {
        ProducerBuilder::new(self.clone(), group.into())
    }

    /// The id brokers know this client by: `<ip>@<instance>[@<unit>]`.
    pub fn client_id(&self) -> &str {
        &self.inner.client_id
    }

    /// The name servers in use.
    pub fn name_servers(&self) -> Vec<String> {
        self.inner.resolver.servers().to_vec()
    }

    /// How many replies came after [`Producer::request`](crate::Producer::request) had stopped waiting.
    pub fn late_replies(&self) -> u64 {
        self.inner.replies.late()
    }

    /// Where a topic lives, asked of a name server now.
    ///
    /// # Errors
    /// When no name server answers or the topic does not exist.
    pub async fn route(&self, topic: &str) -> Result<TopicRoute, RouteError> {
        let topic = self.inner.names.wrap(topic);
        let _ = self.inner.refresh_topic(&topic).await?;
        self.inner.topic_info(&topic).await.map(|info| info.route.clone())
    }

    /// Sends any command to any address and returns the answer, whatever its code: the way to requests
    /// this crate has no method for. Signed and retried once on GO_AWAY like every other.
    ///
    /// # Errors
    /// When there is no answer within `timeout`.
    pub async fn call(
        &self,
        address: &str,
        command: Command,
        timeout: Duration,
    ) -> Result<Command, CallError> {
        self.inner.call_broker(address, command, timeout).await
    }

    /// Stops heartbeats and closes every connection; producers and consumers of this client fail from
    /// here on. Shut those down first: they still have something to say to the brokers.
    pub async fn shutdown(&self) {
        self.inner.stop.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
        self.inner.rpc.pool.close();
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("client_id", &self.inner.client_id)
            .field("name_servers", &self.inner.resolver.servers())
            .finish_non_exhaustive()
    }
}

/// Configures a [`Client`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientBuilder {
    name_servers: String,
    config: ClientConfig,
    lazy: bool,
}

impl ClientBuilder {
    /// Replaces all options set so far.
    pub fn config(mut self, config: ClientConfig) -> Self {
        self.config = config;
        self
    }

    /// Changes options for which there is no method of their own.
    pub fn configure(mut self, change: impl FnOnce(&mut ClientConfig)) -> Self {
        change(&mut self.config);
        self
    }

    /// Who signs the requests.
    pub fn credentials(mut self, credentials: impl CredentialsSource) -> Self {
        self.config.credentials = Some(Arc::new(credentials));
        self
    }

    /// The 4.x namespace of every topic and group.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.config.namespace = Some(namespace.into());
        self
    }

    /// Adds a hook around sends and deliveries.
    pub fn interceptor(mut self, interceptor: impl Interceptor) -> Self {
        self.config.interceptors.push(Arc::new(interceptor));
        self
    }

    /// Traces what all producers, push and lite consumers of this client do, save those configured otherwise.
    pub fn trace(mut self, trace: TraceConfig) -> Self {
        self.config.trace = Some(trace);
        self
    }

    /// Encrypts every connection. [`connect`](Self::connect) reads the files it names.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: crate::TlsConfig) -> Self {
        self.config.tls = Some(tls);
        self
    }

    /// Reaches name servers and brokers through SOCKS5 proxies. An address server is still asked directly.
    pub fn socks_proxies(mut self, proxies: SocksProxies) -> Self {
        self.config.socks_proxies = proxies;
        self
    }

    /// Does not insist on a name server at start; it is looked for when first needed.
    pub fn lazy(mut self) -> Self {
        self.lazy = true;
        self
    }

    /// Builds the client and, unless it is [`lazy`](Self::lazy), makes sure that a name server is there.
    ///
    /// # Errors
    /// When an option is illegal or no name server can be reached; the text lists every address tried.
    pub async fn connect(self) -> Result<Client, ConnectError> {
        let invalid = |fault| ConnectError::new(ConnectErrorKind::InvalidConfig, fault);
        self.config.check().map_err(invalid)?;
        let name_servers = self.name_servers.parse::<NameServers>();
        let name_servers = name_servers.map_err(|error| invalid(error.to_string()))?;
        let servers = initial_servers(&name_servers, &self.config).await?;
        let ip = match self.config.client_ip {
            Some(ip) => ip,
            None => local_address(&servers, &self.config.socks_proxies).await,
        };
        metrics::describe();
        let transport = Transport::new(&self.config)?;
        let inner = Inner::new(self.config, name_servers, transport, servers, ip);
        if !self.lazy {
            inner.reach_a_name_server().await?;
        }
        inner.start_background();
        Ok(Client { inner })
    }
}

async fn initial_servers(
    name_servers: &NameServers,
    config: &ClientConfig,
) -> Result<Vec<String>, ConnectError> {
    match name_servers {
        NameServers::List(servers) => Ok(servers.clone()),
        NameServers::Http(url) => discovery::fetch(&discovery::of_unit(url, config)).await.map_err(|error| {
            ConnectError::new(ConnectErrorKind::Unreachable, format!("address server {url}: {error}"))
                .with_source(error)
        }),
    }
}

/// What the handles share.
pub(crate) struct Inner {
    pub(crate) config: ClientConfig,
    name_servers: NameServers,
    pub(crate) client_id: String,
    pub(crate) names: Names,
    pub(crate) rpc: Rpc,
    pub(crate) resolver: Resolver,
    pub(crate) routes: RouteTable,
    pub(crate) lookups: SingleFlight<Lookup>,
    pub(crate) members: Members,
    pub(crate) replies: Replies,
    pub(crate) ids: UniqueIds,
    /// Protocol version by broker address, as its heartbeat answers say.
    pub(crate) broker_versions: Mutex<HashMap<String, i32>>,
    pub(crate) version_lookups: SingleFlight<Option<i32>>,
    /// The fingerprint of the subscriptions each broker knows, by address, as heartbeats of version 2 have it.
    pub(crate) heartbeat_fingerprints: Mutex<HashMap<String, i32>>,
    /// Those that did not take the last heartbeat, once it was logged.
    pub(crate) silent_brokers: Mutex<HashSet<String>>,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

impl Inner {
    fn new(
        config: ClientConfig,
        name_servers: NameServers,
        transport: Transport,
        servers: Vec<String>,
        ip: IpAddr,
    ) -> Arc<Self> {
        let mut rng = rand::rng();
        Arc::new_cyclic(|this: &Weak<Self>| Self {
            client_id: client_id(&config, ip),
            names: Names::new(config.namespace.as_deref()),
            rpc: Rpc {
                pool: Pool::new(dialer(&config, transport, this.clone())),
                outbound: outbound(&config),
            },
            resolver: Resolver::new(servers, rng.random_range(0..1 << 16)),
            routes: RouteTable::default(),
            lookups: SingleFlight::default(),
            members: Members::default(),
            replies: Replies::default(),
            ids: UniqueIds::new(ip, std::process::id(), rng.random()),
            broker_versions: Mutex::default(),
            version_lookups: SingleFlight::default(),
            heartbeat_fingerprints: Mutex::default(),
            silent_brokers: Mutex::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            name_servers,
            config,
        })
    }

    async fn reach_a_name_server(&self) -> Result<(), ConnectError> {
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

    /// The tasks hold the client weakly, so that dropping its last handle ends them.
    fn start_background(self: &Arc<Self>) {
        self.every(self.config.heartbeat_interval, |client| async move { client.heartbeat().await });
        self.every(self.config.route_refresh, |client| async move { client.refresh_routes().await });
        self.every(PROVISIONAL_REFRESH, |client| async move { client.confirm_routes().await });
        if let NameServers::Http(_) = self.name_servers {
            self.every(DISCOVERY_INTERVAL, |client| async move { client.rediscover().await });
        }
    }

    /// Runs `job` every `period` until the client stops or is dropped.
    fn every<F>(self: &Arc<Self>, period: Duration, job: fn(Arc<Self>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (client, stop) = (Arc::downgrade(self), self.stop.clone());
        self.tasks.spawn(stop.run_until_cancelled_owned(async move {
            loop {
                tokio::time::sleep(period).await;
                let Some(client) = client.upgrade() else { return };
                job(client).await;
            }
        }));
    }

    /// Topics sent to before they existed have a route of their own by now.
    async fn confirm_routes(&self) {
        let routes = self.routes.load_full();
        for (topic, _) in routes.topics().filter(|(_, info)| info.provisional) {
            if let Err(error) = self.refresh_topic(topic).await {
                tracing::debug!(topic, %error, "route not confirmed yet");
            }
        }
    }

    /// A failure keeps the list there is.
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

    /// ms since the epoch.
    pub(crate) fn now_ms(&self) -> i64 {
        self.config.clock.now_ms()
    }

    /// Asks a broker and reads its answer.
    ///
    /// # Errors
    /// There is no answer, or it is a refusal or cannot be read.
    pub(crate) async fn call<R: Request>(
        &self,
        target: Target<'_>,
        request: &R,
        body: R::Body,
        timeout: Duration,
    ) -> Result<R::Response, CallError> {
        Ok(self.rpc.exchange(target, request, &body, timeout).await?.payload)
    }

    /// One call to one address, whatever the code of its answer.
    pub(crate) async fn call_broker(
        &self,
        address: &str,
        command: Command,
        timeout: Duration,
    ) -> Result<Command, CallError> {
        self.rpc.call(address, command, timeout).await.map_err(|error| error.at(address))
    }

    /// Takes the consumer into the heartbeats and hands it what brokers ask of its group. A heartbeat follows when the caller
    /// wants one.
    ///
    /// # Errors
    /// The group has a living consumer here.
    pub(crate) fn register_consumer(&self, member: &Arc<dyn ConsumerMember>) -> Result<(), StartError> {
        if self.members.add_consumer(member) {
            return Ok(());
        }
        let text = format!(
            "this client already consumes as group \"{}\"; shut that consumer down first, or use another client",
            self.names.plain(member.wire_group())
        );
        Err(StartError::new(StartErrorKind::GroupInUse, text))
    }

    /// As [`register_consumer`](Self::register_consumer); false when the group has a living producer here.
    pub(crate) fn register_producer(&self, member: &Arc<dyn ProducerMember>) -> bool {
        self.members.add_producer(member)
    }

    /// Takes the consumer of a group (named as on the wire) out and tells the brokers.
    pub(crate) async fn unregister_consumer(&self, group: &str) {
        self.members.remove_consumer(group);
        self.unregister(Leaving::Consumer(group)).await;
    }

    /// Takes the producer out and tells the brokers.
    pub(crate) async fn unregister_producer(&self, group: &str) {
        self.members.remove_producer(group);
        self.unregister(Leaving::Producer(group)).await;
    }

    /// A record a broker pushed, as the application sees it.
    pub(crate) fn deliver(&self, record: MessageRecord) -> Result<Delivery, DecodeError> {
        let queue = Arc::new(MessageQueue::new(record.topic.as_str(), "", record.queue_id));
        Delivery::from_record(queue, record, &self.names)
    }

    /// A connection was lost, and with it what the broker at its other end knew of this client: everybody hears again who
    /// is here, rather than at the next turn of the timer. Until then no transaction of ours would be checked.
    pub(crate) fn disconnected(self: &Arc<Self>) {
        if self.stop.is_cancelled() {
            return;
        }
        metrics::connection_lost();
        let (client, stop) = (Arc::downgrade(self), self.stop.clone());
        self.tasks.spawn(stop.run_until_cancelled_owned(async move {
            tokio::time::sleep(RECONNECT_DELAY).await;
            if let Some(client) = client.upgrade() {
                client.heartbeat().await;
            }
        }));
    }

    /// A connection came up. A broker hears who is there at once; a name server does not care.
    fn connected(self: &Arc<Self>, address: &str) {
        metrics::connected(address);
        let is_broker = self.routes.load().broker_at(address).is_some();
        if is_broker && !self.stop.is_cancelled() {
            let (client, address) = (self.clone(), address.to_owned());
            let stop = self.stop.clone();
            let greeting = async move { client.greet(&address).await };
            self.tasks.spawn(stop.run_until_cancelled_owned(greeting));
        }
    }
}

/// Whoever still holds a handle to a connection must not keep it open.
impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.cancel();
        self.rpc.pool.close();
    }
}

fn dialer(config: &ClientConfig, transport: Transport, client: Weak<Inner>) -> Dialer {
    let handler = Arc::new(ServerCalls { client: client.clone() });
    let on_connect = move |address: &str| {
        if let Some(client) = client.upgrade() {
            client.connected(address);
        }
    };
    Dialer {
        connect_timeout: config.connect_timeout,
        connection: ConnectionConfig { idle: Some(config.idle_timeout), ..ConnectionConfig::default() },
        handler,
        on_connect: Box::new(on_connect),
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

fn client_id(config: &ClientConfig, ip: IpAddr) -> String {
    let host = match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    let instance = config.instance_name.clone().unwrap_or_else(unique_instance);
    match &config.unit_name {
        Some(unit) => format!("{host}@{instance}@{unit}"),
        None => format!("{host}@{instance}"),
    }
}

/// Process id and clock do not suffice in containers, where every process has id 1 and many start at
/// once; the low digits are drawn.
fn unique_instance() -> String {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    format!("{}#{}", std::process::id(), nanos - nanos % 1_000_000 + rand::rng().random_range(0..1_000_000))
}

/// The local address that faces the first name server that can be resolved, or the proxy on the way to it: a name
/// that the proxy resolves is not asked for here. Connecting a UDP socket sends nothing, it only asks the routing table.
async fn local_address(servers: &[String], proxies: &SocksProxies) -> IpAddr {
    for server in servers {
        if let Ok(ip) = address_facing(proxies.first_hop(server)).await {
            return ip;
        }
    }
    IpAddr::V4(Ipv4Addr::LOCALHOST)
}

async fn address_facing(server: &str) -> io::Result<IpAddr> {
    let peer = tokio::net::lookup_host(target(server)?).await?.next();
    let peer = peer.ok_or(io::ErrorKind::NotFound)?;
    let any: IpAddr =
        if peer.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(peer).await?;
    Ok(socket.local_addr()?.ip())
}
