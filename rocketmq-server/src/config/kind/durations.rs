//! Times: how long, and when.

use std::time::Duration;

use super::form::Kind;

/// A duration counted in `unit`s.
pub(in crate::config) struct Every {
    unit: Duration,
    least: u32,
    expected: &'static str,
}

/// Apache counts most times in milliseconds. Loops wait as long as such a setting says, so none at all would be no wait.
pub(in crate::config) const MILLIS: Every = Every {
    unit: Duration::from_millis(1),
    least: 1,
    expected: "a whole number of milliseconds from 1 to 4294967295",
};
pub(in crate::config) const MILLIS_OR_NONE: Every = Every {
    unit: Duration::from_millis(1),
    least: 0,
    expected: "a whole number of milliseconds from 0 to 4294967295",
};
pub(in crate::config) const SECONDS: Every = Every {
    unit: Duration::from_secs(1),
    least: 1,
    expected: "a whole number of seconds from 1 to 4294967295",
};
pub(in crate::config) const SECONDS_OR_NONE: Every = Every {
    unit: Duration::from_secs(1),
    least: 0,
    expected: "a whole number of seconds from 0 to 4294967295",
};
pub(in crate::config) const HOURS: Every = Every {
    unit: Duration::from_secs(3600),
    least: 1,
    expected: "a whole number of hours from 1 to 4294967295",
};

impl Kind<Duration> for Every {
    fn parse(&self, text: &str) -> Result<Duration, &'static str> {
        let count: u32 = text.parse().map_err(|_| self.expected)?;
        let duration = self.unit.checked_mul(count).filter(|_| count >= self.least);
        duration.ok_or(self.expected)
    }

    fn show(&self, value: &Duration) -> String {
        (value.as_nanos() / self.unit.as_nanos()).to_string()
    }
}

/// Hours of the day joined by semicolons, such as `04;16`.
pub(in crate::config) struct HoursOfDay;

impl Kind<Vec<u8>> for HoursOfDay {
    fn parse(&self, text: &str) -> Result<Vec<u8>, &'static str> {
        const EXPECTED: &str = "hours of the day from 00 to 23, joined by semicolons";
        let hours = text.split(';').map(str::trim).filter(|hour| !hour.is_empty());
        let hours: Vec<u8> = hours
            .map(|hour| hour.parse().ok().filter(|hour| *hour < 24).ok_or(EXPECTED))
            .collect::<Result<_, _>>()?;
        if hours.is_empty() { Err(EXPECTED) } else { Ok(hours) }
    }

    fn show(&self, value: &Vec<u8>) -> String {
        let hours: Vec<_> = value.iter().map(|hour| format!("{hour:02}")).collect();
        hours.join(";")
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
        assert!(MILLIS.parse("-1").is_err() && MILLIS.parse("4294967296").is_err());
    }

    #[test]
    fn nothing_happens_every_no_time() {
        for kind in [MILLIS, SECONDS, HOURS] {
            assert!(kind.parse("0").is_err() && kind.parse("1").is_ok());
        }
        assert_eq!(MILLIS_OR_NONE.parse("0"), Ok(Duration::ZERO));
        assert_eq!(SECONDS_OR_NONE.parse("0"), Ok(Duration::ZERO));
    }
}
