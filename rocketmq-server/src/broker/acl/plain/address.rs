//! Addresses written as in Apache's files: one, several (`a,b` or `10.0.0.{1,2}`), ranges (`10.0.0-5.*`), any (`*`).

use std::net::{IpAddr, Ipv6Addr};
use std::ops::RangeInclusive;

/// A set of peers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Addresses(Vec<Pattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Any,
    V4([RangeInclusive<u16>; 4]),
    V6([RangeInclusive<u16>; 8]),
}

impl Addresses {
    /// Reads one entry of a file; a blank one means nobody. Returns `None` if it has none of the known forms.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text {
            "" => Some(Self::default()),
            "*" | "*.*.*.*" | "*:*:*:*:*:*:*:*" => Some(Self(vec![Pattern::Any])),
            _ => alternatives(text)?.iter().map(|one| pattern(one)).collect::<Option<_>>().map(Self),
        }
    }

    /// Returns true if `address` is one of them.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|pattern| pattern.matches(address))
    }
}

impl Pattern {
    fn matches(&self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::Any, _) => true,
            (Self::V4(parts), IpAddr::V4(v4)) => {
                parts.iter().zip(v4.octets()).all(|(part, octet)| part.contains(&octet.into()))
            }
            (Self::V6(parts), IpAddr::V6(v6)) => {
                parts.iter().zip(v6.segments()).all(|(part, segment)| part.contains(&segment))
            }
            _ => false,
        }
    }
}

/// `a.b.c.{1,2}` is `a.b.c.1` and `a.b.c.2`; otherwise commas separate.
fn alternatives(text: &str) -> Option<Vec<String>> {
    let Some(open) = text.find('{') else {
        return Some(text.split(',').map(|one| one.trim().to_owned()).collect());
    };
    let (head, last) = (&text[..open], text[open + 1..].strip_suffix('}')?);
    let whole = head.ends_with('.') || head.ends_with(':');
    whole.then(|| last.split(',').map(|one| format!("{head}{}", one.trim())).collect())
}

fn pattern(text: &str) -> Option<Pattern> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(exactly(address));
    }
    if text.contains(':') { v6_ranges(text).map(Pattern::V6) } else { v4_ranges(text).map(Pattern::V4) }
}

fn exactly(address: IpAddr) -> Pattern {
    match address.to_canonical() {
        IpAddr::V4(v4) => Pattern::V4(v4.octets().map(|octet| octet.into()..=octet.into())),
        IpAddr::V6(v6) => Pattern::V6(v6.segments().map(|segment| segment..=segment)),
    }
}

fn v4_ranges(text: &str) -> Option<[RangeInclusive<u16>; 4]> {
    let parts = text.split('.').map(|part| range(part, 10, 255)).collect::<Option<Vec<_>>>()?;
    parts.try_into().ok()
}

/// Ranges stand at the end; what is before them is an address with its zeros left out or not.
fn v6_ranges(text: &str) -> Option<[RangeInclusive<u16>; 8]> {
    let parts: Vec<&str> = text.split(':').collect();
    let first = parts.iter().position(|part| part.contains(['*', '-']))?;
    let tail = parts[first..].iter().map(|part| range(part, 16, u16::MAX)).collect::<Option<Vec<_>>>()?;
    // With zeros in place of the ranges, the rest must be a valid address.
    let head = format!(
        "{}{}",
        parts[..first].iter().map(|part| format!("{part}:")).collect::<String>(),
        vec!["0"; tail.len()].join(":")
    );
    let segments = head.parse::<Ipv6Addr>().ok()?.segments();
    let kept = segments.iter().take(8usize.checked_sub(tail.len())?).map(|segment| *segment..=*segment);
    kept.chain(tail).collect::<Vec<_>>().try_into().ok()
}

/// `*`, `1-5` or `7`.
fn range(text: &str, radix: u32, most: u16) -> Option<RangeInclusive<u16>> {
    let number = |text: &str| u16::from_str_radix(text.trim(), radix).ok().filter(|number| *number <= most);
    match text.trim() {
        "*" => Some(0..=most),
        text => match text.split_once('-') {
            Some((from, to)) => {
                let (from, to) = (number(from)?, number(to)?);
                (from <= to).then_some(from..=to)
            }
            None => number(text).map(|number| number..=number),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(rule: &str, address: &str) -> bool {
        Addresses::parse(rule).unwrap_or_else(|| panic!("{rule}")).contains(address.parse().unwrap())
    }

    #[test]
    fn every_form_of_apaches_files() {
        for (rule, inside, outside) in [
            ("10.10.103.7", "10.10.103.7", "10.10.103.8"),
            ("10.10.103.*", "10.10.103.200", "10.10.104.1"),
            ("10.10.*.*", "10.10.1.2", "10.11.1.2"),
            ("10.10.5-20.*", "10.10.20.9", "10.10.21.9"),
            ("10.10.103.1-4", "10.10.103.4", "10.10.103.5"),
            ("10.10.103.{1,3}", "10.10.103.3", "10.10.103.2"),
            ("10.0.0.1,10.0.0.5", "10.0.0.5", "10.0.0.2"),
            ("1050:0:0:0:5:600:300c:{1,2}", "1050::5:600:300c:2", "1050::5:600:300c:3"),
            ("1050::5:600:300c:*", "1050::5:600:300c:ffff", "1050::5:600:300d:1"),
            ("1050::5:600:300c:1-200", "1050::5:600:300c:200", "1050::5:600:300c:201"),
            ("1050::5:600:300c-3fff:*", "1050::5:600:3fff:1", "1050::5:600:4000:1"),
            ("::1", "::1", "::2"),
        ] {
            assert!(contains(rule, inside), "{inside} in {rule}");
            assert!(!contains(rule, outside), "{outside} in {rule}");
        }
    }

    #[test]
    fn anyone_and_no_one() {
        for rule in ["*", "*.*.*.*", "*:*:*:*:*:*:*:*"] {
            assert!(contains(rule, "1.2.3.4") && contains(rule, "::1"), "{rule}");
        }
        assert!(!contains("", "127.0.0.1") && !contains("  ", "::1"));
        assert!(contains("127.0.0.1", "::ffff:127.0.0.1"), "the same peer by way of an IPv6 socket");
    }

    #[test]
    fn anything_else_is_refused() {
        for rule in [
            "10.0.0",
            "10.0.0.256",
            "10.0.0.5-1",
            "10.0.0{1,2}",
            "host",
            "10.0.0.{1,2",
            "1:2:3:*",
            "10.0.0.1-",
        ] {
            assert_eq!(Addresses::parse(rule), None, "{rule}");
        }
    }
}
