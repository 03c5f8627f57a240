//! When the messages of a queue were stored, as far as the clock can be believed.

/// Corrects store times that lie in the future: the clock was set back after they were given. A message that is in the queue
/// at some time was stored by that time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StoreTimes {
    /// Messages before this offset were stored at `latest` or earlier.
    end: i64,
    latest: i64,
}

impl StoreTimes {
    /// The store time of the message at `offset`, which claims `claimed`, in a queue that ends at `end`. Never later than
    /// `now`.
    pub(crate) fn of(&mut self, offset: i64, claimed: i64, now: i64, end: i64) -> i64 {
        let known = if offset < self.end { claimed.min(self.latest) } else { claimed };
        if known <= now {
            return known;
        }
        *self = Self { end, latest: now };
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_the_past_is_believed() {
        assert_eq!(StoreTimes::default().of(0, 99, 100, 1), 99);
        assert_eq!(StoreTimes::default().of(0, 100, 100, 1), 100);
    }

    #[test]
    fn what_was_stored_before_the_clock_was_set_back_counts_from_then() {
        let mut times = StoreTimes::default();
        assert_eq!(times.of(3, 5_000, 100, 5), 100);
        assert_eq!(times.of(3, 5_000, 101, 6), 100, "it ages");
        assert_eq!(times.of(4, 5_000, 150, 6), 100, "it was there too");
        assert_eq!(times.of(4, 70, 150, 6), 70);
        assert_eq!(times.of(5, 160, 170, 6), 160, "it came later");
        assert_eq!(times.of(4, 5_000, 90, 6), 90, "and back again");
    }
}
