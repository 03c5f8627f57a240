//! [`ClientConfig`]: the options of a client, and their defaults.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rocketmq_remoting::HeaderCodec;

use crate::chance::Chance;
use crate::clock::Clock;
use crate::cluster::acl::CredentialsSource;
use crate::cluster::net::socks::SocksProxies;
use crate::messages::validate::at_least_a_millisecond;
use crate::observe::interceptor::Interceptor;
use crate::observe::trace::TraceConfig;

/// Holds the options that all producers and consumers of one client share. The builder takes the name servers.
///
/// ```
/// use std::time::Duration;
///
/// use rocketmq_client::ClientConfig;
///
/// let mut config = ClientConfig::default();
/// assert_eq!((config.heartbeat_interval, config.idle_timeout), (Duration::from_secs(30), Duration::from_secs(120)));
/// config.namespace = Some("staging".into());
/// config.api_timeout = Duration::from_secs(5);
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct ClientConfig {
    /// The last part of the client id. Default: `<pid>#<nanoseconds>`, unique per client.
    pub instance_name: Option<String>,
    /// Appended to the client id and to the discovery URL of multi-unit deployments. Default: none.
    pub unit_name: Option<String>,
    /// The address in the client id. Default: the local address that faces the first name server.
    pub client_ip: Option<IpAddr>,
    /// The 4.x namespace: topics and groups become `<namespace>%<name>` on the wire. Default: none.
    pub namespace: Option<String>,
    /// The 5.x namespace: names stay, each request carries it. Default: none.
    pub namespace_v2: Option<String>,
    /// Sends to the broker's port minus 2. Default: false.
    pub vip_channel: bool,
    /// Marks heartbeats and sends for multi-unit deployments. Default: false.
    pub unit_mode: bool,
    /// The interval in which the routes of topics in use are looked up. Default: 30 s.
    pub route_refresh: Duration,
    /// The interval of heartbeats to every broker in use. Default: 30 s; brokers forget a client after 120 s.
    pub heartbeat_interval: Duration,
    /// The interval in which consumers store their offsets. Default: 5 s.
    pub persist_offset_interval: Duration,
    /// Leaves subscriptions out of heartbeats to brokers of 5.x that know them already. Default: false.
    pub heartbeat_v2: bool,
    /// Limits a route, heartbeat or membership call. Default: 3 s.
    pub api_timeout: Duration,
    /// Limits the time in which a connection comes up. Default: 3 s.
    pub connect_timeout: Duration,
    /// Closes a connection without traffic for this long. Default: 120 s.
    pub idle_timeout: Duration,
    /// The header form of requests to brokers. Default: JSON, which every version reads.
    pub serialize_type: HeaderCodec,
    /// Signs the requests. Default: none, requests are not signed.
    pub credentials: Option<Arc<dyn CredentialsSource>>,
    /// Encryption of every connection. Default: none.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub tls: Option<rocketmq_remoting::net::tls::TlsConfig>,
    /// The proxies that lead to name servers and brokers. Default: none.
    pub socks_proxies: SocksProxies,
    /// Tells the time of day. Default: the machine's.
    pub clock: Clock,
    /// Draws random numbers. Default: the machine's.
    pub(crate) chance: Chance,
    /// Hooks around every send and every delivery, in this order. Default: none.
    pub interceptors: Vec<Arc<dyn Interceptor>>,
    /// Traces the messages of all producers, push consumers and lite consumers. Default: off.
    pub trace: Option<TraceConfig>,
    /// Gives every trace the form and topics of Alibaba's cloud (Java's `AccessChannel.CLOUD`), as
    /// [`TraceConfig::cloud`] does. Default: false.
    pub cloud: bool,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            instance_name: None,
            unit_name: None,
            client_ip: None,
            namespace: None,
            namespace_v2: None,
            vip_channel: false,
            unit_mode: false,
            route_refresh: Duration::from_secs(30),
            heartbeat_interval: Duration::from_secs(30),
            heartbeat_v2: false,
            persist_offset_interval: Duration::from_secs(5),
            api_timeout: Duration::from_secs(3),
            connect_timeout: Duration::from_secs(3),
            idle_timeout: Duration::from_secs(120),
            serialize_type: HeaderCodec::Json,
            credentials: None,
            #[cfg(feature = "tls")]
            tls: None,
            socks_proxies: SocksProxies::default(),
            clock: Clock::default(),
            chance: Chance::default(),
            interceptors: Vec::new(),
            trace: None,
            cloud: false,
        }
    }
}

impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig")
            .field("instance_name", &self.instance_name)
            .field("namespace", &self.namespace)
            .field("namespace_v2", &self.namespace_v2)
            .field("credentials", &self.credentials.is_some())
            .finish_non_exhaustive()
    }
}

