//! Waiting longer after each failure, with jitter so that many clients do not come back together.

use std::time::Duration;

use crate::chance::Chance;

/// The pauses between tries: they double from `first` to `most`, and each is drawn from its upper half.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BackoffConfig {
    pub(crate) first: Duration,
    pub(crate) most: Duration,
}

/// An endless iterator of waits.
#[derive(Debug)]
pub(crate) struct Backoff {
    config: BackoffConfig,
    next: Duration,
    chance: Chance,
}

impl Backoff {
    pub(crate) fn new(config: BackoffConfig, chance: Chance) -> Self {
        Self { config, next: config.first, chance }
    }
}

impl Iterator for Backoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let ceiling = self.next;
        self.next = ceiling.saturating_mul(2).min(self.config.most);
        Some(ceiling.mul_f64(self.chance.part(0.5, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: BackoffConfig =
        BackoffConfig { first: Duration::from_millis(100), most: Duration::from_secs(1) };

    #[test]
    fn waits_double_up_to_the_most_and_keep_their_upper_half() {
        let waits: Vec<_> = Backoff::new(CONFIG, Chance::seeded(7)).take(6).collect();
        for (wait, ceiling) in waits.iter().zip([100, 200, 400, 800, 1000, 1000]) {
            let ceiling = Duration::from_millis(ceiling);
            assert!(*wait <= ceiling && *wait >= ceiling / 2, "{wait:?} for {ceiling:?}");
        }
    }
}
