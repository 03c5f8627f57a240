//! The options of a client, and how it connects.

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

/// Connects to a cluster through its name servers, `host:port` each, separated by `;`; or through the
/// URL of an address server, `http://host/path`. Without a path `http://` is ignored, as in Java.
///
/// # Errors
/// When an address is malformed or no name server can be reached; the text lists every address tried.
pub async fn connect(name_servers: impl AsRef<str>) -> Result<Client, ConnectError> {
    Client::builder(name_servers).connect().await
}

impl Client {
    /// Starts to configure a client. `name_servers` as for [`connect`].
    pub fn builder(name_servers: impl AsRef<str>) -> ClientBuilder {
        ClientBuilder::new(name_servers.as_ref())
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
    pub(super) fn new(name_servers: &str) -> Self {
        Self { name_servers: name_servers.to_owned(), config: ClientConfig::default(), lazy: false }
    }

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
    pub fn tls(mut self, tls: rocketmq_remoting::net::tls::TlsConfig) -> Self {
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
    /// Fails for the first illegal one.
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

    /// Builds the client and, unless it is [`lazy`](Self::lazy), makes sure that a name server is there.
    ///
    /// # Errors
    /// When an option is illegal or no name server can be reached; the text lists every address tried.
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
