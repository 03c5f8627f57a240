//! The limit of tries, which can change while a consumer runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::retry::DEFAULT_MAX_RECONSUME_TIMES;

/// Stands for no limit of the consumer's own.
const DEFAULT: i64 = -1;

/// The number of tries after the first. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Tries {
    limit: Arc<AtomicI64>,
    in_order: bool,
}

impl Tries {
    /// `limit`: `None` for the default. `in_order`: messages are tried in place, by default without a limit.
    pub(crate) fn new(limit: Option<u32>, in_order: bool) -> Self {
        let tries = Self { limit: Arc::default(), in_order };
        tries.set(limit);
        tries
    }

    pub(crate) fn set(&self, limit: Option<u32>) {
        self.limit.store(limit.map_or(DEFAULT, i64::from), Ordering::Relaxed);
    }

    /// Returns the limit that was set; `None` for the default.
    pub(crate) fn limit(&self) -> Option<u32> {
        u32::try_from(self.limit.load(Ordering::Relaxed)).ok()
    }

    /// Returns the limit that goes to the broker with each message that is sent back.
    pub(crate) fn wire(&self) -> i32 {
        match self.limit() {
            Some(times) => i32::try_from(times).unwrap_or(i32::MAX),
            None if self.in_order => i32::MAX,
            None => DEFAULT_MAX_RECONSUME_TIMES,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_tries_has_the_defaults_of_java_and_changes_for_all_who_share_it() {
        let tries = Tries::new(None, false);
        assert_eq!((tries.limit(), tries.wire()), (None, 16));
        assert_eq!(Tries::new(None, true).wire(), i32::MAX);
        tries.clone().set(Some(0));
        assert_eq!((tries.limit(), tries.wire()), (Some(0), 0));
        tries.set(Some(u32::MAX));
        assert_eq!((tries.limit(), tries.wire()), (Some(u32::MAX), i32::MAX));
    }
}
