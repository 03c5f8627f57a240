//! The rules after a failed try, without I/O: the loop of a send asks them.

use std::time::Duration;

use rocketmq_remoting::ResponseCode;

use crate::error::BrokerRefusal;

/// The end of a try that did not simply succeed.
#[derive(Debug)]
pub(crate) enum Failure<'a> {
    /// No address, no connection, a broken connection, no answer in time.
    Transport,
    /// The broker refused.
    Refused(&'a BrokerRefusal),
    /// Stored, but not flushed or replicated as asked.
    NotDurable,
}

/// The next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Try again, on another broker if there is one.
    Elsewhere,
    /// Try again; this broker only closed the connection and may be tried as well.
    Anywhere,
    /// Return the result to the caller.
    Stop,
}

/// The rules of one producer.
#[derive(Debug)]
pub(crate) struct RetryPolicy<'a> {
    pub(crate) tries: u32,
    pub(crate) codes: &'a [ResponseCode],
    pub(crate) when_not_durable: bool,
    pub(crate) attempt_timeout: Option<Duration>,
    /// Another broker has queues of the topic.
    pub(crate) has_others: bool,
}

impl RetryPolicy<'_> {
    /// Decides what follows try number `tried`, from 1, with `left` of the budget.
    pub(crate) fn after(&self, tried: u32, failure: &Failure<'_>, left: Duration) -> Next {
        if tried >= self.tries || left.is_zero() {
            return Next::Stop;
        }
        match failure {
            Failure::Transport => Next::Elsewhere,
            Failure::NotDurable if self.when_not_durable => Next::Elsewhere,
            Failure::NotDurable => Next::Stop,
            Failure::Refused(refusal) => self.after_refusal(refusal),
        }
    }

    fn after_refusal(&self, refusal: &BrokerRefusal) -> Next {
        if refusal.is_flow_control() || refusal.is_access_denied() || !self.codes.contains(&refusal.code) {
            Next::Stop
        } else if refusal.code == ResponseCode::GO_AWAY {
            Next::Anywhere
        } else {
            Next::Elsewhere
        }
    }

    /// Returns the time for try number `n`, from 1: the cap holds only while another try is left. Without a cap, a broker that
    /// does not answer leaves half of the time to the others.
    pub(crate) fn budget(&self, n: u32, left: Duration) -> Duration {
        match self.attempt_timeout {
            _ if n >= self.tries => left,
            Some(cap) => cap.min(left),
            None if self.has_others => left / 2,
            None => left,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::RETRYABLE_CODES;

    const SECOND: Duration = Duration::from_secs(1);

    fn policy(when_not_durable: bool) -> RetryPolicy<'static> {
        RetryPolicy {
            tries: 3,
            codes: &RETRYABLE_CODES,
            when_not_durable,
            attempt_timeout: Some(SECOND),
            has_others: true,
        }
    }

    fn after(code: i32, remark: &str) -> Next {
        let refusal = BrokerRefusal {
            code: ResponseCode(code),
            remark: remark.into(),
            broker: String::new(),
            topic: String::new(),
        };
        policy(false).after(1, &Failure::Refused(&refusal), SECOND)
    }

    #[test]
    fn javas_codes_are_tried_elsewhere_and_no_others() {
        for code in [17, 14, 1, 2, 16, 204, 205] {
            assert_eq!(after(code, ""), Next::Elsewhere, "{code}");
        }
        assert_eq!(after(1500, ""), Next::Anywhere);
        for code in [13, 29, 3, 26, 9999] {
            assert_eq!(after(code, ""), Next::Stop, "{code}");
        }
    }

    #[test]
    fn who_lacks_the_rights_lacks_them_everywhere() {
        assert_eq!(after(16, "check signature failed."), Next::Stop);
    }

    #[test]
    fn flow_control_is_not_retried() {
        assert_eq!(after(2, "[TIMEOUT_CLEAN_QUEUE]broker busy"), Next::Stop);
        assert_eq!(after(215, ""), Next::Stop);
        assert_eq!(after(216, ""), Next::Stop);
    }

    #[test]
    fn tries_and_budget_end_it() {
        let policy = policy(false);
        assert_eq!(policy.after(2, &Failure::Transport, SECOND), Next::Elsewhere);
        assert_eq!(policy.after(3, &Failure::Transport, SECOND), Next::Stop);
        assert_eq!(policy.after(1, &Failure::Transport, Duration::ZERO), Next::Stop);
    }

    #[test]
    fn weak_durability_is_retried_only_on_request() {
        assert_eq!(policy(false).after(1, &Failure::NotDurable, SECOND), Next::Stop);
        assert_eq!(policy(true).after(1, &Failure::NotDurable, SECOND), Next::Elsewhere);
    }

    #[test]
    fn a_silent_broker_leaves_time_for_another_one() {
        let uncapped = RetryPolicy { attempt_timeout: None, ..policy(false) };
        assert_eq!([1, 2, 3].map(|n| uncapped.budget(n, 4 * SECOND)), [2 * SECOND, 2 * SECOND, 4 * SECOND]);
        let alone = RetryPolicy { has_others: false, ..uncapped };
        assert_eq!(alone.budget(1, 4 * SECOND), 4 * SECOND, "only itself could be tried again");
    }

    #[test]
    fn the_cap_spares_budget_for_the_next_try_only() {
        let policy = policy(false);
        assert_eq!(policy.budget(1, 3 * SECOND), SECOND);
        assert_eq!(policy.budget(1, SECOND / 2), SECOND / 2);
        assert_eq!(policy.budget(3, 3 * SECOND), 3 * SECOND);
    }
}
