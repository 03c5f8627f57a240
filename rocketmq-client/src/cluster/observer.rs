//! [`Observer`]: tells the layers above about events in the cluster.

use std::sync::{Arc, Weak};

use rocketmq_remoting::Command;
use rocketmq_remoting::net::{Answer, CloseReason, Connection, Handler};

/// Is told about events in the cluster. The cluster holds it weakly, since it holds the cluster.
pub(crate) trait Observer: Send + Sync + 'static {
    /// Is called when a connection to `address` came up.
    fn connected(self: Arc<Self>, address: &str);

    /// Is called when a connection was lost, and with it all that the server knew of this client.
    fn disconnected(self: Arc<Self>);

    /// Is called when a route has changed.
    fn route_changed(&self);

    /// Topics whose routes must stay fresh, named as on the wire.
    fn topics(&self) -> Vec<String>;

    /// Answers a request of a server.
    fn asked(&self, connection: &Connection, request: Command) -> Answer;
}

/// The events of every connection. One-way requests are never answered.
pub(super) struct Events(pub(super) Weak<dyn Observer>);

impl Events {
    /// Tells the observer that a connection came up.
    pub(super) fn connected(&self, address: &str) {
        if let Some(observer) = self.0.upgrade() {
            observer.connected(address);
        }
    }
}

impl Handler for Events {
    fn handle(&self, connection: &Connection, request: Command) -> Answer {
        let Some(observer) = self.0.upgrade() else { return Answer::None };
        let oneway = request.is_oneway();
        let answer = observer.asked(connection, request);
        if oneway { Answer::None } else { answer }
    }

    fn closed(&self, connection: &Connection, reason: &CloseReason) {
        tracing::debug!(peer = %connection.peer(), %reason, "connection closed");
        if let Some(observer) = self.0.upgrade()
            && !matches!(reason, CloseReason::Local)
        {
            observer.disconnected();
        }
    }
}
