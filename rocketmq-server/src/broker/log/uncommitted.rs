//! What each connection has put into the store's buffer and must not be told about yet.
//!
//! Several connections share the buffer, and any of them may be the one that hands it to the kernel, and fails. So it is
//! not enough that one's own call succeeds: each connection keeps the writes its messages are part of.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::store::Stored;

/// One message for each write, by connection.
#[derive(Debug, Default)]
pub struct Uncommitted {
    by_connection: Mutex<HashMap<u64, Vec<Stored>>>,
}

impl Uncommitted {
    /// Notes a message. Most of one read share one write, so this seldom grows.
    pub fn add(&self, connection: u64, stored: &Stored) {
        let mut by_connection = self.by_connection.lock();
        let writes = by_connection.entry(connection).or_default();
        if !writes.last().is_some_and(|last| last.shares_write(stored)) {
            writes.push(stored.clone());
        }
    }

    /// Takes what a connection waits for.
    pub fn take(&self, connection: u64) -> Vec<Stored> {
        self.by_connection.lock().remove(&connection).unwrap_or_default()
    }
}
