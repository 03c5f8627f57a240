//! [`Chance`]: a client's source of random numbers.

use std::sync::Arc;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng, RngExt as _};

/// Random numbers: the machine's, or, for a test, the same ones every time. Clones share the source.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chance(Option<Arc<Mutex<StdRng>>>);

impl Chance {
    /// Makes a source whose numbers follow from `seed`.
    #[cfg(test)]
    pub(crate) fn seeded(seed: u64) -> Self {
        use rand::SeedableRng as _;
        Self(Some(Arc::new(Mutex::new(StdRng::seed_from_u64(seed)))))
    }

    /// Draws a number below `end`, which is not 0.
    pub(crate) fn below(&self, end: u32) -> u32 {
        self.draw(|source| source.random_range(0..end))
    }

    /// Draws any number.
    pub(crate) fn bits(&self) -> u128 {
        self.draw(|source| source.random())
    }

    /// Draws a number between these two.
    pub(crate) fn part(&self, least: f64, most: f64) -> f64 {
        self.draw(|source| source.random_range(least..=most))
    }

    /// Picks one of `all`; `None` when there is none.
    pub(crate) fn pick<'a, T>(&self, all: &'a [T]) -> Option<&'a T> {
        self.draw(|source| all.choose(source))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn draw<T>(&self, draw: impl FnOnce(&mut dyn Rng) -> T) -> T {
        match &self.0 {
            None => draw(&mut rand::rng()),
            Some(source) => draw(&mut *source.lock()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_every_time() {
        let drawn = || {
            let chance = Chance::seeded(7);
            (chance.bits(), chance.below(1_000), chance.pick(&[1, 2, 3]).copied())
        };
        assert_eq!(drawn(), drawn());
        assert_ne!(Chance::default().bits(), Chance::default().bits());
        assert_eq!(Chance::default().pick::<u8>(&[]), None);
    }
}
