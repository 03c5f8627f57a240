//! SOCKS5 proxies between the client and its servers.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_socks::tcp::Socks5Stream;

use super::address::target;

/// Java's name for "every server"; it includes names and IPv6 addresses.
const EVERYWHERE: &str = "0.0.0.0/0";

/// Maps servers to SOCKS5 proxies.
///
/// It is read from the JSON of Java's client (`com.rocketmq.socks.proxy.config`), a map from networks to proxies. Where
/// several networks hold an address, the narrowest counts; Java takes any. `0.0.0.0/0` also holds for host names, which
/// the proxy resolves; narrower networks hold only for servers that are known by their address.
///
/// ```
/// use rocketmq_client::client::SocksProxies;
///
/// let text = r#"{"0.0.0.0/0": {"addr": "proxy:1080", "username": "u", "password": "p"}}"#;
/// let proxies: SocksProxies = text.parse()?;
/// let builder = rocketmq_client::Client::builder("10.0.0.1:9876").socks_proxies(proxies);
/// # drop(builder);
/// # Ok::<(), rocketmq_client::client::InvalidProxies>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SocksProxies(Vec<(Network, Proxy)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Network {
    Everywhere,
    Only(IpNet),
}

#[derive(Clone, PartialEq, Eq, Deserialize)]
struct Proxy {
    addr: String,
    username: Option<String>,
    password: Option<String>,
}

/// Says why the text of [`SocksProxies`] cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0}; write a JSON map such as {{\"0.0.0.0/0\": {{\"addr\": \"proxy:1080\", \"username\": \"u\", \"password\": \"p\"}}}}"
)]
pub struct InvalidProxies(String);

/// Describes the mistake without the values that serde quotes: one of them may be a password.
fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.starts_with("missing field") || !error.is_data() {
        return text;
    }
    format!("not a map from networks to proxies at line {} column {}", error.line(), error.column())
}

impl FromStr for SocksProxies {
    type Err = InvalidProxies;

    fn from_str(json: &str) -> Result<Self, InvalidProxies> {
        let map: BTreeMap<String, Proxy> =
            serde_json::from_str(json).map_err(|error| InvalidProxies(without_values(&error)))?;
        let mut proxies = map
            .into_iter()
            .map(|(network, proxy)| Ok((Network::parse(&network)?, proxy.checked()?)))
            .collect::<Result<Vec<_>, InvalidProxies>>()?;
        proxies.sort_by_key(|(network, _)| std::cmp::Reverse(network.width()));
        Ok(Self(proxies))
    }
}

impl Network {
    fn parse(text: &str) -> Result<Self, InvalidProxies> {
        if text == EVERYWHERE {
            return Ok(Self::Everywhere);
        }
        let one = || text.parse::<IpAddr>().ok().map(IpNet::from);
        let network = text.parse().ok().or_else(one);
        network
            .map(Self::Only)
            .ok_or_else(|| InvalidProxies(format!("\"{text}\" is not a network such as 10.0.0.0/8")))
    }

    /// Counts the fixed bits.
    fn width(self) -> u8 {
        match self {
            Self::Everywhere => 0,
            Self::Only(network) => network.prefix_len(),
        }
    }

    fn holds(self, host: &str) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Only(network) => host.parse::<IpAddr>().is_ok_and(|ip| network.contains(&ip)),
        }
    }
}

impl Proxy {
    fn checked(self) -> Result<Self, InvalidProxies> {
        target(&self.addr).map_err(|error| InvalidProxies(error.to_string()))?;
        Ok(self)
    }

    async fn connect(&self, server: (&str, u16)) -> io::Result<TcpStream> {
        let proxy = target(&self.addr)?;
        let connected = match (&self.username, &self.password) {
            (Some(user), Some(password)) if !user.is_empty() => {
                Socks5Stream::connect_with_password(proxy, server, user, password).await
            }
            _ => Socks5Stream::connect(proxy, server).await,
        };
        let failed = |error| io::Error::other(format!("through the SOCKS proxy {}: {error}", self.addr));
        Ok(connected.map_err(failed)?.into_inner())
    }
}

impl SocksProxies {
    /// Returns the first hop of a connection to the server: a proxy, or the server itself.
    pub(crate) fn first_hop<'a>(&'a self, server: &'a str) -> &'a str {
        let host = target(server).map_or(server, |(host, _)| host);
        self.leading_to(host).map_or(server, |proxy| &proxy.addr)
    }

    fn leading_to(&self, host: &str) -> Option<&Proxy> {
        self.0.iter().find(|(network, _)| network.holds(host)).map(|(_, proxy)| proxy)
    }

    /// Connects to the server, through a proxy if one leads to it.
    pub(super) async fn connect(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        match self.leading_to(host) {
            Some(proxy) => proxy.connect((host, port)).await,
            None => TcpStream::connect((host, port)).await,
        }
    }
}

/// Credentials are not shown.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("addr", &self.addr).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leading_to(proxies: &SocksProxies, host: &str) -> Option<String> {
        proxies.leading_to(host).map(|proxy| proxy.addr.clone())
    }

    #[test]
    fn the_first_hop_to_a_name_that_only_the_proxy_knows_is_the_proxy() {
        let everywhere: SocksProxies = r#"{"0.0.0.0/0": {"addr": "proxy:1080"}}"#.parse().expect("proxies");
        assert_eq!(everywhere.first_hop("inside.only:9876"), "proxy:1080");
        let some: SocksProxies = r#"{"10.0.0.0/8": {"addr": "proxy:1080"}}"#.parse().expect("proxies");
        assert_eq!(some.first_hop("10.0.0.1:9876"), "proxy:1080");
        assert_eq!(some.first_hop("inside.only:9876"), "inside.only:9876");
    }

    #[test]
    fn the_narrowest_network_counts() {
        let json = r#"{"0.0.0.0/0": {"addr": "all:1"}, "10.1.0.0/16": {"addr": "near:1"},
            "10.0.0.0/8": {"addr": "far:1", "username": "u", "password": "p"}, "10.1.2.3": {"addr": "one:1"}}"#;
        let proxies: SocksProxies = json.parse().expect("proxies");
        let cases = [
            ("10.1.2.3", "one:1"),
            ("10.1.9.9", "near:1"),
            ("10.9.9.9", "far:1"),
            ("h", "all:1"),
            ("::1", "all:1"),
        ];
        for (host, proxy) in cases {
            assert_eq!(leading_to(&proxies, host).as_deref(), Some(proxy), "{host}");
        }
        let some: SocksProxies = r#"{"10.0.0.0/8": {"addr": "far:1"}}"#.parse().expect("proxies");
        assert_eq!(leading_to(&some, "11.0.0.1"), None);
        assert_eq!(leading_to(&some, "host"), None);
    }

    #[test]
    fn what_is_wrong_is_named_with_an_example_and_no_password() {
        for (json, part) in [
            ("x", "expected value"),
            (r#"{"10.0.0.0": {}}"#, "`addr`"),
            (r#"{"ten": {"addr": "a:1"}}"#, "\"ten\""),
            (r#"{"0.0.0.0/0": {"addr": "a", "password": "sesame"}}"#, "\"a\" is not host:port"),
            (r#"{"0.0.0.0/0": "u:sesame@a:1"}"#, "not a map from networks to proxies"),
        ] {
            let error = json.parse::<SocksProxies>().expect_err(json).to_string();
            assert!(error.contains(part) && error.contains("proxy:1080"), "{error}");
            assert!(!error.contains("sesame"), "{error}");
        }
    }
}
