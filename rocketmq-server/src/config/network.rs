//! Settings of the listening side, which name server and broker share.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::tls::TlsConfig;

/// Where to listen and what one peer may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkConfig {
    /// The address to listen on. Default: every IPv4 interface.
    pub bind_address: IpAddr,
    /// The port to listen on; 0 lets the system choose.
    pub listen_port: u16,
    /// Silence in both directions after which a connection is closed. Default: 120 s.
    pub idle: Duration,
    /// Connections served at once; one more is closed as soon as it is accepted. Default: 10,000.
    pub max_connections: usize,
    /// How long requests in flight may take to finish at shutdown. Default: 3 s.
    pub shutdown_wait: Duration,
    /// Encryption.
    pub tls: TlsConfig,
}

impl NetworkConfig {
    /// The defaults, listening on `port`.
    pub fn on_port(listen_port: u16) -> Self {
        Self {
            bind_address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            listen_port,
            idle: Duration::from_secs(120),
            max_connections: 10_000,
            shutdown_wait: Duration::from_secs(3),
            tls: TlsConfig::default(),
        }
    }

    /// The same, but reachable from this machine only and on a port the system chooses.
    pub fn loopback() -> Self {
        Self { bind_address: IpAddr::V4(Ipv4Addr::LOCALHOST), ..Self::on_port(0) }
    }
}
