//! Name server and broker inside the calling process, for tests and development.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::time::timeout;

use crate::broker::BrokerError;
#[cfg(feature = "tls")]
use crate::certificates::Certificates;
use crate::clock::{Clock, Shifted, System};
#[cfg(feature = "tls")]
use crate::config::TlsMode;
use crate::config::{BrokerConfig, ConfigError, NamesrvConfig};
use crate::namesrv::{NameServer, NamesrvError};
use crate::node::{Node, NodeError};

/// The time that a stopping server waits for requests in flight: parked pulls would hold up every restart.
const SHUTDOWN_WAIT: Duration = Duration::from_millis(100);
/// The time that a restart waits for its port.
const PORT_WITHIN: Duration = Duration::from_secs(3);
/// A broker on loopback registers within milliseconds; this only bounds what is broken.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// Names the reason for which an embedded cluster does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// The temporary folder cannot be made.
    #[error("cannot make a temporary folder for the store: {0}")]
    Folder(#[from] std::io::Error),
    /// An overridden setting has the wrong type.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An overridden setting that does nothing.
    #[error("{0}")]
    Setting(String),
    /// A name server does not start.
    #[error(transparent)]
    NameServer(#[from] NamesrvError),
    /// A broker does not start.
    #[error(transparent)]
    Broker(#[from] NodeError),
    /// A broker does not stop as it should.
    #[error(transparent)]
    Stop(#[from] BrokerError),
    /// A broker that does not reach its name servers.
    #[error("the broker at {0} did not register with its name servers within 10 s")]
    NotRegistered(SocketAddr),
}

/// A cluster in this process: name servers and brokers on loopback ports that the system chooses.
///
/// Dropping it stops everything at once and removes the store, unless [`EmbeddedBuilder::store`] chose the folder.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), rocketmq_server::EmbeddedError> {
/// let cluster = rocketmq_server::Embedded::start().await?;
/// println!("export NAMESRV_ADDR={}", cluster.name_server());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Embedded {
    brokers: Vec<EmbeddedBroker>,
    name_servers: Vec<EmbeddedNameServer>,
    clock: Shifted,
    #[cfg(feature = "tls")]
    certificates: Option<Certificates>,
    // After the brokers: they must be gone before their folder is.
    _folder: Option<TempDir>,
}

impl Embedded {
    /// One name server and one broker with a temporary store, ready to send to.
    ///
    /// # Errors
    /// When the temporary folder, a port or the store is not to be had.
    pub async fn start() -> Result<Self, EmbeddedError> {
        Self::builder().start().await
    }

    /// Returns a builder for a cluster with a shape of its own.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_server::EmbeddedError> {
    /// let cluster = rocketmq_server::Embedded::builder()
    ///     .brokers(2)
    ///     .name_servers(2)
    ///     .set("autoCreateTopicEnable", false)
    ///     .start()
    ///     .await?;
    /// assert_eq!(cluster.brokers()[1].name(), "broker-b");
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> EmbeddedBuilder {
        EmbeddedBuilder::default()
    }

    /// Returns the addresses of the name servers, joined by semicolons. Clients call this `namesrvAddr`.
    pub fn name_server(&self) -> String {
        let addresses: Vec<_> = self.name_servers.iter().map(|server| server.address.to_string()).collect();
        addresses.join(";")
    }

    /// The name servers, one by one.
    pub fn name_servers(&self) -> &[EmbeddedNameServer] {
        &self.name_servers
    }

    /// The first broker.
    pub fn broker(&self) -> &EmbeddedBroker {
        // `EmbeddedBuilder::brokers` holds the number to at least one.
        &self.brokers[0]
    }

    /// Every broker.
    pub fn brokers(&self) -> &[EmbeddedBroker] {
        &self.brokers
    }

    /// The certificates of a cluster that [`EmbeddedBuilder::tls`] encrypts: whom to trust, and what to show.
    #[cfg(feature = "tls")]
    pub fn certificates(&self) -> Option<&Certificates> {
        self.certificates.as_ref()
    }

    /// Moves the brokers' time forward: what is due within `by` (delay levels, timers, check-backs, lock expiry)
    /// becomes due now. Between two calls time passes as usual.
    ///
    /// Name servers keep to real time, to which a jump of hours would look like brokers that fell silent for hours. So
    /// would clients to the brokers, which therefore let clients and their queue locks live through it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_server::EmbeddedError> {
    /// use std::time::Duration;
    /// use rocketmq_server::clock::Clock as _;
    ///
    /// let cluster = rocketmq_server::Embedded::start().await?;
    /// let before = cluster.clock().now_ms();
    /// cluster.advance(Duration::from_secs(7200));
    /// assert!(cluster.clock().now_ms() >= before + 7_200_000);
    /// # Ok(())
    /// # }
    /// ```
    pub fn advance(&self, by: Duration) {
        for broker in &self.brokers {
            broker.running.lock().iter().for_each(|node| node.broker().before_jump(by));
        }
        self.clock.advance(by);
    }

    /// Returns the clock that [`advance`](Self::advance) moves. Give it to a client that shall live in the same time.
    pub fn clock(&self) -> Shifted {
        self.clock.clone()
    }

    /// Stops brokers, then name servers, in order; every message is on disk when it returns.
    ///
    /// # Errors
    /// When a broker cannot flush.
    pub async fn shutdown(self) -> Result<(), EmbeddedError> {
        for broker in &self.brokers {
            broker.stop().await?;
        }
        for server in &self.name_servers {
            server.stop().await;
        }
        Ok(())
    }
}

/// The shape of an embedded cluster.
#[derive(Debug)]
#[must_use = "nothing runs before `start`"]
pub struct EmbeddedBuilder {
    brokers: usize,
    name_servers: usize,
    store: Option<PathBuf>,
    settings: String,
    /// Those of the network, which the name servers take too.
    tls_settings: String,
    #[cfg(feature = "tls")]
    tls: Option<TlsMode>,
}

impl Default for EmbeddedBuilder {
    fn default() -> Self {
        Self {
            brokers: 1,
            name_servers: 1,
            store: None,
            settings: String::new(),
            tls_settings: String::new(),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}

impl EmbeddedBuilder {
    /// Sets the number of brokers, named `broker-a`, `broker-b`, … Default, and least: one.
    pub fn brokers(mut self, count: usize) -> Self {
        self.brokers = count.max(1);
        self
    }

    /// Sets the number of name servers. Every broker registers with each of them. Default, and least: one.
    pub fn name_servers(mut self, count: usize) -> Self {
        self.name_servers = count.max(1);
        self
    }

    /// Keeps the brokers' stores in `folder`, one folder each below it, and leaves them there.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_server::EmbeddedError> {
    /// let folder = tempfile::tempdir()?;
    /// let cluster = rocketmq_server::Embedded::builder().store(folder.path()).start().await?;
    /// cluster.shutdown().await?;
    /// assert!(folder.path().join("broker-a").is_dir());
    /// # Ok(())
    /// # }
    /// ```
    pub fn store(mut self, folder: impl Into<PathBuf>) -> Self {
        self.store = Some(folder.into());
        self
    }

    /// Answers a send only when the message is on disk.
    pub fn sync_flush(self) -> Self {
        self.set("flushDiskType", "SYNC_FLUSH")
    }

    /// Serves over TLS, with certificates made up for this cluster ([`Embedded::certificates`]); brokers register over it
    /// and verify their name servers. In mode [`Enforcing`](TlsMode::Enforcing) nothing else is served.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, mode: TlsMode) -> Self {
        self.tls = Some(mode);
        self
    }

    /// Sets one of the brokers' settings, under Apache's name: `set("transactionCheckMax", 3)`. Those that begin with
    /// `tls.` are the name servers' too.
    pub fn set(mut self, key: &str, value: impl std::fmt::Display) -> Self {
        let settings = if key.starts_with("tls.") { &mut self.tls_settings } else { &mut self.settings };
        settings.push_str(&format!("{key}={value}\n"));
        self
    }

    /// Makes certificates if they are wanted, and puts them into the settings, before those that the caller set.
    #[cfg(feature = "tls")]
    fn certify(&mut self) -> Result<Option<Certificates>, EmbeddedError> {
        let Some(mode) = self.tls else { return Ok(None) };
        let made = Certificates::make()?;
        let ((server, server_key), (client, client_key)) = (made.server(), made.client());
        let files = [
            ("tls.server.certPath", server),
            ("tls.server.keyPath", server_key),
            ("tls.server.trustCertPath", made.authority()),
            ("tls.client.certPath", client),
            ("tls.client.keyPath", client_key),
            ("tls.client.trustCertPath", made.authority()),
        ];
        let lines = files.map(|(key, path)| format!("{key}={}\n", path.display())).concat();
        self.tls_settings.insert_str(
            0,
            &format!("tls.server.mode={}\ntls.enable={}\n{lines}", mode.word(), mode != TlsMode::Disabled),
        );
        Ok(Some(made))
    }

    /// Starts everything and waits until the name servers know the brokers.
    ///
    /// # Errors
    /// When a setting is wrong, or a folder, a port or the store is not to be had.
    #[cfg_attr(not(feature = "tls"), expect(unused_mut, reason = "certificates go into the settings"))]
    pub async fn start(mut self) -> Result<Embedded, EmbeddedError> {
        #[cfg(feature = "tls")]
        let certificates = self.certify()?;
        let (root, folder) = self.folder()?;
        let clock = Shifted::default();
        let mut name_servers = Vec::new();
        for _ in 0..self.name_servers {
            name_servers.push(EmbeddedNameServer::start(&self.tls_settings).await?);
        }
        let addresses: Vec<_> = name_servers.iter().map(|server| server.address.to_string()).collect();
        let mut brokers = Vec::new();
        for index in 0..self.brokers {
            let config = self.broker_config(&root, index, &addresses)?;
            brokers.push(EmbeddedBroker::start(config, clock.clone()).await?);
        }
        Ok(Embedded {
            brokers,
            name_servers,
            clock,
            #[cfg(feature = "tls")]
            certificates,
            _folder: folder,
        })
    }

    fn folder(&self) -> Result<(PathBuf, Option<TempDir>), EmbeddedError> {
        match &self.store {
            Some(chosen) => Ok((chosen.clone(), None)),
            None => {
                let folder = tempfile::Builder::new().prefix("rocketmq-").tempdir()?;
                Ok((folder.path().to_owned(), Some(folder)))
            }
        }
    }

    fn broker_config(
        &self,
        root: &Path,
        index: usize,
        name_servers: &[String],
    ) -> Result<BrokerConfig, EmbeddedError> {
        let name = broker_name(index);
        let mut config = BrokerConfig::loopback(root.join(&name));
        config.settings.fixed.broker_name = name;
        config.network.shutdown_wait = SHUTDOWN_WAIT;
        config.name_servers = name_servers.to_vec();
        let notes = config.apply(&format!("{}{}", self.settings, self.tls_settings))?;
        // In a file a setting without effect is a warning; in a test it is a test that does not test.
        match notes.warnings().into_iter().next() {
            Some(warning) => Err(EmbeddedError::Setting(warning)),
            None => Ok(config),
        }
    }
}

/// `broker-a` to `broker-z`, then numbers.
fn broker_name(index: usize) -> String {
    match u8::try_from(index) {
        Ok(letter) if letter < 26 => format!("broker-{}", char::from(b'a' + letter)),
        _ => format!("broker-{index}"),
    }
}

/// One broker of an embedded cluster. It keeps its address and its store through restarts.
#[derive(Debug)]
pub struct EmbeddedBroker {
    config: BrokerConfig,
    clock: Shifted,
    address: SocketAddr,
    running: Mutex<Option<Node>>,
}

impl EmbeddedBroker {
    async fn start(mut config: BrokerConfig, clock: Shifted) -> Result<Self, EmbeddedError> {
        let node = started(&config, &clock).await?;
        let address = node.address();
        config.network.listen_port = address.port();
        Ok(Self { config, clock, address, running: Mutex::new(Some(node)) })
    }

    /// Returns the address on which it listens. A restart keeps it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its name, as in routes.
    pub fn name(&self) -> &str {
        &self.config.settings.fixed.broker_name
    }

    /// Stops it in order, if it runs, and starts it again: on the same port, with the same store.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_server::EmbeddedError> {
    /// let cluster = rocketmq_server::Embedded::start().await?;
    /// let address = cluster.broker().address();
    /// cluster.broker().kill().await; // as a crash: nothing is flushed
    /// cluster.broker().restart().await?;
    /// assert_eq!(cluster.broker().address(), address);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When it cannot flush, or does not start again.
    pub async fn restart(&self) -> Result<(), EmbeddedError> {
        self.stop().await?;
        let node = started_again(&self.config, &self.clock).await?;
        *self.running.lock() = Some(node);
        Ok(())
    }

    /// Stops it in order and leaves it stopped. [`restart`](Self::restart) starts it again.
    ///
    /// # Errors
    /// When it cannot flush.
    pub async fn stop(&self) -> Result<(), EmbeddedError> {
        match self.take() {
            Some(node) => Ok(node.shutdown().await?),
            None => Ok(()),
        }
    }

    /// Stops it as a crash would: nothing is answered, saved or flushed. [`restart`](Self::restart) starts it again.
    pub async fn kill(&self) {
        if let Some(node) = self.take() {
            node.kill().await;
        }
    }

    /// Keeps every request unanswered until [`resume`](Self::resume), as a frozen process would.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_server::EmbeddedError> {
    /// let cluster = rocketmq_server::Embedded::start().await?;
    /// cluster.broker().pause(); // clients run into their timeouts
    /// cluster.broker().resume();
    /// # Ok(())
    /// # }
    /// ```
    pub fn pause(&self) {
        self.running.lock().iter().for_each(Node::pause);
    }

    /// Goes on after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.running.lock().iter().for_each(Node::resume);
    }

    fn take(&self) -> Option<Node> {
        self.running.lock().take()
    }
}

/// Waits for a port that was ours a moment ago: a client's outgoing connection may have borrowed it.
async fn started_again(config: &BrokerConfig, clock: &Shifted) -> Result<Node, EmbeddedError> {
    let deadline = Instant::now() + PORT_WITHIN;
    loop {
        match started(config, clock).await {
            Err(EmbeddedError::Broker(NodeError::Bind(error)))
                if error.is_in_use() && Instant::now() < deadline =>
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            result => return result,
        }
    }
}

async fn started(config: &BrokerConfig, clock: &Shifted) -> Result<Node, EmbeddedError> {
    let node = Node::start(config.clone(), Arc::new(clock.clone())).await?;
    let registered = timeout(READY_WITHIN, node.registered()).await;
    registered.map_err(|_| EmbeddedError::NotRegistered(node.address()))?;
    Ok(node)
}

/// One name server of an embedded cluster. It keeps its address through restarts.
#[derive(Debug)]
pub struct EmbeddedNameServer {
    config: NamesrvConfig,
    address: SocketAddr,
    running: Mutex<Option<NameServer>>,
}

impl EmbeddedNameServer {
    async fn start(settings: &str) -> Result<Self, EmbeddedError> {
        let mut config = NamesrvConfig::ephemeral();
        config.apply(settings)?;
        config.network.shutdown_wait = SHUTDOWN_WAIT;
        let server = NameServer::start(config.clone(), real_time()).await?;
        let address = server.address();
        config.network.listen_port = address.port();
        Ok(Self { config, address, running: Mutex::new(Some(server)) })
    }

    /// Returns the address on which it listens. A restart keeps it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it, if it runs, and starts it again on the same port. It has forgotten every broker; they come back by
    /// themselves.
    ///
    /// # Errors
    /// When the port has been taken meanwhile.
    pub async fn restart(&self) -> Result<(), EmbeddedError> {
        self.stop().await;
        let server = NameServer::start(self.config.clone(), real_time()).await?;
        *self.running.lock() = Some(server);
        Ok(())
    }

    /// Stops it and leaves it stopped. [`restart`](Self::restart) starts it again.
    pub async fn stop(&self) {
        let server = self.running.lock().take();
        if let Some(server) = server {
            server.shutdown().await;
        }
    }

    /// Keeps every request unanswered until [`resume`](Self::resume), as a frozen process would.
    pub fn pause(&self) {
        self.running.lock().iter().for_each(NameServer::pause);
    }

    /// Goes on after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.running.lock().iter().for_each(NameServer::resume);
    }
}

fn real_time() -> Arc<dyn Clock> {
    Arc::new(System)
}
