//! Encrypted connections. Servers are verified unless one asks for the opposite by name.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::error::{ConnectError, ConnectErrorKind};

/// How connections are encrypted.
#[derive(Clone)]
pub struct TlsConfig {
    connector: TlsConnector,
}

/// Where a client's own certificate and key are, both in PEM.
pub type ClientIdentity<'a> = Option<(&'a Path, &'a Path)>;

impl TlsConfig {
    /// Trusts servers whose certificate was issued by one of those in the PEM file `trusted`; shows the
    /// certificate in `identity`, if any, to servers that ask for one.
    ///
    /// # Errors
    /// When a file cannot be read or holds nothing usable.
    pub fn verified(trusted: &Path, identity: ClientIdentity<'_>) -> Result<Self, ConnectError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(trusted)? {
            roots.add(certificate).map_err(|error| unusable(trusted, error))?;
        }
        let builder = builder()?.with_root_certificates(roots);
        Self::finish(builder, identity)
    }

    /// Encrypts and verifies nobody: whoever can reach the connection can read and change what it
    /// carries. What Java's client does unless it is told otherwise; for tests and self-signed brokers.
    ///
    /// # Errors
    /// As [`verified`](Self::verified), for `identity`.
    pub fn insecure(identity: ClientIdentity<'_>) -> Result<Self, ConnectError> {
        let trust_all = Arc::new(TrustAll(Arc::new(ring::default_provider())));
        let builder = builder()?.dangerous().with_custom_certificate_verifier(trust_all);
        Self::finish(builder, identity)
    }

    /// Any configuration of rustls.
    pub fn custom(config: Arc<ClientConfig>) -> Self {
        Self { connector: TlsConnector::from(config) }
    }

    fn finish(builder: WithVerifier, identity: ClientIdentity<'_>) -> Result<Self, ConnectError> {
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, error))?;
                builder.with_client_auth_cert(certificates(chain)?, secret).map_err(|e| unusable(chain, e))?
            }
        };
        Ok(Self::custom(Arc::new(config)))
    }

    /// The handshake, with `host` as the name the certificate must carry.
    pub(crate) async fn wrap(&self, host: &str, socket: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        self.connector.connect(name, socket).await
    }
}

type WithVerifier =
    tokio_rustls::rustls::ConfigBuilder<ClientConfig, tokio_rustls::rustls::client::WantsClientCert>;
type WantsVerifier = tokio_rustls::rustls::ConfigBuilder<ClientConfig, tokio_rustls::rustls::WantsVerifier>;

/// The provider is named, so that another crate's choice for the process does not matter here.
fn builder() -> Result<WantsVerifier, ConnectError> {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ConnectError::new(ConnectErrorKind::Tls, error.to_string()).with_source(error))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = read.map_err(|error| unusable(path, error))?;
    if certificates.is_empty() {
        return Err(ConnectError::new(
            ConnectErrorKind::Tls,
            format!("{} holds no PEM certificate", path.display()),
        ));
    }
    Ok(certificates)
}

fn unusable(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> ConnectError {
    ConnectError::new(ConnectErrorKind::Tls, format!("{}: {error}", path.display())).with_source(error)
}

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig").finish_non_exhaustive()
    }
}

/// Signatures are still checked: the peer holds the key of the certificate it shows, whosever it is.
#[derive(Debug)]
struct TrustAll(Arc<CryptoProvider>);

impl ServerCertVerifier for TrustAll {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
