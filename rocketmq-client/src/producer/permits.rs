//! Back-pressure: limits the messages and bytes that one producer has on their way at once.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;

use crate::clock::Instant;

/// Two fair semaphores. An empty body would count nothing, so every message counts at least one byte.
#[derive(Debug)]
pub(crate) struct Permits {
    count: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    most_bytes: u32,
}

/// Room for one message; dropping it gives the room to the next in line.
#[derive(Debug)]
pub(crate) struct Room {
    _count: OwnedSemaphorePermit,
    _bytes: OwnedSemaphorePermit,
}

impl Permits {
    pub(crate) fn new(count: usize, bytes: usize) -> Self {
        let most_bytes = u32::try_from(bytes.min(Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX).max(1);
        Self {
            count: Arc::new(Semaphore::new(count.clamp(1, Semaphore::MAX_PERMITS))),
            bytes: Arc::new(Semaphore::new(most_bytes as usize)),
            most_bytes,
        }
    }

    /// Waits for room for a body of `bytes`; `None` when there is none before `deadline`. A body larger than the whole
    /// limit takes all of it, so that it goes alone.
    pub(crate) async fn room(&self, bytes: usize, deadline: Instant) -> Option<Room> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).clamp(1, self.most_bytes);
        if let Some(room) = self.room_now(bytes) {
            return Some(room);
        }
        // Boxed: sends seldom wait, and all of them would carry room for it.
        let later: BoxFuture<'_, _> = Box::pin(self.room_later(bytes));
        timeout_at(deadline, later).await.ok().flatten()
    }

    fn room_now(&self, bytes: u32) -> Option<Room> {
        let _count = self.count.clone().try_acquire_owned().ok()?;
        let _bytes = self.bytes.clone().try_acquire_many_owned(bytes).ok()?;
        Some(Room { _count, _bytes })
    }

    async fn room_later(&self, bytes: u32) -> Option<Room> {
        let _count = self.count.clone().acquire_owned().await.ok()?;
        let _bytes = self.bytes.clone().acquire_many_owned(bytes).await.ok()?;
        Some(Room { _count, _bytes })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(1)
    }

    #[tokio::test(start_paused = true)]
    async fn room_runs_out_by_count_and_by_bytes_and_comes_back() {
        let permits = Permits::new(2, 10);
        let first = permits.room(6, soon()).await.expect("room");
        assert!(permits.room(6, soon()).await.is_none(), "12 of 10 bytes");
        let second = permits.room(4, soon()).await.expect("room");
        assert!(permits.room(0, soon()).await.is_none(), "a third of 2");
        drop((first, second));
        assert!(permits.room(1_000, soon()).await.is_some(), "too large for the limit goes alone");
    }

    #[tokio::test(start_paused = true)]
    async fn waiters_are_served_in_turn() {
        let permits = Arc::new(Permits::new(1, 10));
        let held = permits.room(1, soon()).await.expect("room");
        let mut first = Box::pin(permits.room(1, soon()));
        let mut second = Box::pin(permits.room(1, soon()));
        assert!(futures_util::poll!(first.as_mut()).is_pending());
        assert!(futures_util::poll!(second.as_mut()).is_pending());
        drop(held);
        assert!(futures_util::poll!(second.as_mut()).is_pending());
        let held = first.await.expect("first in line");
        drop(held);
        assert!(second.await.is_some());
    }
}
