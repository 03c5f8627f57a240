//! Reads texts as values. Each error completes the sentence "it takes …".

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use tracing::level_filters::LevelFilter;

pub(crate) fn text(text: &str) -> Result<String, String> {
    Ok(text.trim().to_owned())
}

pub(crate) fn path(text: &str) -> Result<PathBuf, String> {
    Ok(PathBuf::from(text.trim()))
}

pub(crate) fn topic(text: &str) -> Result<String, String> {
    let name = text.trim();
    rocketmq_client::remoting::names::check_topic(name)
        .map(|()| name.to_owned())
        .map_err(|error| format!("the name of a topic, and {error}"))
}

pub(crate) fn group(text: &str) -> Result<String, String> {
    let name = text.trim();
    rocketmq_client::remoting::names::check_group(name)
        .map(|()| name.to_owned())
        .map_err(|error| format!("the name of a group, and {error}"))
}

/// A group that an application may have.
pub(crate) fn own_group(text: &str) -> Result<String, String> {
    match text.trim() {
        "DEFAULT_PRODUCER" | "DEFAULT_CONSUMER" => {
            Err("a group of the application's own: this one is reserved".to_owned())
        }
        name => group(name),
    }
}

/// Names separated by `;` or `,`.
pub(crate) fn names(text: &str) -> Result<BTreeSet<String>, String> {
    Ok(text.split([';', ',']).map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

pub(crate) fn address(text: &str) -> Result<IpAddr, String> {
    text.trim().parse().map_err(|_| "an IPv4 or IPv6 address such as \"10.0.0.5\"".to_owned())
}

/// An address to listen on; a port alone is one of loopback.
pub(crate) fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    let local = |port: &str| port.parse().ok().map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let address = match text.strip_prefix("localhost:") {
        Some(port) => local(port),
        None => local(text).or_else(|| text.parse().ok()),
    };
    address.ok_or_else(|| {
        "a port such as \"8081\", which only this machine reaches, or an address with a port such as \"0.0.0.0:8081\"".to_owned()
    })
}

pub(crate) fn count(text: &str) -> Result<u32, String> {
    text.trim().parse().map_err(|_| "a whole number, 0 or more".to_owned())
}

pub(crate) fn count_within<const MIN: u32, const MAX: u32>(text: &str) -> Result<u32, String> {
    let within = text.trim().parse().ok().filter(|count| (MIN..=MAX).contains(count));
    within.ok_or_else(|| format!("a whole number from {MIN} to {MAX}"))
}

pub(crate) fn switch(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("true or false".to_owned()),
    }
}

/// Reads a level of the log.
pub(crate) fn log_level(text: &str) -> Result<LevelFilter, String> {
    let levels = [
        ("off", LevelFilter::OFF),
        ("error", LevelFilter::ERROR),
        ("warn", LevelFilter::WARN),
        ("info", LevelFilter::INFO),
        ("debug", LevelFilter::DEBUG),
        ("trace", LevelFilter::TRACE),
    ];
    word(&levels, text)
}

/// A bare number is milliseconds, as in Spring.
pub(crate) fn period(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    match text.parse() {
        Ok(millis) => Ok(Duration::from_millis(millis)),
        Err(_) => humantime::parse_duration(text)
            .map_err(|_| "a duration such as \"3s\", or a number of milliseconds".to_owned()),
    }
}

/// A time limit, or a pause between two turns of something.
pub(crate) fn interval(text: &str) -> Result<Duration, String> {
    let some = period(text).ok().filter(|interval| *interval >= Duration::from_millis(1));
    some.ok_or_else(|| "a duration of at least 1 ms such as \"3s\", or a number of milliseconds".to_owned())
}

/// A time limit that Spring counts in minutes: a small bare number is likely to be meant so.
pub(crate) fn consume_timeout(text: &str) -> Result<Duration, String> {
    match text.trim().parse::<u64>() {
        Ok(minutes @ 1..1000) => Err(format!(
            "milliseconds or a text with a unit, and Spring's are minutes: write \"{minutes}m\" or \"{minutes}ms\""
        )),
        _ => interval(text),
    }
}

