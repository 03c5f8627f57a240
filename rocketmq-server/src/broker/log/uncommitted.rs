//! The puts of each connection that are in the store's buffer, and about which the client must not be told yet.
//!
//! Several connections share the buffer. Any of them may hand it to the kernel, and may fail. So a connection cannot rely
//! on its own call: it keeps the writes to which its messages belong.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::store::Put;

/// One message for each write, by connection.
#[derive(Debug, Default)]
pub(crate) struct Uncommitted {
    by_connection: Mutex<HashMap<u64, Vec<Put>>>,
}

impl Uncommitted {
    /// Notes a message. Most of one read share one write, so this seldom grows.
    pub(crate) fn add(&self, connection: u64, put: &Put) {
        let mut by_connection = self.by_connection.lock();
        let writes = by_connection.entry(connection).or_default();
        if !writes.last().is_some_and(|last| last.shares_write(put)) {
            writes.push(put.clone());
        }
    }

    /// Takes what a connection waits for.
    pub(crate) fn take(&self, connection: u64) -> Vec<Put> {
        self.by_connection.lock().remove(&connection).unwrap_or_default()
    }
}
