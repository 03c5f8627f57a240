//! [`Permits`]: limits the handlers that run at once.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Holds one permit for each handler that may run; first come, first served. Clones share them.
#[derive(Clone)]
pub(crate) struct Permits {
    free: Arc<Semaphore>,
    limit: Arc<Mutex<Limit>>,
}

struct Limit {
    handlers: usize,
    /// The permits in use above the limit. They are not given back when they are dropped.
    surplus: usize,
}

/// The right to run one handler, until it is dropped.
pub(crate) struct Permit {
    permit: Option<OwnedSemaphorePermit>,
    limit: Arc<Mutex<Limit>>,
}

impl Permits {
    pub(crate) fn new(handlers: usize) -> Self {
        let limit = Limit { handlers, surplus: 0 };
        Self { free: Arc::new(Semaphore::new(handlers)), limit: Arc::new(Mutex::new(limit)) }
    }

    pub(crate) async fn acquire(&self) -> Permit {
        // Nobody closes the semaphore.
        let permit = self.free.clone().acquire_owned().await.ok();
        Permit { permit, limit: self.limit.clone() }
    }

    /// Changes the limit. Running handlers are not cancelled.
    pub(crate) fn set(&self, handlers: usize) {
        let mut limit = self.limit.lock();
        let more = handlers.saturating_sub(limit.handlers);
        let kept = more.min(limit.surplus);
        limit.surplus -= kept;
        self.free.add_permits(more - kept);
        let fewer = limit.handlers.saturating_sub(handlers);
        limit.surplus += fewer - self.free.forget_permits(fewer);
        limit.handlers = handlers;
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit.lock().handlers
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut limit = self.limit.lock();
        let Some(permit) = self.permit.take() else { return };
        if limit.surplus > 0 {
            limit.surplus -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    /// Takes what there is.
    fn take(permits: &Permits) -> Vec<Permit> {
        std::iter::from_fn(|| permits.acquire().now_or_never()).collect()
    }

    #[test]
    fn fewer_count_at_once_though_those_in_use_are_still_out() {
        let permits = Permits::new(4);
        let mut running = take(&permits);
        assert_eq!(running.len(), 4);
        permits.set(2);
        running.truncate(2);
        assert!(take(&permits).is_empty(), "two are still running");
        running.truncate(1);
        assert_eq!((take(&permits).len(), permits.limit()), (1, 2));
    }

    #[test]
    fn more_count_at_once_and_first_those_that_were_to_go() {
        let permits = Permits::new(2);
        let running = take(&permits);
        permits.set(1);
        permits.set(3);
        assert_eq!(take(&permits).len(), 1);
        drop(running);
        assert_eq!(take(&permits).len(), 3);
    }
}
