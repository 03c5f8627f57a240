//! Requests over messages that wait for their replies.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::messages::Delivery;
use crate::observe::metrics;

/// The requests that wait, by correlation id.
#[derive(Default)]
pub(crate) struct Replies {
    waiting: Mutex<HashMap<String, oneshot::Sender<Delivery>>>,
    late: AtomicU64,
}

/// A request that waits, until this is dropped.
pub(crate) struct Waiting<'a> {
    replies: &'a Replies,
    correlation: &'a str,
    /// Brings the reply.
    pub(crate) reply: oneshot::Receiver<Delivery>,
}

impl Replies {
    /// Hands a reply to its request; false (and counted) when that is not waiting any more.
    pub(crate) fn complete(&self, correlation: &str, reply: Delivery) -> bool {
        let waiting = self.waiting.lock().remove(correlation);
        let delivered = waiting.is_some_and(|request| request.send(reply).is_ok());
        if !delivered {
            self.late.fetch_add(1, Ordering::Relaxed);
            metrics::late_reply();
        }
        delivered
    }

    /// Counts the replies that no request waited for.
    pub(crate) fn late(&self) -> u64 {
        self.late.load(Ordering::Relaxed)
    }

    /// Waits for the reply to a request that is about to be sent.
    pub(crate) fn wait_for<'a>(&'a self, correlation: &'a str) -> Waiting<'a> {
        let (sender, reply) = oneshot::channel();
        self.waiting.lock().insert(correlation.to_owned(), sender);
        Waiting { replies: self, correlation, reply }
    }
}

/// Removes the request at its end, also when its future is dropped.
impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.replies.waiting.lock().remove(self.correlation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::Message;

    #[test]
    fn a_reply_completes_once_and_latecomers_are_counted() {
        let replies = Replies::default();
        let delivery = || Delivery::sample(Message::new("t", "b"), 0);
        let mut waiting = replies.wait_for("1");
        assert!(replies.complete("1", delivery()));
        assert!(waiting.reply.try_recv().is_ok());
        assert!(!replies.complete("1", delivery()));
        drop(replies.wait_for("3"));
        assert!(!replies.complete("3", delivery()));
        assert_eq!(replies.late(), 2);
    }
}
