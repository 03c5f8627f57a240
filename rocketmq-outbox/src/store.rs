//! The part of an outbox that the relay needs.

use async_trait::async_trait;

use crate::OutboxMessage;

/// Any error of a store.
pub type StoreError = Box<dyn std::error::Error + Send + Sync>;

/// A message that waits in an outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place: messages written later have higher ones.
    pub position: i64,
    /// Its id, which it keeps when it is sent again.
    pub id: String,
    /// The message.
    pub message: OutboxMessage,
}

/// The table of an outbox, as the relay uses it. One relay at a time uses a table: two would send each message twice.
///
/// ```
/// use rocketmq_outbox::{Entry, OutboxStore, StoreError, async_trait};
/// use std::sync::Mutex;
///
/// /// Loses its messages with the process: for tests.
/// #[derive(Debug, Default)]
/// struct InMemory(Mutex<Vec<Entry>>);
///
/// #[async_trait]
/// impl OutboxStore for InMemory {
///     async fn waiting(&self, after: i64, limit: usize) -> Result<Vec<Entry>, StoreError> {
///         let entries = self.0.lock().map_err(|error| error.to_string())?;
///         Ok(entries.iter().filter(|entry| entry.position > after).take(limit).cloned().collect())
///     }
///
///     async fn remove(&self, positions: &[i64]) -> Result<(), StoreError> {
///         let mut entries = self.0.lock().map_err(|error| error.to_string())?;
///         entries.retain(|entry| !positions.contains(&entry.position));
///         Ok(())
///     }
///
///     async fn set_aside(&self, position: i64, _why: &str) -> Result<(), StoreError> {
///         self.remove(&[position]).await
///     }
/// }
/// ```
#[async_trait]
pub trait OutboxStore: Send + Sync + 'static {
    /// Returns the first messages behind a position that are neither removed nor set aside, at most `limit`, by their positions.
    ///
    /// # Errors
    /// Fails if they cannot be read; the relay tries again later.
    async fn waiting(&self, after: i64, limit: usize) -> Result<Vec<Entry>, StoreError>;

    /// Removes messages that a broker has stored.
    ///
    /// # Errors
    /// Fails if they are still there; the relay sends them again, with the same ids.
    async fn remove(&self, positions: &[i64]) -> Result<(), StoreError>;

    /// Keeps a message from being sent again, for an operator to look at: no broker will ever take it.
    ///
    /// # Errors
    /// Fails if it waits still; the relay tries it again.
    async fn set_aside(&self, position: i64, why: &str) -> Result<(), StoreError>;
}
