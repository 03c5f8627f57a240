//! How the text behind a key becomes a value, and how the value is shown again.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::network::Networks;
use crate::broker::{DelayLevels, Login};

/// One way to write a `T`. The error of [`parse`](Kind::parse) says what was expected.
pub(super) trait Kind<T> {
    fn parse(&self, text: &str) -> Result<T, &'static str>;
    fn show(&self, value: &T) -> String;
}

/// The value as it stands: `true`, `10911`, `broker-a`, `/data/store`.
pub(super) struct Plain;

macro_rules! plain_numbers {
    ($($type:ty => $expected:literal),* $(,)?) => {$(
        impl Kind<$type> for Plain {
            fn parse(&self, text: &str) -> Result<$type, &'static str> {
                text.parse().map_err(|_| $expected)
            }

            fn show(&self, value: &$type) -> String {
                value.to_string()
            }
        }
    )*};
}

plain_numbers! {
    u16 => "a number from 0 to 65535",
    u32 => "a whole number that is not negative",
    u64 => "a whole number that is not negative",
    usize => "a whole number that is not negative",
    i32 => "a whole number",
    i64 => "a whole number",
    IpAddr => "an IP address such as 127.0.0.1",
}

impl Kind<bool> for Plain {
    fn parse(&self, text: &str) -> Result<bool, &'static str> {
        // Java reads every word but "true" as false; a typing mistake should not switch something off.
        match text {
            _ if text.eq_ignore_ascii_case("true") => Ok(true),
            _ if text.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err("true or false"),
        }
    }

    fn show(&self, value: &bool) -> String {
        value.to_string()
    }
}

impl Kind<String> for Plain {
    fn parse(&self, text: &str) -> Result<String, &'static str> {
        Ok(text.to_owned())
    }

    fn show(&self, value: &String) -> String {
        value.clone()
    }
}

impl Kind<PathBuf> for Plain {
    fn parse(&self, text: &str) -> Result<PathBuf, &'static str> {
        if text.is_empty() { Err("a path") } else { Ok(PathBuf::from(text)) }
    }

    fn show(&self, value: &PathBuf) -> String {
        value.display().to_string()
    }
}

/// A value that may be left out: an empty text stands for none.
pub(super) struct Optional;

impl<T> Kind<Option<T>> for Optional
where
    Plain: Kind<T>,
{
    fn parse(&self, text: &str) -> Result<Option<T>, &'static str> {
        if text.is_empty() { Ok(None) } else { Plain.parse(text).map(Some) }
    }

    fn show(&self, value: &Option<T>) -> String {
        value.as_ref().map(|value| Plain.show(value)).unwrap_or_default()
    }
}

/// A text that is never shown again.
pub(super) struct Hidden;

impl Kind<Option<String>> for Hidden {
    fn parse(&self, text: &str) -> Result<Option<String>, &'static str> {
        Optional.parse(text)
    }

    fn show(&self, _value: &Option<String>) -> String {
        String::new()
    }
}

/// Addresses `host:port` joined by semicolons.
pub(super) struct Addresses;

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
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0) => {
            Ok(address)
        }
        _ => Err("addresses such as 127.0.0.1:9876;192.168.0.1:9876"),
    }
}

impl Kind<Networks> for Plain {
    fn parse(&self, text: &str) -> Result<Networks, &'static str> {
        text.parse().map_err(|_| "addresses and networks such as 10.0.0.7;10.1.0.0/16")
    }

    fn show(&self, value: &Networks) -> String {
        value.to_string()
    }
}

impl Kind<DelayLevels> for Plain {
    fn parse(&self, text: &str) -> Result<DelayLevels, &'static str> {
        DelayLevels::parse(text).map_err(|_| "delays, each a number and one of s, m, h, d, such as 1s 5m 2h")
    }

    fn show(&self, value: &DelayLevels) -> String {
        value.to_string()
    }
}

/// A duration counted in `unit`s.
pub(super) struct Every {
    unit: Duration,
    expected: &'static str,
}

/// Apache counts most times in milliseconds.
pub(super) const MILLIS: Every =
    Every { unit: Duration::from_millis(1), expected: "a whole number of milliseconds" };
pub(super) const SECONDS: Every =
    Every { unit: Duration::from_secs(1), expected: "a whole number of seconds" };
pub(super) const HOURS: Every =
    Every { unit: Duration::from_secs(3600), expected: "a whole number of hours" };

impl Kind<Duration> for Every {
    fn parse(&self, text: &str) -> Result<Duration, &'static str> {
        let count: u32 = text.parse().map_err(|_| self.expected)?;
        self.unit.checked_mul(count).ok_or(self.expected)
    }

    fn show(&self, value: &Duration) -> String {
        (value.as_nanos() / self.unit.as_nanos()).to_string()
    }
}

/// One word of a fixed set, each standing for a value.
pub(super) struct Words<T: 'static> {
    pub(super) words: &'static [(&'static str, T)],
    pub(super) expected: &'static str,
}

