//! The messages of one call of a batch listener. Unreadable messages are judged one by one.

use crate::extract::Rejection;
use crate::outcome::{Handled, IntoOutcomes};
use futures_util::future::BoxFuture;
use rocketmq_client::Delivery;

/// The messages of one call, and the answers that are settled before it.
#[derive(Debug)]
pub struct Batch {
    deliveries: Vec<Delivery>,
    settled: Vec<Option<Handled>>,
}

impl Batch {
    pub(crate) fn new(deliveries: Vec<Delivery>) -> Self {
        let settled = deliveries.iter().map(|_| None).collect();
        Batch { deliveries, settled }
    }

    /// Returns the number of messages.
    pub fn len(&self) -> usize {
        self.deliveries.len()
    }

    /// Returns true when there are no messages.
    pub fn is_empty(&self) -> bool {
        self.deliveries.is_empty()
    }

    /// Returns one message.
    pub fn delivery(&self, index: usize) -> &Delivery {
        &self.deliveries[index]
    }

    /// Settles one message without the handler.
    pub fn reject(&mut self, index: usize, rejection: Rejection) {
        self.settled[index] = Some(Handled::rejected(rejection));
    }

    /// Settles every message that is still open.
    pub fn reject_all(&mut self, rejection: Rejection) {
        let why = rejection.to_string();
        for open in self.settled.iter_mut().filter(|answer| answer.is_none()) {
            *open = Some(Handled::rejected(Rejection::not_now(&why)));
        }
    }

    /// Returns true when no message is left for the handler.
    pub fn is_rejected(&self) -> bool {
        self.settled.iter().all(Option::is_some)
    }

    /// Fills the handler's answers in where none was settled before.
    fn merge(self, outcomes: impl IntoOutcomes) -> Vec<Handled> {
        let open = self.settled.iter().filter(|answer| answer.is_none()).count();
        let mut answers = outcomes.into_outcomes(open).into_iter();
        let missing = || Handled::failed("the handler gave no outcome for this message");
        self.settled
            .into_iter()
            .map(|settled| settled.unwrap_or_else(|| answers.next().unwrap_or_else(missing)))
            .collect()
    }
}

/// Runs a batch handler. Only this function states the bounds of its future.
pub fn batch_outcome<F, R>(batch: Batch, handler: F) -> BoxFuture<'static, Vec<Handled>>
where
    F: Future<Output = R> + Send + 'static,
    R: IntoOutcomes,
{
    Box::pin(async move { batch.merge(handler.await) })
}

/// Answers for a batch whose handler is not called.
pub fn rejected_batch(batch: Batch) -> BoxFuture<'static, Vec<Handled>> {
    Box::pin(std::future::ready(batch.merge(())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Verdict;
    use rocketmq_client::{Message, Outcome};

    #[test]
    fn answers_find_their_messages_around_the_unreadable_ones() {
        let mut batch = Batch::new(vec![Delivery::sample(Message::new("t", "b"), 0); 3]);
        batch.reject(1, Rejection::unreadable("no"));
        assert!(!batch.is_rejected());
        let handled = batch.merge(vec![Outcome::Ack, Outcome::Retry]);
        assert!(matches!(handled[0].verdict, Verdict::Decided(Outcome::Ack)));
        assert!(matches!(handled[1].verdict, Verdict::Rejected(_)));
        assert!(matches!(handled[2].verdict, Verdict::Decided(Outcome::Retry)));
    }
}
