//! The client id, under which brokers know this client: its address, and a part that differs from others at that address.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::UNIX_EPOCH;

use tokio::net::UdpSocket;

use super::Cluster;
use super::config::ClientConfig;
use super::net::address::target;
use super::net::socks::SocksProxies;

impl Cluster {
    /// Returns the id under which broadcasting consumers keep their offsets: it is the same after a restart.
    pub(crate) fn stable_id(&self) -> String {
        match (&self.config.instance_name, self.client_id.split_once('@')) {
            (None, Some((host, _))) => format!("{host}@DEFAULT"),
            _ => self.client_id.clone(),
        }
    }
}

/// Makes the client id: `<ip>@<instance>[@<unit>]`.
pub(super) fn client_id(config: &ClientConfig, ip: IpAddr) -> String {
    let host = match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    let instance = config.instance_name.clone().unwrap_or_else(|| unique_instance(config));
    match &config.unit_name {
        Some(unit) => format!("{host}@{instance}@{unit}"),
        None => format!("{host}@{instance}"),
    }
}

/// Process id and clock do not suffice in containers, where every process has id 1 and many start at
/// once; the low digits are drawn.
fn unique_instance(config: &ClientConfig) -> String {
    let nanos = config.clock.now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let drawn = u128::from(config.chance.below(1_000_000));
    format!("{}#{}", std::process::id(), nanos - nanos % 1_000_000 + drawn)
}

/// Finds the local address that faces the first name server that can be resolved, or the proxy on the way to it: a name
/// that the proxy resolves is not asked for here.
pub(crate) async fn local_address(servers: &[String], proxies: &SocksProxies) -> IpAddr {
    for server in servers {
        if let Ok(ip) = address_facing(proxies.first_hop(server)).await {
            return ip;
        }
    }
    IpAddr::V4(Ipv4Addr::LOCALHOST)
}

/// Finds the local address that faces a server. Connecting a UDP socket sends nothing; it only asks the routing table.
async fn address_facing(server: &str) -> io::Result<IpAddr> {
    let peer = tokio::net::lookup_host(target(server)?).await?.next();
    let peer = peer.ok_or(io::ErrorKind::NotFound)?;
    let any: IpAddr =
        if peer.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(peer).await?;
    Ok(socket.local_addr()?.ip())
}
