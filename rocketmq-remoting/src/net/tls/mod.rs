//! Encrypted connections: what both ends need around rustls. Servers are verified unless one asks for the opposite by
//! name; the provider is always ring, so that another crate's choice for the process does not matter here.

mod client;
mod error;
mod pem;
mod trust_all;

use std::sync::Arc;

use tokio_rustls::rustls::crypto::{CryptoProvider, ring};

pub use client::{TlsConfig, TlsConnector};
pub use error::TlsError;
pub use pem::{certificates, private_key, roots};

/// The cryptography both ends use.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
