//! Says whether a server could start with changed settings.

use std::net::TcpListener;

use tracing::warn;

use super::{Outgoing, Security, SecurityError};
use crate::config::{NetworkConfig, TlsConfig};

/// Says what would keep a server from starting with these settings.
///
/// # Errors
/// The first reason, in a sentence.
pub fn check(config: &NetworkConfig) -> Result<(), String> {
    let address = config.bind_address;
    if let Err(error) = TcpListener::bind((address, 0)) {
        return Err(format!("`bindAddress` is {address}, where this machine cannot listen: {error}"));
    }
    check_tls(&config.tls)
}

fn check_tls(tls: &TlsConfig) -> Result<(), String> {
    match Security::load(tls).map(drop).and_then(|()| Outgoing::load(tls).map(drop)) {
        // Tools change one setting at a time: the other half may follow.
        Err(error @ SecurityError::HalfIdentity { .. }) => {
            warn!(%error, "the next start fails with these settings");
            Ok(())
        }
        other => other.map_err(|error| error.to_string()),
    }
}
