//! Connections that a broker makes.

use std::io;
use std::sync::Arc;

#[cfg(feature = "tls")]
use rocketmq_remoting::net::tls::{TlsConfig as ClientTls, TlsConnector};
use rocketmq_remoting::net::{Connection, ConnectionConfig, Handler};
use tokio::net::TcpStream;

use super::error::SecurityError;
use crate::config::TlsConfig;

/// Dials servers, encrypted or not.
#[derive(Debug, Clone, Default)]
pub struct Outgoing {
    #[cfg(feature = "tls")]
    tls: Option<TlsConnector>,
}

impl Outgoing {
    /// Reads certificates and keys.
    ///
    /// # Errors
    /// When the settings ask for what cannot be had; the text names the setting.
    #[cfg(feature = "tls")]
    pub fn load(config: &TlsConfig) -> Result<Self, SecurityError> {
        if !config.is_outgoing() {
            return Ok(Self::default());
        }
        let unusable = |source| SecurityError::Unusable { key: "tls.client.*", source };
        let connector = client_tls(config)?.connector().map_err(unusable)?;
        Ok(Self { tls: Some(connector) })
    }

    /// Dials plainly: this program is built without TLS.
    ///
    /// # Errors
    /// When the settings ask for TLS.
    #[cfg(not(feature = "tls"))]
    pub fn load(config: &TlsConfig) -> Result<Self, SecurityError> {
        if config.is_outgoing() { Err(SecurityError::NotBuilt) } else { Ok(Self::default()) }
    }

    /// Connects to `address` (`host:port`), whose name is resolved now. Cancelling it leaves nothing behind.
    ///
    /// # Errors
    /// When nobody is there, or the two do not agree on encryption.
    pub async fn dial(
        &self,
        address: &str,
        handler: Arc<dyn Handler>,
        config: ConnectionConfig,
    ) -> io::Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (peer, local) = (stream.peer_addr()?, stream.local_addr()?);
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            let stream = tls.connect(host(address), stream).await.map_err(io::Error::other)?;
            return Ok(Connection::spawn(stream, peer, local, handler, config));
        }
        Ok(Connection::spawn(stream, peer, local, handler, config))
    }
}

#[cfg(feature = "tls")]
fn client_tls(config: &TlsConfig) -> Result<ClientTls, SecurityError> {
    // A cluster in test mode has no certificates that could be verified.
    let all_made_up = config.test_mode && config.certificate.is_none() && config.outgoing_trust.is_none();
    let tls = match &config.outgoing_trust {
        _ if all_made_up || !config.verify => ClientTls::insecure(),
        Some(trusted) => ClientTls::trusting(trusted),
        None => ClientTls::default(),
    };
    match (&config.outgoing_certificate, &config.outgoing_key) {
        (Some(chain), Some(key)) => Ok(tls.identity(chain, key, config.outgoing_key_password.clone())),
        (None, None) => Ok(tls),
        (Some(_), None) => Err(SecurityError::HalfIdentity { missing: "tls.client.keyPath" }),
        (None, Some(_)) => Err(SecurityError::HalfIdentity { missing: "tls.client.certPath" }),
    }
}

#[cfg(feature = "tls")]
fn host(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}
