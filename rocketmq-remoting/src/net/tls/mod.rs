//! Encryption of connections, on top of rustls. Clients verify servers unless told otherwise by name. The provider is
//! always ring, so another crate's default for the process has no effect here.

mod client;
mod error;
mod pem;
mod trust_all;

use std::sync::Arc;

use tokio_rustls::rustls::crypto::{CryptoProvider, ring};

pub use client::{TlsConfig, TlsConnector};
pub use error::TlsError;
pub use pem::{certificates, private_key, roots};

/// Returns the cryptography of both sides.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
