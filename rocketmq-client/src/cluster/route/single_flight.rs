//! Many callers with the same question, one answer.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::OnceCell;

/// Questions being answered, by key.
#[derive(Debug)]
pub(crate) struct SingleFlight<T> {
    running: Mutex<HashMap<String, Arc<OnceCell<T>>>>,
}

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        Self { running: Mutex::default() }
    }
}

impl<T: Clone> SingleFlight<T> {
    /// Answers the question `key`. The first caller's `ask` answers all callers that come before it is done; when that
    /// caller is dropped meanwhile, the next in line asks.
    ///
    /// Boxed: every send would carry room for a lookup, which is several kilobytes and seldom needed.
    pub(crate) fn run<'a>(&'a self, key: String, ask: impl Future<Output = T> + Send + 'a) -> BoxFuture<'a, T>
    where
        T: Send + Sync,
    {
        Box::pin(async move {
            let cell = self.running.lock().entry(key.clone()).or_default().clone();
            let answer = cell.get_or_init(|| ask).await.clone();
            let mut running = self.running.lock();
            if running.get(&key).is_some_and(|current| Arc::ptr_eq(current, &cell)) {
                running.remove(&key);
            }
            answer
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn callers_at_once_share_and_callers_later_ask_again() {
        let (flight, asked) = (SingleFlight::default(), AtomicU32::new(0));
        let ask = async || {
            tokio::task::yield_now().await;
            asked.fetch_add(1, Ordering::SeqCst)
        };
        let (a, b) = tokio::join!(flight.run("t".to_owned(), ask()), flight.run("t".to_owned(), ask()));
        assert_eq!((a, b), (0, 0));
        assert_eq!(flight.run("t".to_owned(), ask()).await, 1);
        assert!(flight.running.lock().is_empty());
    }

    #[tokio::test]
    async fn a_dropped_caller_leaves_the_question_to_the_next() {
        let flight = SingleFlight::default();
        let forever = flight.run("t".to_owned(), std::future::pending::<u32>());
        let mut forever = Box::pin(forever);
        assert!(futures_util::poll!(forever.as_mut()).is_pending());
        let second = flight.run("t".to_owned(), std::future::ready(7));
        let mut second = Box::pin(second);
        assert!(futures_util::poll!(second.as_mut()).is_pending());
        drop(forever);
        assert_eq!(second.await, 7);
    }
}
