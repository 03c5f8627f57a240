//! `[rocketmq.management]`: the page with health, metrics and listeners.

use super::parse;
use super::section::Section;
use std::net::SocketAddr;
use std::time::Duration;

/// The management page, with feature `management`.
///
/// ```
/// use rocketmq_starter::App;
///
/// let app = App::new().configure(|properties| properties.management.address = "127.0.0.1:8081".parse().ok());
/// # drop(app);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ManagementProperties {
    /// `address`: a port of this machine's loopback address, or an address and a port. Default: none, no page.
    pub address: Option<SocketAddr>,
    /// `lag-grows-for`: the time for which a lag must grow before it is a reason in [`health`](crate::health). Default: 60 s.
    pub lag_grows_for: Option<Duration>,
}

impl ManagementProperties {
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        ManagementProperties {
            address: section.read("address", parse::listen_address),
            lag_grows_for: section.read("lag-grows-for", parse::interval),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sources::Sources;
    use super::*;

    fn read(text: &str) -> (ManagementProperties, Vec<String>) {
        let toml = format!("[rocketmq.management]\naddress = {text}");
        let (sources, mut mistakes) = Sources::from_toml(&toml, &[]);
        let properties =
            ManagementProperties::read(Section::new(&sources, "rocketmq.management", &mut mistakes));
        (properties, mistakes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_port_alone_is_one_of_loopback() {
        let all = [
            ("8081", "127.0.0.1:8081"),
            ("'8081'", "127.0.0.1:8081"),
            ("'localhost:8081'", "127.0.0.1:8081"),
            ("'0.0.0.0:0'", "0.0.0.0:0"),
            ("'[::1]:8081'", "[::1]:8081"),
        ];
        for (text, expected) in all {
            let (properties, mistakes) = read(text);
            assert!(mistakes.is_empty(), "{mistakes:?}");
            assert_eq!(properties.address, Some(expected.parse().unwrap()), "{text}");
        }
        assert_eq!(read("''").0.address, None);
    }

    #[test]
    fn other_texts_are_mistakes() {
        for text in ["65536", "-1", "'shop:8081'", "'127.0.0.1'", "':8081'", "'127.0.0.1:x'"] {
            let (properties, mistakes) = read(text);
            assert_eq!((properties.address, mistakes.len()), (None, 1), "{text}: {mistakes:?}");
            assert!(mistakes[0].contains("a port such as \"8081\""), "{mistakes:?}");
        }
    }
}
