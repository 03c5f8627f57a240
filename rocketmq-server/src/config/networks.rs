//! Addresses and networks in one setting.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;

/// Addresses and networks, written as `10.0.0.7;10.1.0.0/16` (commas do as well); none when empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

/// A text that is no address and no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither an address such as 10.0.0.7 nor a network such as 10.0.0.0/8")]
pub struct BadNetwork(String);

impl Networks {
    /// This machine: `127.0.0.0/8;::1`.
    pub fn loopback() -> Self {
        let v4 = IpNet::new_assert(Ipv4Addr::new(127, 0, 0, 0).into(), 8);
        Self(vec![v4, IpAddr::from(Ipv6Addr::LOCALHOST).into()])
    }

    /// Returns true if `address` is in one of them. An IPv4 address counts as such in its IPv6 form, too.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl FromStr for Networks {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let parts = text.split([';', ',']).map(str::trim).filter(|part| !part.is_empty());
        parts
            .map(|part| network(part).ok_or_else(|| BadNetwork(part.to_owned())))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

impl fmt::Display for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, network) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { ";" };
            if network.prefix_len() == network.max_prefix_len() {
                write!(f, "{separator}{}", network.addr())?;
            } else {
                write!(f, "{separator}{network}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Networks {
        text.parse().unwrap()
    }

    #[test]
    fn networks_hold_addresses_in_every_form() {
        let networks = read("10.0.0.7, 10.1.0.0/16;fd00::/8");
        for inside in ["10.0.0.7", "10.1.255.1", "::ffff:10.1.2.3", "fd00::1"] {
            assert!(networks.contains(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["10.0.0.8", "10.2.0.0", "::1"] {
            assert!(!networks.contains(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn networks_are_shown_as_they_are_read() {
        let text = "10.0.0.7;10.1.0.0/16;::1";
        assert_eq!(read(text).to_string(), text);
        assert_eq!(read(""), Networks::default());
        assert_eq!(Networks::loopback().to_string(), "127.0.0.0/8;::1");
        assert!("10.0.0.0/33".parse::<Networks>().is_err());
        assert!("balancer".parse::<Networks>().unwrap_err().to_string().starts_with("`balancer` is neither"));
    }
}
