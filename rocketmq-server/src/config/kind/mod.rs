//! The kinds of values: each reads the text behind a key, and shows the value again.

mod durations;
mod form;
mod names;
mod numbers;
mod words;

use std::net::IpAddr;
use std::path::PathBuf;

use super::networks::Networks;
use crate::broker::DelayLevels;
pub(super) use durations::{HOURS, HoursOfDay, MILLIS, MILLIS_OR_NONE, SECONDS, SECONDS_OR_NONE};
pub(super) use form::Kind;
pub(super) use names::{Addresses, Host, Name, TopicName};
pub(super) use numbers::{Codes, Percent, QueueFileBytes, Within, within};
pub(super) use words::{LoginJson, Words, only};

/// The value as it stands: `true`, `10911`, `broker-a`, `/data/store`.
pub(super) struct Plain;

impl Kind<u16> for Plain {
    fn parse(&self, text: &str) -> Result<u16, &'static str> {
        text.parse().map_err(|_| "a number from 0 to 65535")
    }

    fn show(&self, value: &u16) -> String {
        value.to_string()
    }
}

impl Kind<i64> for Plain {
    fn parse(&self, text: &str) -> Result<i64, &'static str> {
        text.parse().map_err(|_| "a whole number")
    }

    fn show(&self, value: &i64) -> String {
        value.to_string()
    }
}

impl Kind<IpAddr> for Plain {
    fn parse(&self, text: &str) -> Result<IpAddr, &'static str> {
        text.parse().map_err(|_| "an IP address such as 127.0.0.1")
    }

    fn show(&self, value: &IpAddr) -> String {
        value.to_string()
    }
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

/// A path is absolute from the moment it is read: the next start may happen in another folder.
impl Kind<PathBuf> for Plain {
    fn parse(&self, text: &str) -> Result<PathBuf, &'static str> {
        if text.is_empty() { Err("a path") } else { std::path::absolute(text).map_err(|_| "a path") }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_true_or_false_and_nothing_else() {
        assert_eq!(Kind::<bool>::parse(&Plain, "TRUE"), Ok(true));
        assert_eq!(Kind::<bool>::parse(&Plain, "yes"), Err("true or false"));
    }

    #[test]
    fn a_path_does_not_depend_on_where_the_next_start_happens() {
        let path: PathBuf = Plain.parse("store").unwrap();
        assert_eq!(path, std::env::current_dir().unwrap().join("store"));
        assert!(Kind::<PathBuf>::parse(&Plain, "").is_err());
    }
}
