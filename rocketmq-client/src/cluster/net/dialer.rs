//! Makes connections: a socket, encrypted where configured.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rocketmq_remoting::net::{Connection, ConnectionConfig, Handler};

use super::address::target;
use super::socks::SocksProxies;
use crate::cluster::config::ClientConfig;
use crate::error::ConnectError;
#[cfg(feature = "tls")]
use crate::error::ConnectErrorKind;

/// The reason why there is no connection. All callers that waited for the same dial get the same one.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum DialError {
    #[error("connecting took longer than {} ms", .0.as_millis())]
    Timeout(Duration),
    #[error("cannot connect: {0}")]
    Io(Arc<io::Error>),
    #[cfg(feature = "tls")]
    #[error(transparent)]
    Tls(#[from] rocketmq_remoting::net::tls::TlsError),
    #[error("the client is shut down")]
    Closed,
}

impl DialError {
    /// Tells whether the server answered and encryption failed.
    pub(crate) fn is_tls(&self) -> bool {
        #[cfg(feature = "tls")]
        return matches!(self, Self::Tls(_));
        #[cfg(not(feature = "tls"))]
        return false;
    }
}

impl From<io::Error> for DialError {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

/// The layers between this client and the frames of a server.
pub(crate) struct Transport {
    proxies: SocksProxies,
    #[cfg(feature = "tls")]
    tls: Option<rocketmq_remoting::net::tls::TlsConnector>,
}

impl Transport {
    /// Reads the files that the options name.
    #[cfg_attr(not(feature = "tls"), expect(clippy::unnecessary_wraps))]
    pub(crate) fn new(config: &ClientConfig) -> Result<Self, ConnectError> {
        #[cfg(feature = "tls")]
        let tls = config.tls.as_ref().map(|tls| tls.connector()).transpose().map_err(|error| {
            ConnectError::new(ConnectErrorKind::Tls, error.to_string()).with_source(error)
        })?;
        Ok(Self {
            proxies: config.socks_proxies.clone(),
            #[cfg(feature = "tls")]
            tls,
        })
    }

    pub(super) fn is_encrypted(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.tls.is_some();
        #[cfg(not(feature = "tls"))]
        return false;
    }
}

/// Makes connections.
pub(crate) struct Dialer {
    pub(crate) connect_timeout: Duration,
    pub(crate) connection: ConnectionConfig,
    pub(crate) handler: Arc<dyn Handler>,
    /// Told about every new connection.
    pub(crate) on_connect: Box<dyn Fn(&str) + Send + Sync>,
    pub(crate) transport: Transport,
}

impl Dialer {
    /// Names are resolved here, so a server that moved is found again at the next dial.
    pub(super) async fn dial(&self, address: &str) -> Result<Connection, DialError> {
        let (host, port) = target(address)?;
        let socket = self.transport.proxies.connect(host, port).await?;
        socket.set_nodelay(true)?;
        let (peer, local) = (socket.peer_addr()?, socket.local_addr()?);
        let (handler, config) = (self.handler.clone(), self.connection.clone());
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.transport.tls {
            let stream = tls.connect(host, socket).await?;
            return Ok(Connection::spawn(stream, peer, local, handler, config));
        }
        Ok(Connection::spawn(socket, peer, local, handler, config))
    }
}
