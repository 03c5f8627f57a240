//! Names and addresses.

use rocketmq_remoting::names::check_topic;

use super::form::Kind;

/// Addresses `host:port` joined by semicolons.
pub(in crate::config) struct Addresses;

impl Kind<Vec<String>> for Addresses {
    fn parse(&self, text: &str) -> Result<Vec<String>, &'static str> {
        let addresses = text.split(';').map(str::trim).filter(|address| !address.is_empty());
        addresses.map(|address| Ok(host_and_port(address)?.to_owned())).collect()
    }

    fn show(&self, value: &Vec<String>) -> String {
        value.join(";")
    }
}

fn host_and_port(address: &str) -> Result<&str, &'static str> {
    // The last colon: IPv6 addresses come without brackets too.
    match address.rsplit_once(':') {
        Some((host, port)) if is_host(host) && port.parse::<u16>().is_ok_and(|port| port > 0) => Ok(address),
        _ => Err("addresses such as 127.0.0.1:9876;192.168.0.1:9876"),
    }
}

/// Returns false for what cannot be a host, such as two addresses with a blank between them.
fn is_host(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "-._:%[]".contains(c))
}

/// A host's name or address; an empty text stands for none.
pub(in crate::config) struct Host;

impl Kind<Option<String>> for Host {
    fn parse(&self, text: &str) -> Result<Option<String>, &'static str> {
        match text {
            "" => Ok(None),
            _ if is_host(text) => Ok(Some(text.to_owned())),
            _ => Err("a host name or an IP address"),
        }
    }

    fn show(&self, value: &Option<String>) -> String {
        value.clone().unwrap_or_default()
    }
}

/// The name of a cluster, a broker or a region. Topics are named after it, and folders after topics.
pub(in crate::config) struct Name;

const LONGEST_NAME: usize = 127;

impl Kind<String> for Name {
    fn parse(&self, text: &str) -> Result<String, &'static str> {
        let leads_elsewhere = text.contains(['/', '\\']) || text.chars().all(|c| c == '.');
        if text.len() > LONGEST_NAME || leads_elsewhere || text.chars().any(char::is_control) {
            return Err("a name of 1 to 127 bytes without slashes, and not of dots alone");
        }
        Ok(text.to_owned())
    }

    fn show(&self, value: &String) -> String {
        value.clone()
    }
}

/// The name of a topic.
pub(in crate::config) struct TopicName;

impl Kind<String> for TopicName {
    fn parse(&self, text: &str) -> Result<String, &'static str> {
        match check_topic(text) {
            Ok(()) => Ok(text.to_owned()),
            Err(_) => Err("the name of a topic: 1 to 127 letters, digits, %, |, - and _"),
        }
    }

    fn show(&self, value: &String) -> String {
        value.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_need_host_and_port() {
        assert_eq!(Addresses.parse("a:1; ::1:9876;"), Ok(vec!["a:1".to_owned(), "::1:9876".to_owned()]));
        assert!(Addresses.parse("localhost").is_err());
        assert!(Addresses.parse(":9876").is_err());
        assert!(Addresses.parse("http://a:9876").is_err());
        assert!(Addresses.parse("a:0").is_err());
        assert!(Addresses.parse("a:1 b:2").is_err());
        assert_eq!(Addresses.parse(""), Ok(vec![]));
        assert_eq!(Addresses.parse(";"), Ok(vec![]));
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        for bad in ["", ".", "..", "a/b", "a\\b", "a\u{1}b", &"n".repeat(128)] {
            assert!(Name.parse(bad).is_err(), "{bad:?}");
        }
        for good in ["broker-a", "host.example.org", "\u{4e2d}\u{6587}", &"n".repeat(127)] {
            assert!(Name.parse(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn a_host_is_one_word() {
        assert!(Host.parse("10.0.0.1 10911").is_err() && Host.parse("a/b").is_err());
        assert_eq!(Host.parse(""), Ok(None));
        assert_eq!(Host.parse("fe80::1%eth0"), Ok(Some("fe80::1%eth0".into())));
    }
}
