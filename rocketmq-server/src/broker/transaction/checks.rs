//! Decides what the check loop does with one half message. Pure.

use rocketmq_remoting::message::properties::{Properties, names as property};

/// The limits of check-back, in milliseconds unless they are counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CheckLimits {
    /// Age before which no producer is asked.
    pub timeout: i64,
    /// Checks after which a half message is given up.
    pub max_checks: u32,
    /// Age after which a half message is given up unasked.
    pub retention: i64,
}

/// A half message as the loop sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HalfState {
    /// Milliseconds since its first copy was stored.
    pub age: i64,
    pub checks: u32,
    /// The producer's own immunity in milliseconds.
    pub immunity: Option<i64>,
}

/// The next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// It and all after it are too young.
    Wait,
    /// It asked for a longer immunity than those after it: copy it behind them.
    Postpone,
    /// Copy it and ask its producers.
    Check,
    /// Move it to `TRANS_CHECK_MAX_TIME_TOPIC`.
    GiveUp,
}

impl HalfState {
    pub(crate) fn read(properties: &Properties, age: i64) -> Self {
        let seconds: Option<i64> = properties.get_number(property::CHECK_IMMUNITY_TIME_IN_SECONDS);
        Self {
            age,
            checks: properties.get_number(property::TRANSACTION_CHECK_TIMES).unwrap_or(0),
            // -1 asks for the default.
            immunity: seconds.filter(|s| *s >= 0).map(|s| s.saturating_mul(1000)),
        }
    }

    pub(crate) fn decide(&self, limits: &CheckLimits) -> Action {
        if self.checks >= limits.max_checks || self.age > limits.retention {
            return Action::GiveUp;
        }
        match self.immunity {
            Some(immunity) if self.age < immunity => Action::Postpone,
            None if self.checks == 0 && self.age <= limits.timeout => Action::Wait,
            _ => Action::Check,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: CheckLimits = CheckLimits { timeout: 6_000, max_checks: 15, retention: 1_000_000 };

    fn state(age: i64, checks: u32, immunity: Option<i64>) -> Action {
        HalfState { age, checks, immunity }.decide(&LIMITS)
    }

    #[test]
    fn the_first_check_waits_for_the_timeout_and_later_ones_do_not() {
        assert_eq!(state(6_000, 0, None), Action::Wait);
        assert_eq!(state(6_001, 0, None), Action::Check);
        assert_eq!(state(0, 1, None), Action::Check);
    }

    #[test]
    fn a_producers_own_immunity_does_not_hold_up_the_others() {
        assert_eq!(state(7_000, 0, Some(8_000)), Action::Postpone);
        assert_eq!(state(8_000, 1, Some(8_000)), Action::Check);
    }

    #[test]
    fn fifteen_checks_or_a_lapsed_retention_end_it() {
        assert_eq!(state(7_000, 15, None), Action::GiveUp);
        assert_eq!(state(1_000_001, 0, None), Action::GiveUp);
    }

    #[test]
    fn an_immunity_of_minus_one_is_the_default() {
        let properties =
            Properties::parse("CHECK_IMMUNITY_TIME_IN_SECONDS\u{1}-1\u{2}TRANSACTION_CHECK_TIMES\u{1}2\u{2}");
        let expected = HalfState { age: 5, checks: 2, immunity: None };
        assert_eq!(HalfState::read(&properties, 5), expected);
    }
}
