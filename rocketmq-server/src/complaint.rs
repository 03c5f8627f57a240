//! Warnings about what goes on being wrong: said when it begins, then ever more seldom.

use std::time::Duration;

/// The silence after the first warning, and the longest one.
const SILENCE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(3600));

/// Something that may be wrong, and when that is worth a warning. Times are milliseconds of one clock.
#[derive(Debug, Default)]
pub(crate) struct Complaint {
    /// When it began, while it lasts.
    since: Option<i64>,
    silent_until: i64,
    silence: Duration,
    unsaid: u64,
}

impl Complaint {
    /// It happened. Says whether to warn now, and then how often it happened without a warning before.
    pub(crate) fn again(&mut self, now: i64) -> Option<u64> {
        if self.since.is_none() {
            *self = Self { since: Some(now), ..Self::default() };
        } else if now < self.silent_until {
            self.unsaid += 1;
            return None;
        }
        let next = if self.silence.is_zero() { SILENCE.0 } else { self.silence * 2 };
        self.silence = next.min(SILENCE.1);
        self.silent_until = now.saturating_add(i64::try_from(self.silence.as_millis()).unwrap_or(i64::MAX));
        Some(std::mem::take(&mut self.unsaid))
    }

    /// It is over. Says how many milliseconds it lasted, if it was there.
    pub(crate) fn over(&mut self, now: i64) -> Option<i64> {
        self.since.take().map(|since| now.saturating_sub(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When one that happens every two seconds is said, in seconds.
    fn said(complaint: &mut Complaint, seconds: i64) -> Vec<i64> {
        (0..seconds).step_by(2).filter(|second| complaint.again(second * 1000).is_some()).collect()
    }

    #[test]
    fn a_lasting_fault_is_said_ever_more_seldom_and_once_an_hour_at_least() {
        let mut complaint = Complaint::default();
        assert_eq!(said(&mut complaint, 10_000), [0, 60, 180, 420, 900, 1860, 3780, 7380]);
        assert_eq!(complaint.over(10_000_000), Some(10_000_000));
        assert_eq!(complaint.over(10_000_000), None);
    }

    #[test]
    fn a_new_fault_is_said_at_once() {
        let mut complaint = Complaint::default();
        assert_eq!((complaint.again(0), complaint.again(1), complaint.again(2)), (Some(0), None, None));
        assert_eq!(complaint.again(60_000), Some(2));
        complaint.over(60_001);
        assert_eq!(complaint.again(60_002), Some(0));
    }
}