impl ClientConfig {
    /// Checks the values. The error names the option, the value and the range.
    pub(crate) fn check(&self) -> Result<(), String> {
        at_least_a_millisecond("route_refresh", self.route_refresh)?;
        at_least_a_millisecond("heartbeat_interval", self.heartbeat_interval)?;
        at_least_a_millisecond("persist_offset_interval", self.persist_offset_interval)?;
        at_least_a_millisecond("api_timeout", self.api_timeout)?;
        at_least_a_millisecond("connect_timeout", self.connect_timeout)?;
        at_least_a_millisecond("idle_timeout", self.idle_timeout)
    }
}

/// The addresses of the name servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NameServers {
    /// `host:port` each. Names are resolved again on every new connection.
    List(Vec<String>),
    /// An HTTP address server; asked at start and every two minutes for a `;`-separated list.
    Http(String),
}

impl FromStr for NameServers {
    type Err = InvalidAddress;

    /// Reads `host:9876;host2:9876` (`,` separates too; `http://` in front of one is ignored, as in Java), or the URL
    /// of one address server, which has a path: `http://host[:port]/path`.
    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let text = text.trim();
        let path = text.strip_prefix(HTTP).and_then(|rest| rest.split_once('/')).map_or("", |(_, path)| path);
        if !path.is_empty() && !text.contains([';', ',']) {
            return Ok(Self::Http(text.to_owned()));
        }
        addresses(text).map(Self::List)
    }
}

/// Reads the addresses of a list, one at least.
pub(crate) fn addresses(text: &str) -> Result<Vec<String>, InvalidAddress> {
    let addresses = text.split([';', ',']).map(str::trim).filter(|address| !address.is_empty());
    let addresses = addresses.map(host_and_port).collect::<Result<Vec<_>, _>>()?;
    if addresses.is_empty() {
        return Err(InvalidAddress(text.to_owned()));
    }
    Ok(addresses)
}

const HTTP: &str = "http://";

/// A name server address that is not `host:port`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is not a name server address: write host:port, several separated by ';', for example 127.0.0.1:9876, \
     or the URL of one address server, http://host/path"
)]
pub(crate) struct InvalidAddress(String);

/// Checks an address. The port follows the last colon, so that bare IPv6 addresses work too.
fn host_and_port(address: &str) -> Result<String, InvalidAddress> {
    let bare = address.strip_prefix(HTTP).unwrap_or(address);
    let bare = bare.strip_suffix('/').unwrap_or(bare);
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port != 0);
    let is_host = |host: &str| !host.is_empty() && !host.contains(['/', ' ']);
    match bare.rsplit_once(':') {
        Some((host, port)) if is_host(host) && is_port(port) => Ok(bare.to_owned()),
        _ => Err(InvalidAddress(address.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(addresses: &[&str]) -> NameServers {
        NameServers::List(addresses.iter().map(|a| (*a).to_owned()).collect())
    }

    #[test]
    fn name_servers_are_read_in_every_spelling() {
        assert_eq!("a:9876;b:1".parse(), Ok(list(&["a:9876", "b:1"])));
        assert_eq!(" a:9876 ; ".parse(), Ok(list(&["a:9876"])));
        assert_eq!("a:9876,b:9876".parse(), Ok(list(&["a:9876", "b:9876"])));
        assert_eq!("::1:9876".parse(), Ok(list(&["::1:9876"])));
        assert_eq!(
            "http://x/rocketmq/nsaddr".parse(),
            Ok(NameServers::Http("http://x/rocketmq/nsaddr".into()))
        );
        assert_eq!("http://a:9876".parse(), Ok(list(&["a:9876"])));
        assert_eq!("http://a:9876/".parse(), Ok(list(&["a:9876"])));
        assert_eq!(
            "http://a:9876;b:9876, http://[::1]:9".parse(),
            Ok(list(&["a:9876", "b:9876", "[::1]:9"]))
        );
    }

    #[test]
    fn what_would_spin_or_never_send_is_refused_by_name() {
        let wrong = ClientConfig { heartbeat_interval: Duration::ZERO, ..ClientConfig::default() };
        assert_eq!(wrong.check().unwrap_err(), "heartbeat_interval is 0ns, allowed is 1 ms or more");
        assert_eq!(ClientConfig::default().check(), Ok(()));
    }

    #[test]
    fn a_bad_address_is_named_with_the_remedy() {
        let no_address = ["", ";", "host", "host:", ":9876", "host:99999", "host:0", "a b:1"];
        let no_name_server = ["http://host", "http://:9876", "https://host:9876"];
        for bad in no_address.into_iter().chain(no_name_server) {
            let error = bad.parse::<NameServers>().expect_err(bad).to_string();
            assert!(error.contains("host:port"), "{error}");
        }
        for bad in ["bad", "http://x/nsaddr"] {
            let error = format!("ok:1;{bad}").parse::<NameServers>().expect_err(bad).to_string();
            assert!(error.contains(&format!("\"{bad}\"")), "{error}");
        }
    }
}
