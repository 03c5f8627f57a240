//! [`Redelivery`]: the request to the broker for another try.

use std::time::Duration;

use rocketmq_remoting::message::{Properties, names};

use crate::messages::{Delivery, Outcome};

/// Delay level a message starts at when its consumer re-sends it, or its handler ran out of time: ten seconds.
const FIRST_RETRY_LEVEL: i32 = 3;
/// Retries of a message when neither the consumer nor the group says otherwise.
pub(crate) const DEFAULT_MAX_RECONSUME_TIMES: i32 = 16;

/// The request for a message that was not handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Redelivery {
    /// The broker's own ladder.
    Ladder,
    /// This delay level.
    Level(i32),
    /// The dead letter queue, now.
    DeadLetter,
}

impl Redelivery {
    /// Returns the request that follows from an outcome; `None` for a message that is done.
    pub(crate) fn of(outcome: Outcome, timed_out: bool) -> Option<Self> {
        match outcome {
            Outcome::Ack => None,
            Outcome::Retry if timed_out => Some(Redelivery::Level(FIRST_RETRY_LEVEL)),
            Outcome::Retry | Outcome::Suspend(_) => Some(Redelivery::Ladder),
            Outcome::RetryAfter(level) => Some(Redelivery::Level(level.get())),
            Outcome::DeadLetter => Some(Redelivery::DeadLetter),
        }
    }

    /// Returns the `delayLevel` of request 36.
    pub(crate) fn level(self) -> i32 {
        match self {
            Redelivery::Ladder => 0,
            Redelivery::Level(level) => level,
            Redelivery::DeadLetter => -1,
        }
    }
}

/// Makes the properties of a message that its consumer sends to the retry topic itself, because request 36 failed. The
/// counters travel in the request's header.
pub(crate) fn resend_properties(delivery: &Delivery, how: Redelivery) -> Properties {
    let mut properties = delivery.properties().clone();
    let tries = i64::from(delivery.reconsume_times());
    let origin = properties.get(names::ORIGIN_MESSAGE_ID).unwrap_or(delivery.message_id()).to_owned();
    let level = match how {
        Redelivery::Level(level) => Some(i64::from(level)),
        Redelivery::Ladder => Some(i64::from(FIRST_RETRY_LEVEL) + tries),
        // 4.9.7 would keep the dead letter itself waiting for it.
        Redelivery::DeadLetter => None,
    };
    properties.set(names::RETRY_TOPIC, delivery.topic());
    properties.set(names::ORIGIN_MESSAGE_ID, origin);
    for waited in [names::DELAY, names::TIMER_DELIVER_MS, names::TIMER_DELAY_MS, names::TIMER_DELAY_SEC] {
        properties.remove(waited);
    }
    if let Some(level) = level {
        properties.set(names::DELAY, level.to_string());
    }
    properties.remove(names::TRAN_MSG);
    properties
}

/// Seconds until a popped message may be seen again, by how often it was tried.
const POP_DELAYS: [u64; 16] =
    [10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200];

/// Returns the milliseconds that a popped message stays invisible after a failed try.
pub(crate) fn pop_delay_ms(reconsume_times: u32, how: Redelivery) -> u64 {
    let step = match how {
        Redelivery::Level(level) if level > 0 => level as usize - 1,
        _ => reconsume_times as usize,
    };
    POP_DELAYS[step.min(POP_DELAYS.len() - 1)] * 1000
}

/// Returns the same for a message that was tried as often as allowed, by its age; `None` once it is older than twice
/// the longest delay.
pub(crate) fn pop_delay_of_age(age: Duration) -> Option<u64> {
    let passed = |delay: &&u64| age >= Duration::from_secs(**delay * 2);
    let step = POP_DELAYS.iter().take_while(passed).count();
    POP_DELAYS.get(step).map(|seconds| seconds * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::{DelayLevel, Message};

    #[test]
    fn outcomes_become_delay_levels() {
        let level = |outcome, late| Redelivery::of(outcome, late).map(Redelivery::level);
        assert_eq!(level(Outcome::Ack, false), None);
        assert_eq!(level(Outcome::Retry, false), Some(0));
        assert_eq!(level(Outcome::Retry, true), Some(3));
        assert_eq!(level(Outcome::RetryAfter(DelayLevel::H2), false), Some(18));
        assert_eq!(level(Outcome::DeadLetter, false), Some(-1));
    }

    #[test]
    fn a_message_re_sent_by_its_consumer_carries_its_history() {
        let message = Message::new("orders", "x").tag("a").delay(Duration::from_secs(7200));
        let first = Delivery::sample(message, 2);
        let properties = resend_properties(&first, Redelivery::Ladder);
        let get = |name| properties.get(name);
        assert_eq!(get("RETRY_TOPIC"), Some("orders"));
        assert_eq!(get("ORIGIN_MESSAGE_ID"), Some(first.message_id()));
        assert!(
            first.property("TIMER_DELAY_MS").is_some() && get("TIMER_DELAY_MS").is_none(),
            "it has waited"
        );
        assert_eq!(get("DELAY"), Some("5"));
        assert_eq!(get("TAGS"), Some("a"));
        assert_eq!(get("TRAN_MSG"), None);
        let delayed = Delivery::sample(Message::new("orders", "x").deliver_after(DelayLevel::S10), 2);
        assert_eq!(resend_properties(&delayed, Redelivery::DeadLetter).get("DELAY"), None);
    }

    #[test]
    fn pop_delays_follow_the_tries_unless_a_level_is_asked_for() {
        assert_eq!(pop_delay_ms(0, Redelivery::Ladder), 10_000);
        assert_eq!(pop_delay_ms(99, Redelivery::Ladder), 7_200_000);
        assert_eq!(pop_delay_ms(5, Redelivery::Level(1)), 10_000);
    }

    #[test]
    fn a_message_tried_too_often_waits_by_its_age_and_is_given_up_at_last() {
        assert_eq!(pop_delay_of_age(Duration::from_secs(19)), Some(10_000));
        assert_eq!(pop_delay_of_age(Duration::from_secs(20)), Some(30_000));
        assert_eq!(pop_delay_of_age(Duration::from_secs(14_399)), Some(7_200_000));
        assert_eq!(pop_delay_of_age(Duration::from_secs(14_400)), None);
    }
}
