//! Failures to set up encryption and failed handshakes, with their remedies.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::{AlertDescription, CertificateError, Error};

/// Tells what is wrong with a certificate, a key, or a handshake.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file of certificates or a key is unusable.
    #[error("{}: {what}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The fault.
        what: String,
    },
    /// The system's store of trusted certificates is empty or cannot be read.
    #[error(
        "this system trusts no certificate authority{0}; name the file with the certificate of the servers' authority"
    )]
    NoTrust(String),
    /// The server name is neither a host name nor an address.
    #[error("\"{0}\" is neither a host name nor an address that a certificate could carry")]
    ServerName(String),
    /// rustls refuses the set-up.
    #[error(transparent)]
    Setup(#[from] Error),
    /// The handshake failed.
    #[error("no TLS with {host}: {cause}{}", advice(cause))]
    Handshake {
        /// The dialled host.
        host: String,
        /// The failure of the stream or of TLS.
        cause: Arc<io::Error>,
    },
}

impl TlsError {
    pub(super) fn file(path: &Path, what: impl ToString) -> Self {
        Self::File { path: path.to_owned(), what: what.to_string() }
    }
}

/// Returns the remedy, if one is known.
fn advice(cause: &io::Error) -> &'static str {
    let error = cause.get_ref().and_then(|error| error.downcast_ref::<Error>());
    match error {
        Some(Error::InvalidCertificate(certificate)) => about_certificate(certificate),
        Some(Error::InvalidMessage(_)) => "; the server does not speak TLS on this port: switch `tls` off",
        Some(Error::AlertReceived(alert)) => about_alert(*alert),
        None if matches!(cause.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
            "; the server hung up: perhaps it takes no TLS (its `tls.server.mode` is disabled): switch `tls` off"
        }
        _ => "",
    }
}

fn about_certificate(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "; trust the authority that issued the server's certificate"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "; the server needs a new certificate"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "; set the server name the certificate carries, or have the address put into it"
        }
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "; the server shows the certificate of an authority: have one issued for the server"
        }
        _ => "",
    }
}

fn about_alert(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::CertificateRequired => "; the server wants a client certificate",
        AlertDescription::UnknownCA | AlertDescription::DecryptError => {
            "; the server does not trust the authority of this client's certificate"
        }
        _ => "",
    }
}
