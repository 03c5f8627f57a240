//! Times as `resetOffsetByTime` takes them.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::failure::Failure;

/// Reads `now`, ms since the epoch, or `yyyy-MM-dd#HH:mm:ss:SSS` in the zone of this machine.
pub(super) fn parse(text: &str, now_ms: i64) -> Result<i64, Failure> {
    if text == "now" {
        return Ok(now_ms);
    }
    if let Ok(ms) = text.parse() {
        return Ok(ms);
    }
    local(text).ok_or_else(|| {
        Failure::usage(format!("\"{text}\" is no time")).with_remedy(
            "write now, ms since the epoch, or yyyy-MM-dd#HH:mm:ss:SSS such as 2026-01-31#23:59:59:000",
        )
    })
}

fn local(text: &str) -> Option<i64> {
    let (seconds, ms) = text.rsplit_once(':')?;
    let ms: i64 = ms.parse().ok().filter(|ms| (0..1000).contains(ms))?;
    let time = DateTime::strptime("%Y-%m-%d#%H:%M:%S", seconds).ok()?;
    Some(time.to_zoned_datetime(TimeZone::system()).ok()?.timestamp().as_millisecond() + ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_forms() {
        assert_eq!(parse("now", 7), Ok(7));
        assert_eq!(parse("-1", 7), Ok(-1));
        assert_eq!(parse("1700000000000", 7), Ok(1_700_000_000_000));
        let day = parse("2026-01-31#23:59:59:123", 7).unwrap();
        assert_eq!(day.rem_euclid(1000), 123);
        assert_eq!(parse("2026-01-31#23:59:59:124", 7).unwrap() - day, 1);
        for wrong in [
            "",
            "yesterday",
            "2026-01-31",
            "2026-02-30#00:00:00:000",
            "2026-01-31#23:59:59:1000",
            "2026-01-31#23:59:59",
        ] {
            assert!(parse(wrong, 7).is_err(), "{wrong}");
        }
    }
}
