//! [`ClientBuilder`]: the options of a client, and its connection.

use std::sync::Arc;

use super::handle::Client;
use crate::cluster::Parts;
use crate::cluster::acl::CredentialsSource;
use crate::cluster::config::{ClientConfig, NameServers};
use crate::cluster::identity::local_address;
use crate::cluster::net::dialer::Transport;
use crate::cluster::net::socks::SocksProxies;
use crate::cluster::route::discovery;
use crate::error::{ConnectError, ConnectErrorKind};
use crate::membership::Membership;
use crate::observe::interceptor::Interceptor;
use crate::observe::metrics;
use crate::observe::trace::TraceConfig;
use crate::producer;

/// Connects to a cluster with all options at their defaults. Takes the `host:port` of each name server, separated by
/// `;`, or the URL of an address server, `http://host/path`. `http://` without a path is ignored, as in Java.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = rocketmq_client::connect("10.0.0.1:9876;10.0.0.2:9876").await?;
/// println!("connected as {}", client.client_id());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// An address is malformed, or no name server can be reached; the text lists every address that was tried.
///
/// # Cancel safety
/// A cancelled call leaves nothing behind.
pub async fn connect(name_servers: impl AsRef<str>) -> Result<Client, ConnectError> {
    Client::builder(name_servers).connect().await
}

impl Client {
    /// Starts to configure a client. Takes the same addresses as [`connect`].
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::{Client, Credentials};
    /// use std::sync::Arc;
    ///
    /// let client = Client::builder("127.0.0.1:9876")
    ///     .credentials(Arc::new(Credentials::new("shop", "secret")))
    ///     .namespace("staging")
    ///     .connect()
    ///     .await?;
    /// # drop(client);
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(name_servers: impl AsRef<str>) -> ClientBuilder {
        ClientBuilder::new(name_servers.as_ref())
    }
}

/// Configures a [`Client`]; [`connect`](Self::connect) builds it.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// let client = rocketmq_client::Client::builder("127.0.0.1:9876")
///     .configure(|config| config.heartbeat_interval = Duration::from_secs(10))
///     .lazy()
///     .connect()
///     .await?;
/// # drop(client);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientBuilder {
    name_servers: String,
    config: ClientConfig,
    lazy: bool,
}

impl ClientBuilder {
    pub(super) fn new(name_servers: &str) -> Self {
        Self { name_servers: name_servers.to_owned(), config: ClientConfig::default(), lazy: false }
    }

    /// Replaces all options that were set so far.
    ///
    /// ```
    /// use rocketmq_client::{Client, ClientConfig};
    ///
    /// let shared = ClientConfig::default();
    /// let builder = Client::builder("127.0.0.1:9876").config(shared);
    /// # drop(builder);
    /// ```
    pub fn config(mut self, config: ClientConfig) -> Self {
        self.config = config;
        self
    }

    /// Changes options that have no method of their own.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let builder = rocketmq_client::Client::builder("127.0.0.1:9876").configure(|config| {
    ///     config.route_refresh = Duration::from_secs(10);
    ///     config.instance_name = Some("billing-1".into());
    /// });
    /// # drop(builder);
    /// ```
    pub fn configure(mut self, change: impl FnOnce(&mut ClientConfig)) -> Self {
        change(&mut self.config);
        self
    }

    /// Signs every request with these credentials. Default: requests are not signed.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use rocketmq_client::{Client, Credentials};
    ///
    /// let builder = Client::builder("127.0.0.1:9876").credentials(Arc::new(Credentials::new("shop", "secret")));
    /// # drop(builder);
    /// ```
    pub fn credentials(mut self, credentials: impl CredentialsSource) -> Self {
        self.config.credentials = Some(Arc::new(credentials));
        self
    }

