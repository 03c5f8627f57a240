//! [`AtWork`]: the handlers that run, in place of Java's thread dump.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::clock::{Instant, instant};
use crate::messages::Delivery;

/// Holds the calls that run. Clones share them.
///
/// A call that is over at its first poll is not entered, so that quick handlers cost no lock.
#[derive(Clone, Default)]
pub(crate) struct AtWork(Arc<Mutex<Calls>>);

#[derive(Default)]
struct Calls {
    /// By number, so that the oldest comes first.
    running: BTreeMap<u64, Work>,
    begun: u64,
}

struct Work {
    messages: Vec<Delivery>,
    since: Instant,
}

/// Marks a call as running until it is dropped.
pub(crate) struct Entered {
    calls: AtWork,
    number: u64,
}

impl AtWork {
    /// Enters a call with these messages.
    pub(crate) fn enter(&self, messages: &[Delivery]) -> Entered {
        let mut calls = self.0.lock();
        calls.begun += 1;
        let number = calls.begun;
        calls.running.insert(number, Work { messages: messages.to_vec(), since: instant() });
        Entered { calls: self.clone(), number }
    }

    /// Returns the number of running handlers, and a line for each message: duration, id, queue and tries. The oldest
    /// come first.
    pub(crate) fn dump(&self) -> String {
        let calls = self.0.lock();
        let mut text = format!("handlers at work: {}\n", calls.running.len());
        for work in calls.running.values() {
            let seconds = work.since.elapsed().as_secs_f64();
            for message in &work.messages {
                let queue = message.queue();
                // Writing to a string cannot fail.
                let _ = writeln!(
                    text,
                    "{seconds:.3} s: message {} of {} at offset {} of queue {} of {}, reconsumeTimes {}",
                    message.message_id(),
                    message.topic(),
                    message.queue_offset(),
                    queue.queue_id,
                    queue.broker_name,
                    message.reconsume_times(),
                );
            }
        }
        text
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.calls.0.lock().running.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::consumer::testing::delivery;

    #[tokio::test(start_paused = true)]
    async fn each_message_of_a_running_call_is_named_the_oldest_first() {
        let calls = AtWork::default();
        let slow = calls.enter(&[delivery("t", 7)]);
        tokio::time::advance(Duration::from_millis(1500)).await;
        let batch = calls.enter(&[delivery("t", 8), delivery("t", 9).retried()]);
        let id = |offset| delivery("t", offset).message_id().to_owned();
        assert_eq!(
            calls.dump(),
            format!(
                "handlers at work: 2\n\
                 1.500 s: message {} of t at offset 7 of queue 0 of broker-a, reconsumeTimes 0\n\
                 0.000 s: message {} of t at offset 8 of queue 0 of broker-a, reconsumeTimes 0\n\
                 0.000 s: message {} of t at offset 9 of queue 0 of broker-a, reconsumeTimes 1\n",
                id(7),
                id(8),
                id(9)
            )
        );
        drop(slow);
        assert!(calls.dump().starts_with("handlers at work: 1\n"), "{}", calls.dump());
        drop(batch);
        assert_eq!(calls.dump(), "handlers at work: 0\n");
    }
}
