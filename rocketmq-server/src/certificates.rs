//! Certificates made up for tests and development.

use std::io;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair};
use tempfile::TempDir;

const AUTHORITY: &str = "ca.pem";

/// An authority, and what it issued: one certificate for servers on this machine and one for clients. All are PEM files in
/// a temporary folder that goes with this value.
#[derive(Debug)]
pub struct Certificates {
    folder: TempDir,
}

impl Certificates {
    /// Makes them, valid for `localhost`, `127.0.0.1` and `::1`.
    ///
    /// # Errors
    /// When there is no place for the files.
    pub fn make() -> io::Result<Self> {
        let made = Self { folder: tempfile::Builder::new().prefix("rocketmq-tls-").tempdir()? };
        let mut params = params(&["rocketmq test authority"])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, key()?).map_err(io::Error::other)?;
        std::fs::write(made.authority(), authority.pem())?;
        made.issue(&authority, made.server(), &["localhost", "127.0.0.1", "::1"])?;
        made.issue(&authority, made.client(), &["client"])?;
        Ok(made)
    }

    /// The authority's certificate: what the other side has to trust.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join(AUTHORITY)
    }

    /// Certificate and key for servers.
    pub fn server(&self) -> (PathBuf, PathBuf) {
        self.pair("server")
    }

    /// Certificate and key for clients.
    pub fn client(&self) -> (PathBuf, PathBuf) {
        self.pair("client")
    }

    fn pair(&self, name: &str) -> (PathBuf, PathBuf) {
        (self.folder.path().join(format!("{name}.pem")), self.folder.path().join(format!("{name}.key")))
    }

    fn issue(
        &self,
        authority: &CertifiedIssuer<'_, KeyPair>,
        (chain, secret): (PathBuf, PathBuf),
        names: &[&str],
    ) -> io::Result<()> {
        let key = key()?;
        let certificate = params(names)?.signed_by(&key, authority).map_err(io::Error::other)?;
        std::fs::write(chain, certificate.pem())?;
        std::fs::write(secret, key.serialize_pem())
    }
}

fn params(names: &[&str]) -> io::Result<CertificateParams> {
    let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        .map_err(io::Error::other)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, names.first().copied().unwrap_or_default());
    Ok(params)
}

fn key() -> io::Result<KeyPair> {
    KeyPair::generate().map_err(io::Error::other)
}
