//! The dialling side: whom to trust, what to show.

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

/// How connections to servers are encrypted. The default verifies them against the authorities this system trusts.
///
/// A server's certificate must carry the name or address that is dialled: that of the name servers as configured, that of
/// brokers as in their routes (`brokerIP1`); or, for all of them, [`server_name`](Self::server_name).
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

/// The certificate to show, when asked.
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
    /// Trusts servers whose certificate was issued by one of those in the PEM file `authorities`, and nobody else.
    pub fn trusting(authorities: impl Into<PathBuf>) -> Self {
        Self { trust: Trust::Authorities(authorities.into()), ..Self::default() }
    }

    /// Encrypts and verifies nobody: whoever can reach the connection can read and change what it carries. What Java's
    /// client does unless it is told otherwise; for tests and self-signed brokers.
    pub fn insecure() -> Self {
        Self { trust: Trust::Anyone, ..Self::default() }
    }

    /// Shows the certificate chain in the PEM file `chain`, with the key in the PEM file `key`, to servers that ask for
    /// one. `password` opens an encrypted key.
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

    /// The name every server's certificate must carry, whatever address is dialled.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Reads the files.
    ///
    /// # Errors
    /// When a file cannot be read or holds nothing usable, or the server name cannot be one.
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

/// A [`TlsConfig`] whose files have been read. Clones share it.
#[derive(Clone)]
pub struct TlsConnector {
    connector: tokio_rustls::TlsConnector,
    server_name: Option<ServerName<'static>>,
}

impl TlsConnector {
    /// The handshake over a stream to `host`. Cancelling it drops the stream.
    ///
    /// # Errors
    /// When the server cannot be verified, wants what this side does not have, or does not speak TLS.
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
