//! Notices a lag that grows and grows.

use serde::Serialize;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The parts of the window; the lag is compared once in each.
const STEPS: u32 = 4;

/// A lag that has grown at each look for a while.
///
/// ```no_run
/// # fn probe(app: &rocketmq_starter::RunningApp) {
/// for growth in app.health().listeners.iter().filter_map(|listener| listener.lag_growth) {
///     println!("from {} to {} within {:?}", growth.from, growth.to, growth.within);
/// }
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LagGrowth {
    /// The lag when it began to grow.
    pub from: u64,
    /// The lag now.
    pub to: u64,
    /// The time between, in whole seconds in JSON.
    #[serde(serialize_with = "seconds")]
    pub within: Duration,
}

fn seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(time.as_secs())
}

/// Remembers since when a lag grows. It learns the lag when somebody asks for the health.
#[derive(Debug, Default)]
pub(crate) struct Trend(Mutex<Option<Rise>>);

#[derive(Debug, Clone, Copy)]
struct Rise {
    since: Instant,
    from: u64,
    newest: Instant,
    to: u64,
    steps: u32,
}

impl Rise {
    fn begin(now: Instant, lag: u64) -> Self {
        Rise { since: now, from: lag, newest: now, to: lag, steps: 0 }
    }

    /// Compares the lag with that of the step before; between two steps it may go up and down.
    fn step(self, now: Instant, lag: u64, window: Duration) -> Self {
        if now.saturating_duration_since(self.newest) < window / STEPS {
            return self;
        }
        if lag <= self.to {
            return Rise::begin(now, lag);
        }
        Rise { newest: now, to: lag, steps: self.steps + 1, ..self }
    }

    fn growth(self, window: Duration) -> Option<LagGrowth> {
        let within = self.newest.saturating_duration_since(self.since);
        let grows = self.steps >= STEPS && within >= window;
        grows.then_some(LagGrowth { from: self.from, to: self.to, within })
    }
}

impl Trend {
    /// Notes the lag of this moment. Returns its growth if it has grown at each step for at least `window`.
    pub(crate) fn note(&self, now: Instant, lag: Option<u64>, window: Duration) -> Option<LagGrowth> {
        let mut rise = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *rise = lag.map(|lag| match *rise {
            Some(rise) => rise.step(now, lag, window),
            None => Rise::begin(now, lag),
        });
        rise.and_then(|rise| rise.growth(window))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(40);

    /// Notes lags ten seconds apart, and returns the last answer.
    fn growth(lags: &[Option<u64>]) -> Option<LagGrowth> {
        let (trend, begin) = (Trend::default(), Instant::now());
        let mut last = None;
        for (index, lag) in (0_u32..).zip(lags) {
            let now = begin + Duration::from_secs(10) * index;
            last = trend.note(now, *lag, WINDOW);
            assert_eq!(trend.note(now + Duration::from_secs(1), *lag, WINDOW), last, "too early to compare");
        }
        last
    }

    #[test]
    fn a_lag_grows_when_each_step_of_the_window_is_above_the_one_before() {
        let grown = growth(&[Some(0), Some(2), Some(3), Some(9), Some(10)]).expect("it grows");
        assert_eq!(grown, LagGrowth { from: 0, to: 10, within: WINDOW });
        assert_eq!(growth(&[Some(0), Some(2), Some(3), Some(9)]), None, "not for long enough");
        assert_eq!(growth(&[Some(0), Some(2), Some(2), Some(9), Some(10)]), None);
        assert_eq!(growth(&[Some(5), Some(4), Some(3), Some(2), Some(1)]), None);
        assert_eq!(growth(&[Some(1), Some(2), None, Some(3), Some(4), Some(5)]), None, "begun anew");
    }

    #[test]
    fn two_looks_far_apart_are_no_trend() {
        let (trend, begin) = (Trend::default(), Instant::now());
        trend.note(begin, Some(1), WINDOW);
        assert_eq!(trend.note(begin + Duration::from_secs(3600), Some(9), WINDOW), None);
    }
}