/// Reads the time for which a popped message stays hidden.
pub(crate) fn pop_invisible_time(text: &str) -> Result<Duration, String> {
    let within = period(text).ok().filter(|time| (5_000..=300_000).contains(&time.as_millis()));
    within.ok_or_else(|| "a duration from \"5s\" to \"5m\"".to_owned())
}

pub(crate) fn bytes(text: &str) -> Result<usize, String> {
    let size: Option<bytesize::ByteSize> = text.trim().parse().ok();
    size.and_then(|size| usize::try_from(size.as_u64()).ok())
        .ok_or_else(|| "a size such as \"4MiB\", or a number of bytes".to_owned())
}

/// A size of at least `MIN` and at most `MAX` bytes.
pub(crate) fn bytes_within<const MIN: usize, const MAX: usize>(text: &str) -> Result<usize, String> {
    let within = bytes(text).ok().filter(|size| (MIN..=MAX).contains(size));
    within.ok_or_else(|| {
        let shown = |bytes: usize| bytesize::ByteSize(bytes as u64).display().iec().to_string();
        match MAX {
            usize::MAX => format!("a size of at least {}, such as \"4MiB\"", shown(MIN)),
            _ => format!("a size from {} to {}, such as \"4MiB\"", shown(MIN), shown(MAX)),
        }
    })
}

/// One of some words; Spring's spelling in capitals is accepted too. Of two words for one value the first is shown.
pub(crate) fn word<T: Copy + PartialEq>(words: &[(&'static str, T)], text: &str) -> Result<T, String> {
    let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
    found.map(|(_, value)| *value).ok_or_else(|| {
        let first = |index: usize| words[..index].iter().all(|(_, value)| *value != words[index].1);
        let shown: Vec<_> = (0..words.len())
            .filter(|index| first(*index))
            .map(|index| format!("\"{}\"", words[index].0))
            .collect();
        format!("one of {}", shown.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_number_is_milliseconds() {
        assert_eq!(period("250"), Ok(Duration::from_millis(250)));
        assert_eq!(period("2s"), Ok(Duration::from_secs(2)));
        assert!(period("soon").unwrap_err().contains("\"3s\""));
        assert!(interval("0").is_err() && interval("0s").is_err() && interval("1").is_ok());
    }

    #[test]
    fn springs_minutes_are_not_taken_for_milliseconds() {
        assert!(consume_timeout("15").unwrap_err().contains("\"15m\""));
        assert_eq!(consume_timeout("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(consume_timeout("1000"), Ok(Duration::from_secs(1)));
        assert!(consume_timeout("0").is_err());
    }

    #[test]
    fn sizes_counts_and_words_have_their_forms() {
        assert_eq!((bytes("4MiB"), bytes("4096")), (Ok(4 << 20), Ok(4096)));
        assert!(bytes("much").is_err());
        assert!(bytes_within::<1, { usize::MAX }>("0").unwrap_err().contains("at least 1 B"));
        assert!(
            bytes_within::<{ 1 << 20 }, { 1 << 30 }>("1kB").unwrap_err().contains("from 1.0 MiB to 1.0 GiB")
        );
        let words = [("clustering", 1), ("broadcasting", 2), ("BOTH", 2)];
        assert_eq!(word(&words, "BROADCASTING"), Ok(2));
        assert_eq!(word(&words, "none").unwrap_err(), "one of \"clustering\", \"broadcasting\"");
        assert!(count_within::<1, 3>("4").is_err() && count_within::<1, 3>("3").is_ok());
    }

    #[test]
    fn names_are_those_that_brokers_take() {
        assert!(topic("a b").unwrap_err().contains("holds ' '"));
        assert!(group(&"g".repeat(121)).unwrap_err().contains("at most 120"));
        assert!(own_group("DEFAULT_PRODUCER").is_err() && own_group("g").is_ok());
        assert_eq!(names("north; south").unwrap().len(), 2);
    }
}
