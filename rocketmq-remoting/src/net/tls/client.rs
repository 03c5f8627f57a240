//! Encryption of connections to servers: trust, and a certificate of the client.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::error::TlsError;
use super::trust_all::TrustAll;
use super::{pem, provider};

/// Configures the encryption of connections to servers. By default the client trusts the authorities of this system.
///
/// A server's certificate must carry the dialled name or address: for name servers the configured one, for brokers the
/// one in the route (`brokerIP1`). [`server_name`](Self::server_name) replaces it for all servers.
///
/// ```
/// use rocketmq_remoting::net::tls::TlsConfig;
///
/// let config = TlsConfig::trusting("ca.pem")
///     .identity("client.pem", "client.key", None)
///     .server_name("broker.example.com");
/// # let _ = config;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsConfig {
    trust: Trust,
    identity: Option<Identity>,
    server_name: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Trust {
    #[default]
    System,
    Authorities(PathBuf),
    Anyone,
}

/// The certificate that the client shows to servers that ask.
#[derive(Clone, PartialEq, Eq)]
struct Identity {
    chain: PathBuf,
    key: PathBuf,
    password: Option<String>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("chain", &self.chain).field("key", &self.key).finish_non_exhaustive()
    }
}

impl TlsConfig {
    /// Trusts only servers whose certificate comes from an authority in the PEM file `authorities`.
    pub fn trusting(authorities: impl Into<PathBuf>) -> Self {
        Self { trust: Trust::Authorities(authorities.into()), ..Self::default() }
    }

    /// Encrypts, but verifies no server: anyone on the path can pose as the server and read and change everything.
    /// Java's client does the same by default. For tests and self-signed brokers.
    pub fn insecure() -> Self {
        Self { trust: Trust::Anyone, ..Self::default() }
    }

    /// Shows a certificate to servers that ask for one. `chain` is the PEM file of the certificate chain, `key` the PEM
    /// file of its key, `password` the password of an encrypted key.
    #[must_use]
    pub fn identity(
        mut self,
        chain: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
        password: Option<String>,
    ) -> Self {
        self.identity = Some(Identity { chain: chain.into(), key: key.into(), password });
        self
    }

    /// Sets the name that every server's certificate must carry, whatever address is dialled.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Reads the files.
    ///
    /// # Errors
    /// Fails if a file cannot be read or holds nothing usable, and if the server name is neither a host name nor an
    /// address.
    pub fn connector(&self) -> Result<TlsConnector, TlsError> {
        let builder =
            ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
        let builder = match &self.trust {
            Trust::System => builder.with_root_certificates(system_roots()?),
            Trust::Authorities(path) => builder.with_root_certificates(pem::roots(path)?),
            Trust::Anyone => {
                builder.dangerous().with_custom_certificate_verifier(Arc::new(TrustAll(provider())))
            }
        };
        let config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let key = pem::private_key(&own.key, own.password.as_deref())?;
                let chain = pem::certificates(&own.chain)?;
                builder.with_client_auth_cert(chain, key).map_err(|e| TlsError::file(&own.chain, e))?
            }
        };
        let server_name = self.server_name.as_deref().map(name).transpose()?;
        Ok(TlsConnector { connector: Arc::new(config).into(), server_name })
    }
}

fn name(text: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(text.to_owned()).map_err(|_| TlsError::ServerName(text.to_owned()))
}

fn system_roots() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let errors: String = found.errors.iter().map(|error| format!(" ({error})")).collect();
        return Err(TlsError::NoTrust(errors));
    }
    Ok(roots)
}

/// A [`TlsConfig`] with its files read. Clones share them.
#[derive(Clone)]
pub struct TlsConnector {
    connector: tokio_rustls::TlsConnector,
    server_name: Option<ServerName<'static>>,
}

impl TlsConnector {
    /// Performs the handshake over a stream to `host`.
    ///
    /// # Cancel safety
    /// Dropping the future drops the stream.
    ///
    /// # Errors
    /// Fails if the server cannot be verified, demands what this side does not have, or does not speak TLS.
    pub async fn connect<S>(&self, host: &str, stream: S) -> Result<TlsStream<S>, TlsError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let expected = match &self.server_name {
            Some(expected) => expected.clone(),
            None => name(host)?,
        };
        let failed = |cause| TlsError::Handshake { host: host.to_owned(), cause: Arc::new(cause) };
        self.connector.connect(expected, stream).await.map_err(failed)
    }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConnector").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}