impl<T: Clone + PartialEq> Kind<T> for Words<T> {
    fn parse(&self, text: &str) -> Result<T, &'static str> {
        let known = self.words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
        known.map(|(_, value)| value.clone()).ok_or(self.expected)
    }

    fn show(&self, value: &T) -> String {
        self.words.iter().find(|(_, known)| known == value).map_or("", |(word, _)| word).to_owned()
    }
}

/// The size of a consume-queue file in bytes, kept as a count of its 20-byte units; a broken unit counts as a whole.
pub(super) struct QueueFileBytes;

const QUEUE_UNIT: u32 = 20;

impl Kind<u32> for QueueFileBytes {
    fn parse(&self, text: &str) -> Result<u32, &'static str> {
        let bytes: u32 = text.parse().map_err(|_| "a whole number of bytes")?;
        Ok(bytes.div_ceil(QUEUE_UNIT))
    }

    fn show(&self, value: &u32) -> String {
        (u64::from(*value) * u64::from(QUEUE_UNIT)).to_string()
    }
}

/// A share of a whole, written in percent.
pub(super) struct Percent;

impl Kind<f64> for Percent {
    fn parse(&self, text: &str) -> Result<f64, &'static str> {
        match text.parse::<u8>() {
            Ok(percent) if (1..=100).contains(&percent) => Ok(f64::from(percent) / 100.0),
            _ => Err("a percentage from 1 to 100"),
        }
    }

    fn show(&self, value: &f64) -> String {
        format!("{:.0}", value * 100.0)
    }
}

/// Hours of the day joined by semicolons, such as `04;16`.
pub(super) struct HoursOfDay;

impl Kind<Vec<u8>> for HoursOfDay {
    fn parse(&self, text: &str) -> Result<Vec<u8>, &'static str> {
        let hours = text.split(';').map(str::trim).filter(|hour| !hour.is_empty());
        hours
            .map(|hour| match hour.parse() {
                Ok(hour) if hour < 24 => Ok(hour),
                _ => Err("hours of the day from 00 to 23, joined by semicolons"),
            })
            .collect()
    }

    fn show(&self, value: &Vec<u8>) -> String {
        let hours: Vec<_> = value.iter().map(|hour| format!("{hour:02}")).collect();
        hours.join(";")
    }
}

/// Request codes joined by commas.
pub(super) struct Codes;

impl Kind<Vec<i32>> for Codes {
    fn parse(&self, text: &str) -> Result<Vec<i32>, &'static str> {
        let codes = text.split(',').map(str::trim).filter(|code| !code.is_empty());
        codes.map(|code| code.parse().map_err(|_| "request codes, joined by commas")).collect()
    }

    fn show(&self, value: &Vec<i32>) -> String {
        value.iter().map(i32::to_string).collect::<Vec<_>>().join(",")
    }
}

/// A user and its password as a JSON object. What is shown does not hold the password.
pub(super) struct LoginJson {
    pub(super) user: &'static str,
    pub(super) password: &'static str,
    pub(super) expected: &'static str,
}

impl Kind<Option<Login>> for LoginJson {
    fn parse(&self, text: &str) -> Result<Option<Login>, &'static str> {
        if text.is_empty() {
            return Ok(None);
        }
        let object: serde_json::Value = serde_json::from_str(text).map_err(|_| self.expected)?;
        let field = |name: &str| {
            let text = object.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
            if text.is_empty() { Err(self.expected) } else { Ok(text.to_owned()) }
        };
        Ok(Some(Login { user: field(self.user)?, password: field(self.password)? }))
    }

    fn show(&self, value: &Option<Login>) -> String {
        let shown = value
            .as_ref()
            .map(|login| serde_json::json!({ self.user: login.user, self.password: "******" }).to_string());
        shown.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_count_in_their_unit() {
        assert_eq!(MILLIS.parse("500"), Ok(Duration::from_millis(500)));
        assert_eq!(HOURS.parse("72"), Ok(Duration::from_secs(72 * 3600)));
        assert_eq!(SECONDS.show(&Duration::from_secs(120)), "120");
        assert_eq!(MILLIS.parse("-1"), Err("a whole number of milliseconds"));
    }

    #[test]
    fn a_switch_is_true_or_false_and_nothing_else() {
        assert_eq!(Kind::<bool>::parse(&Plain, "TRUE"), Ok(true));
        assert_eq!(Kind::<bool>::parse(&Plain, "yes"), Err("true or false"));
    }

    #[test]
    fn addresses_need_host_and_port() {
        assert_eq!(Addresses.parse("a:1; ::1:9876;"), Ok(vec!["a:1".to_owned(), "::1:9876".to_owned()]));
        assert!(Addresses.parse("localhost").is_err());
        assert!(Addresses.parse(":9876").is_err());
        assert!(Addresses.parse("a:0").is_err());
    }
}
