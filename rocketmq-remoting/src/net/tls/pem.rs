//! Reads certificates and keys from PEM files.

use std::path::Path;

use pkcs8::EncryptedPrivateKeyInfo;
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::error::TlsError;

const ENCRYPTED: (&str, &str) =
    ("-----BEGIN ENCRYPTED PRIVATE KEY-----", "-----END ENCRYPTED PRIVATE KEY-----");
/// Mark of a key that openssl encrypted before 1.0; this crate cannot read one.
const OLD_ENCRYPTED: &str = "Proc-Type: 4,ENCRYPTED";

/// Reads the certificates of a PEM file, in their order; at least one.
///
/// # Errors
/// Fails if the file cannot be read or holds no certificate.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = read.map_err(|error| TlsError::file(path, error))?;
    if certificates.is_empty() {
        return Err(TlsError::file(path, "holds no PEM certificate"));
    }
    Ok(certificates)
}

/// Reads the certificates of a PEM file as authorities to trust.
///
/// # Errors
/// Fails like [`certificates`], and if a certificate cannot be an authority.
pub fn roots(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| TlsError::file(path, error))?;
    }
    Ok(roots)
}

/// Reads the first private key of a PEM file: PKCS#8 (with `password` if it is encrypted), PKCS#1 or SEC1.
///
/// # Errors
/// Fails if the file cannot be read or holds no key, and if the password is missing or wrong.
pub fn private_key(path: &Path, password: Option<&str>) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = std::fs::read_to_string(path).map_err(|error| TlsError::file(path, error))?;
    if text.contains(OLD_ENCRYPTED) {
        return Err(TlsError::file(
            path,
            "is encrypted in an old form; convert it with `openssl pkcs8 -topk8`",
        ));
    }
    match (encrypted_block(&text), password) {
        (None, _) => {
            PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|error| TlsError::file(path, error))
        }
        (Some(_), None) => Err(TlsError::file(path, "is protected by a password; set it")),
        (Some(block), Some(password)) => decrypted(block, password)
            .map_err(|error| TlsError::file(path, format!("{error}; check its password"))),
    }
}

fn encrypted_block(text: &str) -> Option<&str> {
    let begin = text.find(ENCRYPTED.0)?;
    let end = text.find(ENCRYPTED.1)? + ENCRYPTED.1.len();
    text.get(begin..end)
}

fn decrypted(block: &str, password: &str) -> Result<PrivateKeyDer<'static>, pkcs8::Error> {
    let (_, document) = pkcs8::SecretDocument::from_pem(block)?;
    let key = EncryptedPrivateKeyInfo::try_from(document.as_bytes())?.decrypt(password)?;
    Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into())
}
