//! A limit of messages in a time.

use super::{Layer, Next, NextSend, async_trait};
use crate::outcome::{BoxError, Handled};
use rocketmq_client::{Delivery, Message};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The longest window; times are added to the moment.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// Lets so many messages pass in a time, handled or sent; others wait for their turn. One layer counts all that pass it: those of
/// every listener if the application has it, those of one listener if that has it.
///
/// A delivery that waits occupies one of the listener's `concurrency` handlers, and its `consume-timeout` runs. A batch waits for
/// its first message, and the next one waits for the rest of it.
///
/// ```
/// use rocketmq_starter::layer::RateLimit;
/// use rocketmq_starter::{App, RocketmqTemplate};
/// use std::time::Duration;
///
/// let app = App::new().layer(RateLimit::new(1000, Duration::from_secs(60)));
/// # drop(app);
///
/// fn gentle(template: &RocketmqTemplate) -> RocketmqTemplate {
///     template.clone().layer(RateLimit::per_second(50)) // sends more slowly than the template it was made of
/// }
/// ```
#[derive(Debug)]
pub struct RateLimit {
    /// The time that one message takes.
    share: Duration,
    /// The time in which all of them may pass at once.
    window: Duration,
    /// The moment at which all that has passed is paid for.
    paid: Mutex<Option<Instant>>,
}

impl RateLimit {
    /// Lets `messages` pass in each second; 0 counts as 1.
    ///
    /// ```
    /// use rocketmq_starter::layer::RateLimit;
    ///
    /// let layer = RateLimit::per_second(50);
    /// # drop(layer);
    /// ```
    pub fn per_second(messages: u32) -> Self {
        Self::new(messages, Duration::from_secs(1))
    }

    /// Lets `messages` pass in each `window`, at once or spread over it; 0 counts as 1, and a window is at most a year.
    pub fn new(messages: u32, window: Duration) -> Self {
        let window = window.min(LONGEST);
        RateLimit { share: window / messages.max(1), window, paid: Mutex::new(None) }
    }

    /// Waits for the turn of `messages`.
    async fn turn(&self, messages: usize) {
        if let Some(turn) = self.book(Instant::now(), messages) {
            sleep_until(turn).await;
        }
    }

    /// Books the turn of `messages`; returns its moment if that lies ahead.
    fn book(&self, now: Instant, messages: usize) -> Option<Instant> {
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = paid.filter(|paid| *paid > now).unwrap_or(now);
        let price = self.share.saturating_mul(u32::try_from(messages).unwrap_or(u32::MAX));
        *paid = Some(begin.checked_add(price).unwrap_or(begin));
        // The first message of the window has the whole of it before it.
        let turn = begin + self.share;
        turn.checked_sub(self.window).filter(|turn| *turn > now)
    }
}

#[async_trait]
impl Layer for RateLimit {
    async fn handle(&self, _group: &str, deliveries: &[Delivery], next: Next<'_>) -> Vec<Handled> {
        self.turn(deliveries.len()).await;
        next.handle(deliveries).await
    }

    async fn send(&self, messages: Vec<Message>, next: NextSend<'_>) -> Result<(), BoxError> {
        self.turn(messages.len()).await;
        next.send(messages).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Books single messages at one moment, and returns how many ms each waits.
    fn waits(limit: &RateLimit, now: Instant, messages: usize) -> Vec<u128> {
        let wait = |_| limit.book(now, 1).map_or(0, |turn| (turn - now).as_millis());
        (0..messages).map(wait).collect()
    }

    #[test]
    fn a_windows_messages_pass_at_once_and_the_rest_one_by_one() {
        let (limit, now) = (RateLimit::per_second(4), Instant::now());
        assert_eq!(waits(&limit, now, 6), [0, 0, 0, 0, 250, 500]);
        assert_eq!(waits(&limit, now + SECOND, 4), [0, 0, 250, 500], "two were taken in this window before");
        assert_eq!(
            waits(&limit, now + SECOND * 100, 5),
            [0, 0, 0, 0, 250],
            "what was not used is not saved up"
        );
    }

    #[test]
    fn a_batch_counts_each_message() {
        let (limit, now) = (RateLimit::new(2, SECOND), Instant::now());
        assert_eq!(limit.book(now, 6), None);
        assert_eq!(waits(&limit, now, 1), [2_500]);
        assert_eq!(limit.book(now + SECOND * 60, 0), None);
    }

    #[test]
    fn limits_at_the_edges_do_not_overflow() {
        let now = Instant::now();
        assert_eq!(waits(&RateLimit::per_second(0), now, 2), [0, 1_000]);
        let never = RateLimit::new(1, Duration::MAX);
        assert_eq!(never.book(now, usize::MAX), None);
        assert!(never.book(now, 1).is_some_and(|turn| turn - now > LONGEST));
        assert_eq!(waits(&RateLimit::new(5, Duration::ZERO), now, 9), [0; 9]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_turn_is_waited_for() {
        let (limit, begin) = (RateLimit::per_second(2), Instant::now());
        for _ in 0..4 {
            limit.turn(1).await;
        }
        assert_eq!(begin.elapsed(), SECOND);
    }
}
