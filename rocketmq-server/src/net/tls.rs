//! The listening side of TLS: the certificate it shows, renewed while the server runs, and whom it takes.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use rocketmq_remoting::net::tls::{TlsError, certificates, private_key, provider, roots};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::{Error, ServerConfig};
use tokio_rustls::server::TlsStream;
use tracing::{info, warn};

use super::error::SecurityError;
use crate::config::{ClientAuth, TlsConfig};

/// The time that a handshake may take, as in Netty.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The time that a peer has to read the reason of a refusal.
const LINGER: Duration = Duration::from_secs(1);

const CERTIFICATE: &str = "tls.server.certPath";
const KEY: &str = "tls.server.keyPath";
const TRUST: &str = "tls.server.trustCertPath";

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);
/// When each file was written last.
type Stamps = [Option<SystemTime>; 3];

/// Shakes hands with peers that encrypt.
pub(super) struct Acceptor {
    config: TlsConfig,
    current: Mutex<(Arc<ServerConfig>, Stamps)>,
}

impl Acceptor {
    /// `None` when there is no certificate to show and none may be made up.
    pub(super) fn load(config: &TlsConfig) -> Result<Option<Self>, SecurityError> {
        let stamps = stamps(config);
        let identity = match (&config.certificate, &config.key) {
            (Some(chain), Some(key)) => own(config, chain, key)?,
            (Some(_), None) => return Err(SecurityError::HalfIdentity { missing: KEY }),
            (None, Some(_)) => return Err(SecurityError::HalfIdentity { missing: CERTIFICATE }),
            (None, None) if config.test_mode => made_up()?,
            (None, None) => return Ok(None),
        };
        let server = Arc::new(server_config(config, identity)?);
        Ok(Some(Self { config: config.clone(), current: Mutex::new((server, stamps)) }))
    }

    /// The handshake. A peer that fails it gets the time to read the alert: closing at once would destroy it on its way.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let acceptor = TlsAcceptor::from(self.server_config());
        match timeout(HANDSHAKE, acceptor.accept(stream).into_fallible()).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err((error, stream))) => {
                let _ = timeout(LINGER, hang_up(stream)).await;
                Err(error)
            }
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "half a TLS handshake")),
        }
    }

    /// Reads the files again when one of them has changed. While they do not fit together, what was read before serves.
    fn server_config(&self) -> Arc<ServerConfig> {
        let stamps = stamps(&self.config);
        let mut current = self.current.lock();
        if stamps != current.1 {
            current.1 = stamps;
            match Self::load(&self.config) {
                Ok(Some(renewed)) => {
                    info!("the TLS certificate has been read again");
                    current.0 = renewed.current.into_inner().0;
                }
                Ok(None) => {}
                Err(error) => warn!(%error, "the TLS certificate stays as it was"),
            }
        }
        current.0.clone()
    }
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor").field("config", &self.config).finish_non_exhaustive()
    }
}

fn stamps(config: &TlsConfig) -> Stamps {
    [&config.certificate, &config.key, &config.trust]
        .map(|path| path.as_ref().and_then(|path| path.metadata().and_then(|file| file.modified()).ok()))
}

fn own(config: &TlsConfig, chain: &Path, key: &Path) -> Result<Identity, SecurityError> {
    let chain = certificates(chain).map_err(unusable(CERTIFICATE))?;
    let key = private_key(key, config.key_password.as_deref()).map_err(unusable(KEY))?;
    Ok((chain, key))
}

/// Makes a certificate as Apache's test mode does. It encrypts, and proves nothing about the server.
fn made_up() -> Result<Identity, SecurityError> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]);
    let made = made.map_err(|error| unusable(CERTIFICATE)(Error::General(error.to_string()).into()))?;
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    Ok((vec![made.cert.der().clone()], key.into()))
}

fn server_config(config: &TlsConfig, (chain, key): Identity) -> Result<ServerConfig, SecurityError> {
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| unusable(CERTIFICATE)(error.into()))?;
    let builder = match client_verifier(config)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    builder.with_single_cert(chain, key).map_err(|error| unusable(CERTIFICATE)(error.into()))
}

fn client_verifier(config: &TlsConfig) -> Result<Option<Arc<dyn ClientCertVerifier>>, SecurityError> {
    if config.client_auth == ClientAuth::None {
        return Ok(None);
    }
    let trusted = config.trust.as_ref().ok_or(SecurityError::NoTrust)?;
    let roots = roots(trusted).map_err(unusable(TRUST))?;
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
    let builder =
        if config.client_auth == ClientAuth::Optional { builder.allow_unauthenticated() } else { builder };
    let verifier =
        builder.build().map_err(|error| unusable(TRUST)(Error::General(error.to_string()).into()))?;
    Ok(Some(verifier))
}

fn unusable(key: &'static str) -> impl Fn(TlsError) -> SecurityError {
    move |source| SecurityError::Unusable { key, source }
}

async fn hang_up(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}
