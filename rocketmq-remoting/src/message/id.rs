//! The two ids of a message: its place in a log, and the unique key of its producer.
//!
//! ```
//! use rocketmq_remoting::message::{OffsetMessageId, UniqueIds};
//!
//! let id: OffsetMessageId = "C0A8010A00002A9F0000000000001000".parse()?;
//! assert_eq!(id.host, "192.168.1.10:10911".parse()?);
//! assert_eq!(id.offset, 0x1000);
//!
//! let ids = UniqueIds::new("10.0.0.5".parse()?, std::process::id(), 0x18B4_AAC2);
//! assert_ne!(ids.next(1_698_969_600_123), ids.next(1_698_969_600_123));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::atomic::{AtomicU16, Ordering};

use bytes::BufMut;

use super::record::put_host;
use crate::error::DecodeError;

const HEX: &[u8; 16] = b"0123456789ABCDEF";
/// Bytes of an offset message id with an IPv6 address: address, port in four bytes, offset.
const ID_LEN: usize = 28;

/// Names the place of a stored message: the broker's address and an offset in its commit log. Its text is 32 (IPv4) or
/// 56 (IPv6) hexadecimal digits.
///
/// A unique key has the same form: to tell them apart, look the message up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OffsetMessageId {
    /// The broker's address.
    pub host: SocketAddr,
    /// The commit log offset.
    pub offset: i64,
}

impl fmt::Display for OffsetMessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every send is answered with an id, so the text is built on the stack and written once.
        let mut bytes = [0; ID_LEN];
        let mut rest = &mut bytes[..];
        put_host(&mut rest, self.host);
        rest.put_i64(self.offset);
        let len = ID_LEN - rest.len();
        let mut digits = [0; 2 * ID_LEN];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(&bytes[..len]) {
            pair.copy_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        f.write_str(std::str::from_utf8(&digits[..2 * len]).unwrap_or_default())
    }
}

impl FromStr for OffsetMessageId {
    type Err = DecodeError;

    /// Reads digits in upper or lower case.
    fn from_str(text: &str) -> Result<Self, DecodeError> {
        let bytes = from_hex(text).ok_or_else(|| bad_id(text))?;
        let (ip, rest) = match bytes.len() {
            16 => split_ip::<4>(&bytes).map(|(ip, rest)| (IpAddr::from(Ipv4Addr::from(ip)), rest)),
            28 => split_ip::<16>(&bytes).map(|(ip, rest)| (IpAddr::from(Ipv6Addr::from(ip)), rest)),
            _ => None,
        }
        .ok_or_else(|| bad_id(text))?;
        let port =
            rest.first_chunk().map(|b| u32::from_be_bytes(*b)).and_then(|port| u16::try_from(port).ok());
        let offset = rest.last_chunk().map(|b| i64::from_be_bytes(*b));
        match (port, offset) {
            (Some(port), Some(offset)) => Ok(Self { host: SocketAddr::new(ip, port), offset }),
            _ => Err(bad_id(text)),
        }
    }
}

fn split_ip<const N: usize>(bytes: &[u8]) -> Option<([u8; N], &[u8])> {
    bytes.split_first_chunk::<N>().map(|(ip, rest)| (*ip, rest))
}

fn bad_id(text: &str) -> DecodeError {
    let shown: String = text.chars().take(64).collect();
    DecodeError::new(
        "offset message id",
        format!("32 or 56 hexadecimal digits with a port up to 65535; it is {shown:?}"),
    )
}

fn to_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    push_hex(&mut text, bytes);
    text
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        text.push(char::from(HEX[usize::from(byte >> 4)]));
        text.push(char::from(HEX[usize::from(byte & 15)]));
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || text.len() > 56 {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|d| d as u8);
    text.as_bytes().chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// Makes the unique keys of one process, in Java's layout, which tools take apart: address, process id (low 16 bits), a
/// salt, milliseconds since the start of the month (in UTC; Java's is local), a counter.
///
/// Threads can share it by reference: the counter is atomic. Within a month a key repeats only if one millisecond
/// yields more than 65,536 keys.
#[derive(Debug)]
pub struct UniqueIds {
    prefix: String,
    counter: AtomicU16,
}

