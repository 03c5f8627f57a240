//! Numbers and what stands for them.

use std::fmt::Display;
use std::str::FromStr;

use super::form::Kind;

/// A number from `least` to `most`.
pub(in crate::config) struct Within<T> {
    pub(in crate::config) least: T,
    pub(in crate::config) most: T,
    pub(in crate::config) expected: &'static str,
}

/// `within!(0, 7)`: a number from 0 to 7.
macro_rules! within {
    ($least:literal, $most:literal) => {
        Within {
            least: $least,
            most: $most,
            expected: concat!("a whole number from ", $least, " to ", $most),
        }
    };
}
pub(in crate::config) use within;

impl<T: FromStr + PartialOrd + Display> Kind<T> for Within<T> {
    fn parse(&self, text: &str) -> Result<T, &'static str> {
        let number = text.parse().map_err(|_| self.expected)?;
        if number < self.least || number > self.most { Err(self.expected) } else { Ok(number) }
    }

    fn show(&self, value: &T) -> String {
        value.to_string()
    }
}

/// The size of a consume-queue file in bytes, kept as a count of its 20-byte units; a broken unit counts as a whole.
pub(in crate::config) struct QueueFileBytes;

const QUEUE_UNIT: u32 = 20;
const QUEUE_FILE_EXPECTED: &str = "a whole number of bytes from 20 to 4294967280";

impl Kind<u32> for QueueFileBytes {
    fn parse(&self, text: &str) -> Result<u32, &'static str> {
        let bytes: u32 = text.parse().map_err(|_| QUEUE_FILE_EXPECTED)?;
        if bytes == 0 { Err(QUEUE_FILE_EXPECTED) } else { Ok(bytes.div_ceil(QUEUE_UNIT)) }
    }

    fn show(&self, value: &u32) -> String {
        (u64::from(*value) * u64::from(QUEUE_UNIT)).to_string()
    }
}

/// A share of a whole, written in percent.
pub(in crate::config) struct Percent;

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

/// Request codes joined by commas.
pub(in crate::config) struct Codes;

impl Kind<Vec<i32>> for Codes {
    fn parse(&self, text: &str) -> Result<Vec<i32>, &'static str> {
        let codes = text.split(',').map(str::trim).filter(|code| !code.is_empty());
        codes.map(|code| code.parse().map_err(|_| "request codes, joined by commas")).collect()
    }

    fn show(&self, value: &Vec<i32>) -> String {
        value.iter().map(i32::to_string).collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outside_their_range_are_refused() {
        let permission = within!(0, 7);
        for good in [0, 7] {
            assert_eq!(permission.parse(&good.to_string()), Ok(good));
        }
        for bad in ["-1", "8", "999", "", "1e3", "99999999999999999999"] {
            assert_eq!(permission.parse(bad), Err("a whole number from 0 to 7"), "{bad}");
        }
    }

    #[test]
    fn a_queue_file_holds_at_least_one_unit() {
        assert_eq!(QueueFileBytes.parse("20"), Ok(1));
        assert_eq!(QueueFileBytes.parse("21"), Ok(2));
        assert!(QueueFileBytes.parse("0").is_err());
    }

    #[test]
    fn a_share_is_at_most_a_whole() {
        assert!(Percent.parse("0").is_err() && Percent.parse("101").is_err() && Percent.parse("100").is_ok());
    }
}
