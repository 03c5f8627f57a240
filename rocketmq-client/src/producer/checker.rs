//! [`Checker`]: the application's answers about transactions that their senders left undecided.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use crate::messages::{Delivery, TransactionState};

/// The most questions that one producer works on at once; the broker asks again about those that are dropped.
const CHECKS_AT_ONCE: usize = 64;

type Check = Box<dyn Fn(Delivery) -> BoxFuture<'static, TransactionState> + Send + Sync>;

/// Answers for all transactions of a group.
pub(super) struct Checker {
    pub(super) check: Check,
    pub(super) running: Arc<Semaphore>,
}

impl Checker {
    pub(super) fn new<C, F>(checker: C) -> Self
    where
        C: Fn(Delivery) -> F + Send + Sync + 'static,
        F: Future<Output = TransactionState> + Send + 'static,
    {
        let check: Check = Box::new(move |half| Box::pin(checker(half)));
        Self { check, running: Arc::new(Semaphore::new(CHECKS_AT_ONCE)) }
    }
}