impl UniqueIds {
    /// Starts a series with the counter at 0. `salt` stands for the hash of Java's class loader. Draw it at random once
    /// per process: it keeps the keys of equal process ids on equal addresses apart.
    pub fn new(ip: IpAddr, pid: u32, salt: u32) -> Self {
        let mut prefix = match ip {
            IpAddr::V4(ip) => to_hex(&ip.octets()),
            IpAddr::V6(ip) => to_hex(&ip.octets()),
        };
        push_hex(&mut prefix, &(pid as u16).to_be_bytes());
        push_hex(&mut prefix, &salt.to_be_bytes());
        Self { prefix, counter: AtomicU16::new(0) }
    }

    /// Sets the counter to `first`.
    #[must_use]
    pub fn with_counter(self, first: u16) -> Self {
        Self { counter: AtomicU16::new(first), ..self }
    }

    /// Makes the next key. `now_ms` is the time in ms since the epoch.
    pub fn next(&self, now_ms: i64) -> String {
        let mut id = String::with_capacity(self.prefix.len() + 12);
        id.push_str(&self.prefix);
        let since = ms_since_month_start(now_ms) as i32;
        push_hex(&mut id, &since.to_be_bytes());
        push_hex(&mut id, &self.counter.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        id
    }
}

const DAY_MS: i64 = 86_400_000;

fn ms_since_month_start(ms: i64) -> i64 {
    let day = ms.div_euclid(DAY_MS);
    (day_of_month(day) - 1) * DAY_MS + ms.rem_euclid(DAY_MS)
}

/// Returns the day of the month, from 1, for a day counted from 1970-01-01 in the Gregorian calendar. The calculation
/// counts years from March, so that the leap day comes last.
fn day_of_month(day: i64) -> i64 {
    let day_of_era = (day + 719_468).rem_euclid(146_097);
    let year = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    day_of_year - (153 * month + 2) / 5 + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn offset_ids_of_both_address_families() {
        for (host, offset, text) in [
            ("192.168.1.10:10911", 0x1000, "C0A8010A00002A9F0000000000001000"),
            ("[::1]:10911", 0x1000, "0000000000000000000000000000000100002A9F0000000000001000"),
        ] {
            let id = OffsetMessageId { host: host.parse().unwrap(), offset };
            assert_eq!(id.to_string(), text);
            assert_eq!(text.parse::<OffsetMessageId>().unwrap(), id);
            assert_eq!(text.to_lowercase().parse::<OffsetMessageId>().unwrap(), id);
        }
    }

    #[test]
    fn other_texts_are_no_offset_id() {
        for text in ["", "C0A8", "C0A8010A00012A9F0000000000001000", "zzA8010A00002A9F0000000000001000", "ä"]
        {
            let error = text.parse::<OffsetMessageId>().unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn a_unique_key_as_java_makes_it() {
        let ids = UniqueIds::new("10.0.0.5".parse().unwrap(), 0x0007_1234, 0x18B4_AAC2).with_counter(10);
        // 2023-11-03T00:00:00.123Z, 172800123 ms into the month.
        assert_eq!(ids.next(1_698_969_600_123), "0A000005123418B4AAC20A4CB87B000A");
        assert!(ids.next(1_698_969_600_123).ends_with("000B"));
        let v6 = UniqueIds::new("::1".parse().unwrap(), 1, 2);
        assert_eq!(v6.next(0).len(), 56);
    }

    #[test]
    fn the_counter_wraps_and_the_month_starts_at_zero() {
        let ids = UniqueIds::new("10.0.0.5".parse().unwrap(), 1, 1).with_counter(u16::MAX);
        assert!(ids.next(1_698_796_800_000).ends_with("00000000FFFF"));
        assert!(ids.next(1_698_796_800_000).ends_with("000000000000"));
    }

    #[test]
    fn leap_days() {
        for (day, expected) in
            [(0, 1), (30, 31), (31, 1), (58, 28), (59, 1), (19_782, 29), (19_783, 1), (11_016, 29)]
        {
            assert_eq!(day_of_month(day), expected, "{day}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(ip in any::<IpAddr>(), port in any::<u16>(), offset in any::<i64>()) {
            let id = OffsetMessageId { host: SocketAddr::new(ip, port), offset };
            prop_assert_eq!(id.to_string().parse::<OffsetMessageId>().unwrap(), id);
        }

        #[test]
        fn any_text_is_safe(text in "\\PC{0,60}") {
            let _ = text.parse::<OffsetMessageId>();
        }
    }
}