    /// Puts every topic and group into a namespace of 4.x: `orders` travels as `<namespace>%orders`. Default: none.
    ///
    /// ```
    /// let builder = rocketmq_client::Client::builder("127.0.0.1:9876").namespace("staging");
    /// # drop(builder);
    /// ```
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.config.namespace = Some(namespace.into());
        self
    }

    /// Adds a hook around sends and deliveries; the hooks run in the order they were added. [`Interceptor`] has an example.
    pub fn interceptor(mut self, interceptor: impl Interceptor) -> Self {
        self.config.interceptors.push(Arc::new(interceptor));
        self
    }

    /// Traces the messages of all producers, push consumers and lite consumers of this client, except those with a
    /// setting of their own. Default: off.
    ///
    /// ```
    /// use rocketmq_client::{Client, TraceConfig};
    ///
    /// let builder = Client::builder("127.0.0.1:9876").trace(TraceConfig::default());
    /// # drop(builder);
    /// ```
    pub fn trace(mut self, trace: TraceConfig) -> Self {
        self.config.trace = Some(trace);
        self
    }

    /// Encrypts every connection. [`connect`](Self::connect) reads the files that the configuration names. Default:
    /// plain text.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::{Client, TlsConfig};
    ///
    /// let client = Client::builder("10.0.0.1:9876").tls(TlsConfig::default()).connect().await?;
    /// # drop(client);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn tls(mut self, tls: rocketmq_remoting::net::tls::TlsConfig) -> Self {
        self.config.tls = Some(tls);
        self
    }

    /// Reaches name servers and brokers through SOCKS5 proxies. An address server is asked directly. Default: no proxy.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::Client;
    ///
    /// let builder = Client::builder("10.0.0.1:9876").socks_proxies(r#"{"10.0.0.0/8": {"addr": "127.0.0.1:1080"}}"#.parse()?);
    /// # drop(builder);
    /// # Ok(())
    /// # }
    /// ```
    pub fn socks_proxies(mut self, proxies: SocksProxies) -> Self {
        self.config.socks_proxies = proxies;
        self
    }

    /// Lets [`connect`](Self::connect) succeed without a name server; the client looks for one when it first needs it.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = rocketmq_client::Client::builder("127.0.0.1:9876").lazy().connect().await?;
    /// # drop(client);
    /// # Ok(())
    /// # }
    /// ```
    pub fn lazy(mut self) -> Self {
        self.lazy = true;
        self
    }

    /// Checks the name servers, the options, and the files they name, without connecting.
    ///
    /// ```
    /// use rocketmq_client::Client;
    ///
    /// assert!(Client::builder("127.0.0.1:9876;127.0.0.2:9876").check().is_ok());
    /// assert!(Client::builder("localhost").check().is_err(), "a port is missing");
    /// ```
    ///
    /// # Errors
    /// An option or a file is unusable; the text names the first one.
    pub fn check(&self) -> Result<(), ConnectError> {
        self.checked().map(drop)
    }

    fn checked(&self) -> Result<(NameServers, Transport), ConnectError> {
        let invalid = |fault| ConnectError::new(ConnectErrorKind::InvalidConfig, fault);
        self.config.check().map_err(invalid)?;
        let name_servers = self.name_servers.parse::<NameServers>();
        let name_servers = name_servers.map_err(|error| invalid(error.to_string()))?;
        Ok((name_servers, Transport::new(&self.config)?))
    }

    /// Builds the client and, unless it is [`lazy`](Self::lazy), reaches a name server.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = rocketmq_client::Client::builder("127.0.0.1:9876").connect().await?;
    /// # drop(client);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// An option is illegal, or no name server can be reached; the text lists every address that was tried.
    ///
    /// # Cancel safety
    /// A cancelled call leaves nothing behind.
    pub async fn connect(self) -> Result<Client, ConnectError> {
        let lazy = self.lazy;
        let membership = Membership::new(self.parts().await?, producer::open_carrier);
        if !lazy {
            membership.cluster.reach_a_name_server().await?;
        }
        membership.start_background();
        Ok(Client { membership })
    }

    async fn parts(self) -> Result<Parts, ConnectError> {
        let (name_servers, transport) = self.checked()?;
        let config = self.config;
        let servers = discovery::initial(&name_servers, &config).await?;
        let ip = match config.client_ip {
            Some(ip) => ip,
            None => local_address(&servers, &config.socks_proxies).await,
        };
        metrics::describe();
        Ok(Parts { config, name_servers, servers, transport, ip })
    }
}
