//! Settings of the listening side, which name server and broker share.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::networks::Networks;
use super::tls::TlsConfig;

/// The address to listen on, and the limits for peers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkConfig {
    /// The address to listen on. Default: every IPv4 interface.
    pub bind_address: IpAddr,
    /// The port to listen on; 0 lets the system choose.
    pub listen_port: u16,
    /// Silence in both directions after which a connection is closed; bytes that never become a whole request are silence
    /// too. Default: 120 s.
    pub idle: Duration,
    /// Connections served at once. For one more, a peer that never sent a request is closed, or a client that was silent for a
    /// minute; when there is none, the new one. Default: 10,000.
    pub max_connections: usize,
    /// Bytes that connections keep together of unfinished requests and of answers that wait for their peers; a connection
    /// that makes no progress is closed when there are more. Default: 256 MiB.
    pub max_connection_memory: usize,
    /// The time that requests in flight have to finish at shutdown. Default: 3 s.
    pub shutdown_wait: Duration,
    /// The load balancers whose PROXY preamble says who the peer is. Anybody else's is skipped. Default:
    /// [`Networks::loopback`].
    pub trusted_proxies: Networks,
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
            max_connection_memory: 256 << 20,
            shutdown_wait: Duration::from_secs(3),
            trusted_proxies: Networks::loopback(),
            tls: TlsConfig::default(),
        }
    }

    /// The same, but reachable from this machine only and on a port the system chooses.
    pub fn loopback() -> Self {
        Self { bind_address: IpAddr::V4(Ipv4Addr::LOCALHOST), ..Self::on_port(0) }
    }
}
