//! Memory that connections share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::connection::Connection;
use super::error::CloseReason;

/// Bytes that each connection may hold without being counted.
pub(super) const FREE: usize = 128 << 10;
/// A connection that made no progress for so long may be closed when memory is short.
const PATIENCE: Duration = Duration::from_secs(5);
/// After memory was short for so long, the connection that holds most is closed, whatever its progress.
const ENDURANCE: Duration = Duration::from_secs(10);
/// The interval in which connections are looked at while memory is short.
pub(super) const LOOK: Duration = Duration::from_millis(100);

/// A limit on the bytes that all connections together keep of unfinished frames and of what waits to be written.
///
/// When they keep more, those that are behind are not read any further, and each other one holds one answer at a time. A
/// connection that makes no progress meanwhile is closed, the one that stands still longest first. Clones share the
/// limit.
#[derive(Debug, Clone)]
pub struct MemoryLimit(Arc<Limit>);

#[derive(Debug)]
struct Limit {
    bytes: usize,
    used: AtomicUsize,
    begun: Instant,
    /// Milliseconds since `begun`: when memory became short, -1 while it is not; and the last look at the connections.
    short_since: AtomicI64,
    looked: AtomicI64,
    holders: Mutex<HashMap<u64, (Connection, Arc<Holder>)>>,
}

/// The memory that one connection keeps.
#[derive(Debug, Default)]
struct Holder {
    held: AtomicUsize,
    /// The part of it that waits for the peer.
    waiting: AtomicUsize,
    /// Milliseconds since the limit's beginning.
    progress: AtomicU64,
}

impl MemoryLimit {
    /// A limit of `bytes`.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Limit {
            bytes,
            used: AtomicUsize::new(0),
            begun: Instant::now(),
            short_since: AtomicI64::new(-1),
            looked: AtomicI64::new(0),
            holders: Mutex::default(),
        }))
    }

    /// Returns the bytes that connections keep, as far as they are counted.
    pub fn used(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }

    /// Returns true if connections keep more than the limit.
    pub(super) fn is_short(&self) -> bool {
        self.used() > self.0.bytes
    }

    /// Counts what a connection keeps, from now until the share is dropped.
    pub(super) fn share(&self, connection: Connection) -> Share {
        let holder = Arc::<Holder>::default();
        let id = connection.id();
        self.holders().insert(id, (connection, holder.clone()));
        let share = Share { limit: self.clone(), id, holder };
        share.progress();
        share
    }

    /// Closes a connection that keeps others from memory, if there is one to close.
    fn relieve(&self) {
        let now = self.now();
        if now - self.0.looked.swap(now, Ordering::Relaxed) < millis(LOOK) {
            return;
        }
        let _ = self.0.short_since.compare_exchange(-1, now, Ordering::Relaxed, Ordering::Relaxed);
        let lasts = now - self.0.short_since.load(Ordering::Relaxed);
        let holders = self.holders();
        let behind = holders.values().filter(|(_, holder)| holder.waiting.load(Ordering::Relaxed) > FREE);
        let victim = if lasts >= millis(ENDURANCE) {
            behind.max_by_key(|(_, holder)| holder.waiting.load(Ordering::Relaxed))
        } else {
            behind
                .filter(|(_, holder)| now - holder.progressed() >= millis(PATIENCE))
                .min_by_key(|(_, holder)| holder.progressed())
        };
        if let Some((connection, holder)) = victim {
            connection.end(CloseReason::Overload { waiting: holder.waiting.load(Ordering::Relaxed) });
        }
    }

    fn now(&self) -> i64 {
        millis(self.0.begun.elapsed())
    }

    fn holders(&self) -> std::sync::MutexGuard<'_, HashMap<u64, (Connection, Arc<Holder>)>> {
        // Nothing panics while it holds the lock.
        self.0.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Holder {
    fn progressed(&self) -> i64 {
        i64::try_from(self.progress.load(Ordering::Relaxed)).unwrap_or(i64::MAX)
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The part of the memory that one connection keeps.
#[derive(Debug)]
pub(super) struct Share {
    limit: MemoryLimit,
    id: u64,
    holder: Arc<Holder>,
}

impl Share {
    /// Counts `bytes` instead of what was counted before. Of them `waiting` wait for the peer.
    pub fn keep(&self, bytes: usize, waiting: usize) {
        let bytes = bytes.saturating_sub(FREE);
        let before = self.holder.held.swap(bytes, Ordering::Relaxed);
        let used = &self.limit.0.used;
        if bytes >= before {
            used.fetch_add(bytes - before, Ordering::Relaxed);
        } else if used.fetch_sub(before - bytes, Ordering::Relaxed) - (before - bytes) <= self.limit.0.bytes {
            self.limit.0.short_since.store(-1, Ordering::Relaxed);
        }
        self.holder.waiting.store(waiting, Ordering::Relaxed);
    }

    /// Notes that the connection goes on: it handled a frame, or its peer took bytes.
    pub fn progress(&self) {
        let now = u64::try_from(self.limit.now()).unwrap_or(0);
        self.holder.progress.store(now, Ordering::Relaxed);
    }

    pub fn is_short(&self) -> bool {
        self.limit.is_short()
    }

    /// Returns true if so much is kept that spare room of buffers is better given back.
    pub fn is_scarce(&self) -> bool {
        self.limit.used() > self.limit.0.bytes / 4
    }

    pub fn relieve(&self) {
        self.limit.relieve();
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.keep(0, 0);
        self.limit.holders().remove(&self.id);
    }
}
