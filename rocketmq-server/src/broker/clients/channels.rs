//! The live connections of clients.

use std::collections::HashMap;

use parking_lot::Mutex;
use rocketmq_remoting::net::Connection;

/// The live connections that belong to some client, by id: where notifications and check-backs go.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    by_id: Mutex<HashMap<u64, Connection>>,
}

impl Channels {
    pub(crate) fn add(&self, connection: &Connection) {
        let mut by_id = self.by_id.lock();
        by_id.entry(connection.id()).or_insert_with(|| connection.clone());
    }

    pub(crate) fn remove(&self, id: u64) {
        self.by_id.lock().remove(&id);
    }

    pub(crate) fn get(&self, id: u64) -> Option<Connection> {
        self.by_id.lock().get(&id).cloned()
    }

    /// Closes connections whose clients fell silent.
    pub(crate) fn close(&self, ids: &[u64]) {
        let mut by_id = self.by_id.lock();
        for id in ids {
            if let Some(connection) = by_id.remove(id) {
                connection.close();
            }
        }
    }
}
